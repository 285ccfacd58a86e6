//! Sandboxes: started on demand, one invocation at a time, reused, and never left behind.

use std::num::NonZeroUsize;

use crate::support::{Gate, Lambda, behaving, gone};

#[tokio::test]
async fn requests_one_after_the_other_share_one_sandbox() {
    let lambda = Lambda::with_sandboxes("pid", 4).await;
    let first = lambda.get("/").await.text().await;
    for _ in 0..50 {
        assert_eq!(lambda.get("/").await.text().await, first);
    }
    let console = lambda.stop().await.console;
    assert_eq!(console.iter().filter(|line| line.contains("cold start")).count(), 1, "{console:?}");
}

#[tokio::test]
async fn one_invocation_more_than_there_are_sandboxes_is_a_429() {
    let gate = Gate::closed().await;
    let two = NonZeroUsize::new(2).expect("two");
    let lambda = Lambda::with(gate.guarding(behaving("steps")), |config| config.sandboxes(two)).await;
    let responses = [lambda.get("/").await, lambda.get("/").await];

    let throttled = lambda.get("/").await;
    assert_eq!(throttled.status, 429);
    assert_eq!(throttled.header("x-amzn-errortype"), Some("TooManyRequestsException"));
    let document = throttled.json().await;
    assert_eq!(document["Reason"], "ReservedFunctionConcurrentInvocationLimitExceeded");
    assert_eq!(document["message"], "Rate Exceeded.");

    for _ in 0..6 {
        gate.open().await;
    }
    for response in responses {
        assert_eq!(response.text().await, "onetwothree");
    }
    assert_eq!(lambda.get("/").await.status, 200, "there is room again");
    lambda.stop().await;
}

#[tokio::test]
async fn a_process_that_ends_after_its_answer_is_replaced_and_no_client_notices() {
    let mut lambda = Lambda::with_sandboxes("once", 1).await;
    let first = lambda.get("/").await.text().await;
    let second = lambda.get("/").await.text().await;
    assert_ne!(first, second);
    lambda.console("sandbox 1").await;
    lambda.console("Runtime.ExitError: the process ended: exit status: 0").await;
    lambda.stop().await;
}

#[tokio::test]
async fn the_end_of_the_stand_in_ends_the_functions_and_their_children() {
    let lambda = Lambda::running("child").await;
    let processes = lambda.get("/").await.text().await;
    assert_eq!(processes.split(' ').count(), 2, "{processes}");
    lambda.stop().await;
    for process in processes.split(' ') {
        gone(process).await;
    }
}

#[tokio::test]
async fn the_end_of_the_stand_in_cuts_what_is_under_way() {
    let gate = Gate::closed().await;
    let lambda = Lambda::with(gate.guarding(behaving("steps")), |config| config).await;
    let mut response = lambda.get("/").await;
    let _waiting = gate.reached().await;
    lambda.stop().await;
    response.piece().await.expect_err("the stream does not end as if it were complete");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_an_error_at_the_start() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let config = local_lambda::Config::new(local_lambda::Function::new("/no/such/function"));
    let error = local_lambda::run(listener, config, std::future::pending()).await.expect_err("an error");
    assert!(error.to_string().contains("/no/such/function"), "{error}");
}

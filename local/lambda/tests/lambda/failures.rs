//! Functions that fail: what the client gets, and what the person at the console reads.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::support::{Lambda, behaving};

/// Sends two requests to a stand-in with room for one sandbox: each must fail alike, the second in
/// a sandbox that replaced the first.
async fn fails_twice(function: local_lambda::Function, reason: &str) {
    let one = NonZeroUsize::MIN;
    let mut lambda = Lambda::with(function, |config| config.sandboxes(one)).await;
    for _ in 0..2 {
        let response = lambda.get("/").await;
        assert_eq!(response.status, 502);
        assert_eq!(response.header("content-type"), Some("application/json"));
        assert_eq!(response.text().await, "Internal Server Error");
        lambda.console(reason).await;
    }
    lambda.stop().await;
}

#[tokio::test]
async fn a_process_that_ends_before_it_asks_for_work_is_a_502() {
    fails_twice(behaving("exit-in-init"), "Runtime.ExitError: the process ended: exit status: 3").await;
}

#[tokio::test]
async fn a_reported_init_error_is_a_502_that_names_the_reported_reason() {
    fails_twice(behaving("init-error"), "Config.Missing: MODEL_ID is missing").await;
}

#[tokio::test]
async fn an_initialisation_beyond_its_limit_is_a_502() {
    let function = behaving("hang-in-init").init_timeout(Duration::from_millis(50));
    fails_twice(function, "Sandbox.Timedout: no call of /runtime/invocation/next within 0.05 s").await;
}

#[tokio::test]
async fn a_crash_is_a_502_and_the_sandbox_is_replaced() {
    fails_twice(behaving("crash"), "Runtime.ExitError: the process ended: exit status: 7").await;
}

#[tokio::test]
async fn an_invocation_beyond_its_deadline_is_a_502() {
    let function = behaving("hang").timeout(Duration::from_millis(50));
    fails_twice(function, "Sandbox.Timedout: task timed out after 0.05 s").await;
}

#[tokio::test]
async fn a_reported_error_is_a_502_and_the_sandbox_lives_on() {
    let mut lambda = Lambda::running("error").await;
    for _ in 0..2 {
        assert_eq!(lambda.get("/").await.status, 502);
        lambda.console("Function.Broken: it is broken").await;
    }
    assert!(!lambda.console_so_far().iter().any(|line| line.contains("sandbox 2")));
    lambda.stop().await;
}

#[tokio::test]
async fn a_stream_beyond_its_deadline_is_cut() {
    let function = behaving("hang-in-stream").timeout(Duration::from_millis(200));
    let mut lambda = Lambda::with(function, |config| config).await;
    let mut response = lambda.get("/").await;
    assert_eq!(response.status, 200);
    assert_eq!(response.piece().await.expect("no cut yet").as_deref(), Some("half"));
    response.piece().await.expect_err("the stream does not end as if it were complete");
    lambda.console("Sandbox.Timedout: task timed out after 0.20 s").await;
    lambda.stop().await;
}

#[tokio::test]
async fn the_last_words_of_a_process_stand_before_the_reason_of_its_end() {
    let mut lambda = Lambda::running("exit-in-init").await;
    assert_eq!(lambda.get("/").await.status, 502);
    let lines = lambda.console_so_far();
    let position = |text: &str| lines.iter().position(|line| line.contains(text));
    assert!(position("no configuration").is_some(), "{lines:?}");
    assert!(position("no configuration") < position("Runtime.ExitError"), "{lines:?}");
    lambda.stop().await;
}

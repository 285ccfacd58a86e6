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
    let limit = Duration::from_millis(50);
    let function = behaving("hang-in-init").init_timeout(limit).timeout(limit);
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
    let lambda = Lambda::running("error").await;
    for _ in 0..2 {
        assert_eq!(lambda.get("/").await.status, 502);
    }
    let console = lambda.stop().await.console;
    assert_eq!(console.iter().filter(|line| line.contains("Function.Broken: it is broken")).count(), 2, "{console:?}");
    assert!(!console.iter().any(|line| line.contains("sandbox 2")), "{console:?}");
}

#[tokio::test]
async fn a_stream_beyond_its_deadline_is_cut() {
    let function = behaving("hang-in-stream").timeout(Duration::from_secs(2));
    let mut lambda = Lambda::with(function, |config| config).await;
    let mut response = lambda.get("/").await;
    assert_eq!(response.status, 200);
    assert_eq!(response.piece().await.expect("no cut yet").as_deref(), Some("half"));
    response.piece().await.expect_err("the stream does not end as if it were complete");
    lambda.console("Sandbox.Timedout: task timed out after 2.00 s").await;
    lambda.stop().await;
}

#[tokio::test]
async fn the_last_words_of_a_process_stand_before_the_reason_of_its_end() {
    let lambda = Lambda::running("exit-in-init").await;
    assert_eq!(lambda.get("/").await.status, 502);
    let lines = lambda.stop().await.console;
    let position = |text: &str| lines.iter().position(|line| line.contains(text));
    assert!(position("no configuration").is_some(), "{lines:?}");
    assert!(position("no configuration") < position("Runtime.ExitError"), "{lines:?}");
}

#[tokio::test]
async fn a_failed_initialisation_is_tried_once_more_within_the_invocation() {
    let directory = tempfile::tempdir().expect("a directory");
    let function = behaving("init-fails-once").env("MARK", directory.path().join("mark"));
    let mut lambda = Lambda::with(function, |config| config.sandboxes(NonZeroUsize::MIN)).await;
    assert_eq!(lambda.get("/").await.status, 200);
    lambda.console("sandbox 1 Runtime.ExitError: the process ended: exit status: 3").await;
    lambda.console("sandbox 1 · cold start").await;
    lambda.stop().await;
}

#[tokio::test]
async fn the_second_initialisation_has_the_functions_time_out_as_its_limit() {
    let function = behaving("hang-in-init").init_timeout(Duration::from_millis(50)).timeout(Duration::from_millis(80));
    let mut lambda = Lambda::with(function, |config| config).await;
    assert_eq!(lambda.get("/").await.status, 502);
    lambda.console("Sandbox.Timedout: no call of /runtime/invocation/next within 0.05 s").await;
    lambda.console("Sandbox.Timedout: task timed out after 0.08 s").await;
    lambda.stop().await;
}

#[tokio::test]
async fn a_process_that_reported_an_init_error_gets_no_invocation_any_more() {
    let mut lambda = Lambda::running("init-error-then-next").await;
    assert_eq!(lambda.get("/").await.status, 502);
    assert_eq!(lambda.line().await, "next answered 403");
    lambda.console("Config.Missing: MODEL_ID is missing").await;
    lambda.stop().await;
}

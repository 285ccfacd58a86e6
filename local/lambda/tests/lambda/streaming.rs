//! Bytes on their way: at once, in order, to the end or visibly not.

use crate::support::{Gate, Lambda, behaving};

#[tokio::test]
async fn each_piece_reaches_the_client_before_the_function_writes_the_next() {
    let gate = Gate::closed().await;
    let lambda = Lambda::with(gate.guarding(behaving("steps")), |config| config).await;
    let mut response = lambda.get("/").await;
    assert_eq!(response.status, 200, "the head is there before the first piece is");
    for step in ["one", "two", "three"] {
        gate.open().await;
        assert_eq!(response.piece().await.expect("no cut").as_deref(), Some(step));
    }
    assert_eq!(response.piece().await.expect("no cut"), None);
    lambda.stop().await;
}

#[tokio::test]
async fn the_prelude_is_found_when_every_byte_comes_alone() {
    let lambda = Lambda::running("byte-by-byte").await;
    let response = lambda.get("/").await;
    assert_eq!(response.header("content-type"), Some("text/event-stream"));
    assert_eq!(response.text().await, "payload");
    lambda.stop().await;
}

#[tokio::test]
async fn the_function_is_answered_202_only_after_its_last_byte() {
    let gate = Gate::closed().await;
    let mut lambda = Lambda::with(gate.guarding(behaving("steps")), |config| config).await;
    let response = lambda.get("/").await;
    for _ in 0..3 {
        gate.open().await;
    }
    assert_eq!(response.text().await, "onetwothree");
    assert_eq!(lambda.line().await, "answered 202");
    lambda.stop().await;
}

#[tokio::test]
async fn a_function_is_not_told_that_its_client_has_gone() {
    let gate = Gate::closed().await;
    let mut lambda = Lambda::with(gate.guarding(behaving("steps")), |config| config).await;
    let mut response = lambda.get("/").await;
    gate.open().await;
    assert_eq!(response.piece().await.expect("no cut").as_deref(), Some("one"));
    response.abandon().await;
    gate.open().await;
    gate.open().await;
    assert_eq!(lambda.line().await, "answered 202");
    lambda.stop().await;
}

#[tokio::test]
async fn an_error_trailer_cuts_the_clients_connection_and_shows_on_the_console() {
    let gate = Gate::closed().await;
    let mut lambda = Lambda::with(gate.guarding(behaving("error-trailer")), |config| config).await;
    let mut response = lambda.get("/").await;
    assert_eq!(response.piece().await.expect("no cut yet").as_deref(), Some("half"));
    gate.open().await;
    response.piece().await.expect_err("the stream does not end as if it were complete");
    lambda.console("Function.Broken: it broke").await;
    lambda.stop().await;
}

#[tokio::test]
async fn a_crash_in_mid_stream_cuts_the_clients_connection() {
    let gate = Gate::closed().await;
    let mut lambda = Lambda::with(gate.guarding(behaving("crash-in-stream")), |config| config).await;
    let mut response = lambda.get("/").await;
    assert_eq!(response.piece().await.expect("no cut yet").as_deref(), Some("half"));
    gate.open().await;
    response.piece().await.expect_err("the stream does not end as if it were complete");
    lambda.console("Runtime.ExitError: the process ended: exit status: 7").await;
    lambda.stop().await;
}

//! Bytes on their way: at once, in order, to the end or visibly not.

use std::time::{Duration, Instant};

use local_lambda::{Bandwidth, ClientGone};

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
async fn an_error_trailer_counts_also_when_the_client_has_gone() {
    let gate = Gate::closed().await;
    let mut lambda = Lambda::with(gate.guarding(behaving("error-trailer")), |config| config).await;
    let mut response = lambda.get("/").await;
    assert_eq!(response.piece().await.expect("no cut yet").as_deref(), Some("half"));
    response.abandon().await;
    gate.open().await;
    lambda.console("Function.Broken: it broke").await;
    lambda.stop().await;
}

#[tokio::test]
async fn an_error_trailer_before_the_first_byte_is_a_502() {
    let mut lambda = Lambda::running("error-trailer-first").await;
    for _ in 0..2 {
        assert_eq!(lambda.get("/").await.status, 502);
        lambda.console("Function.Broken: it broke").await;
    }
    assert!(!lambda.stop().await.console.iter().any(|line| line.contains("sandbox 2")), "the sandbox lives on");
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

#[tokio::test]
async fn a_function_is_cut_when_its_client_has_gone_if_that_is_asked_for() {
    let mut lambda = Lambda::with(behaving("until-cut"), |config| config.client_gone(ClientGone::Cut)).await;
    for _ in 0..2 {
        let mut response = lambda.get("/").await;
        assert_eq!(response.piece().await.expect("no cut").as_deref(), Some("one"));
        response.abandon().await;
        assert_eq!(lambda.line().await, "cut");
    }
    assert!(!lambda.stop().await.console.iter().any(|line| line.contains("sandbox 2")), "the sandbox lives on");
}

#[tokio::test]
async fn the_first_six_mebibytes_come_at_once_and_the_rest_at_two_a_second() {
    let lambda = Lambda::running("bytes").await;
    let asked = Instant::now();
    let length = (6 * 1024 + 512) * 1024;
    assert_eq!(lambda.post(length.to_string()).await.text().await.len(), length);
    assert!(asked.elapsed() >= Duration::from_millis(2 * 125), "{:?}", asked.elapsed());
    lambda.stop().await;
}

#[tokio::test]
async fn another_bandwidth_may_be_set() {
    let slow = Bandwidth::limited(1000, 8000);
    let lambda = Lambda::with(behaving("bytes"), |config| config.bandwidth(slow)).await;
    let asked = Instant::now();
    assert_eq!(lambda.post("3000").await.text().await.len(), 3000);
    assert!(asked.elapsed() >= Duration::from_millis(2 * 125), "{:?}", asked.elapsed());
    lambda.stop().await;
}

/// What the function `bytes` writes before the bytes asked for.
const PRELUDE: u64 = 10;

#[tokio::test]
async fn a_streamed_answer_may_have_as_many_bytes_as_the_limit() {
    let mut lambda = Lambda::with(behaving("bytes"), |config| config.streamed_response_limit(5000 + PRELUDE)).await;
    assert_eq!(lambda.post("5000").await.text().await.len(), 5000);
    assert_eq!(lambda.line().await, "answered 202");
    lambda.stop().await;
}

#[tokio::test]
async fn a_streamed_answer_beyond_the_limit_is_cut_and_the_function_is_told_413() {
    let mut lambda = Lambda::with(behaving("bytes"), |config| config.streamed_response_limit(100_000)).await;
    // Far above it the function still writes when the limit is reached.
    for length in [110_000, 20 * 1024 * 1024] {
        let mut response = lambda.post(length.to_string()).await;
        assert_eq!(response.status, 200);
        while let Ok(piece) = response.piece().await {
            piece.expect("a cut, and no proper end");
        }
        assert_eq!(lambda.line().await, "answered 413");
        lambda.console("Function.ResponseSizeTooLarge: a streamed response may have 100000 bytes at most").await;
    }
    lambda.stop().await;
}

//! What goes wrong at Bedrock, and how a client is told.

use std::sync::atomic::Ordering;

use serde_json::json;

use crate::app::{App, problem};
use crate::raw_bedrock;
use crate::sse::{terminal, text};

#[tokio::test]
async fn a_throttle_before_the_first_token_is_a_429_with_retry_after() {
    let app = App::start().await;
    app.fails("throttle");
    let (status, retry_after, document) = problem(app.post(r#"{"message":"Yo"}"#).await).await;
    assert_eq!((status, retry_after.as_deref(), &document["code"]), (429, Some("2"), &json!("throttled")));
    assert_eq!(app.bedrock.conversations().len(), 3, "attempts");
    let record = app.record().await;
    assert_eq!(
        (&record["Throttles"], &record["Errors"], &record["Outcome"]),
        (&json!(1.0), &json!(0.0), &json!("failed"))
    );
}

/// Bedrock documents no such header; the SDK would honour it, for as long as it says.
#[tokio::test]
async fn a_throttle_that_asks_for_patience_keeps_nobody_waiting() {
    let head = "429 Too Many Requests\r\nx-amzn-errortype: ThrottlingException\r\nx-amz-retry-after: 30000";
    let (endpoint, asked) = raw_bedrock::answering(head, br#"{"message":"slow down"}"#.to_vec()).await;
    let app = App::setup().variable("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", &endpoint).start().await;
    // Thirty seconds would be longer than any wait of these tests.
    let (status, retry_after, _) = problem(app.post(r#"{"message":"Yo"}"#).await).await;
    assert_eq!((status, retry_after.as_deref()), (429, Some("2")));
    assert_eq!(asked.load(Ordering::Relaxed), 3, "attempts");
}

#[tokio::test]
async fn a_throttle_that_passes_is_never_seen() {
    let app = App::setup().saying(&["Yo"]).start().await;
    app.fails_once("throttle");
    assert_eq!(text(&app.reply("Yo").await), "Yo");
    assert_eq!(app.bedrock.conversations().len(), 2, "attempts");
}

#[tokio::test]
async fn an_error_before_the_stream_is_a_status_and_a_problem() {
    let app = App::start().await;
    for (fault, status, code, retry_after) in [
        ("not-ready", 503, "model_unavailable", Some("5")),
        ("500", 503, "model_unavailable", Some("5")),
        ("503", 503, "model_unavailable", Some("5")),
        ("model-error", 503, "model_unavailable", Some("5")),
        ("model-timeout", 504, "model_timeout", None),
        ("validation", 502, "model_rejected", None),
        ("access-denied", 502, "model_access_denied", None),
        ("not-found", 502, "model_not_found", None),
    ] {
        app.fails(fault);
        let (got, retry, document) = problem(app.post(r#"{"message":"Yo"}"#).await).await;
        assert_eq!((got, retry.as_deref(), &document["code"]), (status, retry_after, &json!(code)), "{fault}");
        let record = app.record().await;
        assert_eq!((&record["error_code"], &record["Errors"]), (&json!(code), &json!(1.0)), "{fault}");
    }
}

#[tokio::test]
async fn an_error_within_the_stream_is_its_terminal_event() {
    let app = App::setup().saying(&["one ", "two ", "three "]).start().await;
    for (fault, code, retry_after) in [
        ("exception:throttlingException@2", "throttled", Some(2)),
        ("exception:validationException@2", "model_rejected", None),
        ("exception:internalServerException@2", "model_unavailable", Some(5)),
        ("exception:modelStreamErrorException@2", "model_unavailable", Some(5)),
        ("exception:serviceUnavailableException@2", "model_unavailable", Some(5)),
        ("drop@2", "stream_interrupted", None),
    ] {
        app.fails(fault);
        let events = app.reply("Count").await;
        assert_eq!(text(&events), "one two ", "{fault}: what came is kept");
        let error = terminal(&events);
        assert_eq!((error.name.as_str(), &error.data["code"]), ("error", &json!(code)), "{fault}");
        assert_eq!(error.data.get("retry_after"), retry_after.map(|seconds| json!(seconds)).as_ref(), "{fault}");
        assert_eq!(error.data["request_id"], events[0].data["id"], "{fault}");
        assert_eq!(error.data["usage"], json!(null), "{fault}");
        let record = app.record().await;
        assert_eq!((&record["error_code"], &record["content_deltas"]), (&json!(code), &json!(2)), "{fault}");
    }
    assert_eq!(app.bedrock.conversations().len(), 6, "nothing is tried again once the stream has begun");
}

#[tokio::test]
async fn bedrocks_own_words_stay_in_the_log() {
    let app = App::start().await;
    app.fails("access-denied");
    let (_, _, document) = problem(app.post(r#"{"message":"Yo"}"#).await).await;
    let logged = app.log_line().await;
    assert!(logged.contains("AccessDeniedException"), "{logged}");
    assert!(!logged.contains("x-amzn-"), "a header in the log: {logged}");
    assert!(!document.to_string().contains("AccessDenied"), "{document}");
}

#[tokio::test]
async fn the_next_request_is_answered_after_any_failure() {
    let app = App::setup().saying(&["Yo"]).start().await;
    for fault in ["500", "drop@1", "exception@1"] {
        app.fails(fault);
        let response = app.post(r#"{"message":"Yo"}"#).await;
        response.bytes().await.expect("an end");
        app.faults.set(None);
        assert_eq!(text(&app.reply("Yo").await), "Yo", "after {fault}");
    }
}

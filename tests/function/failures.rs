//! What goes wrong at Bedrock beside its faults by name (`faults`): attempts, patience, and whose words are told.

use std::sync::atomic::Ordering;

use serde_json::json;

use crate::app::{App, problem};
use crate::raw_bedrock;
use crate::sse::text;

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
async fn bedrocks_own_words_stay_in_the_log() {
    let app = App::start().await;
    app.fails("access-denied");
    let (_, _, document) = problem(app.post(r#"{"message":"Yo"}"#).await).await;
    let logged = app.log_line().await;
    assert!(logged.contains("AccessDeniedException"), "{logged}");
    assert!(!logged.contains("x-amzn-"), "a header in the log: {logged}");
    assert!(!document.to_string().contains("AccessDenied"), "{document}");
}

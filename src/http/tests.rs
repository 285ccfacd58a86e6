//! What depends on time or on a bug: the service over a scripted model in paused time.

use std::future::poll_fn;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Answer, Body, Service};
use crate::chat::Timeouts;
use crate::config::InferenceProfile;
use crate::invocation::{Invocation, Receipt, Start};
use crate::model::scripted::{Ending, Head, Scripted, at_once, metadata, stop, text};
use crate::model::{ModelError, ModelErrorKind};
use crate::policy::Policy;
use crate::telemetry::Outcome;

const PROFILE: &str = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-micro-v1:0";

async fn ask(model: Scripted, lambda_timeout: Duration) -> Answer {
    let profile = InferenceProfile::parse(PROFILE).expect("an ARN");
    let service = Service::new(model, profile, Policy::built_in().expect("starts"), Timeouts::default());
    let received = Receipt::now();
    let deadline = received.instant + lambda_timeout;
    let invocation = Invocation { request_id: "r-1".into(), trace_id: None, received, deadline, start: Start::Warm };
    let request = Request::post("/api/chat").header("content-type", "application/json");
    let request = request.body(Bytes::from_static(br#"{"message":"Yo"}"#)).expect("a request");
    service.answer(request, &invocation, None).await
}

async fn patient(model: Scripted) -> Answer {
    ask(model, Duration::from_secs(120)).await
}

/// The chunks of a stream, each with the time it came.
async fn chunks(answer: Answer) -> Vec<(Duration, String)> {
    let start = Instant::now();
    let Body::Events(mut events) = answer.response.into_body() else { panic!("no stream") };
    let mut chunks = Vec::new();
    while let Some(chunk) = poll_fn(|cx| events.poll_chunk(cx)).await {
        chunks.push((start.elapsed(), String::from_utf8(chunk.to_vec()).expect("UTF-8")));
        assert!(chunks.len() < 100, "an endless stream: {chunks:?}");
    }
    chunks
}

/// Name and data of each event.
fn events(chunks: &[(Duration, String)]) -> Vec<(String, Value)> {
    let whole: String = chunks.iter().map(|(_, chunk)| chunk.as_str()).collect();
    whole
        .split_terminator("\n\n")
        .filter_map(|event| event.strip_prefix("event: "))
        .map(|event| event.split_once("\ndata: ").expect("data"))
        .map(|(name, data)| (name.to_owned(), serde_json::from_str(data).expect("JSON")))
        .collect()
}

fn problem(answer: Answer) -> (u16, Value) {
    let status = answer.response.status().as_u16();
    let Body::Full(body) = answer.response.into_body() else { panic!("a stream") };
    (status, serde_json::from_slice(&body).expect("JSON"))
}

fn throttled_after(delay: Duration) -> Scripted {
    Scripted { head: (delay, Head::Refuses(ModelError::new(ModelErrorKind::Throttled, "slow down"))), ..at_once([]) }
}

#[tokio::test(start_paused = true)]
async fn a_throttle_within_a_second_is_a_429() {
    let (status, problem) = problem(patient(throttled_after(Duration::from_millis(990))).await);
    assert_eq!((status, &problem["code"]), (429, &json!("throttled")));
}

#[tokio::test(start_paused = true)]
async fn after_a_second_the_stream_starts_and_a_throttle_is_an_event() {
    let asked = Instant::now();
    let answer = patient(throttled_after(Duration::from_millis(1_500))).await;
    assert_eq!(asked.elapsed(), Duration::from_secs(1));
    assert_eq!(answer.response.status(), 200);
    let record = answer.record.clone().expect("a record");
    let chunks = chunks(answer).await;
    assert_eq!(chunks[0].0, Duration::ZERO, "start goes out at once");
    let names: Vec<_> = events(&chunks).into_iter().map(|(name, data)| (name, data["code"].clone())).collect();
    assert_eq!(names, [("start".into(), Value::Null), ("error".into(), json!("throttled"))]);
    assert_eq!(record.lock().outcome, Some(Outcome::Failed));
}

#[tokio::test(start_paused = true)]
async fn a_slow_head_is_counted_when_it_comes() {
    let model = Scripted { head: (Duration::from_secs(3), Head::Accepts), ..at_once([text("Yo"), stop(), metadata()]) };
    let events = events(&chunks(patient(model).await).await);
    assert_eq!(events[2].1["timing"]["phases"]["bedrock_head_ms"], 3_000.0);
}

#[tokio::test(start_paused = true)]
async fn a_model_that_never_accepts_is_a_timeout_after_twenty_seconds() {
    let model = Scripted { head: (Duration::from_secs(3_600), Head::Accepts), ..at_once([]) };
    let chunks = chunks(patient(model).await).await;
    assert_eq!(events(&chunks).last().expect("an event").1["code"], "model_timeout");
    assert_eq!(chunks.last().expect("a chunk").0, Duration::from_secs(19), "20 s after the question");
}

#[tokio::test(start_paused = true)]
async fn silence_is_filled_with_a_comment_every_ten_seconds() {
    let mut model = at_once([text("Yo"), text(","), text("bro"), stop(), metadata()]);
    model.steps[1].0 = Duration::from_secs(5);
    model.steps[2].0 = Duration::from_secs(14);
    let chunks = chunks(patient(model).await).await;
    let seconds: Vec<_> = chunks.iter().map(|(at, chunk)| (at.as_secs(), chunk == ": keep-alive\n\n")).collect();
    assert_eq!(seconds, [(0, false), (5, false), (15, true), (19, false)]);
}

#[tokio::test(start_paused = true)]
async fn a_stall_is_told_after_fifteen_seconds() {
    let model = Scripted { ending: Ending::Hangs, ..at_once([text("Yo")]) };
    let chunks = chunks(patient(model).await).await;
    let (at, _) = chunks.last().expect("a chunk");
    assert_eq!((*at, &events(&chunks)[2].1["code"]), (Duration::from_secs(15), &json!("stream_stalled")));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_within_the_hold_is_still_told_in_the_stream() {
    let model = Scripted { head: (Duration::from_secs(60), Head::Accepts), ..at_once([]) };
    let answer = ask(model, Duration::from_millis(1_500)).await;
    assert_eq!(answer.response.status(), 200);
    assert_eq!(events(&chunks(answer).await)[1].1["code"], "deadline_exceeded");
}

#[tokio::test(start_paused = true)]
async fn what_is_ready_together_goes_out_together() {
    let chunks = chunks(patient(at_once([text("a"), text("b"), stop(), metadata()])).await).await;
    assert_eq!(chunks.len(), 1, "{chunks:?}");
    let names: Vec<_> = events(&chunks).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["start", "token", "token", "done"]);
}

#[tokio::test(start_paused = true)]
async fn a_chunk_does_not_grow_with_what_is_ready() {
    let kilobytes = "y".repeat(10_000);
    let reply = std::iter::repeat_n(text(&kilobytes), 50).chain([stop(), metadata()]);
    let chunks = chunks(patient(at_once(reply)).await).await;
    assert!(chunks.iter().all(|(_, chunk)| chunk.len() < 80_000), "a chunk of half a megabyte");
    assert_eq!(events(&chunks).len(), 52, "start, tokens, done");
}

#[tokio::test(start_paused = true)]
async fn a_panic_within_the_stream_is_an_internal_event() {
    let answer = patient(Scripted { ending: Ending::Panics, ..at_once([text("Yo")]) }).await;
    let record = answer.record.clone().expect("a record");
    let events = events(&chunks(answer).await);
    let names: Vec<_> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!((names.as_slice(), &events[2].1["code"]), (&["start", "token", "error"][..], &json!("internal")));
    assert_eq!(record.lock().error_code, Some("internal"));
}

#[tokio::test(start_paused = true)]
async fn a_panic_before_the_stream_is_a_500() {
    let broken = Scripted { head: (Duration::ZERO, Head::Panics), ..at_once([]) };
    let (status, problem) = problem(patient(broken).await);
    assert_eq!((status, &problem["code"]), (500, &json!("internal")));
}

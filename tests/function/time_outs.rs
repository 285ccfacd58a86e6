//! What time does, at the deployed binary's own time-outs. The tests wait for events and for nothing else; the longest
//! takes the twenty seconds that the function gives Bedrock.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::app::App;
use crate::sse::{Events, terminal, text};

#[tokio::test]
async fn a_slow_head_within_a_second_delays_the_status_line() {
    let app = App::setup().saying(&["Yo"]).start().await;
    app.fails("slow-head:300");
    let asked = Instant::now();
    let response = app.post(r#"{"message":"Yo"}"#).await;
    assert!(asked.elapsed() >= Duration::from_millis(300), "the status line did not wait");
    let timing = response.headers()["server-timing"].to_str().expect("ASCII").to_owned();
    assert!(timing.contains("bedrock_head;dur="), "{timing}");
    assert_eq!(text(&Events::of(response).all().await), "Yo");
}

#[tokio::test]
async fn a_slower_head_finds_the_stream_open() {
    let app = App::setup().saying(&["Yo"]).start().await;
    app.fails("slow-head:4000");
    let response = app.post(r#"{"message":"Yo"}"#).await;
    let timing = response.headers()["server-timing"].to_str().expect("ASCII").to_owned();
    assert!(!timing.contains("bedrock_head"), "{timing}");
    let events = Events::of(response).all().await;
    assert_eq!((events[0].name.as_str(), text(&events).as_str()), ("start", "Yo"));
    let phases = &terminal(&events).data["timing"]["phases"];
    assert!(phases["bedrock_head_ms"].as_f64() >= Some(4_000.0), "{phases}");
}

#[tokio::test]
async fn a_refusal_after_the_first_second_is_an_event() {
    let app = App::start().await;
    app.fails("throttle");
    // All that Bedrock says comes so late that the first of three attempts outlasts the hold.
    app.network.set(["latency:latency=1200".parse().expect("a fault")]);
    let events = app.reply("Yo").await;
    let error = terminal(&events);
    assert_eq!((&error.data["code"], &error.data["retry_after"]), (&json!("throttled"), &json!(2)));
    assert_eq!(app.record().await["error_code"], "throttled");
}

#[tokio::test]
async fn a_head_that_does_not_come_is_a_time_out_after_twenty_seconds() {
    let app = App::start().await;
    app.fails("slow-head:60000");
    let asked = Instant::now();
    let mut events = app.ask("Yo").await;
    assert_eq!(events.next().await.expect("an event").name, "start");
    let error = events.next().await.expect("an event");
    assert_eq!((error.name.as_str(), &error.data["code"]), ("error", &json!("model_timeout")));
    assert!(asked.elapsed() >= Duration::from_secs(20), "{:?}", asked.elapsed());
    assert!(events.next().await.is_none());
    assert_eq!(app.record().await["error_code"], "model_timeout");
}

#[tokio::test]
async fn silence_is_filled_after_ten_seconds_and_is_a_stall_after_fifteen() {
    let app = App::setup().saying(&["one ", "two "]).start().await;
    app.fails("stall@1");
    let asked = Instant::now();
    let response = app.post(r#"{"message":"Count"}"#).await;
    let reply = tokio::time::timeout(2 * crate::sse::PATIENCE, response.text()).await.expect("an end").expect("a text");
    assert!(asked.elapsed() >= Duration::from_secs(15), "{:?}", asked.elapsed());
    let (before, after) = reply.split_once("\n\n: keep-alive\n\n").expect("a comment");
    assert!(before.ends_with(r#"data: {"text":"one "}"#), "{before}");
    assert!(after.starts_with("event: error\n") && after.contains(r#""code":"stream_stalled""#), "{after}");
    assert_eq!(app.record().await["error_code"], "stream_stalled");
}

#[tokio::test]
async fn the_deadline_is_told_one_second_before_it_comes() {
    let app = App::setup().saying(&["one ", "two "]).timeout(Duration::from_secs(3)).start().await;
    for (fault, said) in [("stall@1", "one "), ("slow-head:60000", "")] {
        app.fails(fault);
        let asked = Instant::now();
        let events = app.reply("Count").await;
        assert_eq!(text(&events), said, "{fault}");
        assert_eq!(terminal(&events).data["code"], "deadline_exceeded", "{fault}");
        assert!(asked.elapsed() >= Duration::from_millis(1_900), "{fault}: {:?}", asked.elapsed());
        assert_eq!(app.record().await["error_code"], "deadline_exceeded", "{fault}");
    }
    app.faults.set(None);
    assert_eq!(text(&app.reply("Count").await), "one two ", "the sandbox lives on");
}

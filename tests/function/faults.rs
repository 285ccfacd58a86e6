//! Every fault that the stand-in for Bedrock knows by name, and what becomes of it at a client. The tables are held to
//! the stand-in's own: a fault that is new there fails here until it is said what it must lead to.

use std::collections::BTreeSet;

use local_bedrock::{FaultEntry, FaultGroup, NetworkFault, NetworkFaultEntry, Speech, StreamException};
use serde_json::{Value, json};

use crate::app::{App, problem};
use crate::sse::{Events, terminal, text};

/// How an answer ends.
#[derive(Debug)]
enum Ends {
    /// In place of a reply: status and code.
    Problem(u16, &'static str),
    /// The reply's beginning, then an error event with this code.
    Error(&'static str, &'static str),
    /// Some beginning of the reply, then `stream_interrupted`.
    Cut,
    /// The whole text, then done for this stop reason.
    Done(&'static str, &'static str),
}

use Ends::{Cut, Done, Error, Problem};

const SAID: [&str; 3] = ["one ", "two ", "three "];
const WHOLE: &str = "one two three ";

/// Sees that the next answer and its record are as they must be.
async fn ends(app: &App, name: &str, expected: &Ends) {
    let asked_before = app.bedrock.conversations().len();
    let response = app.post(r#"{"message":"Count"}"#).await;
    let code = match *expected {
        Problem(status, code) => {
            let (got, retry_after, document) = problem(response).await;
            assert_eq!((got, &document["code"]), (status, &json!(code)), "{name}");
            assert_eq!(retry_after, patience(code).map(|seconds| seconds.to_string()), "{name}");
            Some(code)
        }
        Error(said, code) => {
            assert_eq!(fails_within(response, name, code).await, said, "{name}: what came is kept");
            Some(code)
        }
        Cut => {
            let said = fails_within(response, name, "stream_interrupted").await;
            assert!(WHOLE.starts_with(&said), "{name}: {said}");
            Some("stream_interrupted")
        }
        Done(said, stop_reason) => {
            let events = Events::of(response).all().await;
            assert_eq!(text(&events), said, "{name}");
            let end = terminal(&events);
            assert_eq!((end.name.as_str(), &end.data["stop_reason"]), ("done", &json!(stop_reason)), "{name}");
            assert_eq!(end.data["usage"].is_null(), name == "no-metadata", "{name}");
            None
        }
    };
    if matches!(expected, Error(..) | Cut) {
        let asked = app.bedrock.conversations().len() - asked_before;
        assert_eq!(asked, 1, "{name}: nothing is tried again once the stream has begun");
    }
    let record = app.record().await;
    let outcome = if code.is_some() { "failed" } else { "done" };
    assert_eq!((record["error_code"].as_str(), &record["Outcome"]), (code, &json!(outcome)), "{name}");
    let (throttles, errors) = match code {
        None => (0.0, 0.0),
        Some("throttled") => (1.0, 0.0),
        Some(_) => (0.0, 1.0),
    };
    assert_eq!((&record["Throttles"], &record["Errors"]), (&json!(throttles), &json!(errors)), "{name}");
}

/// The text before an error event with this code.
async fn fails_within(response: reqwest::Response, name: &str, code: &str) -> String {
    let events = Events::of(response).all().await;
    let error = terminal(&events);
    assert_eq!((error.name.as_str(), &error.data["code"]), ("error", &json!(code)), "{name}");
    assert_eq!(error.data["retry_after"].as_u64(), patience(code), "{name}");
    assert_eq!(error.data["request_id"], events[0].data["id"], "{name}");
    assert_eq!(error.data["usage"], Value::Null, "{name}");
    text(&events)
}

/// The seconds that a client is told to wait.
fn patience(code: &str) -> Option<u64> {
    match code {
        "throttled" => Some(2),
        "model_unavailable" => Some(5),
        _ => None,
    }
}

#[tokio::test]
async fn every_fault_at_bedrock_has_its_one_answer() {
    let hostile = Speech::HOSTILE.concat();
    let hostile: &'static str = hostile.leak();
    let huge: &'static str = WHOLE.repeat(64 * 1024 / WHOLE.len() + 1).leak();
    let table = [
        ("throttle", Problem(429, "throttled")),
        ("not-ready", Problem(503, "model_unavailable")),
        ("500", Problem(503, "model_unavailable")),
        ("503", Problem(503, "model_unavailable")),
        ("model-error", Problem(503, "model_unavailable")),
        ("model-timeout", Problem(504, "model_timeout")),
        ("validation", Problem(502, "model_rejected")),
        ("access-denied", Problem(502, "model_access_denied")),
        ("not-found", Problem(502, "model_not_found")),
        ("slow-head:300", Done(WHOLE, "end_turn")),
        ("exception:throttlingException@2", Error("one two ", "throttled")),
        ("exception:validationException@2", Error("one two ", "model_rejected")),
        ("exception:internalServerException@2", Error("one two ", "model_unavailable")),
        ("exception:modelStreamErrorException@2", Error("one two ", "model_unavailable")),
        ("exception:serviceUnavailableException@2", Error("one two ", "model_unavailable")),
        ("exception@0", Error("", "model_unavailable")),
        ("drop@2", Error("one two ", "stream_interrupted")),
        ("reset@2", Error("one two ", "stream_interrupted")),
        ("truncate@2", Error("one two ", "stream_interrupted")),
        ("truncate-frame@2", Error("one two ", "stream_interrupted")),
        ("corrupt@2", Error("one two ", "stream_interrupted")),
        ("corrupt-prelude@2", Error("one two ", "stream_interrupted")),
        ("unknown-event@1", Done(WHOLE, "end_turn")),
        ("reasoning@1", Done(WHOLE, "end_turn")),
        ("tool-use@1", Done(WHOLE, "end_turn")),
        ("empty", Done("", "end_turn")),
        ("no-metadata", Done(WHOLE, "end_turn")),
        ("huge-delta:64", Done(&huge[..64 * 1024], "end_turn")),
        ("hostile", Done(hostile, "end_turn")),
        ("coalesced", Done(WHOLE, "end_turn")),
        ("bytewise", Done(WHOLE, "end_turn")),
    ];
    let app = App::setup().saying(&SAID).start().await;
    for (fault, expected) in &table {
        app.fails(fault);
        ends(&app, fault, expected).await;
        app.faults.set(None);
        ends(&app, &format!("after {fault}"), &Done(WHOLE, "end_turn")).await;
    }

    let elsewhere = [
        "stall",     // time_outs.rs
        "guardrail", // the test below
    ];
    let tested: BTreeSet<_> = table.iter().filter_map(|(fault, _)| fault.split([':', '@']).next()).collect();
    let known = FaultGroup::ALL.iter().flat_map(FaultGroup::entries).map(FaultEntry::name);
    assert_eq!(known.filter(|name| !tested.contains(name)).collect::<Vec<_>>(), elsewhere);
    let kinds = StreamException::ALL.map(|kind| format!("exception:{}@2", kind.name()));
    assert!(kinds.iter().all(|kind| table.iter().any(|(fault, _)| fault == kind)), "an exception without a row");
}

#[tokio::test]
async fn a_guardrail_that_intervenes_is_a_reply_of_its_own_words() {
    let app = App::setup().saying(&SAID).start().await;
    for side in ["input", "output"] {
        app.fails(&format!("guardrail:{side}"));
        let events = app.reply("Count").await;
        assert!(!text(&events).contains("one"), "{side}: what was blocked got through");
        assert!(!text(&events).is_empty(), "{side}: nobody was told");
        assert_eq!(terminal(&events).data["stop_reason"], "guardrail_intervened", "{side}");
        let record = app.record().await;
        assert_eq!((&record["GuardrailInterventions"], &record["Errors"]), (&json!(1.0), &json!(0.0)), "{side}");
    }
}

#[tokio::test]
async fn every_fault_of_the_network_has_its_one_answer() {
    let table = [
        ("latency:latency=60,jitter=20", Done(WHOLE, "end_turn")),
        ("down", Problem(503, "model_unavailable")),
        ("bandwidth:rate=2", Done(WHOLE, "end_turn")),
        ("slow_close:delay=100", Done(WHOLE, "end_turn")),
        ("timeout:timeout=50", Problem(503, "model_unavailable")),
        ("reset_peer:timeout=50", Problem(503, "model_unavailable")),
        ("slicer:average_size=7,size_variation=3,delay=10", Done(WHOLE, "end_turn")),
        ("limit_data:bytes=10", Problem(503, "model_unavailable")),
        // The head and a part of the stream.
        ("limit_data:bytes=600", Cut),
    ];
    let app = App::setup().saying(&SAID).start().await;
    for (fault, expected) in &table {
        app.network.set([fault.parse::<NetworkFault>().expect(fault)]);
        let asked_before = app.bedrock.conversations().len();
        ends(&app, fault, expected).await;
        if fault.starts_with("reset_peer") {
            let asked = app.bedrock.conversations().len() - asked_before;
            assert_eq!(asked, 4, "three attempts, and one at once since the exchange before went well");
        }
        app.network.set([]);
        ends(&app, &format!("after {fault}"), &Done(WHOLE, "end_turn")).await;
    }
    let tested: BTreeSet<_> = table.iter().filter_map(|(fault, _)| fault.split(':').next()).collect();
    let known: BTreeSet<_> = NetworkFaultEntry::ALL.iter().map(NetworkFaultEntry::name).collect();
    assert_eq!(tested, known);
}

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::*;
use crate::client::{Ending, Reply};
use crate::events::Event;
use crate::ledger::{Closing, Written};
use crate::marker::{Length, Marker};
use crate::plan::{Chat, Form, Reader};
use crate::script::Said;

const ID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

fn chat(fault: Option<&str>) -> Chat {
    let fault = fault.map(|fault| fault.parse().expect("a fault"));
    let marker = Marker { number: 7, length: Length::Usual, fault };
    Chat { marker, form: Form::Message, mode: "bro", reader: Reader::Steady }
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let pairs = pairs
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::try_from(*value).expect("a value")));
    pairs.collect()
}

fn event(name: &str, data: Value) -> Event {
    Event { id: None, name: name.to_owned(), data }
}

/// `tokens` of the script, and then `terminal`.
fn reply(tokens: usize, terminal: Event) -> Answer {
    let start = event("start", json!({ "id": ID, "mode": "bro" }));
    let deltas = Said::Script.deltas(&chat(None).marker).into_iter().take(tokens);
    let tokens = deltas.map(|text| event("token", json!({ "text": text })));
    let events = [start].into_iter().chain(tokens).chain([terminal]).collect();
    Answer {
        status: 200,
        headers: headers(&[
            ("x-request-id", ID),
            ("x-amzn-requestid", ID),
            ("cache-control", "no-store, no-transform"),
            ("content-type", "text/event-stream"),
        ]),
        head_after: Duration::from_millis(50),
        payload: Payload::Reply(Reply { events, ending: Ending::Whole, first_token: None }),
    }
}

fn done() -> Event {
    event("done", json!({ "stop_reason": "end_turn", "usage": { "output_tokens": 60 }, "timing": { "ttft_ms": 41.0 } }))
}

fn error(code: &str) -> Event {
    event("error", json!({ "code": code, "request_id": ID }))
}

fn record(overrides: &[(&str, Value)]) -> Written {
    let mut record = json!({
        "_aws": {}, "level": "INFO", "route": "POST /api/chat", "Mode": "bro", "api_key_id": "soak", "Outcome": "done",
        "content_deltas": 60, "OutputTokenCount": 60.0, "stop_reason": "end_turn",
    });
    for (name, value) in overrides {
        record[*name] = value.clone();
    }
    Written { closing: Closing::Record(record), warnings: Vec::new() }
}

fn problems(chat: &Chat, answer: &Answer, written: &Written) -> Vec<String> {
    let mut problems = Problems::default();
    chat_answer(chat, answer, &mut problems);
    chat_written(chat, answer, written, &mut problems);
    problems.into_sentences()
}

fn events(answer: &mut Answer) -> &mut Vec<Event> {
    match &mut answer.payload {
        Payload::Reply(reply) => &mut reply.events,
        Payload::Document(_) => panic!("no stream"),
    }
}

#[test]
fn a_whole_reply_with_its_record_is_sound() {
    assert_eq!(problems(&chat(None), &reply(60, done()), &record(&[])), [""; 0]);
}

type Spoil = fn(&mut Vec<Event>);

#[test]
fn a_reply_that_is_not_whole_or_not_its_own_is_seen() {
    let spoilt: [(&str, Spoil); 7] = [
        ("a second done", |events| events.push(done())),
        ("no done", |events| drop(events.pop())),
        ("something behind done", |events| events.push(event("token", json!({ "text": "7.60 " })))),
        ("a token lost", |events| drop(events.remove(5))),
        ("a token twice", |events| events.insert(5, events[5].clone())),
        ("another reply's token", |events| events[5].data = json!({ "text": "8.4 " })),
        ("no start", |events| drop(events.remove(0))),
    ];
    for (what, spoil) in spoilt {
        let mut answer = reply(60, done());
        spoil(events(&mut answer));
        assert!(!problems(&chat(None), &answer, &record(&[])).is_empty(), "{what}");
    }
}

#[test]
fn a_record_that_says_something_else_is_seen() {
    for (name, value) in [
        ("Outcome", json!("cut")),
        ("error_code", json!("internal")),
        ("content_deltas", json!(59)),
        ("OutputTokenCount", json!(59.0)),
        ("Mode", json!("zen")),
        ("route", json!("GET /api/chat")),
        ("level", json!("ERROR")),
    ] {
        assert!(!problems(&chat(None), &reply(60, done()), &record(&[(name, value)])).is_empty(), "{name}");
    }
    let warned = Written { warnings: vec!["internal".to_owned()], ..record(&[]) };
    assert_eq!(problems(&chat(None), &reply(60, done()), &warned).len(), 1);
}

#[test]
fn a_broken_reply_must_say_so_with_its_own_code_and_what_came_before() {
    let chat = chat(Some("drop@3"));
    let failed = |code: &str| {
        let overrides = [
            ("Outcome", json!("failed")),
            ("error_code", json!(code)),
            ("content_deltas", json!(3)),
            ("level", json!("ERROR")),
        ];
        Written { warnings: vec![code.to_owned()], ..record(&overrides) }
    };
    let interrupted = || reply(3, error("stream_interrupted"));
    assert_eq!(problems(&chat, &interrupted(), &failed("stream_interrupted")), [""; 0]);
    for (what, answer, written) in [
        ("another code", reply(3, error("model_unavailable")), failed("stream_interrupted")),
        ("another code in the record", interrupted(), failed("model_unavailable")),
        ("a token less", reply(2, error("stream_interrupted")), failed("stream_interrupted")),
        ("a token more", reply(4, error("stream_interrupted")), failed("stream_interrupted")),
        ("a quiet end", reply(3, done()), failed("stream_interrupted")),
    ] {
        assert!(!problems(&chat, &answer, &written).is_empty(), "{what}");
    }
    let never_logged = Written { warnings: Vec::new(), ..failed("stream_interrupted") };
    assert_eq!(problems(&chat, &interrupted(), &never_logged).len(), 1);
}

#[test]
fn a_refusal_is_a_status_unless_the_status_line_could_not_be_held() {
    let chat = chat(Some("throttle"));
    let written = || {
        let overrides =
            [("Outcome", json!("failed")), ("error_code", json!("throttled")), ("content_deltas", json!(0))];
        Written { warnings: vec!["throttled".to_owned()], ..record(&overrides) }
    };
    let document = json!({ "status": 429, "code": "throttled", "request_id": ID }).to_string();
    let refused = |retry_after: &str| Answer {
        status: 429,
        headers: headers(&[
            ("x-request-id", ID),
            ("x-amzn-requestid", ID),
            ("content-type", "application/problem+json"),
            ("retry-after", retry_after),
        ]),
        head_after: Duration::from_millis(400),
        payload: Payload::Document(document.clone().into()),
    };
    assert_eq!(problems(&chat, &refused("2"), &written()), [""; 0]);
    assert_eq!(problems(&chat, &refused("5"), &written()).len(), 1);

    let throttled = event("error", json!({ "code": "throttled", "request_id": ID, "retry_after": 2 }));
    let mut late = reply(0, throttled);
    assert_eq!(problems(&chat, &late, &written()).len(), 1, "within the second");
    late.head_after = Duration::from_millis(1_010);
    assert_eq!(problems(&chat, &late, &written()), [""; 0]);
}

#[test]
fn a_reader_that_went_away_may_have_seen_less_but_nothing_else() {
    let leaving = Chat { reader: Reader::Leaving { after: 9 }, ..chat(None) };
    let left = |tokens| {
        let mut answer = reply(tokens, done());
        events(&mut answer).pop();
        if let Payload::Reply(reply) = &mut answer.payload {
            reply.ending = Ending::Left;
        }
        answer
    };
    assert_eq!(problems(&leaving, &left(9), &record(&[])), [""; 0]);
    assert_eq!(
        problems(&leaving, &left(9), &record(&[("content_deltas", json!(9))])).len(),
        1,
        "the rest is still sent"
    );
    let mut another = left(9);
    events(&mut another)[4].data = json!({ "text": "8.3 " });
    assert_eq!(problems(&leaving, &another, &record(&[])).len(), 1);
}

#[test]
fn the_platforms_own_429_is_not_the_functions() {
    let body =
        r#"{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}"#;
    let answer = |body: &'static str| Answer {
        status: 429,
        headers: headers(&[("x-amzn-requestid", ID), ("x-amzn-errortype", "TooManyRequestsException")]),
        head_after: Duration::ZERO,
        payload: Payload::Document(body.into()),
    };
    assert!(is_platform_throttle(&answer(body)));
    assert!(!is_platform_throttle(&answer("{}")));
}

//! Each fault that refuses a request or breaks its stream, as a client meets it, and how faults are chosen.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests and their helpers fail by panicking"
)]

mod support;

use std::{
    io::ErrorKind,
    sync::Arc,
    time::{Duration, Instant},
};

use aws_smithy_eventstream::frame::read_message_from;
use http::HeaderValue;
use local_bedrock::{Breakage, Config, Fault, Faults, Piece, Scripted, Step, StreamException};
use serde_json::json;
use support::{Bedrock, Dictated, Reply, event, question, soon, text_in};
use tokio::time::timeout;

fn scripted() -> Config {
    Config::new(Arc::new(
        Scripted::default().ttft(Duration::ZERO).gap(Duration::ZERO).pieces(["a", "b", "c", "d", "e"]),
    ))
}

fn fault(name: &str) -> Fault {
    name.parse().unwrap()
}

/// The text until the stream ends, by itself or not, and the kind of its last event.
async fn read(mut reply: Reply) -> (String, Option<String>, Result<(), hyper::Error>) {
    let (mut text, mut last) = (String::new(), None);
    loop {
        match reply.frame().await {
            Ok(Some(frame)) => {
                let (kind, payload) = event(&frame);
                text.push_str(payload["delta"]["text"].as_str().unwrap_or_default());
                last = Some(kind);
            }
            Ok(None) => return (text, last, Ok(())),
            Err(error) => return (text, last, Err(error)),
        }
    }
}

#[tokio::test]
async fn refusals_have_the_status_and_the_name_of_their_error() {
    let cases = [
        ("throttle", 429, "ThrottlingException"),
        ("not-ready", 429, "ModelNotReadyException"),
        ("500", 500, "InternalServerException"),
        ("503", 503, "ServiceUnavailableException"),
        ("model-error", 424, "ModelErrorException"),
        ("model-timeout", 408, "ModelTimeoutException"),
        ("validation", 400, "ValidationException"),
        ("access-denied", 403, "AccessDeniedException"),
        ("not-found", 404, "ResourceNotFoundException"),
    ];
    for (name, status, error) in cases {
        let bedrock = Bedrock::start(scripted().with_fault(fault(name))).await;
        let answer = bedrock.ask(question(&json!({}))).await;
        assert_eq!((answer.status.as_u16(), answer.error_type()), (status, error));
    }
}

#[tokio::test]
async fn each_exception_comes_after_as_many_tokens_as_asked_and_is_the_last_event() {
    let faults = Faults::default();
    let bedrock = Bedrock::start(scripted().with_faults(faults.clone())).await;
    for kind in StreamException::ALL {
        for (after, text) in [(0, ""), (2, "ab"), (99, "abcde")] {
            faults.once(Fault::Break { how: Breakage::Exception(kind), after });
            let mut client = bedrock.connect().await;
            let (read, last, end) = read(client.send(question(&json!({}))).await).await;
            assert_eq!((read.as_str(), last.as_deref()), (text, Some(kind.name())));
            end.unwrap();
        }
    }
}

#[tokio::test]
async fn a_dropped_connection_delivers_its_tokens_and_no_ending() {
    let bedrock = Bedrock::start(scripted().with_fault(fault("drop@2"))).await;
    let mut client = bedrock.connect().await;
    let (text, last, end) = read(client.send(question(&json!({}))).await).await;
    assert_eq!((text.as_str(), last.as_deref()), ("ab", Some("contentBlockDelta")));
    assert!(end.is_err(), "the body must not look complete");
    // The stand-in itself lives on.
    assert_eq!(bedrock.connect().await.send(question(&json!({}))).await.status, 200);
}

#[tokio::test]
async fn a_drop_closes_the_connection_and_a_reset_resets_it_both_behind_their_tokens() {
    for (name, reset) in [("drop@2", None), ("reset@2", Some(ErrorKind::ConnectionReset))] {
        let bedrock = Bedrock::start(scripted().with_fault(fault(name))).await;
        let (bytes, end) = bedrock.bytes(question(&json!({}))).await;
        assert_eq!(text_in(&bytes), "ab", "{name}");
        assert!(!bytes.ends_with(b"0\r\n\r\n"), "{name}: the body must not look complete");
        assert_eq!(end.err().map(|error| error.kind()), reset, "{name}");

        let (body, end) = bedrock.ask_by_http2(question(&json!({}))).await;
        assert_eq!(text_in(&body), "ab", "{name} over HTTP/2");
        assert!(end.is_err(), "{name} over HTTP/2: the body must not look complete");
    }
}

#[tokio::test]
async fn a_truncated_body_looks_complete_to_http_and_is_not() {
    let bedrock = Bedrock::start(scripted().with_fault(fault("truncate@2"))).await;
    let answer = bedrock.ask(question(&json!({}))).await;
    assert_eq!(answer.kinds(), ["messageStart", "contentBlockDelta", "contentBlockDelta"]);

    let bedrock = Bedrock::start(scripted().with_fault(fault("truncate-frame@2"))).await;
    let mut rest = bedrock.ask(question(&json!({}))).await.body;
    for _ in ["messageStart", "a", "b"] {
        read_message_from(&mut rest).unwrap();
    }
    let length = u32::from_be_bytes(*rest.first_chunk().unwrap()) as usize;
    assert!((12..length).contains(&rest.len()), "{} bytes of a frame of {length}", rest.len());
}

#[tokio::test]
async fn a_corrupt_frame_fails_its_checksum_and_the_stream_goes_on() {
    for (name, message) in [("corrupt@2", "MessageChecksumMismatch"), ("corrupt-prelude@2", "PreludeChecksumMismatch")]
    {
        let bedrock = Bedrock::start(scripted().with_fault(fault(name))).await;
        let mut rest = bedrock.ask(question(&json!({}))).await.body;
        let mut failures = Vec::new();
        let mut frames = 0;
        while let Some(length) = rest.first_chunk().map(|length| u32::from_be_bytes(*length) as usize) {
            if let Err(error) = read_message_from(rest.split_to(length)) {
                failures.push((frames, format!("{error:?}")));
            }
            frames += 1;
        }
        assert_eq!(frames, 9, "{name}");
        assert!(failures.len() == 1 && failures[0].0 == 3 && failures[0].1.contains(message), "{name}: {failures:?}");
    }
}

#[tokio::test]
async fn a_slow_head_is_late_and_its_reply_is_whole() {
    let bedrock = Bedrock::start(scripted().with_fault(fault("slow-head:300"))).await;
    let mut client = bedrock.connect().await;
    let asked = Instant::now();
    let reply = client.send(question(&json!({}))).await;
    assert!(asked.elapsed() >= Duration::from_millis(300));
    assert_eq!(reply.whole().await.text(), "abcde");
}

#[tokio::test]
async fn a_break_beyond_the_replys_end_comes_behind_its_last_token() {
    for name in ["truncate@99", "drop@99", "reset@99", "truncate-frame@99"] {
        let bedrock = Bedrock::start(scripted().with_fault(fault(name))).await;
        let (bytes, _) = bedrock.bytes(question(&json!({}))).await;
        assert_eq!(text_in(&bytes), "abcde", "{name}");
        assert!(!String::from_utf8_lossy(&bytes).contains("stopReason"), "{name}");
    }
}

#[tokio::test]
async fn a_stalled_stream_stays_open_and_silent_and_holds_no_generator() {
    let (steps, dictated) = Dictated::new();
    let bedrock = Bedrock::start(Config::new(Arc::new(dictated)).with_fault(fault("stall@1"))).await;
    steps.send(Ok(Step::Piece(Piece::token("a")))).await.unwrap();
    let mut client = bedrock.connect().await;
    let mut reply = client.send(question(&json!({}))).await;
    assert_eq!(event(&reply.frame().await.unwrap().unwrap()).0, "messageStart");
    assert_eq!(event(&reply.frame().await.unwrap().unwrap()).1["delta"]["text"], "a");
    soon(steps.closed()).await;
    assert!(timeout(Duration::from_millis(50), reply.frame()).await.is_err());
}

#[tokio::test]
async fn a_header_names_the_fault_of_its_own_request() {
    let bedrock = Bedrock::start(scripted()).await;
    let ask = |name: &'static str| {
        let mut request = question(&json!({}));
        request.headers_mut().insert("x-local-bedrock-fault", HeaderValue::from_static(name));
        bedrock.ask(request)
    };
    assert_eq!(ask("throttle").await.status, 429);
    assert_eq!(bedrock.ask(question(&json!({}))).await.text(), "abcde");
    let unknown = ask("gremlins").await;
    assert_eq!(unknown.status, 400);
    assert!(unknown.json()["message"].as_str().unwrap().contains("`gremlins` is no fault; the faults are throttle,"));
    assert!(ask("drop@soon").await.json()["message"].as_str().unwrap().contains("write it as drop[@TOKENS]"));
}

#[tokio::test]
async fn a_fault_can_be_set_and_lifted_while_it_runs() {
    let faults = Faults::default();
    let bedrock = Bedrock::start(scripted().with_faults(faults.clone())).await;
    faults.set(Some(fault("500")));
    assert_eq!(bedrock.ask(question(&json!({}))).await.status, 500);
    assert_eq!(bedrock.ask(question(&json!({}))).await.status, 500);
    faults.set(None);
    assert_eq!(bedrock.ask(question(&json!({}))).await.status, 200);
}

#[tokio::test]
async fn a_generator_that_breaks_off_before_a_fault_leaves_one_exception() {
    let (steps, dictated) = Dictated::new();
    let config = Config::new(Arc::new(dictated)).with_fault("exception:throttlingException@9".parse().unwrap());
    let bedrock = Bedrock::start(config).await;
    steps.send(Ok(Step::Piece(Piece::token("Yo")))).await.unwrap();
    drop(steps);
    let answer = bedrock.ask(question(&json!({}))).await;
    assert_eq!(answer.kinds(), ["messageStart", "contentBlockDelta", "throttlingException"]);
}

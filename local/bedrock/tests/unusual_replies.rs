//! Replies that are whole and out of the ordinary.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests and their helpers fail by panicking"
)]

mod support;

use std::{sync::Arc, time::Duration};

use aws_smithy_eventstream::frame::read_message_from;
use bytes::Bytes;
use http::HeaderValue;
use local_bedrock::{Config, Scripted};
use serde_json::{Value, json};
use support::{Answer, Bedrock, event, question, text_in};

/// What a client is answered that asks for `fault` in a header.
async fn answer(fault: &str) -> Answer {
    let scripted = Scripted::default().ttft(Duration::ZERO).gap(Duration::ZERO).pieces(["a", "b", "c", "d", "e"]);
    let bedrock = Bedrock::start(Config::new(Arc::new(scripted))).await;
    let mut request = question(&json!({"maxTokens": 150}));
    request.headers_mut().insert("x-local-bedrock-fault", HeaderValue::from_str(fault).unwrap());
    bedrock.ask(request).await
}

/// The kinds of events, with the number of each run.
fn runs(answer: &Answer) -> Vec<(String, usize)> {
    let mut runs: Vec<(String, usize)> = Vec::new();
    for kind in answer.kinds() {
        match runs.last_mut() {
            Some((last, count)) if *last == kind => *count += 1,
            _ => runs.push((kind, 1)),
        }
    }
    runs
}

fn expected(runs: &[(&str, usize)]) -> Vec<(String, usize)> {
    runs.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect()
}

/// Each content block's index and the kinds of delta in it, in order.
fn blocks(answer: &Answer) -> Vec<(u64, Vec<String>)> {
    let mut blocks: Vec<(u64, Vec<String>)> = Vec::new();
    let mut open = None;
    for (kind, payload) in answer.events() {
        let Some(index) = payload["contentBlockIndex"].as_u64() else { continue };
        assert!(open.is_none_or(|open| open == index), "block {index} within block {open:?}");
        open = (kind != "contentBlockStop").then_some(index);
        let Some(delta) = payload["delta"].as_object() else { continue };
        if blocks.last().is_none_or(|(last, _)| *last != index) {
            blocks.push((index, Vec::new()));
        }
        blocks.last_mut().unwrap().1.extend(delta.keys().cloned());
    }
    assert_eq!(open, None, "a block is not stopped");
    blocks
}

#[tokio::test]
async fn an_unknown_event_stands_amid_the_text_and_changes_nothing_else() {
    let answer = answer("unknown-event@2").await;
    let (delta, stop) = ("contentBlockDelta", "contentBlockStop");
    let kinds = [
        ("messageStart", 1),
        (delta, 2),
        ("fromTheFuture", 1),
        (delta, 3),
        (stop, 1),
        ("messageStop", 1),
        ("metadata", 1),
    ];
    assert_eq!(runs(&answer), expected(&kinds));
    assert_eq!(answer.text(), "abcde");
}

#[tokio::test]
async fn reasoning_and_tool_use_are_blocks_of_their_own_between_two_of_text() {
    for (name, delta) in [("reasoning", "reasoningContent"), ("tool-use", "toolUse")] {
        let texts = |count| vec!["text".to_owned(); count];
        let deltas = vec![delta.to_owned(); 3];
        let cases = [
            (0, vec![(0, deltas.clone()), (1, texts(5))]),
            (2, vec![(0, texts(2)), (1, deltas.clone()), (2, texts(3))]),
            (9, vec![(0, texts(5)), (1, deltas.clone())]),
        ];
        for (after, expected) in cases {
            let answer = answer(&format!("{name}@{after}")).await;
            assert_eq!(blocks(&answer), expected, "{name}@{after}");
            assert_eq!(answer.text(), "abcde", "{name}@{after}");
            assert_eq!(answer.payload("messageStop")["stopReason"], "end_turn");
        }
    }
}

#[tokio::test]
async fn a_tool_block_starts_with_its_call_and_its_input_is_json_in_parts() {
    let answer = answer("tool-use").await;
    assert_eq!(answer.payload("contentBlockStart")["start"]["toolUse"]["name"], "get_weather");
    let input: String = answer
        .events()
        .iter()
        .filter_map(|(_, payload)| payload["delta"]["toolUse"]["input"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(serde_json::from_str::<Value>(&input).unwrap(), json!({"place": "Berlin"}));
}

#[tokio::test]
async fn an_empty_reply_ends_its_turn_without_a_delta() {
    let answer = answer("empty").await;
    assert_eq!(answer.kinds(), ["messageStart", "contentBlockStop", "messageStop", "metadata"]);
    assert_eq!(answer.payload("messageStop")["stopReason"], "end_turn");
    assert_eq!(answer.payload("metadata")["usage"]["outputTokens"], 0);
}

#[tokio::test]
async fn without_metadata_the_stream_ends_with_message_stop() {
    let answer = answer("no-metadata").await;
    assert_eq!(answer.text(), "abcde");
    assert_eq!(answer.kinds().last().unwrap(), "messageStop");
}

#[tokio::test]
async fn a_huge_delta_is_the_reply_repeated_to_its_size() {
    for (name, kibibytes) in [("huge-delta:100", 100), ("huge-delta", 1024)] {
        let answer = answer(name).await;
        assert_eq!(answer.payload("contentBlockDelta")["delta"]["text"].as_str().unwrap().len(), kibibytes * 1024);
        assert!(answer.text().starts_with("abcdeabcde"));
        assert_eq!(answer.payload("metadata")["usage"]["outputTokens"], 5);
    }
}

#[tokio::test]
async fn a_huge_delta_of_a_reply_that_is_too_long_is_made_of_what_may_be_said() {
    let scripted = Scripted::default().ttft(Duration::ZERO).gap(Duration::ZERO).pieces(["a", "b", "c", "d", "e"]);
    let bedrock = Bedrock::start(Config::new(Arc::new(scripted))).await;
    let mut request = question(&json!({"maxTokens": 3}));
    request.headers_mut().insert("x-local-bedrock-fault", HeaderValue::from_static("huge-delta:1"));
    let answer = bedrock.ask(request).await;
    assert!(answer.text().starts_with("abcabc"), "{}", answer.text());
    assert_eq!(answer.payload("messageStop")["stopReason"], "max_tokens");
}

#[tokio::test]
async fn hostile_text_arrives_as_it_was_said() {
    let answer = answer("hostile").await;
    let text = answer.text();
    let whole = [
        "👨\u{200d}👩\u{200d}👧",
        "👍🏽",
        "🇩🇪",
        "e\u{301}",
        "1\u{fe0f}\u{20e3}",
        "青い𠮷野家",
        "\u{1112}\u{1161}\u{11ab}",
    ];
    let cut: Vec<_> = answer.events().iter().map(|(_, payload)| payload["delta"]["text"].to_string()).collect();
    for character in whole {
        assert!(text.contains(character), "{character}");
        assert!(!cut.iter().any(|delta| delta.contains(character)), "{character} is in one delta");
    }
    for hard in [
        "\u{202e}",
        "\u{2067}",
        "a\r",
        "b\n",
        "c\r\n",
        "d\r\n",
        "\u{85}",
        "\u{2028}",
        "\ndata: {}\n\n",
        "\0",
        "\u{1b}[31m",
        "\u{feff}",
        "\u{7f}",
    ] {
        assert!(text.contains(hard), "{hard:?}");
    }
    assert_eq!(answer.payload("messageStop")["stopReason"], "end_turn");
}

#[tokio::test]
async fn the_bytes_of_a_reply_are_the_same_in_one_portion_and_in_many() {
    let scripted = Scripted::default().ttft(Duration::ZERO).gap(Duration::ZERO).pieces(["a", "b", "c"]);
    let bedrock = Bedrock::start(Config::new(Arc::new(scripted))).await;
    let ask = async |fault: &'static str| {
        let mut request = question(&json!({}));
        request.headers_mut().insert("x-local-bedrock-fault", HeaderValue::from_static(fault));
        let (bytes, end) = bedrock.bytes(request).await;
        end.unwrap();
        chunks(&bytes)
    };
    let (whole, bytewise) = (ask("coalesced").await, ask("bytewise").await);
    assert_eq!(whole.len(), 1);
    assert!(bytewise.iter().all(|chunk| chunk.len() == 1) && bytewise.len() > 500, "{}", bytewise.len());
    assert_eq!(events(&bytewise), events(&whole));
    assert_eq!(text_in(&whole[0]), "abc");
}

/// The events of a body in `portions`, without the time that the reply took.
fn events(portions: &[Vec<u8>]) -> Vec<(String, Value)> {
    let mut rest = Bytes::from(portions.concat());
    let mut events = Vec::new();
    while !rest.is_empty() {
        let (kind, mut payload) = event(&read_message_from(&mut rest).unwrap());
        payload.as_object_mut().unwrap().remove("metrics");
        events.push((kind, payload));
    }
    events
}

/// The chunks of an HTTP/1.1 answer.
fn chunks(answer: &[u8]) -> Vec<Vec<u8>> {
    let head = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    let mut rest = &answer[head + 4..];
    let mut chunks = Vec::new();
    loop {
        let line = rest.windows(2).position(|bytes| bytes == b"\r\n").unwrap();
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
        if length == 0 {
            return chunks;
        }
        chunks.push(rest[line + 2..line + 2 + length].to_vec());
        rest = &rest[line + 2 + length + 2..];
    }
}

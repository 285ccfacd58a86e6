//! What a client reads when all goes well, over real connections.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests and their helpers fail by panicking"
)]

mod support;

use std::{sync::Arc, time::Duration};

use local_bedrock::{Config, Journal, Piece, Scripted, Step, StopReason};
use serde_json::{Value, json};
use support::{Bedrock, Dictated, PROFILE, event, post, question, soon, text_in};

fn at_once() -> Scripted {
    Scripted::default().ttft(Duration::ZERO).gap(Duration::ZERO)
}

#[tokio::test]
async fn a_reply_is_the_sequence_of_events_that_bedrock_sends() {
    let bedrock = Bedrock::start(Config::new(Arc::new(at_once().pieces(["Yo", ", bro", "!"])))).await;
    let answer = bedrock.ask(question(&json!({"maxTokens": 150, "temperature": 0.3}))).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "application/vnd.amazon.eventstream");
    assert_eq!(answer.headers["x-amzn-requestid"].len(), 36);
    assert!(answer.headers.contains_key("date"));
    let mut events = answer.events();
    let (kind, mut metadata) = events.pop().unwrap();
    let delta = |text: &str| ("contentBlockDelta".to_owned(), json!({"contentBlockIndex": 0, "delta": {"text": text}}));
    assert_eq!(
        events,
        [
            ("messageStart".to_owned(), json!({"role": "assistant"})),
            delta("Yo"),
            delta(", bro"),
            delta("!"),
            ("contentBlockStop".to_owned(), json!({"contentBlockIndex": 0})),
            ("messageStop".to_owned(), json!({"stopReason": "end_turn"})),
        ]
    );
    assert_eq!(kind, "metadata");
    assert!(metadata["metrics"]["latencyMs"].take().is_u64());
    let usage = &metadata["usage"];
    assert_eq!(
        (&usage["inputTokens"], &usage["outputTokens"], &usage["totalTokens"]),
        (&json!(1), &json!(3), &json!(4))
    );
    assert_eq!(usage["serverToolUsage"], json!({}), "a key that the published model does not have");
}

#[tokio::test]
async fn max_tokens_and_stop_sequences_end_any_generators_reply() {
    let bedrock = Bedrock::start(Config::new(Arc::new(at_once().pieces(["one ", "two ", "th", "ree", " four"])))).await;
    let cases = [
        (json!({"maxTokens": 2}), "one two ", "max_tokens", 2),
        (json!({"stopSequences": ["three"]}), "one two ", "stop_sequence", 4),
        (json!({"stopSequences": ["never"]}), "one two three four", "end_turn", 5),
    ];
    for (inference, text, reason, tokens) in cases {
        let answer = bedrock.ask(question(&inference)).await;
        assert_eq!(answer.text(), text, "{inference}");
        let payloads: Vec<Value> = answer.events().into_iter().map(|(_, payload)| payload).collect();
        assert_eq!(payloads[payloads.len() - 2]["stopReason"], reason, "{inference}");
        assert_eq!(payloads[payloads.len() - 1]["usage"]["outputTokens"], tokens, "{inference}");
    }
}

#[tokio::test]
async fn the_head_does_not_wait_for_the_first_token_and_each_token_leaves_alone() {
    let (steps, dictated) = Dictated::new();
    let bedrock = Bedrock::start(Config::new(Arc::new(dictated))).await;
    let mut client = bedrock.connect().await;
    let mut reply = client.send(question(&json!({}))).await;
    assert_eq!(reply.status, 200);
    for text in ["Yo", " bro"] {
        steps.send(Ok(Step::Piece(Piece::token(text)))).await.unwrap();
        loop {
            let (kind, payload) = event(&reply.frame().await.unwrap().unwrap());
            if kind == "contentBlockDelta" {
                assert_eq!(payload["delta"]["text"], text);
                break;
            }
            assert_eq!(kind, "messageStart");
        }
    }
    steps.send(Ok(Step::Finish(StopReason::EndTurn))).await.unwrap();
    assert_eq!(reply.whole().await.kinds(), ["contentBlockStop", "messageStop", "metadata"]);
}

#[tokio::test]
async fn a_generator_that_breaks_off_is_a_model_stream_error() {
    let (steps, dictated) = Dictated::new();
    let bedrock = Bedrock::start(Config::new(Arc::new(dictated))).await;
    steps.send(Ok(Step::Piece(Piece::token("Yo")))).await.unwrap();
    drop(steps);
    let answer = bedrock.ask(question(&json!({}))).await;
    assert_eq!(answer.kinds(), ["messageStart", "contentBlockDelta", "modelStreamErrorException"]);
}

#[tokio::test]
async fn a_client_that_goes_away_ends_the_generation() {
    let (steps, dictated) = Dictated::new();
    let bedrock = Bedrock::start(Config::new(Arc::new(dictated))).await;
    let mut client = bedrock.connect().await;
    let reply = client.send(question(&json!({}))).await;
    assert!(!steps.is_closed());
    drop((client, reply));
    soon(steps.closed()).await;
}

#[tokio::test]
async fn http2_without_tls_is_served_on_the_same_port() {
    let bedrock = Bedrock::start(Config::new(Arc::new(at_once().pieces(["Yo"])))).await;
    let (body, end) = bedrock.ask_by_http2(question(&json!({}))).await;
    end.unwrap();
    assert_eq!(text_in(&body), "Yo");
}

#[tokio::test]
async fn a_warm_up_that_is_refused_leaves_the_connection_for_the_question() {
    let journal = Journal::default();
    let bedrock = Bedrock::start(Config::new(Arc::new(at_once())).with_journal(journal.clone())).await;
    let mut client = bedrock.connect().await;
    let warm_up = client.send(post("/ping", "", "")).await;
    assert_eq!(warm_up.status, 404);
    warm_up.whole().await;
    client.send(question(&json!({"maxTokens": 1}))).await.whole().await;
    let received = journal.requests();
    assert_eq!(received.iter().map(local_bedrock::Received::connection).collect::<Vec<_>>(), [1, 1]);
    let conversations = journal.conversations();
    assert_eq!(conversations.len(), 1);
    assert_eq!(conversations[0].json()["messages"][0]["content"][0]["text"], "Yo");
    assert_eq!(conversations[0].path(), PROFILE);
}

#[tokio::test]
async fn shutdown_lets_a_reply_end_within_its_grace_and_cuts_it_after() {
    for (grace, ends) in [(Duration::from_secs(10), true), (Duration::ZERO, false)] {
        let (steps, dictated) = Dictated::new();
        let bedrock = Bedrock::start(Config::new(Arc::new(dictated)).with_shutdown_grace(grace)).await;
        let mut client = bedrock.connect().await;
        let mut reply = client.send(question(&json!({}))).await;
        bedrock.stop.send(()).unwrap();
        if ends {
            steps.send(Ok(Step::Finish(StopReason::EndTurn))).await.unwrap();
            assert_eq!(reply.whole().await.kinds().last().unwrap(), "metadata");
        } else {
            assert!(reply.frame().await.is_err());
        }
        soon(bedrock.served).await.unwrap().unwrap();
    }
}

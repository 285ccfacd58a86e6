//! What is refused, and in which of Bedrock's words.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests and their helpers fail by panicking"
)]

mod support;

use std::sync::Arc;

use http::Request;
use http_body_util::Full;
use local_bedrock::{Config, ErrorKind, Generation, Generator, Journal, Prompt, Refusal, Scripted};
use serde_json::json;
use support::{Answer, Bedrock, PROFILE, SIGNED, post, question};

fn assert_refused(answer: &Answer, kind: ErrorKind) {
    assert_eq!((answer.status, answer.error_type()), (kind.status(), kind.name()));
    assert_eq!(answer.headers["content-type"], "application/json");
    assert!(answer.headers.contains_key("x-amzn-requestid"));
    assert!(answer.json()["message"].as_str().is_some_and(|message| !message.is_empty()));
}

#[tokio::test]
async fn each_request_that_breaks_a_rule_gets_that_rules_error() {
    let bedrock = Bedrock::start(Config::new(Arc::new(Scripted::default()))).await;
    let good = r#"{"messages":[{"role":"user","content":[{"text":"Yo"}]}]}"#;
    let model = |id: &str| format!("/model/{id}/converse-stream");
    let elsewhere = SIGNED.replace("us-east-1", "eu-west-1");
    let cases = [
        (post("/", SIGNED, ""), ErrorKind::UnknownOperation),
        (post("/model/us.a.b/converse", SIGNED, good), ErrorKind::UnknownOperation),
        (post(&model("us.a.b/c"), SIGNED, good), ErrorKind::UnknownOperation),
        (Request::get(PROFILE).body(Full::default()).unwrap(), ErrorKind::UnknownOperation),
        (post(PROFILE, "", good), ErrorKind::MissingAuthenticationToken),
        (post(PROFILE, "AWS4-HMAC-SHA256 nonsense", good), ErrorKind::IncompleteSignature),
        (post(PROFILE, &elsewhere, good), ErrorKind::InvalidSignature),
        (post(&model("anthropic.claude-3-haiku-20240307-v1%3A0"), SIGNED, good), ErrorKind::Validation),
        (post(&model("nonsense"), SIGNED, good), ErrorKind::Validation),
        (post(PROFILE, SIGNED, "{"), ErrorKind::Serialization),
        (post(PROFILE, SIGNED, "{}"), ErrorKind::Validation),
        (question(&json!({"temperature": 2})), ErrorKind::Validation),
    ];
    for (request, kind) in cases {
        let case = format!("{request:?}");
        let answer = bedrock.ask(request).await;
        assert_eq!(answer.error_type(), kind.name(), "{case}");
        assert_refused(&answer, kind);
    }
}

#[tokio::test]
async fn a_bare_model_id_is_told_to_use_a_profile() {
    let bedrock = Bedrock::start(Config::new(Arc::new(Scripted::default()))).await;
    let path = "/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse-stream";
    let message = bedrock.ask(post(path, SIGNED, "{}")).await.json()["message"].to_string();
    assert!(message.contains("Retry your request with the ID or ARN of an inference profile"), "{message}");
}

#[tokio::test]
async fn a_bearer_token_will_do() {
    let bedrock = Bedrock::start(Config::new(Arc::new(Scripted::default().tokens(1)))).await;
    let body = r#"{"messages":[{"role":"user","content":[{"text":"Yo"}]}]}"#;
    let path = "/model/global.anthropic.claude-haiku-4-5-20251001-v1%3A0/converse-stream";
    assert_eq!(bedrock.ask(post(path, "Bearer bedrock-api-key", body)).await.status, 200);
}

#[tokio::test]
async fn what_a_generator_refuses_is_an_http_error() {
    struct Refusing(Refusal);
    impl Generator for Refusing {
        fn generate(&self, _prompt: Prompt) -> Result<Generation, Refusal> {
            Err(self.0.clone())
        }
    }
    let cases = [
        (Refusal::Throttled, ErrorKind::Throttling),
        (Refusal::Unsuitable("too long".to_owned()), ErrorKind::Validation),
        (Refusal::Failed("broken".to_owned()), ErrorKind::ModelError),
    ];
    for (refusal, kind) in cases {
        let bedrock = Bedrock::start(Config::new(Arc::new(Refusing(refusal)))).await;
        assert_refused(&bedrock.ask(question(&json!({}))).await, kind);
    }
}

#[tokio::test]
async fn a_refused_request_is_in_the_journal_too() {
    let journal = Journal::default();
    let bedrock = Bedrock::start(Config::new(Arc::new(Scripted::default())).with_journal(journal.clone())).await;
    bedrock.ask(post(PROFILE, "", "not JSON")).await;
    assert_eq!(journal.conversations().len(), 1);
    assert!(journal.requests()[0].json().is_null());
}

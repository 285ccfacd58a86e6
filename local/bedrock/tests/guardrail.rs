//! The guardrail: what it denies, on which side, and what it tells.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests and their helpers fail by panicking"
)]

mod support;

use std::{sync::Arc, time::Duration};

use http::{HeaderValue, Request};
use http_body_util::Full;
use local_bedrock::{Config, Generation, Generator, Guardrail, Piece, Prompt, Refusal, Scripted, Step, StopReason};
use serde_json::{Value, json};
use support::{Answer, Bedrock, Dictated, event, question_with};

const BLOCKED_INPUT: &str = "We do not talk about bands.";
const BLOCKED_OUTPUT: &str = "That was about a band.";

fn guardrail() -> Guardrail {
    Guardrail::new()
        .deny("Heavy metal", ["Metallica", "double bass drum"])
        .deny("Skiffle", ["washboard"])
        .blocked_input(BLOCKED_INPUT)
        .blocked_output(BLOCKED_OUTPUT)
}

/// A stand-in whose model says `pieces`.
async fn saying(pieces: &[&str]) -> Bedrock {
    let scripted = Scripted::default().ttft(Duration::ZERO).gap(Duration::ZERO).pieces(pieces.iter().copied());
    Bedrock::start(Config::new(Arc::new(scripted)).with_guardrail(guardrail())).await
}

/// A question of `text` under a guardrail with `settings`.
fn guarded(text: &str, settings: &Value) -> Request<Full<bytes::Bytes>> {
    let mut config = json!({"guardrailIdentifier": "gr1", "guardrailVersion": "1"});
    config.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    let messages = json!([{"role": "user", "content": [{"text": text}]}]);
    question_with(&json!({"messages": messages, "guardrailConfig": config}))
}

fn trace(answer: &Answer) -> Value {
    answer.payload("metadata")["trace"]["guardrail"].clone()
}

#[tokio::test]
async fn a_denied_question_gets_the_blocked_message_and_the_model_does_not_run() {
    struct NeverAsked;
    impl Generator for NeverAsked {
        fn generate(&self, _prompt: Prompt) -> Result<Generation, Refusal> {
            panic!("the model ran")
        }
    }
    let bedrock = Bedrock::start(Config::new(Arc::new(NeverAsked)).with_guardrail(guardrail())).await;
    let answer = bedrock.ask(guarded("Is METALLICA loud?", &json!({"trace": "enabled"}))).await;
    assert_eq!(answer.kinds(), ["messageStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"]);
    assert_eq!(answer.text(), BLOCKED_INPUT);
    assert_eq!(answer.payload("messageStop")["stopReason"], "guardrail_intervened");
    assert_eq!(answer.payload("metadata")["usage"]["totalTokens"], 0);
    let trace = trace(&answer);
    assert_eq!(trace["actionReason"], "Guardrail blocked.");
    let assessment = &trace["inputAssessment"]["gr1"];
    let topic = json!({"name": "Heavy metal", "type": "DENY", "action": "BLOCKED", "detected": true});
    assert_eq!(assessment["topicPolicy"]["topics"], json!([topic]));
    let metrics = &assessment["invocationMetrics"];
    assert_eq!(metrics["guardrailCoverage"]["textCharacters"], json!({"guarded": 18, "total": 18}));
    assert_eq!(metrics["usage"]["topicPolicyUnits"], 1);
    assert!(metrics["guardrailProcessingLatency"].is_u64());
    assert_eq!(trace.get("outputAssessments"), None);
}

#[tokio::test]
async fn a_denied_reply_is_replaced_and_in_sync_mode_nothing_of_it_leaks() {
    let bedrock = saying(&["I ", "like ", "metal", "lica", "."]).await;
    let answer = bedrock.ask(guarded("Which band?", &json!({"trace": "enabled"}))).await;
    assert_eq!(answer.text(), BLOCKED_OUTPUT);
    assert_eq!(answer.payload("messageStop")["stopReason"], "guardrail_intervened");
    assert_eq!(answer.payload("metadata")["usage"]["outputTokens"], 5);
    let trace = trace(&answer);
    assert_eq!(trace["modelOutput"], json!(["I like metallica."]));
    assert_eq!(trace["outputAssessments"]["gr1"][0]["topicPolicy"]["topics"][0]["name"], "Heavy metal");
    assert_eq!(trace["inputAssessment"]["gr1"].get("topicPolicy"), None);
}

#[tokio::test]
async fn in_async_mode_what_came_before_the_block_has_leaked() {
    let bedrock = saying(&["I ", "like ", "metal", "lica", " and", " more"]).await;
    let answer = bedrock.ask(guarded("Which band?", &json!({"streamProcessingMode": "async"}))).await;
    assert_eq!(answer.text(), format!("I like metallica{BLOCKED_OUTPUT}"));
    assert_eq!(answer.payload("messageStop")["stopReason"], "guardrail_intervened");
    assert_eq!(answer.payload("metadata").get("trace"), None, "none was asked for");
}

#[tokio::test]
async fn sync_holds_a_reply_back_until_it_is_whole_and_async_lets_it_pass_as_it_comes() {
    for (mode, first) in [("sync", None), ("async", Some("Yo"))] {
        let (steps, dictated) = Dictated::new();
        let bedrock = Bedrock::start(Config::new(Arc::new(dictated)).with_guardrail(guardrail())).await;
        let mut client = bedrock.connect().await;
        let mut reply = client.send(guarded("Yo", &json!({"streamProcessingMode": mode}))).await;
        steps.send(Ok(Step::Piece(Piece::token("Yo")))).await.unwrap();
        if let Some(text) = first {
            assert_eq!(event(&reply.frame().await.unwrap().unwrap()).0, "messageStart");
            assert_eq!(event(&reply.frame().await.unwrap().unwrap()).1["delta"]["text"], text);
        } else {
            assert!(tokio::time::timeout(Duration::from_millis(50), reply.frame()).await.is_err());
        }
        steps.send(Ok(Step::Finish(StopReason::EndTurn))).await.unwrap();
        assert_eq!(reply.whole().await.payload("messageStop")["stopReason"], "end_turn", "{mode}");
    }
}

#[tokio::test]
async fn what_is_not_denied_passes_and_the_trace_says_what_was_looked_for() {
    let bedrock = saying(&["Yo", "!"]).await;
    for (level, topics) in [("enabled", Value::Null), ("enabled_full", json!(["Heavy metal", "Skiffle"]))] {
        let answer = bedrock.ask(guarded("Yo", &json!({"trace": level}))).await;
        assert_eq!(answer.text(), "Yo!");
        assert_eq!(answer.payload("messageStop")["stopReason"], "end_turn");
        let trace = trace(&answer);
        assert_eq!(trace.get("actionReason"), None);
        for assessment in [&trace["inputAssessment"]["gr1"], &trace["outputAssessments"]["gr1"][0]] {
            assert_eq!(assessment["invocationMetrics"]["usage"]["topicPolicyUnits"], 1, "{level}");
            let found = assessment["topicPolicy"]["topics"].as_array().map(|topics| {
                assert!(topics.iter().all(|topic| topic["action"] == "NONE" && topic["detected"] == false));
                topics.iter().map(|topic| topic["name"].clone()).collect::<Value>()
            });
            assert_eq!(found.unwrap_or_default(), topics, "{level}");
        }
    }
}

#[tokio::test]
async fn only_a_request_that_asks_for_a_guardrail_has_one() {
    let bedrock = saying(&["Metallica!"]).await;
    let messages = json!([{"role": "user", "content": [{"text": "A washboard?"}]}]);
    assert_eq!(bedrock.ask(question_with(&json!({"messages": messages}))).await.text(), "Metallica!");
}

#[tokio::test]
async fn guard_content_narrows_what_is_judged() {
    let bedrock = saying(&["Yo"]).await;
    let config = json!({"guardrailIdentifier": "gr1", "guardrailVersion": "DRAFT", "trace": "enabled"});
    let ask = |guarded: &str, plain: &str| {
        let content = json!([{"text": plain}, {"guardContent": {"text": {"text": guarded}}}]);
        let messages = json!([{"role": "user", "content": content}]);
        bedrock.ask(question_with(&json!({"messages": messages, "guardrailConfig": config})))
    };
    let passed = ask("Yo", "washboard").await;
    assert_eq!(passed.text(), "Yo");
    let coverage = &trace(&passed)["inputAssessment"]["gr1"]["invocationMetrics"]["guardrailCoverage"];
    assert_eq!(coverage["textCharacters"]["guarded"], 2);
    assert_eq!(ask("washboard", "Yo").await.text(), BLOCKED_INPUT);
}

#[tokio::test]
async fn a_guardrail_fault_blocks_whatever_is_said_and_whether_or_not_one_is_asked_for() {
    let bedrock = saying(&["a", "b", "c", "d", "e"]).await;
    let ask = |mut request: Request<Full<bytes::Bytes>>, side: &'static str| {
        request.headers_mut().insert("x-local-bedrock-fault", HeaderValue::from_static(side));
        bedrock.ask(request)
    };
    let plain = || question_with(&json!({}));
    let along = || guarded("Yo", &json!({"streamProcessingMode": "async"}));
    let cases = [
        (plain(), "guardrail", BLOCKED_INPUT.to_owned()),
        (plain(), "guardrail:output", BLOCKED_OUTPUT.to_owned()),
        (along(), "guardrail:output", format!("abc{BLOCKED_OUTPUT}")),
    ];
    for (request, fault, text) in cases {
        let answer = ask(request, fault).await;
        assert_eq!(answer.text(), text, "{fault}");
        assert_eq!(answer.payload("messageStop")["stopReason"], "guardrail_intervened", "{fault}");
    }
}

#[tokio::test]
async fn a_guardrail_that_does_not_exist_is_refused_where_it_is_known_which_do() {
    let scripted = Scripted::default().ttft(Duration::ZERO).tokens(1);
    let config = Config::new(Arc::new(scripted)).with_guardrail(guardrail().known_as("gr2"));
    let bedrock = Bedrock::start(config).await;
    let refused = bedrock.ask(guarded("Yo", &json!({}))).await;
    assert_eq!((refused.status.as_u16(), refused.error_type()), (400, "ValidationException"));
    let arn = "arn:aws:bedrock:us-east-1:123456789012:guardrail/gr2";
    assert_eq!(bedrock.ask(guarded("Yo", &json!({"guardrailIdentifier": arn}))).await.status, 200);
}

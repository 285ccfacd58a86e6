//! What the function does when the platform does not do as it usually does.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use local_bedrock::{Generation, Generator, Prompt, Refusal};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use crate::app::instant;
use crate::runtime_api::{RuntimeApi, event};
use crate::sse::PATIENCE;

const QUESTION: &str = r#"{"message":"Yo"}"#;

/// A reply of half a minute that says when nobody takes it any more.
struct Abandonable(UnboundedSender<()>);

struct Guard(UnboundedSender<()>);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

impl Generator for Abandonable {
    fn generate(&self, prompt: Prompt) -> Result<Generation, Refusal> {
        let generation = instant().gap(Duration::from_millis(200)).tokens(150).generate(prompt)?;
        let (input_tokens, guard) = (generation.input_tokens(), Guard(self.0.clone()));
        let steps = generation.into_steps().map(move |step| {
            let _held = &guard;
            step
        });
        Ok(Generation::new(input_tokens, steps))
    }
}

async fn bedrock() -> (String, UnboundedReceiver<()>) {
    let (sender, abandoned) = unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let config = local_bedrock::Config::new(Arc::new(Abandonable(sender)));
    tokio::spawn(local_bedrock::run(listener, config, std::future::pending()));
    (endpoint, abandoned)
}

/// The next invocation works.
async fn serves_on(platform: &mut RuntimeApi) {
    platform.invoke("r-next", &event("GET", "/healthz", "")).await;
    let mut posted = platform.request().await;
    assert_eq!(posted.line(), "POST /2018-06-01/runtime/invocation/r-next/response HTTP/1.1");
    posted.read_to_end_with(r#""status":"ok""#).await;
    platform.answer(posted, "202 Accepted", "", "").await;
}

#[tokio::test]
async fn a_bad_configuration_is_reported_and_asks_for_no_invocation() {
    let variables = [("MODEL_ID", "anthropic.claude-3-haiku-20240307-v1:0"), ("REQUIRE_API_KEY", "perhaps")];
    let mut platform = RuntimeApi::start(&variables).await;
    let mut report = platform.request().await;
    assert_eq!(report.line(), "POST /2018-06-01/runtime/init/error HTTP/1.1");
    assert_eq!(report.header("lambda-runtime-function-error-type"), Some("Function.InvalidConfiguration"));
    let told = report.json().await;
    for (variable, _) in variables {
        assert!(told["errorMessage"].as_str().is_some_and(|message| message.contains(variable)), "{told}");
    }
    platform.answer(report, "202 Accepted", "", "").await;
    assert!(!platform.exit().await.success());
    assert!(platform.is_silent(), "an invocation was asked for");
}

#[tokio::test]
async fn an_event_that_is_no_request_is_an_error_of_that_invocation_only() {
    let mut platform = RuntimeApi::start(&[]).await;
    platform.invoke("r-1", &json!({"Records": []})).await;
    let mut posted = platform.request().await;
    assert_eq!(posted.line(), "POST /2018-06-01/runtime/invocation/r-1/error HTTP/1.1");
    assert_eq!(posted.json().await["errorType"], "Function.NotAFunctionUrlEvent");
    platform.answer(posted, "202 Accepted", "", "").await;
    serves_on(&mut platform).await;
}

#[tokio::test]
async fn a_response_has_its_prelude_and_first_event_in_one_write() {
    let (endpoint, _abandoned) = bedrock().await;
    let mut platform = RuntimeApi::start(&[("AWS_ENDPOINT_URL", &endpoint)]).await;
    platform.invoke("r-1", &event("POST", "/api/chat", QUESTION)).await;
    let mut posted = platform.request().await;
    for (header, value) in [
        ("content-type", "application/vnd.awslambda.http-integration-response"),
        ("lambda-runtime-function-response-mode", "streaming"),
        ("transfer-encoding", "chunked"),
        ("lambda-runtime-invocation-id", "i-r-1"),
    ] {
        assert_eq!(posted.header(header), Some(value), "{header}");
    }
    posted.until("event: start").await;
}

#[tokio::test]
async fn a_response_that_the_platform_refuses_ends_the_reply_at_bedrock() {
    let (endpoint, mut abandoned) = bedrock().await;
    let mut platform = RuntimeApi::start(&[("AWS_ENDPOINT_URL", &endpoint)]).await;
    platform.invoke("r-1", &event("POST", "/api/chat", QUESTION)).await;
    let mut posted = platform.request().await;
    posted.until("event: token").await;
    platform.answer(posted, "413 Payload Too Large", "", "").await;
    timeout(PATIENCE, abandoned.recv()).await.expect("Bedrock's reply goes on").expect("a sign");
    let record = platform.record().await;
    assert_eq!((&record["Outcome"], &record["request_id"]), (&json!("cut"), &json!("r-1")));
    serves_on(&mut platform).await;
}

/// Lambda Managed Instances hand one process several invocations.
#[tokio::test]
async fn several_replies_at_once_do_not_mix() {
    let (endpoint, _abandoned) = bedrock().await;
    let variables = [("AWS_ENDPOINT_URL", endpoint.as_str()), ("AWS_LAMBDA_MAX_CONCURRENCY", "2")];
    let mut platform = RuntimeApi::start(&variables).await;
    let polls = [platform.poll().await, platform.poll().await];
    for (poll, (id, mode)) in polls.into_iter().zip([("r-1", "zen"), ("r-2", "pirate")]) {
        let question = json!({"message": "Yo", "mode": mode}).to_string();
        platform.hand(poll, id, &event("POST", "/api/chat", &question)).await;
    }
    let mut posted = [platform.request().await, platform.request().await];
    for posted in &mut posted {
        let line = posted.line().to_owned();
        let id = line.split('/').nth(4).expect("an id");
        posted.until(&format!(r#"data: {{"id":"{id}""#)).await;
        posted.until("event: token").await;
    }
    drop(posted);
    let mut recorded = [platform.record().await, platform.record().await]
        .map(|record| [&record["request_id"], &record["Mode"]].map(|field| field.as_str().expect("text").to_owned()));
    recorded.sort();
    assert_eq!(recorded, [["r-1", "zen"], ["r-2", "pirate"]]);
}

#[tokio::test]
async fn a_whole_response_that_is_not_acknowledged_was_cut() {
    let mut platform = RuntimeApi::start(&[]).await;
    // A refusal is complete at once.
    platform.invoke("r-1", &event("POST", "/api/chat", "{}")).await;
    let mut posted = platform.request().await;
    posted.until(r#""code":"invalid_request""#).await;
    drop(posted);
    let record = platform.record().await;
    assert_eq!((&record["Outcome"], &record["error_code"]), (&json!("cut"), &json!("invalid_request")));
    serves_on(&mut platform).await;
}

#[tokio::test]
async fn a_platform_that_never_acknowledges_is_not_waited_for_beyond_the_deadline() {
    let mut platform = RuntimeApi::start(&[]).await;
    let poll = platform.poll().await;
    platform.hand_for(Duration::from_secs(2), poll, "r-1", &event("POST", "/api/chat", "{}")).await;
    let mut silent = platform.request().await;
    silent.read_to_end_with(r#""code":"invalid_request""#).await;
    assert_eq!(platform.record().await["Outcome"], "cut");
    serves_on(&mut platform).await;
    drop(silent);
}

#[tokio::test]
async fn a_connection_that_breaks_ends_the_reply_and_the_process_lives_on() {
    let (endpoint, mut abandoned) = bedrock().await;
    let mut platform = RuntimeApi::start(&[("AWS_ENDPOINT_URL", &endpoint)]).await;
    platform.invoke("r-1", &event("POST", "/api/chat", QUESTION)).await;
    let mut posted = platform.request().await;
    posted.until("event: token").await;
    drop(posted);
    timeout(PATIENCE, abandoned.recv()).await.expect("Bedrock's reply goes on").expect("a sign");
    assert_eq!(platform.record().await["Outcome"], "cut");
    serves_on(&mut platform).await;
}

/// Nothing can be served any more: the platform starts another process.
#[tokio::test]
async fn a_refused_or_unreadable_poll_ends_the_process_with_its_reason() {
    let without_an_id = "lambda-runtime-deadline-ms: 99999999999999\r\n";
    let without_a_deadline = "lambda-runtime-aws-request-id: r-1\r\n";
    for (status, headers, reason) in [
        ("403 Forbidden", "", r#"403 Forbidden: {"errorMessage":"no"}"#),
        ("200 OK", without_an_id, "lambda-runtime-aws-request-id"),
        ("200 OK", without_a_deadline, "lambda-runtime-deadline-ms"),
    ] {
        let mut platform = RuntimeApi::start(&[]).await;
        let poll = platform.poll().await;
        platform.answer(poll, status, headers, r#"{"errorMessage":"no"}"#).await;
        let line = platform.log_line_that("no more invocations can be asked for").await;
        assert!(line["error"].as_str().is_some_and(|error| error.contains(reason)), "{line}");
        assert!(!platform.exit().await.success());
    }
}

#[tokio::test]
async fn a_poll_whose_connection_breaks_is_made_again_and_not_for_ever() {
    let mut platform = RuntimeApi::start(&[]).await;
    drop(platform.poll().await);
    serves_on(&mut platform).await;
    for _ in 0..4 {
        drop(platform.poll().await);
    }
    let line = platform.log_line_that("no more invocations can be asked for").await;
    assert!(line["error"].as_str().is_some_and(|error| error.contains("does not answer")), "{line}");
    assert!(!platform.exit().await.success());
}

/// It would be believed to take two.
#[tokio::test]
async fn a_process_that_lost_one_of_two_polls_does_not_go_on() {
    let mut platform = RuntimeApi::start(&[("AWS_LAMBDA_MAX_CONCURRENCY", "2")]).await;
    let poll = platform.poll().await;
    platform.answer(poll, "500 Internal Server Error", "", "{}").await;
    assert!(!platform.exit().await.success());
}

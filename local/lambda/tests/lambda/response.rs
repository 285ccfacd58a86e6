//! What a client gets to see of a function's answer.

use bytes::Bytes;
use http::Request;
use local_lambda::{ClientGone, InvokeMode};
use serde_json::json;

use crate::support::{Gate, Lambda, behaving};

#[tokio::test]
async fn the_prelude_sets_status_headers_and_cookies() {
    let lambda = Lambda::running("prelude").await;
    let prelude = json!({
        "statusCode": 201,
        "headers": { "content-type": "text/plain", "x-own": "yes" },
        "cookies": ["a=1; Path=/", "b=2"],
    });
    let response = lambda.post(prelude.to_string()).await;
    assert_eq!(response.status, 201);
    assert_eq!(response.header("content-type"), Some("text/plain"));
    assert_eq!(response.header("x-own"), Some("yes"));
    let cookies: Vec<_> = response.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1; Path=/", "b=2"]);
    assert!(response.header("x-amzn-requestid").is_some_and(|id| id.len() == 36));
    assert_eq!(response.text().await, "payload");
    lambda.stop().await;
}

#[tokio::test]
async fn an_empty_prelude_means_200_and_octets() {
    let lambda = Lambda::running("prelude").await;
    let response = lambda.post("{}").await;
    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-type"), Some("application/octet-stream"));
    assert_eq!(response.text().await, "payload");
    lambda.stop().await;
}

#[tokio::test]
async fn headers_that_describe_the_connection_stay_the_function_urls_own() {
    let lambda = Lambda::running("prelude").await;
    let prelude = json!({ "headers": {
        "content-length": "3", "Connection": "close", "content-encoding": "gzip", "x-own": "yes",
    }});
    let response = lambda.post(prelude.to_string()).await;
    assert_eq!(response.header("content-length"), None);
    assert_eq!(response.header("x-amzn-remapped-content-length"), Some("3"));
    assert_eq!(response.header("x-amzn-remapped-connection"), Some("close"));
    assert_eq!(response.header("content-encoding"), None, "stripped in streaming mode");
    assert_eq!(response.text().await, "payload");
    lambda.stop().await;
}

#[tokio::test]
async fn a_prelude_that_cannot_be_used_is_a_502_and_the_console_says_why() {
    let mut lambda = Lambda::with_sandboxes("prelude", 1).await;
    for (prelude, reason) in [
        ("no JSON", "the prelude cannot be read"),
        (r#"{"statusCode":"200"}"#, "the prelude cannot be read"),
        (r#"{"headers":{"x":1}}"#, "the prelude cannot be read"),
        (r#"{"statusCode":42}"#, "the status of the response cannot be sent: 42"),
        (r#"{"statusCode":101}"#, "the status of the response cannot be sent: 101"),
        (r#"{"headers":{"a b":"c"}}"#, "header \"a b\" of the response cannot be sent"),
        (r#"{"headers":{"a":"b\nc"}}"#, "header \"a\" of the response cannot be sent"),
    ] {
        let response = lambda.post(prelude).await;
        assert_eq!(response.status, 502, "{prelude}");
        assert_eq!(response.text().await, "Internal Server Error", "{prelude}");
        lambda.console(reason).await;
        // The function is still being read when the client has its 502.
        assert_eq!(lambda.line().await, "answered 202");
    }
    assert_eq!(lambda.post("{}").await.status, 200, "the sandbox lives on");
    lambda.stop().await;
}

#[tokio::test]
async fn sixteen_kilobytes_without_a_delimiter_are_a_502() {
    let mut lambda = Lambda::running("no-delimiter").await;
    assert_eq!(lambda.get("/").await.status, 502);
    lambda.console("no prelude's eight NUL bytes within the first 16384 bytes").await;
    lambda.stop().await;
}

#[tokio::test]
async fn a_stream_without_the_http_integration_type_is_all_payload() {
    let lambda = Lambda::running("raw-stream").await;
    let response = lambda.get("/").await;
    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-type"), Some("application/json"));
    assert_eq!(response.text().await, "raw");
    lambda.stop().await;
}

#[tokio::test]
async fn a_buffered_answer_is_a_response_or_its_body() {
    let lambda = Lambda::buffered("buffered").await;
    for (document, status, content_type, body) in [
        (r#"{"statusCode":404,"headers":{"content-type":"text/plain"},"body":"no"}"#, 404, "text/plain", "no"),
        (r#"{"statusCode":200,"body":"aGk=","isBase64Encoded":true}"#, 200, "application/json", "hi"),
        (r#"{"statusCode":"418","body":"a teapot"}"#, 418, "application/json", "a teapot"),
        (r#"{"statusCode":200,"headers":null,"cookies":null,"body":"go"}"#, 200, "application/json", "go"),
        (r#"{"answer":42}"#, 200, "application/json", r#"{"answer":42}"#),
        (r#""just words""#, 200, "application/json", "just words"),
    ] {
        let response = lambda.post(document).await;
        assert_eq!(response.status, status, "{document}");
        assert_eq!(response.header("content-type"), Some(content_type), "{document}");
        assert_eq!(response.text().await, body, "{document}");
    }
    assert_eq!(lambda.post("not JSON").await.status, 502);
    lambda.stop().await;
}

#[tokio::test]
async fn a_head_request_gets_no_body_and_leaves_the_sandbox_usable() {
    let mut lambda = Lambda::with_sandboxes("raw-stream", 1).await;
    let head = Request::head("/").body(Bytes::new()).expect("a request");
    assert_eq!(lambda.send(head).await.text().await, "");
    assert_eq!(lambda.line().await, "answered 202");
    assert_eq!(lambda.get("/").await.text().await, "raw");
    lambda.stop().await;
}

#[tokio::test]
async fn a_function_whose_body_may_not_be_sent_is_not_cut_since_its_client_is_there() {
    let cut = |config: local_lambda::Config| config.client_gone(ClientGone::Cut);
    let mut lambda = Lambda::with(behaving("raw-stream"), cut).await;
    let head = Request::head("/").body(Bytes::new()).expect("a request");
    assert_eq!(lambda.send(head).await.text().await, "");
    assert_eq!(lambda.line().await, "answered 202");
    lambda.stop().await;

    let mut lambda = Lambda::with(behaving("prelude"), cut).await;
    for status in [204, 304] {
        let response = lambda.post(format!(r#"{{"statusCode":{status}}}"#)).await;
        assert_eq!(response.status, status);
        assert_eq!(lambda.line().await, "answered 202", "{status}");
    }
    lambda.stop().await;
}

#[tokio::test]
async fn a_function_whose_answer_is_given_up_is_not_cut_since_its_client_is_there() {
    let cut = |config: local_lambda::Config| config.client_gone(ClientGone::Cut);
    let mut lambda = Lambda::with(behaving("prelude"), cut).await;
    for prelude in ["no JSON", r#"{"statusCode":42}"#] {
        assert_eq!(lambda.post(prelude).await.status, 502);
        assert_eq!(lambda.line().await, "answered 202", "{prelude}");
    }
    lambda.stop().await;

    let buffered = |config| cut(config).invoke_mode(InvokeMode::Buffered);
    let mut lambda = Lambda::with(behaving("bytes"), buffered).await;
    assert_eq!(lambda.post((20 * 1024 * 1024).to_string()).await.status, 502);
    assert_eq!(lambda.line().await, "answered 202");
    lambda.stop().await;
}

#[tokio::test]
async fn a_buffered_answer_behind_a_streaming_url_goes_on_as_it_is() {
    let mut lambda = Lambda::running("buffered").await;
    let document = r#"{"statusCode":404,"headers":{"content-type":"text/plain"},"body":"no"}"#;
    let response = lambda.post(document).await;
    assert_eq!(response.status, 200);
    assert_eq!(response.text().await, document);
    lambda.console("--invoke-mode buffered").await;
    assert_eq!(lambda.post(document).await.text().await, document);
    let console = lambda.stop().await.console;
    assert!(!console.iter().any(|line| line.contains("--invoke-mode")), "told once: {console:?}");
}

#[tokio::test]
async fn a_buffered_url_holds_a_streamed_answer_back_until_it_is_complete() {
    let gate = Gate::closed().await;
    let function = gate.guarding(behaving("steps"));
    let lambda = Lambda::with(function, |config| config.invoke_mode(InvokeMode::Buffered)).await;
    let mut answer = Box::pin(lambda.get("/"));
    for _ in 0..3 {
        let waiting = tokio::select! {
            _ = &mut answer => panic!("the head came before the end"),
            waiting = gate.reached() => waiting,
        };
        drop(waiting);
    }
    let response = answer.as_mut().await;
    drop(answer);
    assert_eq!(response.header("content-type"), Some("text/event-stream"));
    assert_eq!(response.header("content-length"), Some("11"));
    assert_eq!(response.text().await, "onetwothree");
    lambda.stop().await;
}

#[tokio::test]
async fn a_buffered_answer_above_6_mb_is_a_502_and_the_function_is_told_413() {
    let mut lambda = Lambda::buffered("buffered-bytes").await;
    let limit = 6 * 1024 * 1024 + 100;
    // Far above it the function still writes when the limit is reached.
    for length in [limit + 1, 20 * 1024 * 1024] {
        assert_eq!(lambda.post(length.to_string()).await.status, 502);
        assert_eq!(lambda.line().await, "answered 413");
        lambda.console("Function.ResponseSizeTooLarge").await;
    }
    lambda.stop().await;
}

#[tokio::test]
async fn a_header_with_several_values_is_sent_several_times() {
    let lambda = Lambda::running("prelude").await;
    let response = lambda.post(r#"{"headers":{"x-own":["one","two"]}}"#).await;
    let values: Vec<_> = response.headers.get_all("x-own").iter().collect();
    assert_eq!(values, ["one", "two"]);
    lambda.stop().await;
}

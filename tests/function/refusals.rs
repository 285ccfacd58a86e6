//! Bad input of every kind: the problem document it gets, and that it never reaches Bedrock.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{App, problem, send};
use crate::sse::Events;

#[tokio::test]
async fn a_bad_body_gets_its_problem_and_never_reaches_bedrock() {
    let app = App::start().await;
    let long = "x".repeat(4_001);
    let turn = |role: &str, content: &str| json!({"role": role, "content": content});
    let many: Vec<_> = (0..21).map(|n| turn(if n % 2 == 0 { "user" } else { "assistant" }, "x")).collect();
    let full: Vec<_> =
        (0..5).map(|n| turn(if n % 2 == 0 { "user" } else { "assistant" }, &"x".repeat(3_500))).collect();
    let table: Vec<(String, u16, &str, Option<&str>)> = vec![
        ("not JSON".into(), 400, "invalid_json", None),
        ("".into(), 400, "invalid_json", None),
        (r#"{"message":"Yo"#.into(), 400, "invalid_json", None),
        ("[]".into(), 400, "invalid_request", None),
        ("{}".into(), 400, "invalid_request", None),
        (r#"{"message":"Yo","message":"Yo"}"#.into(), 400, "invalid_request", None),
        (r#"{"message":"Yo","messages":[]}"#.into(), 400, "invalid_request", None),
        (json!({"message": "Yo", "max_tokens": 4_000}).to_string(), 400, "invalid_request", Some("/max_tokens")),
        (json!({"message": "Yo", "temperature": 1}).to_string(), 400, "invalid_request", Some("/temperature")),
        (json!({"message": "Yo", "system": "evil"}).to_string(), 400, "invalid_request", Some("/system")),
        (json!({"message": "Yo", "mode": "evil"}).to_string(), 400, "invalid_request", Some("/mode")),
        (json!({"message": "  \n"}).to_string(), 400, "invalid_request", Some("/message")),
        (json!({"message": long}).to_string(), 400, "invalid_request", Some("/message")),
        (json!({"messages": []}).to_string(), 400, "invalid_request", Some("/messages")),
        (json!({"messages": many}).to_string(), 400, "invalid_request", Some("/messages")),
        (json!({"messages": full}).to_string(), 400, "invalid_request", Some("/messages")),
        (json!({"messages": [turn("system", "x")]}).to_string(), 400, "invalid_request", Some("/messages/0/role")),
        (json!({"messages": [turn("assistant", "x")]}).to_string(), 400, "invalid_request", Some("/messages/0/role")),
        (
            json!({"messages": [turn("user", "x"), turn("assistant", "y")]}).to_string(),
            400,
            "invalid_request",
            Some("/messages/1/role"),
        ),
        (json!({"messages": [turn("user", "")]}).to_string(), 400, "invalid_request", Some("/messages/0/content")),
        (" ".repeat(64 * 1024 + 1), 413, "payload_too_large", None),
    ];
    for (body, status, code, pointer) in table {
        let (got_status, _, document) = problem(app.post(body.clone()).await).await;
        let told = (got_status, document["code"].as_str(), document["pointer"].as_str());
        assert_eq!(told, (status, Some(code), pointer), "{body:.200}: {document}");

        let record = app.record().await;
        assert_eq!((&record["Outcome"], &record["error_code"]), (&json!("refused"), &json!(code)), "{body:.200}");
        assert_eq!(record["request_id"], document["request_id"]);
    }
    assert!(app.bedrock.conversations().is_empty(), "Bedrock was called");
}

#[tokio::test]
async fn a_body_must_be_declared_as_json() {
    let app = App::start().await;
    for declared in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("application/jsonp")] {
        let request = app.request(Method::POST, "/api/chat").body(r#"{"message":"Yo"}"#);
        let request = declared.iter().fold(request, |request, declared| request.header("content-type", *declared));
        let (status, _, document) = problem(send(request).await).await;
        assert_eq!((status, &document["code"]), (415, &json!("unsupported_media_type")), "{declared:?}");
    }
    let request = app.request(Method::POST, "/api/chat").header("content-type", "Application/JSON; charset=utf-8");
    assert_eq!(send(request.body(r#"{"message":"Yo"}"#)).await.status(), 200);
}

#[tokio::test]
async fn a_query_is_held_to_the_same_rules() {
    let app = App::start().await;
    for (query, pointer) in [
        ("", None),
        ("mode=bro", None),
        ("message=", Some("/message")),
        ("message=%20+", Some("/message")),
        ("message=a&message=b", Some("/message")),
        ("message=a&max_tokens=4000", None),
        ("message=a&mode=evil", Some("/mode")),
        ("message=%FF", Some("/message")),
    ] {
        let (status, _, document) = problem(app.get(&format!("/api/chat?{query}")).await).await;
        assert_eq!((status, document["pointer"].as_str()), (400, pointer), "{query}: {document}");
    }
    assert!(app.bedrock.conversations().is_empty(), "Bedrock was called");
}

#[tokio::test]
async fn an_event_source_that_comes_back_does_not_pay_twice() {
    let app = App::start().await;
    let request = app.request(Method::GET, "/api/chat?message=Yo").header("last-event-id", "r-1");
    let (status, _, document) = problem(send(request).await).await;
    assert_eq!((status, &document["code"]), (409, &json!("already_answered")));
    assert!(app.bedrock.conversations().is_empty(), "Bedrock was called");
}

#[tokio::test]
async fn an_image_tag_or_a_link_does_not_spend() {
    let app = App::start().await;
    for mode in ["no-cors", "navigate", "websocket"] {
        let request = app.request(Method::GET, "/api/chat?message=Yo").header("sec-fetch-mode", mode);
        let (status, _, document) = problem(send(request).await).await;
        assert_eq!((status, &document["code"]), (403, &json!("cross_site")), "{mode}");
    }
    assert!(app.bedrock.conversations().is_empty(), "Bedrock was called");
    for mode in ["cors", "same-origin"] {
        let request = app.request(Method::GET, "/api/chat?message=Yo").header("sec-fetch-mode", mode);
        assert!(!Events::of(send(request).await).all().await.is_empty(), "{mode}");
    }
}

#[tokio::test]
async fn other_paths_and_methods_are_told_apart() {
    let app = App::start().await;
    for (method, path, status, code, allow) in [
        (Method::GET, "/nothing", 404, "not_found", None),
        (Method::GET, "/assets/nothing.js", 404, "not_found", None),
        (Method::GET, "/api/chat/", 404, "not_found", None),
        (Method::DELETE, "/api/chat", 405, "method_not_allowed", Some("GET, POST")),
        (Method::POST, "/", 405, "method_not_allowed", Some("GET, HEAD")),
        (Method::POST, "/api/modes", 405, "method_not_allowed", Some("GET, HEAD")),
        (Method::PUT, "/healthz", 405, "method_not_allowed", Some("GET, HEAD")),
    ] {
        let response = send(app.request(method.clone(), path)).await;
        let told = response.headers().get("allow").map(|allow| allow.to_str().expect("ASCII").to_owned());
        assert_eq!(told.as_deref(), allow, "{method} {path}");
        let (got, _, document) = problem(response).await;
        assert_eq!((got, &document["code"]), (status, &Value::from(code)), "{method} {path}");
    }
}

//! What a function gets to see of an HTTP request.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Lambda, within};

async fn event_of(request: http::request::Builder, body: &'static [u8]) -> Value {
    let lambda = Lambda::buffered("echo").await;
    let event = lambda.send(request.body(Bytes::from_static(body)).expect("a request")).await.json().await;
    lambda.stop().await;
    event
}

#[tokio::test]
async fn a_request_becomes_an_event_of_payload_format_2_0() {
    let request = Request::put("/a%20path/x?q=1&name=two%20words&q=a%2Cb")
        .header("Host", "localhost:3000")
        .header("User-Agent", "tester/1")
        .header("X-Many", "one")
        .header("X-Many", "two")
        .header("Cookie", "a=1; b=2")
        .header("Content-Type", "application/json");
    let mut event = event_of(request, br#"{"message":"yo"}"#).await;

    let context = event["requestContext"].take();
    assert_eq!(
        event,
        json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": "/a%20path/x",
            "rawQueryString": "q=1&name=two%20words&q=a%2Cb",
            "cookies": ["a=1", "b=2"],
            "headers": {
                "content-length": "16",
                "content-type": "application/json",
                "host": "localhost:3000",
                "user-agent": "tester/1",
                "x-amzn-trace-id": event["headers"]["x-amzn-trace-id"],
                "x-forwarded-for": "127.0.0.1",
                "x-forwarded-port": event["headers"]["x-forwarded-port"],
                "x-forwarded-proto": "http",
                "x-many": "one,two",
            },
            "queryStringParameters": { "q": "1,a,b", "name": "two words" },
            "requestContext": null,
            "body": "{\"message\":\"yo\"}",
            "isBase64Encoded": false,
        })
    );
    assert_eq!(
        context,
        json!({
            "accountId": "anonymous",
            "apiId": "local",
            "domainName": "localhost",
            "domainPrefix": "local",
            "http": {
                "method": "PUT",
                "path": "/a%20path/x",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "tester/1",
            },
            "requestId": context["requestId"],
            "routeKey": "$default",
            "stage": "$default",
            "time": context["time"],
            "timeEpoch": context["timeEpoch"],
        })
    );
    assert_eq!(context["requestId"].as_str().map(str::len), Some(36), "{context}");
    assert!(event["headers"]["x-amzn-trace-id"].as_str().is_some_and(|id| id.starts_with("Root=1-")));
}

#[tokio::test]
async fn the_time_of_the_request_is_now_in_both_forms() {
    let before = time::OffsetDateTime::now_utc();
    let context = event_of(Request::get("/"), b"").await["requestContext"].take();
    let epoch_ms = context["timeEpoch"].as_i64().expect("a number");
    let received = time::OffsetDateTime::from_unix_timestamp(epoch_ms / 1000).expect("a time");
    assert!((received - before).abs() < time::Duration::seconds(20), "{context}");

    let form = time::macros::format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000");
    assert_eq!(context["time"], received.format(form).expect("formatted"));
}

#[tokio::test]
async fn what_a_request_lacks_the_event_lacks() {
    let event = event_of(Request::get("/"), b"").await;
    for absent in ["body", "cookies", "queryStringParameters"] {
        assert!(event.get(absent).is_none(), "{absent} in {event}");
    }
    assert_eq!(event["rawQueryString"], "");
    assert_eq!(event["isBase64Encoded"], false);
}

#[tokio::test]
async fn only_text_is_passed_as_text_and_the_rest_as_base64() {
    let cases: [(&str, &[u8], &str, bool); 7] = [
        ("application/json", b"{}", "{}", false),
        ("application/json; charset=utf-8", b"{}", "{}", false),
        ("text/plain", "grüezi".as_bytes(), "grüezi", false),
        ("application/problem+json", b"{}", "{}", false),
        ("application/x-www-form-urlencoded", b"a=1", "YT0x", true),
        ("application/octet-stream", b"a=1", "YT0x", true),
        ("text/plain", b"\xff\xfe", "//4=", true),
    ];
    let lambda = Lambda::buffered("echo").await;
    for (content_type, body, expected, base64) in cases {
        let request = Request::post("/").header("content-type", content_type);
        let event = lambda.send(request.body(Bytes::from_static(body)).expect("a request")).await.json().await;
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!(expected), &json!(base64)), "{content_type}");
    }
    lambda.stop().await;
}

#[tokio::test]
async fn a_client_that_writes_far_more_than_6_mb_before_it_reads_gets_its_413() {
    let lambda = Lambda::running("echo").await;
    let mut connection = TcpStream::connect(lambda.address).await.expect("a connection");
    let length = 20 * 1024 * 1024;
    let head = format!("POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    let request = [head.into_bytes(), vec![b'x'; length]].concat();
    within("the request", connection.write_all(&request)).await.expect("all of it is taken");
    let mut response = String::new();
    within("the response", connection.read_to_string(&mut response)).await.expect("a response");
    assert!(response.starts_with("HTTP/1.1 413 "), "{response}");
    lambda.stop().await;
}

#[tokio::test]
async fn a_request_above_6_mb_is_413_and_never_reaches_the_function() {
    let lambda = Lambda::running("echo").await;
    let response = lambda.post(vec![b'x'; 6 * 1024 * 1024 + 1]).await;
    assert_eq!(response.status, 413);
    assert_eq!(response.json().await["Type"], "User");
    // Within the limit, but not with the event around it.
    assert_eq!(lambda.post(vec![b'x'; 6 * 1024 * 1024 - 10]).await.status, 413);
    assert_eq!(lambda.stop().await.console, Vec::<String>::new(), "no sandbox was started");
}

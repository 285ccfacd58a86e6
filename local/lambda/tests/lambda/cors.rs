//! Cross-origin requests, as the function URL's `Cors` settings say.

use bytes::Bytes;
use http::Request;

use crate::support::{Lambda, Response, behaving};

const SETTINGS: &str = r#"{
    "AllowOrigins": ["https://chat.example", "http://localhost:5173"],
    "AllowMethods": ["GET", "POST"],
    "AllowHeaders": ["content-type", "x-api-key"],
    "ExposeHeaders": ["x-request-id"],
    "AllowCredentials": true,
    "MaxAge": 300
}"#;
const ORIGIN: &str = "https://chat.example";

async fn with_cors(behaviour: &str, settings: &str) -> Lambda {
    let cors = settings.parse().expect("settings");
    Lambda::with(behaving(behaviour), |config| config.cors(cors)).await
}

fn preflight(origin: &str) -> Request<Bytes> {
    let request = Request::options("/api/chat").header("origin", origin);
    request.header("access-control-request-method", "POST").body(Bytes::new()).expect("a request")
}

fn cors_headers(response: &Response) -> Vec<(&str, &str)> {
    let names = response.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().expect("text")));
    let mut headers: Vec<_> =
        names.filter(|(name, _)| name.starts_with("access-control-") || *name == "vary").collect();
    headers.sort_unstable();
    headers
}

#[tokio::test]
async fn a_preflight_is_answered_by_the_url_and_never_reaches_the_function() {
    let lambda = with_cors("crash", SETTINGS).await;
    let response = lambda.send(preflight(ORIGIN)).await;
    assert_eq!(response.status, 200);
    assert_eq!(
        cors_headers(&response),
        [
            ("access-control-allow-credentials", "true"),
            ("access-control-allow-headers", "content-type,x-api-key"),
            ("access-control-allow-methods", "GET,POST"),
            ("access-control-allow-origin", ORIGIN),
            ("access-control-expose-headers", "x-request-id"),
            ("access-control-max-age", "300"),
            ("vary", "Origin"),
        ]
    );
    assert_eq!(response.text().await, "");
    assert_eq!(lambda.stop().await.console, Vec::<String>::new(), "no sandbox was started");
}

#[tokio::test]
async fn an_answer_of_the_function_gets_the_urls_headers() {
    let lambda = with_cors("raw-stream", SETTINGS).await;
    let request = Request::get("/").header("origin", "http://localhost:5173").body(Bytes::new());
    let response = lambda.send(request.expect("a request")).await;
    assert_eq!(
        cors_headers(&response),
        [
            ("access-control-allow-credentials", "true"),
            ("access-control-allow-origin", "http://localhost:5173"),
            ("access-control-expose-headers", "x-request-id"),
            ("vary", "Origin"),
        ]
    );
    assert_eq!(response.text().await, "raw");
    lambda.stop().await;
}

#[tokio::test]
async fn an_origin_that_is_not_allowed_gets_none_of_them_and_is_answered() {
    let lambda = with_cors("raw-stream", SETTINGS).await;
    let request = Request::get("/").header("origin", "https://evil.example").body(Bytes::new());
    for request in [preflight("https://evil.example"), request.expect("a request")] {
        let response = lambda.send(request).await;
        assert_eq!(response.status, 200);
        assert_eq!(cors_headers(&response), [("vary", "Origin")]);
    }
    lambda.stop().await;
}

#[tokio::test]
async fn a_wildcard_allows_every_origin() {
    let lambda = with_cors("raw-stream", r#"{"AllowOrigins":["*"],"AllowMethods":["*"]}"#).await;
    let response = lambda.send(preflight("https://any.example")).await;
    assert_eq!(
        cors_headers(&response),
        [
            ("access-control-allow-methods", "*"),
            ("access-control-allow-origin", "https://any.example"),
            ("vary", "Origin"),
        ]
    );
    lambda.stop().await;
}

#[tokio::test]
async fn a_function_that_sets_cors_headers_as_well_doubles_them() {
    let lambda = with_cors("prelude", r#"{"AllowOrigins":["*"]}"#).await;
    let request = Request::post("/").header("content-type", "application/json").header("origin", ORIGIN);
    let prelude = r#"{"headers":{"access-control-allow-origin":"*"}}"#;
    let response = lambda.send(request.body(Bytes::from(prelude)).expect("a request")).await;
    let origins: Vec<_> = response.headers.get_all("access-control-allow-origin").iter().collect();
    assert_eq!(origins, ["*", ORIGIN]);
    lambda.stop().await;
}

#[tokio::test]
async fn options_without_cors_settings_and_options_that_are_no_preflight_reach_the_function() {
    let plain = Request::options("/").header("origin", ORIGIN).body(Bytes::new()).expect("a request");
    let lambda = Lambda::running("raw-stream").await;
    assert_eq!(lambda.send(preflight(ORIGIN)).await.text().await, "raw");
    lambda.stop().await;
    let lambda = with_cors("raw-stream", SETTINGS).await;
    assert_eq!(lambda.send(plain).await.text().await, "raw");
    lambda.stop().await;
}

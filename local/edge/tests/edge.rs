//! The edge over real HTTP, in front of an origin that verifies signatures as a function URL does.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests fail by panicking")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::channel::Channel;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use local_edge::{Config, ViewerRequest};
use local_signature::{Credentials, Verifier};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};

const BODY: &str = r#"{"message":"Yo"}"#;
/// `printf '{"message":"Yo"}' | sha256sum`.
const HASH: &str = "4c09fb3cc35c465190b4d9e1a82ad0aa9696a55d93b5b3ee1ef22e1664142201";
const PASSES: &str = "function handler(event) { return event.request; }";
/// Every wait of these tests.
const PATIENCE: Duration = Duration::from_secs(30);

fn credentials() -> Credentials {
    Credentials::new("ASIAEDGE", "secret", Some("token".to_owned()), None, "test")
}

/// What the origin does with a request that is rightly signed.
#[derive(Clone)]
enum Origin {
    /// Tells what it got.
    Echoes,
    /// Sends a piece, and the next one when it is let.
    Streams(Arc<Notify>),
    /// Is silent after its head.
    Stalls,
}

struct Edge {
    url: String,
    client: Client,
    _stop: watch::Sender<()>,
}

impl Edge {
    async fn start(origin: Origin, configure: impl FnOnce(Config) -> Config) -> Self {
        let (stop, stopped) = watch::channel(());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let config = Config::new(listener.local_addr().expect("an address"), "us-east-1", credentials());
        tokio::spawn(serve(listener, origin, stopped.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let mut stopped = stopped;
        tokio::spawn(local_edge::run(listener, configure(config), async move {
            let _ = stopped.changed().await;
        }));
        let client = Client::builder().no_proxy().timeout(PATIENCE).build().expect("a client");
        Self { url, client, _stop: stop }
    }

    async fn with(function: &str) -> Self {
        let function = ViewerRequest::parse(function).expect("a function");
        Self::start(Origin::Echoes, |config| config.viewer_request(function)).await
    }

    fn post(&self) -> RequestBuilder {
        self.client.post(format!("{}/path?b=2&a=1", self.url)).header("content-type", "application/json").body(BODY)
    }
}

async fn sent(request: RequestBuilder) -> (StatusCode, HeaderMap, String) {
    let response = request.send().await.expect("a response");
    let (status, headers) = (response.status(), response.headers().clone());
    (status, headers, response.text().await.expect("a body"))
}

async fn echoed(request: RequestBuilder) -> Value {
    let (status, _, body) = sent(request).await;
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).expect("JSON")
}

async fn serve(listener: TcpListener, origin: Origin, mut stopped: watch::Receiver<()>) {
    loop {
        let connection = tokio::select! {
            accepted = listener.accept() => accepted.expect("a connection").0,
            _ = stopped.changed() => return,
        };
        let origin = origin.clone();
        let service = service_fn(move |request| answer(request, origin.clone()));
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(connection), service));
    }
}

async fn answer(
    request: Request<Incoming>,
    origin: Origin,
) -> Result<Response<BoxBody<Bytes, Infallible>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let verifier = Verifier::new("lambda", [credentials()]);
    if let Err(error) = verifier.verify(&head, &body, Some("us-east-1"), SystemTime::now()) {
        let mut response = Response::new(Full::new(Bytes::from(error.to_string())).boxed());
        *response.status_mut() = StatusCode::FORBIDDEN;
        return Ok(response);
    }
    let (mut sender, streamed) = Channel::<Bytes, Infallible>::new(1);
    match origin {
        Origin::Echoes => {
            let all = |name| {
                let values = head.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
                json!(values.collect::<Vec<_>>().join(", "))
            };
            let headers: serde_json::Map<_, _> =
                head.headers.keys().map(|name| (name.to_string(), all(name))).collect();
            let told = json!({
                "method": head.method.as_str(), "uri": head.uri.to_string(), "headers": headers,
                "body": String::from_utf8_lossy(&body),
            });
            let mut response = Response::new(Full::new(Bytes::from(told.to_string())).boxed());
            for (name, value) in [("connection", "x-of-this-hop"), ("x-of-this-hop", "1"), ("keep-alive", "timeout=5")]
            {
                response.headers_mut().insert(name, http::HeaderValue::from_static(value));
            }
            return Ok(response);
        }
        Origin::Streams(next) => {
            tokio::spawn(async move {
                let _ = sender.send_data(Bytes::from_static(b"one")).await;
                next.notified().await;
                let _ = sender.send_data(Bytes::from_static(b"two")).await;
            });
        }
        Origin::Stalls => {
            tokio::spawn(async move {
                let _ = sender.send_data(Bytes::from_static(b"one")).await;
                std::future::pending::<()>().await;
            });
        }
    }
    Ok(Response::new(streamed.boxed()))
}

#[tokio::test]
async fn a_post_with_the_right_hash_comes_signed_by_the_edge() {
    let edge = Edge::start(Origin::Echoes, |config| config).await;
    let request = edge.post().header("x-amz-content-sha256", HASH).header("authorization", "Bearer of-the-viewer");
    let seen = echoed(request).await;
    assert_eq!((seen["method"].as_str(), seen["uri"].as_str()), (Some("POST"), Some("/path?b=2&a=1")));
    assert_eq!(seen["body"], BODY);
    let headers = &seen["headers"];
    let authorization = headers["authorization"].as_str().expect("a signature");
    assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=ASIAEDGE/"), "{authorization}");
    assert!(!edge.url.ends_with(headers["host"].as_str().expect("a host")), "the host is the viewer's");
    assert_eq!(headers["x-forwarded-for"], "127.0.0.1");
    assert!(
        headers["x-amz-cf-id"].is_string() && headers["via"].as_str().is_some_and(|via| via.contains("CloudFront"))
    );
}

#[tokio::test]
async fn a_post_without_the_right_hash_is_forbidden_by_the_origin() {
    let edge = Edge::start(Origin::Echoes, |config| config).await;
    let wrong = HASH.replace('4', "5");
    for request in [edge.post(), edge.post().header("x-amz-content-sha256", wrong)] {
        let (status, headers, body) = sent(request).await;
        assert_eq!(status, 403);
        assert!(body.starts_with("The request signature we calculated does not match"), "{body}");
        assert_eq!(headers["x-cache"], "Miss from cloudfront");
    }
}

#[tokio::test]
async fn a_get_needs_no_hash() {
    let edge = Edge::start(Origin::Echoes, |config| config).await;
    assert_eq!(echoed(edge.client.get(format!("{}/a%2Fb?q=%20", edge.url))).await["uri"], "/a%2Fb?q=%20");
}

#[tokio::test]
async fn the_function_changes_what_goes_on() {
    let edge = Edge::with(
        "function handler(event) {
             var request = event.request;
             request.uri = '/changed' + request.uri;
             request.headers['x-seen'] = { value: event.viewer.ip + ' ' + event.context.eventType };
             request.headers['x-query'] = { value: request.querystring.b.value };
             delete request.headers['x-gone'];
             return request;
         }",
    )
    .await;
    let request = edge.post().header("x-amz-content-sha256", HASH).header("x-gone", "1").header("x-many", "a");
    let seen = echoed(request.header("x-many", "b")).await;
    assert_eq!(seen["uri"], "/changed/path?b=2&a=1");
    assert_eq!(seen["headers"]["x-seen"], "127.0.0.1 viewer-request");
    assert_eq!((&seen["headers"]["x-query"], &seen["headers"]["x-gone"]), (&json!("2"), &Value::Null));
    assert_eq!(seen["headers"]["x-many"], "a, b");
}

#[tokio::test]
async fn cloudfronts_own_headers_are_neither_seen_nor_touched() {
    let edge = Edge::with(
        "function handler(event) {
             var request = event.request;
             console.log(request);
             request.headers['x-seen'] = { value: Object.keys(request.headers).sort().join() };
             return request;
         }",
    )
    .await;
    let get = || edge.client.get(&edge.url);
    let seen = echoed(get().header("x-edge-of", "mine").header("x-real-ip", "me").header("expect", "nothing")).await;
    let headers = &seen["headers"];
    assert_eq!(headers["x-seen"], "accept,host");
    assert_eq!((&headers["x-edge-of"], &headers["x-real-ip"]), (&json!("mine"), &json!("me")));

    for change in [
        "headers['x-edge-location'] = { value: 'here' }",
        "headers['x-forwarded-proto'] = { value: 'https' }",
        "headers['connection'] = { value: 'close' }",
        "headers.host = { value: 'elsewhere' }",
        "headers['x-amz-cf-id'] = { value: '1' }",
        "return { statusCode: 204, headers: { 'x-cache': { value: 'mine' } } }",
        "headers.via = { value: 'me' }",
        "headers['cdn-loop'] = { value: 'me' }",
        "delete headers.host",
    ] {
        let source = format!(
            "function handler(event) {{ var headers = event.request.headers; {change}; return event.request; }}"
        );
        let edge = Edge::with(&source).await;
        let (status, _, page) = sent(edge.client.get(&edge.url)).await;
        assert_eq!(status, 502, "{change}");
        assert!(page.contains("which it may not"), "{change}: {page}");
    }
}

#[tokio::test]
async fn a_parameter_that_comes_twice_has_all_its_values() {
    let edge = Edge::with(
        "function handler(event) {
             var many = event.request.querystring.many;
             var all = many.multiValue.map(function (one) { return one.value; }).join();
             event.request.headers['x-seen'] = { value: many.value + ' of ' + all };
             return event.request;
         }",
    )
    .await;
    assert_eq!(echoed(edge.client.get(format!("{}/?many=1&many=2", edge.url))).await["headers"]["x-seen"], "1 of 1,2");
}

#[tokio::test]
async fn of_a_header_that_comes_twice_the_function_may_change_the_first_value_or_all() {
    for (change, expected) in [
        ("many.value += '!'", "a!, b"),
        ("many.multiValue[1].value += '!'", "a, b!"),
        ("many.value = 'lost'; many.multiValue.push({ value: 'c' })", "a, b, c"),
    ] {
        let edge = Edge::with(&format!(
            "function handler(event) {{
                 var many = event.request.headers['x-many'];
                 {change};
                 return event.request;
             }}"
        ))
        .await;
        let request = edge.client.get(&edge.url).header("x-many", "a").header("x-many", "b");
        assert_eq!(echoed(request).await["headers"]["x-many"], expected, "{change}");
    }
}

#[tokio::test]
async fn what_is_of_one_hop_only_goes_no_further() {
    let edge = Edge::start(Origin::Echoes, |config| config).await;
    let request = edge.client.get(&edge.url).header("connection", "x-mine").header("x-mine", "1");
    let (status, answered, body) = sent(request.header("te", "trailers")).await;
    assert_eq!(status, 200, "{body}");
    let told: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((&told["headers"]["x-mine"], &told["headers"]["te"]), (&Value::Null, &Value::Null));
    for name in ["connection", "x-of-this-hop", "keep-alive"] {
        assert_eq!(answered.get(name), None, "{name}");
    }
}

#[tokio::test]
async fn the_function_may_answer_itself_and_may_be_async() {
    let edge = Edge::with(
        "async function handler(event) {
             return { statusCode: 302, headers: { location: { value: 'https://elsewhere' } }, body: 'Gone.' };
         }",
    )
    .await;
    let client = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let (status, headers, body) = sent(client.get(&edge.url)).await;
    assert_eq!((status.as_u16(), body.as_str()), (302, "Gone."));
    assert_eq!(headers["location"], "https://elsewhere");
}

#[tokio::test]
async fn a_function_that_fails_is_a_503() {
    for (body, words) in [
        ("throw new Error('oops')", "oops"),
        ("for (;;) {}", "interrupted"),
        ("var all = ''; for (;;) all += 'more and more'", "the function failed"),
        ("return 'nothing of use'", "no request and no response"),
        ("", "nothing was given back"),
    ] {
        let edge = Edge::with(&format!("function handler(event) {{ {body} }}")).await;
        let (status, headers, page) = sent(edge.client.get(&edge.url)).await;
        assert_eq!(status, 503, "{body}");
        assert!(page.contains(words), "{body}: {page}");
        assert_eq!(headers["x-cache"], "Error from cloudfront");
    }
}

#[test]
fn what_is_no_function_is_refused_at_once() {
    for (source, words) in [("function (", "Error"), ("var other = 1;", "there is no function `handler`")] {
        let error = ViewerRequest::parse(source).expect_err(source);
        assert!(error.to_string().contains(words), "{error}");
    }
    ViewerRequest::parse(PASSES).expect("a function");
}

#[tokio::test]
async fn each_piece_comes_before_the_next_is_written() {
    let next = Arc::new(Notify::new());
    let edge = Edge::start(Origin::Streams(Arc::clone(&next)), |config| config).await;
    let mut response = edge.client.get(&edge.url).send().await.expect("a response");
    assert_eq!(response.chunk().await.expect("a piece").as_deref(), Some(&b"one"[..]));
    next.notify_one();
    assert_eq!(response.chunk().await.expect("a piece").as_deref(), Some(&b"two"[..]));
    assert_eq!(response.chunk().await.expect("the end"), None);
}

#[tokio::test]
async fn an_origin_that_falls_silent_is_cut_and_one_that_is_not_there_is_a_502() {
    let edge = Edge::start(Origin::Stalls, |config| config.response_timeout(Duration::from_millis(200))).await;
    let mut response = edge.client.get(&edge.url).send().await.expect("a response");
    assert_eq!(response.chunk().await.expect("a piece").as_deref(), Some(&b"one"[..]));
    response.chunk().await.expect_err("the rest");

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let gone = listener.local_addr().expect("an address");
    drop(listener);
    let edge = nowhere(gone).await;
    let (status, _, page) = sent(edge.client.get(&edge.url)).await;
    assert_eq!(status, 502, "{page}");
}

async fn nowhere(origin: SocketAddr) -> Edge {
    Edge::start(Origin::Echoes, |_| Config::new(origin, "us-east-1", credentials())).await
}

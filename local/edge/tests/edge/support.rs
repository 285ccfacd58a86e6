//! A running edge, the origin behind it, and a client.

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

pub(crate) const BODY: &str = r#"{"message":"Yo"}"#;
/// `printf '{"message":"Yo"}' | sha256sum`.
pub(crate) const HASH: &str = "4c09fb3cc35c465190b4d9e1a82ad0aa9696a55d93b5b3ee1ef22e1664142201";
/// The bound on every wait of these tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn credentials() -> Credentials {
    Credentials::new("ASIAEDGE", "secret", Some("token".to_owned()), None, "test")
}

/// What the origin does with a request that is rightly signed.
#[derive(Clone)]
pub(crate) enum Origin {
    /// Tells what it got.
    Echoes,
    /// Sends a piece, and the next one when it is let.
    Streams(Arc<Notify>),
    /// Is silent after its head.
    Stalls,
}

pub(crate) struct Edge {
    pub(crate) url: String,
    pub(crate) client: Client,
    _stop: watch::Sender<()>,
}

impl Edge {
    pub(crate) async fn start(origin: Origin, configure: impl FnOnce(Config) -> Config) -> Self {
        let (stop, mut stopped) = watch::channel(());
        let config = Config::new(serving(origin, stopped.clone()).await, "us-east-1", credentials());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(local_edge::run(listener, configure(config), async move {
            let _ = stopped.changed().await;
        }));
        let client = Client::builder().no_proxy().timeout(PATIENCE).build().expect("a client");
        Self { url, client, _stop: stop }
    }

    pub(crate) async fn with(function: &str) -> Self {
        let function = ViewerRequest::parse(function).expect("a function");
        Self::start(Origin::Echoes, |config| config.viewer_request(function)).await
    }

    pub(crate) fn post(&self) -> RequestBuilder {
        self.client.post(format!("{}/path?b=2&a=1", self.url)).header("content-type", "application/json").body(BODY)
    }
}

pub(crate) async fn sent(request: RequestBuilder) -> (StatusCode, HeaderMap, String) {
    let response = request.send().await.expect("a response");
    let (status, headers) = (response.status(), response.headers().clone());
    (status, headers, response.text().await.expect("a body"))
}

pub(crate) async fn echoed(request: RequestBuilder) -> Value {
    let (status, _, body) = sent(request).await;
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).expect("JSON")
}

/// Where an origin is served until `stopped` is told, or its sender is gone.
pub(crate) async fn serving(origin: Origin, stopped: watch::Receiver<()>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(serve(listener, origin, stopped));
    address
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

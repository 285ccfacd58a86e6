//! The way to the origin and back.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tower_http::timeout::TimeoutBody;

use crate::verdict::Verdict;
use crate::{Config, hop_by_hop, origin_request};

/// CloudFront's default for a connection to an origin.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a viewer may take for the head of a request, a connection's idle time included.
const HEAD_LIMIT: Duration = Duration::from_secs(60);
/// The pause after a failed accept: out of file descriptors, and trying at once would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

type Body = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

pub(crate) struct Forwarder {
    config: Config,
    client: Client<HttpConnector, Incoming>,
}

impl Forwarder {
    pub(crate) fn new(config: Config) -> Self {
        let mut connector = HttpConnector::new();
        // Without it a piece of a stream waits for the origin's delayed ACK.
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT));
        Self { config, client: Client::builder(TokioExecutor::new()).build(connector) }
    }

    pub(crate) async fn serve(self: Arc<Self>, listener: TcpListener, shutdown: impl Future<Output = ()> + Send) {
        let mut shutdown = pin!(shutdown);
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = &mut shutdown => return,
                accepted = listener.accept() => match accepted {
                    Ok((connection, viewer)) => {
                        connections.spawn(Arc::clone(&self).serve_connection(connection, viewer));
                    }
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }

    async fn serve_connection(self: Arc<Self>, connection: TcpStream, viewer: SocketAddr) {
        let _ = connection.set_nodelay(true);
        let service = service_fn(move |request| {
            let edge = Arc::clone(&self);
            async move { Ok::<_, Infallible>(edge.answer(request, viewer).await) }
        });
        // A viewer that goes away, and a response that breaks off, end here as errors.
        let _ = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_LIMIT)
            .serve_connection(TokioIo::new(connection), service)
            .await;
    }

    async fn answer(&self, request: Request<Incoming>, viewer: SocketAddr) -> Response<Body> {
        let id = uuid::Uuid::new_v4().simple().to_string();
        let mut response = self.exchange(request, viewer, &id).await;
        let headers = response.headers_mut();
        headers.append(header::VIA, HeaderValue::from_static("1.1 local.cloudfront.net (CloudFront)"));
        if let Ok(id) = HeaderValue::try_from(id) {
            headers.insert("x-amz-cf-id", id);
        }
        response
    }

    async fn exchange(&self, request: Request<Incoming>, viewer: SocketAddr, id: &str) -> Response<Body> {
        let (mut head, body) = request.into_parts();
        if let Some(function) = &self.config.viewer_request {
            match function.run(head, viewer, id).await {
                Ok(Verdict::Forward(changed)) => head = *changed,
                Ok(Verdict::Respond { status, headers, body }) => {
                    let mut response = respond(status, body);
                    response.headers_mut().extend(headers);
                    return response;
                }
                Err(failed) => return refuse(failed.status(), &failed),
            }
        }
        let Config { origin, region, credentials, response_timeout, .. } = &self.config;
        if let Err(unsendable) = origin_request::prepare(&mut head, viewer, *origin, region, credentials, id) {
            return refuse(StatusCode::BAD_REQUEST, &unsendable);
        }
        match timeout(*response_timeout, self.client.request(Request::from_parts(head, body))).await {
            Ok(Ok(response)) => {
                let mut response = response.map(|body| TimeoutBody::new(*response_timeout, body).boxed_unsync());
                hop_by_hop::remove(response.headers_mut());
                response.headers_mut().insert("x-cache", HeaderValue::from_static("Miss from cloudfront"));
                response
            }
            Ok(Err(error)) => refuse(StatusCode::BAD_GATEWAY, &error),
            Err(late) => refuse(StatusCode::GATEWAY_TIMEOUT, &late),
        }
    }
}

/// CloudFront's own page, in short, and with the reason, which CloudFront keeps to itself: whoever looks at this one is
/// its operator.
fn refuse(status: StatusCode, why: &dyn std::fmt::Display) -> Response<Body> {
    let mut response =
        respond(status, format!("<H1>{status}</H1>\nThe request could not be satisfied.\n<PRE>{why}</PRE>\n"));
    response.headers_mut().insert("x-cache", HeaderValue::from_static("Error from cloudfront"));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    response
}

fn respond(status: StatusCode, body: String) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::from(body)).map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    response
}

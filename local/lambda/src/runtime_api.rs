//! The Lambda Runtime API as one sandbox's process sees it: routes and what they answer.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>. Where that is silent, statuses
//! and bodies are those of AWS's Runtime Interface Emulator. Of the Extensions API there is what internal
//! extensions need; the Logs and Telemetry APIs are not served: their paths are 404.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::net::TcpStream;

use crate::discarded::discard;
use crate::failure::Failure;
use crate::invocation::Delivery;

mod answering;
mod exchange;
mod extension_calls;
mod extensions;
mod init;
mod response;
mod streamed_body;
mod timeline;

use exchange::Refusal;
pub(crate) use exchange::{Exchange, Limit};
pub(crate) use streamed_body::{Cut, StreamLimits, StreamedBody};

/// A buffered response, and an error document, may have 6 MB: the figure is the Runtime Interface
/// Emulator's.
pub(crate) const MAX_BUFFERED: usize = 6 * 1024 * 1024 + 100;
const VERSION: &str = "/2018-06-01/runtime";
const EXTENSIONS_VERSION: &str = "/2020-01-01/extension";

/// Ends the connection without an answer, where the client's going away is to be noticed.
#[derive(Debug, Error)]
#[error("the client has gone")]
struct ClientHasGone;

/// Serves one connection of the process until either side ends it.
pub(crate) async fn serve_connection(connection: TcpStream, exchange: Arc<Exchange>) {
    let service = service_fn(move |request| {
        let exchange = Arc::clone(&exchange);
        async move { answer(request, &exchange).await }
    });
    // An error here is the process closing its connection, which the supervisor sees for itself, or our own cut.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(connection), service).await;
}

async fn answer(request: Request<Incoming>, exchange: &Arc<Exchange>) -> Result<Response<Full<Bytes>>, ClientHasGone> {
    let (parts, body) = request.into_parts();
    if let Some(route) = parts.uri.path().strip_prefix(EXTENSIONS_VERSION) {
        return Ok(extension_calls::answer(&parts, route, body, exchange).await);
    }
    let Some(route) = parts.uri.path().strip_prefix(VERSION) else {
        return Ok(empty(StatusCode::NOT_FOUND));
    };
    let invocation = route.strip_prefix("/invocation/").and_then(|rest| rest.split_once('/'));
    let answer = match (&parts.method, route, invocation) {
        (&Method::GET, "/invocation/next", _) => next(exchange).await,
        (&Method::POST, "/init/error", _) => init_error(&parts.headers, body, exchange).await,
        (&Method::POST, _, Some((id, "response"))) => {
            return response::response(id, &parts.headers, body, exchange).await;
        }
        (&Method::POST, _, Some((id, "error"))) => error(id, &parts.headers, body, exchange).await,
        (_, "/invocation/next" | "/init/error", _) | (_, _, Some((_, "response" | "error"))) => {
            empty(StatusCode::METHOD_NOT_ALLOWED)
        }
        _ => empty(StatusCode::NOT_FOUND),
    };
    Ok(answer)
}

async fn next(exchange: &Exchange) -> Response<Full<Bytes>> {
    match exchange.next().await {
        Ok(Delivery { invocation, deadline }) => {
            let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
            let response = Response::builder()
                .header(CONTENT_TYPE, "application/json")
                .header("lambda-runtime-aws-request-id", invocation.request_id)
                .header("lambda-runtime-deadline-ms", deadline.to_string())
                .header("lambda-runtime-invoked-function-arn", exchange.function().arn())
                .header("lambda-runtime-trace-id", invocation.trace_id)
                .body(Full::new(invocation.event));
            response.unwrap_or_else(|_| empty(StatusCode::INTERNAL_SERVER_ERROR))
        }
        Err(refusal) => refused(refusal),
    }
}

async fn error(id: &str, headers: &HeaderMap, body: Incoming, exchange: &Arc<Exchange>) -> Response<Full<Bytes>> {
    match exchange.answering(id) {
        Ok(answering) => {
            answering.fail(reported(headers, body).await);
            accepted()
        }
        Err(refusal) => refused(refusal),
    }
}

async fn init_error(headers: &HeaderMap, body: Incoming, exchange: &Exchange) -> Response<Full<Bytes>> {
    match exchange.init_failed(reported(headers, body).await) {
        Ok(()) => accepted(),
        Err(refusal) => refused(refusal),
    }
}

async fn reported(headers: &HeaderMap, mut body: Incoming) -> Failure {
    let document = Limited::new(&mut body, MAX_BUFFERED).collect().await.map(http_body_util::Collected::to_bytes);
    discard(&mut body).await;
    Failure::reported(headers, &document.unwrap_or_default())
}

fn accepted() -> Response<Full<Bytes>> {
    json(StatusCode::ACCEPTED, Bytes::from_static(br#"{"status":"OK"}"#))
}

fn refused(refusal: Refusal) -> Response<Full<Bytes>> {
    match refusal {
        Refusal::InvalidRequestId => document(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID"),
        Refusal::InvalidStateTransition => {
            document(StatusCode::FORBIDDEN, "InvalidStateTransition", "State transition is not allowed")
        }
    }
}

fn document(status: StatusCode, error_type: &str, message: &str) -> Response<Full<Bytes>> {
    let body = serde_json::json!({ "errorMessage": message, "errorType": error_type });
    json(status, Bytes::from(body.to_string()))
}

fn json(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

//! The Lambda Runtime API as one sandbox's process sees it: routes and what they answer.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>. Where that is silent, statuses
//! and bodies are those of AWS's Runtime Interface Emulator. The Extensions, Logs and Telemetry
//! APIs are not served: their paths are 404.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::failure::Failure;
use crate::invocation::{Delivery, Framing, Reply};

mod answering;
mod exchange;
mod streamed_body;

use exchange::Refusal;
pub(crate) use exchange::{Exchange, Limit};
pub(crate) use streamed_body::StreamedBody;
use streamed_body::{Left, stream};

/// A buffered response, and an error document, may have 6 MB: the figure is the Runtime Interface
/// Emulator's.
const MAX_BUFFERED: usize = 6 * 1024 * 1024 + 100;
const VERSION: &str = "/2018-06-01/runtime";
const RESPONSE_MODE: &str = "lambda-runtime-function-response-mode";
const HTTP_INTEGRATION: &str = "application/vnd.awslambda.http-integration-response";

/// Serves one connection of the process until either side ends it.
pub(crate) async fn serve_connection(connection: TcpStream, exchange: Arc<Exchange>) {
    let service = service_fn(move |request| {
        let exchange = Arc::clone(&exchange);
        async move { Ok::<_, Infallible>(answer(request, &exchange).await) }
    });
    // An error here is the process closing its connection, which the supervisor sees for itself.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(connection), service).await;
}

async fn answer(request: Request<Incoming>, exchange: &Arc<Exchange>) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let Some(route) = parts.uri.path().strip_prefix(VERSION) else {
        return empty(StatusCode::NOT_FOUND);
    };
    let invocation = route.strip_prefix("/invocation/").and_then(|rest| rest.split_once('/'));
    match (&parts.method, route, invocation) {
        (&Method::GET, "/invocation/next", _) => next(exchange).await,
        (&Method::POST, "/init/error", _) => init_error(&parts.headers, body, exchange).await,
        (&Method::POST, _, Some((id, "response"))) => response(id, &parts.headers, body, exchange).await,
        (&Method::POST, _, Some((id, "error"))) => error(id, &parts.headers, body, exchange).await,
        (_, "/invocation/next" | "/init/error", _) | (_, _, Some((_, "response" | "error"))) => {
            empty(StatusCode::METHOD_NOT_ALLOWED)
        }
        _ => empty(StatusCode::NOT_FOUND),
    }
}

async fn next(exchange: &Exchange) -> Response<Full<Bytes>> {
    match exchange.next().await {
        Ok(Delivery { invocation, deadline }) => {
            let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
            let response = Response::builder()
                .header(CONTENT_TYPE, "application/json")
                .header("lambda-runtime-aws-request-id", invocation.request_id)
                .header("lambda-runtime-deadline-ms", deadline.to_string())
                .header("lambda-runtime-invoked-function-arn", exchange.function_arn())
                .header("lambda-runtime-trace-id", invocation.trace_id)
                .body(Full::new(invocation.event));
            response.unwrap_or_else(|_| empty(StatusCode::INTERNAL_SERVER_ERROR))
        }
        Err(refusal) => refused(refusal),
    }
}

async fn response(id: &str, headers: &HeaderMap, body: Incoming, exchange: &Arc<Exchange>) -> Response<Full<Bytes>> {
    let streaming = headers.get(RESPONSE_MODE).map(|mode| mode.as_bytes().eq_ignore_ascii_case(b"streaming"));
    match streaming {
        None => buffered(id, body, exchange).await,
        Some(true) => {
            let content_type = headers.get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
            let framing = if content_type.eq_ignore_ascii_case(HTTP_INTEGRATION.as_bytes()) {
                Framing::HttpIntegration
            } else {
                Framing::Raw
            };
            streamed(id, framing, body, exchange).await
        }
        Some(false) => match exchange.answering(id) {
            Ok(answering) => {
                answering.fail(Failure::invalid_response_mode());
                document(StatusCode::BAD_REQUEST, "InvalidFunctionResponseMode", "Invalid function response mode")
            }
            Err(refusal) => refused(refusal),
        },
    }
}

async fn buffered(id: &str, body: Incoming, exchange: &Arc<Exchange>) -> Response<Full<Bytes>> {
    let answering = match exchange.answering(id) {
        Ok(answering) => answering,
        Err(refusal) => return refused(refusal),
    };
    match Limited::new(body, MAX_BUFFERED).collect().await {
        Ok(body) => {
            answering.succeed(Reply::Buffered(body.to_bytes()));
            accepted()
        }
        Err(error) if error.is::<LengthLimitError>() => {
            answering.fail(Failure::response_too_large(MAX_BUFFERED));
            let message = format!("Exceeded maximum allowed payload size ({MAX_BUFFERED} bytes).");
            document(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message)
        }
        Err(_) => {
            answering.fail(Failure::cut());
            document(StatusCode::BAD_REQUEST, "TruncatedHTTPRequest", "HTTP request detected as truncated")
        }
    }
}

/// Hands the body to the client's connection as it comes, and answers once all of it was read.
async fn streamed(id: &str, framing: Framing, body: Incoming, exchange: &Arc<Exchange>) -> Response<Full<Bytes>> {
    let mut answering = match exchange.answering(id) {
        Ok(answering) => answering,
        Err(refusal) => return refused(refusal),
    };
    let (body, left) = stream(body, answering.completion());
    answering.begin(Reply::Streamed { framing, body });
    // The client has gone. The function is not told: its body is read to the end.
    if let Ok(Left::Abandoned(mut rest)) = left.await {
        while let Some(Ok(_)) = rest.frame().await {}
        answering.completion().complete();
    }
    accepted()
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

async fn reported(headers: &HeaderMap, body: Incoming) -> Failure {
    let body = Limited::new(body, MAX_BUFFERED).collect().await.map(http_body_util::Collected::to_bytes);
    Failure::reported(headers, &body.unwrap_or_default())
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
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}

fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

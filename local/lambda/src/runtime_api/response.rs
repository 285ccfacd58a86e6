//! The call `/invocation/{id}/response`: an answer in one piece, or one that streams.

use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;

use super::exchange::Exchange;
use super::streamed_body::{Left, stream};
use super::{ClientHasGone, MAX_BUFFERED, accepted, document, refused};
use crate::config::ClientGone;
use crate::failure::Failure;
use crate::invocation::{Framing, Reply};

const RESPONSE_MODE: &str = "lambda-runtime-function-response-mode";
const HTTP_INTEGRATION: &str = "application/vnd.awslambda.http-integration-response";

pub(super) async fn response(
    id: &str,
    headers: &HeaderMap,
    body: Incoming,
    exchange: &Arc<Exchange>,
) -> Result<Response<Full<Bytes>>, ClientHasGone> {
    let streaming = headers.get(RESPONSE_MODE).map(|mode| mode.as_bytes().eq_ignore_ascii_case(b"streaming"));
    match streaming {
        None => Ok(buffered(id, body, exchange).await),
        Some(true) => {
            let framing = match headers.get(CONTENT_TYPE) {
                Some(integration) if integration.as_bytes().eq_ignore_ascii_case(HTTP_INTEGRATION.as_bytes()) => {
                    Framing::HttpIntegration
                }
                content_type => Framing::Raw(content_type.cloned()),
            };
            streamed(id, framing, body, exchange).await
        }
        Some(false) => Ok(match exchange.answering(id) {
            Ok(answering) => {
                answering.fail(Failure::invalid_response_mode());
                document(StatusCode::BAD_REQUEST, "InvalidFunctionResponseMode", "Invalid function response mode")
            }
            Err(refusal) => refused(refusal),
        }),
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
            too_large(MAX_BUFFERED)
        }
        Err(_) => {
            answering.fail(Failure::cut());
            document(StatusCode::BAD_REQUEST, "TruncatedHTTPRequest", "HTTP request detected as truncated")
        }
    }
}

/// Hands the body to the client's connection as it comes, and answers once all of it was read.
async fn streamed(
    id: &str,
    framing: Framing,
    body: Incoming,
    exchange: &Arc<Exchange>,
) -> Result<Response<Full<Bytes>>, ClientHasGone> {
    let mut answering = match exchange.answering(id) {
        Ok(answering) => answering,
        Err(refusal) => return Ok(refused(refusal)),
    };
    let limits = exchange.settings().stream_limits;
    let (body, left) = stream(body, answering.completion(), limits);
    answering.begin(Reply::Streamed { framing, body });
    match (left.await, exchange.settings().client_gone) {
        (Ok(Left::Abandoned(_)), ClientGone::Cut) => {
            answering.completion().complete();
            return Err(ClientHasGone);
        }
        // The function is not told: its body is read to the end.
        (Ok(Left::Abandoned(mut rest)), ClientGone::Unnoticed) => {
            while let Some(Ok(_)) = rest.frame().await {}
            answering.completion().complete();
        }
        (Ok(Left::Oversized), _) => return Ok(too_large(limits.size)),
        (Ok(Left::Read) | Err(_), _) => {}
    }
    Ok(accepted())
}

fn too_large(limit: impl std::fmt::Display) -> Response<Full<Bytes>> {
    let message = format!("Exceeded maximum allowed payload size ({limit} bytes).");
    document(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message)
}

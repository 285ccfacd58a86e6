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
use crate::discarded::discard;
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

async fn buffered(id: &str, mut body: Incoming, exchange: &Arc<Exchange>) -> Response<Full<Bytes>> {
    let answering = match exchange.answering(id) {
        Ok(answering) => answering,
        Err(refusal) => return refused(refusal),
    };
    match Limited::new(&mut body, MAX_BUFFERED).collect().await {
        Ok(body) => {
            answering.succeed(Reply::Buffered(body.to_bytes()));
            accepted()
        }
        Err(error) if error.is::<LengthLimitError>() => {
            discard(&mut body).await;
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
        // The function is not told: its body is read to the end, and what it reports there counts.
        (Ok(Left::Abandoned(rest)), ClientGone::Unnoticed) | (Ok(Left::Unwanted(rest)), _) => {
            if let Err(failure) = read_to_end(rest).await {
                answering.completion().report(&failure);
            }
            answering.completion().complete();
        }
        (Ok(Left::Oversized(mut rest)), _) => {
            discard(&mut rest).await;
            answering.completion().complete();
            return Ok(too_large(limits.size));
        }
        (Ok(Left::Read) | Err(_), _) => {}
    }
    Ok(accepted())
}

/// Reads what nobody wants any more; an error is what the function reports at the end, or a cut.
async fn read_to_end(mut rest: Incoming) -> Result<(), Failure> {
    while let Some(frame) = rest.frame().await {
        let frame = frame.map_err(|_| Failure::cut())?;
        if let Some(failure) = frame.trailers_ref().and_then(Failure::from_trailers) {
            return Err(failure);
        }
    }
    Ok(())
}

fn too_large(limit: impl std::fmt::Display) -> Response<Full<Bytes>> {
    let message = format!("Exceeded maximum allowed payload size ({limit} bytes).");
    document(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message)
}

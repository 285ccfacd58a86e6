//! Requests to the Runtime API that carry an answer.
//!
//! A streamed response is a JSON prelude with status and headers, eight NUL bytes, then the payload. Source:
//! Lambda developer guide, "Building a custom runtime", and the runtime clients that AWS publishes.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, Request, Response};
use http_body::Frame;
use lambda_runtime::MetadataPrelude;
use lambda_runtime_api_client::body::Body as RuntimeBody;
use lambda_runtime_api_client::build_request;

use super::event::NotAFunctionUrlEvent;
use crate::http::Body;

/// Sent with an invocation and given back with its response, so that the platform can tell a late response
/// to an invocation that has timed out from one to the next.
pub(super) const INVOCATION_ID: HeaderName = HeaderName::from_static("lambda-runtime-invocation-id");

const RESPONSE_MODE: HeaderName = HeaderName::from_static("lambda-runtime-function-response-mode");
const ERROR_TYPE: HeaderName = HeaderName::from_static("lambda-runtime-function-error-type");
const HTTP_INTEGRATION: &str = "application/vnd.awslambda.http-integration-response";
const END_OF_PRELUDE: [u8; 8] = [0; 8];

/// An answer as a streamed response.
pub(super) fn streaming(
    request_id: &str,
    invocation_id: Option<&HeaderValue>,
    answer: Response<Body>,
) -> Result<Request<RuntimeBody>, http::Error> {
    let (parts, payload) = answer.into_parts();
    let prelude = MetadataPrelude { status_code: parts.status, headers: parts.headers, cookies: Vec::new() };
    // Our own headers are all visible ASCII.
    let mut prelude = serde_json::to_vec(&prelude).unwrap_or_default();
    prelude.extend_from_slice(&END_OF_PRELUDE);
    post(request_id, "response", invocation_id)
        .header(CONTENT_TYPE, HTTP_INTEGRATION)
        .header(TRANSFER_ENCODING, "chunked")
        .header(RESPONSE_MODE, "streaming")
        .body(RuntimeBody::new(StreamedResponse { prelude: Some(prelude), payload: Some(payload) }))
}

/// The error that answers an event which is no HTTP request.
pub(super) fn unknown_event(
    request_id: &str,
    invocation_id: Option<&HeaderValue>,
    error: &NotAFunctionUrlEvent,
) -> Result<Request<RuntimeBody>, http::Error> {
    const TYPE: &str = "Function.NotAFunctionUrlEvent";
    let body = serde_json::json!({ "errorType": TYPE, "errorMessage": error.to_string(), "stackTrace": [] });
    post(request_id, "error", invocation_id).header(ERROR_TYPE, TYPE).body(RuntimeBody::from(body.to_string()))
}

fn post(request_id: &str, what: &str, invocation_id: Option<&HeaderValue>) -> http::request::Builder {
    let uri = format!("/2018-06-01/runtime/invocation/{request_id}/{what}");
    let request = build_request().method("POST").uri(uri);
    match invocation_id {
        Some(id) => request.header(INVOCATION_ID, id),
        None => request,
    }
}

/// The body of a streamed response. The prelude goes out in one chunk with whatever the payload has by then:
/// for a reply its `start` event, and often its first tokens.
struct StreamedResponse {
    prelude: Option<Vec<u8>>,
    payload: Option<Body>,
}

impl http_body::Body for StreamedResponse {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        let chunk = match &mut this.payload {
            None => Poll::Ready(None),
            Some(Body::Events(events)) => events.poll_chunk(cx),
            Some(Body::Full(bytes)) => {
                let bytes = std::mem::take(bytes);
                this.payload = None;
                Poll::Ready(Some(bytes))
            }
        };
        let Some(prelude) = this.prelude.take() else {
            return chunk.map(|chunk| chunk.map(|bytes| Ok(Frame::data(bytes))));
        };
        let mut first = BytesMut::from(Bytes::from(prelude));
        if let Poll::Ready(Some(bytes)) = chunk {
            first.extend_from_slice(&bytes);
        }
        Poll::Ready(Some(Ok(Frame::data(first.freeze()))))
    }
}

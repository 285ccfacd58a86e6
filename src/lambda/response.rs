//! Requests to the Runtime API that carry an answer.
//!
//! A streamed response is a JSON prelude with status and headers, eight NUL bytes, then the payload. Source:
//! Lambda developer guide, "Building a custom runtime", and the runtime clients that AWS publishes.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::Frame;
use lambda_runtime_api_client::body::Body as RuntimeBody;
use lambda_runtime_api_client::build_request;
use serde::{Serialize, Serializer};

use super::event::NotAFunctionUrlEvent;
use crate::http::Body;

/// Sent with an invocation and given back with its response, so that the platform can tell a late response
/// to an invocation that has timed out from one to the next.
pub(super) const INVOCATION_ID: HeaderName = HeaderName::from_static("lambda-runtime-invocation-id");

const RESPONSE_MODE: HeaderName = HeaderName::from_static("lambda-runtime-function-response-mode");
const ERROR_TYPE: HeaderName = HeaderName::from_static("lambda-runtime-function-error-type");
const HTTP_INTEGRATION: &str = "application/vnd.awslambda.http-integration-response";
const END_OF_PRELUDE: [u8; 8] = [0; 8];

/// An answer as a streamed response, and the handle that ends it early.
pub(super) fn streaming(
    request_id: &str,
    invocation_id: Option<&HeaderValue>,
    answer: Response<Body>,
) -> (Result<Request<RuntimeBody>, http::Error>, Payload) {
    let (parts, body) = answer.into_parts();
    let mut prelude =
        serde_json::to_vec(&Prelude { status_code: parts.status.as_u16(), headers: Headers(&parts.headers) })
            .unwrap_or_default();
    prelude.extend_from_slice(&END_OF_PRELUDE);
    let payload = Payload::new(body);
    let request = post(request_id, "response", invocation_id)
        .header(CONTENT_TYPE, HTTP_INTEGRATION)
        .header(TRANSFER_ENCODING, "chunked")
        .header(RESPONSE_MODE, "streaming")
        .body(RuntimeBody::new(StreamedResponse { prelude: Some(prelude), payload: payload.clone() }));
    (request, payload)
}

/// Status and headers as the platform reads them. A header has one value: there are no cookies.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Prelude<'a> {
    status_code: u16,
    headers: Headers<'a>,
}

struct Headers<'a>(&'a HeaderMap);

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Our own headers are all visible ASCII.
        serializer.collect_map(self.0.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default())))
    }
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

/// The payload of a streamed response, in two hands: the connection's, which sends it, and the adapter's, which
/// may give it up. The connection may outlive the exchange, when the platform has refused the response or the
/// deadline has come; the reply must not.
#[derive(Clone)]
pub(super) struct Payload(Arc<Mutex<State>>);

enum State {
    Open { body: Body, sender: Option<Waker> },
    Ended,
    GivenUp,
}

/// A response that was given up; it ends its connection, so that what was sent cannot be taken for the whole.
#[derive(Debug, thiserror::Error)]
#[error("the response was given up")]
pub(super) struct GivenUp;

impl Payload {
    fn new(body: Body) -> Self {
        Self(Arc::new(Mutex::new(State::Open { body, sender: None })))
    }

    /// Drops what has not been sent yet. After the end it changes nothing.
    pub(super) fn give_up(&self) {
        let mut state = self.lock();
        if let State::Open { sender, .. } = &mut *state {
            let sender = sender.take();
            *state = State::GivenUp;
            drop(state);
            if let Some(sender) = sender {
                sender.wake();
            }
        }
    }

    fn poll_chunk(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, GivenUp>>> {
        let mut state = self.lock();
        let State::Open { body, sender } = &mut *state else {
            let given_up = matches!(*state, State::GivenUp);
            return Poll::Ready(given_up.then_some(Err(GivenUp)));
        };
        let chunk = match body {
            Body::Events(events) => ready_or_wait(events.poll_chunk(cx), sender, cx),
            Body::Full(bytes) => Poll::Ready((!bytes.is_empty()).then(|| std::mem::take(bytes))),
        };
        if let Poll::Ready(None) = chunk {
            *state = State::Ended;
        }
        chunk.map(|chunk| chunk.map(Ok))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Remembers whom to wake if the payload is given up while the connection waits for it.
fn ready_or_wait<T>(poll: Poll<T>, sender: &mut Option<Waker>, cx: &Context<'_>) -> Poll<T> {
    if poll.is_pending() && !sender.as_ref().is_some_and(|known| known.will_wake(cx.waker())) {
        *sender = Some(cx.waker().clone());
    }
    poll
}

/// The body of a streamed response. The prelude goes out in one chunk with whatever the payload has by then:
/// for a reply its `start` event, and often its first tokens.
struct StreamedResponse {
    prelude: Option<Vec<u8>>,
    payload: Payload,
}

impl http_body::Body for StreamedResponse {
    type Data = Bytes;
    type Error = GivenUp;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, GivenUp>>> {
        let this = self.get_mut();
        let chunk = this.payload.poll_chunk(cx);
        let Some(prelude) = this.prelude.take() else {
            return chunk.map(|chunk| chunk.map(|bytes| bytes.map(Frame::data)));
        };
        let mut first = BytesMut::from(Bytes::from(prelude));
        match chunk {
            Poll::Ready(Some(Ok(bytes))) => first.extend_from_slice(&bytes),
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
            Poll::Ready(None) | Poll::Pending => {}
        }
        Poll::Ready(Some(Ok(Frame::data(first.freeze()))))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use http_body::Body as _;

    use super::*;

    #[tokio::test]
    async fn the_prelude_goes_out_in_one_chunk_with_the_payload() {
        let mut answer = Response::new(Body::Full(Bytes::from_static(b"payload")));
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        let (request, _payload) = streaming("r-1", None, answer);
        let mut body = request.expect("a request").into_body();
        let frame = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.expect("a frame").expect("no error");
        let expected = b"{\"statusCode\":200,\"headers\":{\"content-type\":\"text/plain\"}}\0\0\0\0\0\0\0\0payload";
        assert_eq!(&frame.into_data().expect("data")[..], expected);
        assert!(poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.is_none());
    }

    #[tokio::test]
    async fn a_response_that_is_given_up_is_not_taken_for_the_whole() {
        let (request, payload) = streaming("r-1", None, Response::new(Body::Full(Bytes::from_static(b"payload"))));
        payload.give_up();
        let mut body = request.expect("a request").into_body();
        assert!(poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.expect("an end").is_err());
    }
}

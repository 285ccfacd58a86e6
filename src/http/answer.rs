//! What a request is answered with, before Lambda's framing.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Response, StatusCode};

use super::event_stream::EventStream;
use crate::telemetry::SharedRecord;

/// A response, and the record that is to be written once it is delivered.
pub struct Answer {
    /// Status, headers and body.
    pub response: Response<Body>,
    /// The record of a chat request.
    pub record: Option<SharedRecord>,
}

/// A response's payload.
pub enum Body {
    /// All of it; never empty.
    Full(Bytes),
    /// A reply as it grows.
    Events(Box<EventStream>),
}

impl Answer {
    pub(super) fn full(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut response = Response::new(Body::Full(body.into()));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self { response, record: None }
    }

    pub(super) fn json(status: StatusCode, content_type: &'static str, body: &impl serde::Serialize) -> Self {
        // Our own types hold nothing that JSON cannot say.
        let body = serde_json::to_vec(body).unwrap_or_else(|_| b"{}".to_vec());
        Self::full(status, content_type, body).header(CACHE_CONTROL, HeaderValue::from_static("no-store"))
    }

    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.response.headers_mut().insert(name, value);
        self
    }

    pub(super) fn recorded(mut self, record: SharedRecord) -> Self {
        self.record = Some(record);
        self
    }
}

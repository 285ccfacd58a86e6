//! Asking the Runtime API for the next invocation.
//!
//! Source: Lambda developer guide, "Using the Lambda runtime API for custom runtimes".

use std::str::FromStr;

use bytes::Bytes;
use http::header::HeaderMap;
use http::{HeaderValue, StatusCode};
use http_body_util::BodyExt;
use lambda_runtime_api_client::body::Body;
use lambda_runtime_api_client::{BoxError, RuntimeApiClient, build_request};

use super::response::INVOCATION_ID;
use crate::telemetry::with_causes;

const REQUEST_ID: &str = "lambda-runtime-aws-request-id";
const DEADLINE: &str = "lambda-runtime-deadline-ms";
const TRACE_ID: &str = "lambda-runtime-trace-id";

/// An invocation as the platform hands it over.
pub(super) struct NextInvocation {
    pub(super) request_id: String,
    /// The X-Ray trace header, where tracing is on.
    pub(super) trace_id: Option<String>,
    /// When Lambda will end the invocation, in milliseconds since 1970.
    pub(super) deadline_epoch_ms: u64,
    /// What a response has to give back, see [`INVOCATION_ID`].
    pub(super) invocation_id: Option<HeaderValue>,
    /// The event, not parsed.
    pub(super) event: Bytes,
}

/// Why there is no next invocation. The process can only exit, and the platform starts another.
#[derive(Debug, thiserror::Error)]
pub(super) enum PollError {
    #[error("the Runtime API does not answer: {0}")]
    Unreachable(String),
    #[error("the Runtime API answered {0}")]
    Refused(StatusCode),
    #[error("the Runtime API sent an invocation without a valid `{0}`")]
    Malformed(&'static str),
}

impl From<BoxError> for PollError {
    fn from(error: BoxError) -> Self {
        Self::Unreachable(with_causes(&*error))
    }
}

/// Waits for the next invocation: for ever, since a sandbox without work is a frozen one.
pub(super) async fn next(client: &impl RuntimeApiClient) -> Result<NextInvocation, PollError> {
    let request = build_request().uri("/2018-06-01/runtime/invocation/next").body(Body::empty());
    let response = client.call(request.map_err(BoxError::from)?).await?;
    let (parts, body) = response.into_parts();
    let event = body.collect().await.map_err(BoxError::from)?.to_bytes();
    if !parts.status.is_success() {
        return Err(PollError::Refused(parts.status));
    }
    Ok(NextInvocation {
        request_id: header(&parts.headers, REQUEST_ID).ok_or(PollError::Malformed(REQUEST_ID))?,
        trace_id: header(&parts.headers, TRACE_ID),
        deadline_epoch_ms: header(&parts.headers, DEADLINE).ok_or(PollError::Malformed(DEADLINE))?,
        invocation_id: parts.headers.get(INVOCATION_ID).cloned(),
        event,
    })
}

fn header<T: FromStr>(headers: &HeaderMap, name: &str) -> Option<T> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

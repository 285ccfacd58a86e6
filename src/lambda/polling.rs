//! Asking the Runtime API for the next invocation.
//!
//! Source: Lambda developer guide, "Using the Lambda runtime API for custom runtimes".

use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use http::header::HeaderMap;
use http::{HeaderValue, StatusCode};
use http_body_util::BodyExt;
use lambda_runtime_api_client::body::Body;
use lambda_runtime_api_client::{BoxError, RuntimeApiClient, build_request};
use tokio::time::sleep;

use super::response::INVOCATION_ID;
use crate::telemetry::with_causes;

const REQUEST_ID: &str = "lambda-runtime-aws-request-id";
const DEADLINE: &str = "lambda-runtime-deadline-ms";
const TRACE_ID: &str = "lambda-runtime-trace-id";

/// Polls that meet no answer before it is over, the first included: a connection that lay idle may have been closed.
const ATTEMPTS: u32 = 4;
/// Before the second poll; doubled with each.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

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
pub enum PollError {
    /// No connection, or one that broke.
    #[error("the Runtime API does not answer: {0}")]
    Unreachable(String),
    /// An answer that is no invocation, with the platform's own words.
    #[error("the Runtime API answered {0}: {1}")]
    Refused(StatusCode, String),
    /// An invocation without this header, or with one that cannot be read.
    #[error("the Runtime API sent an invocation without a valid `{0}`")]
    Malformed(&'static str),
    /// A bug.
    #[error("a panic while an invocation was asked for or served")]
    Panicked,
}

impl From<BoxError> for PollError {
    fn from(error: BoxError) -> Self {
        Self::Unreachable(with_causes(&*error))
    }
}

/// Waits for the next invocation: for ever, since a sandbox without work is a frozen one.
pub(super) async fn next(client: &impl RuntimeApiClient) -> Result<NextInvocation, PollError> {
    let mut attempt = 1;
    let mut pause = FIRST_PAUSE;
    loop {
        match poll(client).await {
            Err(PollError::Unreachable(error)) if attempt < ATTEMPTS => {
                tracing::warn!(error, "the Runtime API does not answer; it is asked again");
                sleep(pause).await;
                attempt += 1;
                pause *= 2;
            }
            polled => return polled,
        }
    }
}

async fn poll(client: &impl RuntimeApiClient) -> Result<NextInvocation, PollError> {
    let request = build_request().uri("/2018-06-01/runtime/invocation/next").body(Body::empty());
    let response = client.call(request.map_err(BoxError::from)?).await?;
    let (parts, body) = response.into_parts();
    let event = body.collect().await.map_err(BoxError::from)?.to_bytes();
    if !parts.status.is_success() {
        return Err(PollError::Refused(parts.status, String::from_utf8_lossy(&event).into_owned()));
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

//! Why an invocation or a sandbox failed, in the words of Lambda's own logs.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::HeaderMap;
use serde::Deserialize;

/// The header of `/invocation/{id}/error` and `/init/error`, and the trailer of a streamed
/// response, that names an error's type.
const ERROR_TYPE: &str = "lambda-runtime-function-error-type";
/// The trailer that holds a streamed response's error document, base64-encoded.
const ERROR_BODY: &str = "lambda-runtime-function-error-body";

const TIMED_OUT: &str = "Sandbox.Timedout";
const SHUT_DOWN: &str = "Sandbox.Shutdown";
const REPLACED: &str = "Sandbox.Replaced";

/// An error type and a message for the person at the console; the client gets neither.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    kind: Cow<'static, str>,
    message: String,
}

impl Failure {
    fn new(kind: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { kind: kind.into(), message: message.into() }
    }

    pub(crate) fn not_started(error: &io::Error) -> Self {
        Self::new("Runtime.InvalidEntrypoint", format!("the process could not be started: {error}"))
    }

    pub(crate) fn exited(status: io::Result<ExitStatus>) -> Self {
        let status = match status {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        Self::new("Runtime.ExitError", format!("the process ended: {status}"))
    }

    pub(crate) fn init_timed_out(limit: Duration) -> Self {
        Self::new(
            TIMED_OUT,
            format!("no call of /runtime/invocation/next within {:.2} s of the start", limit.as_secs_f64()),
        )
    }

    pub(crate) fn timed_out(limit: Duration) -> Self {
        Self::new(TIMED_OUT, format!("task timed out after {:.2} s", limit.as_secs_f64()))
    }

    pub(crate) fn shut_down() -> Self {
        Self::new(SHUT_DOWN, "the stand-in is shutting down")
    }

    pub(crate) fn replaced() -> Self {
        Self::new(REPLACED, "the function's program has changed")
    }

    /// Whether the sandbox was ended on purpose: then its process may be given time.
    pub(crate) fn is_wanted(&self) -> bool {
        self.kind == SHUT_DOWN || self.kind == REPLACED
    }

    pub(crate) fn is_timeout(&self) -> bool {
        self.kind == TIMED_OUT
    }

    /// The error type.
    pub(crate) fn kind(&self) -> &str {
        &self.kind
    }

    pub(crate) fn cut() -> Self {
        Self::new("Runtime.TruncatedResponse", "the response ended before it was complete")
    }

    pub(crate) fn response_too_large(limit: usize) -> Self {
        Self::new("Function.ResponseSizeTooLarge", format!("a buffered response may have {limit} bytes at most"))
    }

    pub(crate) fn streamed_response_too_large(limit: u64) -> Self {
        Self::new("Function.ResponseSizeTooLarge", format!("a streamed response may have {limit} bytes at most"))
    }

    pub(crate) fn undelivered() -> Self {
        Self::new("Sandbox.Failure", "two sandboxes in a row ended before they asked for the invocation")
    }

    pub(crate) fn invalid_response_mode() -> Self {
        Self::new(
            "Runtime.InvalidResponseModeHeader",
            "lambda-runtime-function-response-mode may only be \"streaming\"",
        )
    }

    pub(crate) fn invalid_response(reason: impl Into<String>) -> Self {
        Self::new("Function.InvalidResponse", reason)
    }

    /// What a runtime reports by `/runtime/init/error` or `/invocation/{id}/error`.
    pub(crate) fn reported(headers: &HeaderMap, body: &[u8]) -> Self {
        let document = ErrorDocument::read(body);
        let kind = headers
            .get(ERROR_TYPE)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
            .or(document.error_type)
            .unwrap_or_else(|| "Runtime.UnknownReason".to_owned());
        Self::new(kind, document.error_message.unwrap_or_default())
    }

    /// The failure that a streamed response's trailers report, if they report one.
    pub(crate) fn from_trailers(trailers: &HeaderMap) -> Option<Self> {
        let kind = trailers.get(ERROR_TYPE)?.to_str().ok()?;
        let body = trailers.get(ERROR_BODY).and_then(|body| BASE64.decode(body.as_bytes()).ok());
        let document = ErrorDocument::read(&body.unwrap_or_default());
        Some(Self::new(kind.to_owned(), document.error_message.unwrap_or_default()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.kind)?;
        if self.message.is_empty() { Ok(()) } else { write!(formatter, ": {}", self.message) }
    }
}

/// The Runtime API's error document; runtimes add fields of their own.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErrorDocument {
    error_type: Option<String>,
    error_message: Option<String>,
}

impl ErrorDocument {
    /// A document that cannot be read still means a failure, only one without words.
    fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }
}

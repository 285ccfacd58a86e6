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

/// An error's type. What the stand-in acts on is told from the same words in a function's mouth.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    TimedOut,
    ShutDown,
    Replaced,
    Cut,
    Other(Cow<'static, str>),
}

impl Kind {
    fn name(&self) -> &str {
        match self {
            Self::TimedOut => "Sandbox.Timedout",
            Self::ShutDown => "Sandbox.Shutdown",
            Self::Replaced => "Sandbox.Replaced",
            Self::Cut => "Runtime.TruncatedResponse",
            Self::Other(name) => name,
        }
    }
}

impl From<&'static str> for Kind {
    fn from(name: &'static str) -> Self {
        Self::Other(name.into())
    }
}

/// An error type and a message for the person at the console; the client gets neither.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    kind: Kind,
    message: String,
}

impl Failure {
    fn new(kind: impl Into<Kind>, message: impl Into<String>) -> Self {
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
            Kind::TimedOut,
            format!("no call of /runtime/invocation/next within {:.2} s of the start", limit.as_secs_f64()),
        )
    }

    pub(crate) fn timed_out(limit: Duration) -> Self {
        Self::new(Kind::TimedOut, format!("task timed out after {:.2} s", limit.as_secs_f64()))
    }

    pub(crate) fn shut_down() -> Self {
        Self::new(Kind::ShutDown, "the stand-in is shutting down")
    }

    pub(crate) fn replaced() -> Self {
        Self::new(Kind::Replaced, "the function's program has changed")
    }

    /// Whether the sandbox was ended on purpose: then its process may be given time.
    pub(crate) fn is_wanted(&self) -> bool {
        matches!(self.kind, Kind::ShutDown | Kind::Replaced)
    }

    pub(crate) fn is_timeout(&self) -> bool {
        self.kind == Kind::TimedOut
    }

    /// Whether all that is known is that a connection broke, which is also how the end of its process begins.
    pub(crate) fn is_cut(&self) -> bool {
        self.kind == Kind::Cut
    }

    /// The error type.
    pub(crate) fn kind(&self) -> &str {
        self.kind.name()
    }

    pub(crate) fn cut() -> Self {
        Self::new(Kind::Cut, "the response ended before it was complete")
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
        Self::new(Kind::Other(kind.into()), document.error_message.unwrap_or_default())
    }

    /// The failure that a streamed response's trailers report, if they report one.
    pub(crate) fn from_trailers(trailers: &HeaderMap) -> Option<Self> {
        let kind = trailers.get(ERROR_TYPE)?.to_str().ok()?;
        let body = trailers.get(ERROR_BODY).and_then(|body| BASE64.decode(body.as_bytes()).ok());
        let document = ErrorDocument::read(&body.unwrap_or_default());
        Some(Self::new(Kind::Other(kind.to_owned().into()), document.error_message.unwrap_or_default()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.kind())?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_function_reports_is_never_taken_for_the_stand_ins_own() {
        for own in [Failure::timed_out(Duration::ZERO), Failure::shut_down(), Failure::replaced(), Failure::cut()] {
            let document = format!(r#"{{"errorType":"{}"}}"#, own.kind());
            let reported = Failure::reported(&HeaderMap::new(), document.as_bytes());
            assert_eq!(reported.kind(), own.kind());
            assert!(!reported.is_wanted() && !reported.is_timeout() && !reported.is_cut(), "{reported}");
        }
    }
}

//! How a request ended. Only [`Outcome::Done`] is a success.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest code kept: codes come from the other side, and every distinct one is counted.
const LONGEST_CODE: usize = 64;

/// How a request ended, as the client saw it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The reply came whole, with its terminal event. A reply that reached its token limit is one too.
    Done,
    /// Status 200, and then an `error` event.
    Error {
        /// The event's code.
        code: String,
    },
    /// A problem document (RFC 9457) from the service itself.
    Problem {
        /// The HTTP status.
        status: u16,
        /// The document's `code`, or the last part of its `type`.
        code: String,
    },
    /// Another status without such a document: a platform's own 403, 429 or 502, for instance.
    Status {
        /// The HTTP status.
        status: u16,
    },
    /// Status 200 with a body that is no event stream.
    NotAStream,
    /// Status 200 and a stream that ended, properly or not, without a terminal event.
    CutOff,
    /// What came is not HTTP, or an event breaks the format or is larger than the limit.
    Malformed,
    /// No connection: the name, TCP or TLS failed, or took longer than the limit for connecting.
    ConnectFailed,
    /// The reply was not whole within the limit for a request.
    TimedOut,
    /// The connection broke before the head of an answer.
    Broken,
    /// Under way when the run ended for good.
    Unfinished,
    /// Due before the run ended, and never sent: everything that may be under way at once was.
    NeverStarted,
}

impl Outcome {
    /// An `error` event's outcome.
    #[must_use]
    pub fn error(code: &str) -> Self {
        Self::Error { code: bounded(code) }
    }

    /// A problem document's outcome.
    #[must_use]
    pub fn problem(status: u16, code: &str) -> Self {
        Self::Problem { status, code: bounded(code) }
    }

    /// Whether the other side answered at all, with whatever.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        match self {
            Self::Done
            | Self::Error { .. }
            | Self::Problem { .. }
            | Self::Status { .. }
            | Self::NotAStream
            | Self::CutOff
            | Self::Malformed => true,
            Self::ConnectFailed | Self::TimedOut | Self::Broken | Self::Unfinished | Self::NeverStarted => false,
        }
    }

    /// Whether the reply came whole.
    #[must_use]
    pub fn is_done(&self) -> bool {
        *self == Self::Done
    }
}

fn bounded(code: &str) -> String {
    code.chars().filter(|character| !character.is_control()).take(LONGEST_CODE).collect()
}

/// For people: short enough for a table.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::Error { code } => write!(f, "error event {code}"),
            Self::Problem { status, code } => write!(f, "{status} {code}"),
            Self::Status { status } => write!(f, "{status} without a problem document"),
            Self::NotAStream => f.write_str("200, but no event stream"),
            Self::CutOff => f.write_str("cut off: no terminal event"),
            Self::Malformed => f.write_str("malformed answer"),
            Self::ConnectFailed => f.write_str("no connection"),
            Self::TimedOut => f.write_str("timed out"),
            Self::Broken => f.write_str("connection broke before the answer"),
            Self::Unfinished => f.write_str("unfinished at the end of the run"),
            Self::NeverStarted => f.write_str("never started"),
        }
    }
}

//! What a turn consists of, seen from outside.

use super::ChatError;

/// One step of a turn. The first is [`Opened`](Self::Opened) or [`Failed`](Self::Failed); the last is
/// [`Done`](Self::Done) or `Failed`, exactly once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChatEvent {
    /// The model took the request: its response head is there, no token yet.
    Opened,
    /// A piece of the reply, never empty. One piece may be several of the model's tokens.
    Token(String),
    /// The reply is complete.
    Done {
        /// Why it ended, in the model service's own words (`end_turn`, `max_tokens`, …).
        stop_reason: String,
        /// Token counts, where they came.
        usage: Option<Usage>,
        /// The model service's own latency in milliseconds, where it came.
        latency_ms: Option<u64>,
        /// Why `usage` did not come, where the reply is whole without it; for the log only.
        uncounted: Option<String>,
    },
    /// The reply failed, before or after some of it came.
    Failed {
        /// What went wrong.
        error: ChatError,
        /// Token counts, where they came before the failure.
        usage: Option<Usage>,
        /// The model service's own words, for the log only.
        detail: String,
    },
}

/// Token counts of one turn, as the model service bills them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(test, derive(serde::Deserialize))]
pub struct Usage {
    /// Tokens of the system blocks and all messages.
    pub input_tokens: u32,
    /// Tokens of the reply.
    pub output_tokens: u32,
    /// Both, and whatever else the service counts.
    pub total_tokens: u32,
}

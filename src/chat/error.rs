//! What can go wrong once a request was accepted.
//!
//! A variant says whose fault it is and what helps. The status codes and the words people read are in
//! [`crate::http`]; the service's own text goes to the log, where the failure is handled.

/// A failed turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChatError {
    /// The account's quota is used up for the moment, after all attempts.
    #[error("throttled")]
    Throttled,
    /// The role may not call this inference profile.
    #[error("model access denied")]
    ModelAccessDenied,
    /// The inference profile does not exist.
    #[error("model not found")]
    ModelNotFound,
    /// The service refused the request as invalid: our set-up is wrong, since requests are checked before.
    #[error("model rejected the request")]
    ModelRejected,
    /// The service or the model is down, not ready, or failed.
    #[error("model unavailable")]
    ModelUnavailable,
    /// The model took too long to accept the request.
    #[error("model timed out")]
    ModelTimeout,
    /// The stream ended, or broke, before the reply was complete.
    #[error("stream interrupted")]
    StreamInterrupted,
    /// The stream was silent for too long.
    #[error("stream stalled")]
    StreamStalled,
    /// The invocation's own time is over.
    #[error("deadline exceeded")]
    DeadlineExceeded,
    /// A bug of ours.
    #[error("internal error")]
    Internal,
}

impl ChatError {
    /// Every variant, for tables.
    pub const ALL: [Self; 10] = [
        Self::Throttled,
        Self::ModelAccessDenied,
        Self::ModelNotFound,
        Self::ModelRejected,
        Self::ModelUnavailable,
        Self::ModelTimeout,
        Self::StreamInterrupted,
        Self::StreamStalled,
        Self::DeadlineExceeded,
        Self::Internal,
    ];
}

//! The model: the one effect of the product that stands behind a trait, so that a turn can be tested
//! against a scripted stream in paused time.
//!
//! [`bedrock`] is the implementation that runs; it is the only module that knows Bedrock.

pub mod bedrock;
#[cfg(test)]
pub(crate) mod scripted;

use std::future::Future;

use futures::Stream;

use crate::chat::{Conversation, Usage};
use crate::policy::{Limits, Mode, Policy};

/// A streaming chat model.
pub trait Model: Send + Sync + 'static {
    /// The events of one reply, in the order in which they came. After the first error it yields nothing more.
    type Reply: Stream<Item = Result<ModelEvent, ModelError>> + Send + 'static;

    /// Asks for a reply. Resolves when the service has accepted the request, before any token.
    /// Dropping the future or the reply gives the request up.
    fn converse(&self, prompt: Prompt) -> impl Future<Output = Result<Self::Reply, ModelError>> + Send;
}

/// What the model is asked: governance in system blocks, the user's text in messages only.
#[derive(Debug, Clone)]
pub struct Prompt {
    boundary: String,
    tone: String,
    conversation: Conversation,
    limits: Limits,
    trace_id: Option<String>,
}

impl Prompt {
    /// Lays the policy over a conversation.
    pub fn governed(policy: &Policy, mode: &Mode, conversation: Conversation) -> Self {
        Self {
            boundary: policy.boundary().to_owned(),
            tone: mode.tone().to_owned(),
            conversation,
            limits: policy.limits(),
            trace_id: None,
        }
    }

    /// Ties the call of the model to the trace of the request (an X-Ray trace header).
    #[must_use]
    pub fn traced(self, trace_id: Option<String>) -> Self {
        Self { trace_id, ..self }
    }
}

/// One event of a model's reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelEvent {
    /// Text to show, never empty.
    Text(String),
    /// Something that is not shown (reasoning, a tool's input, the start or end of a block, an event not
    /// known yet) and yet proves that the model is at work.
    Progress,
    /// The reply is complete, for this reason.
    Stop(String),
    /// The service's account of the reply; the last event.
    Metadata {
        /// Token counts.
        usage: Option<Usage>,
        /// The service's own latency in milliseconds.
        latency_ms: Option<u64>,
    },
}

/// A failure of the model service: which one, and its own words for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind:?}: {detail}")]
pub struct ModelError {
    kind: ModelErrorKind,
    detail: String,
}

/// Which failure of the model service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelErrorKind {
    /// Too many requests or tokens for the quota.
    Throttled,
    /// The role may not call the profile.
    AccessDenied,
    /// No such profile.
    NotFound,
    /// The service holds the request to be invalid.
    Rejected,
    /// The service or the model is down, not ready, or failed.
    Unavailable,
    /// No answer in time.
    Timeout,
    /// The stream broke.
    Interrupted,
    /// The request could not even be built.
    Internal,
}

impl ModelError {
    /// A failure with the service's own words, which go to the log only.
    pub fn new(kind: ModelErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    /// Which failure.
    pub fn kind(&self) -> ModelErrorKind {
        self.kind
    }
}

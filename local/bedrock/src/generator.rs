//! The seam between the protocol and whatever writes the text.
//!
//! A generator knows nothing of HTTP or frames. Limits and stop sequences are enforced behind it, in
//! `limits`, for every generator alike; a generator may honour them too, to save work.

use std::fmt;

use futures::stream::{BoxStream, Stream, StreamExt};

use crate::Prompt;

/// Writes replies: a script or a language model.
pub trait Generator: Send + Sync + 'static {
    /// Starts a reply to `prompt`, or refuses it before Bedrock's response head would be sent.
    ///
    /// Called on an async worker: it must return quickly and do heavy work elsewhere. Dropping the
    /// [`Generation`] is the only sign that the client went away, and must free whatever the reply holds.
    ///
    /// # Errors
    /// [`Refusal`], which the client sees as an HTTP error.
    fn generate(&self, prompt: Prompt) -> Result<Generation, Refusal>;
}

/// A reply being written.
pub struct Generation {
    pub(crate) input_tokens: u32,
    pub(crate) steps: BoxStream<'static, Result<Step, Failure>>,
}

impl Generation {
    /// A reply to a prompt of `input_tokens` tokens.
    ///
    /// `steps` ends with [`Step::Finish`] or a [`Failure`]; a stream that just ends is taken for a failure.
    pub fn new(input_tokens: u32, steps: impl Stream<Item = Result<Step, Failure>> + Send + 'static) -> Self {
        Self { input_tokens, steps: steps.boxed() }
    }

    /// Tokens of the prompt.
    pub fn input_tokens(&self) -> u32 {
        self.input_tokens
    }

    /// The reply, step by step.
    pub fn into_steps(self) -> BoxStream<'static, Result<Step, Failure>> {
        self.steps
    }
}

impl fmt::Debug for Generation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Generation").field("input_tokens", &self.input_tokens).finish_non_exhaustive()
    }
}

/// One step of a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// More text. It is sent the moment it exists, as one content block delta.
    Piece(Piece),
    /// The model is done. Nothing follows.
    Finish(StopReason),
}

/// Text together with the number of tokens it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Whole characters; may be empty, and is then counted but not sent.
    pub text: String,
    /// How many output tokens the text stands for. More than one where characters span tokens.
    pub tokens: u32,
}

impl Piece {
    /// The text of one token.
    pub fn token(text: impl Into<String>) -> Self {
        Self { text: text.into(), tokens: 1 }
    }
}

/// Why a reply ended, in Bedrock's words (`messageStop.stopReason`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// The model had said all it wanted to say.
    EndTurn,
    /// `inferenceConfig.maxTokens` was reached.
    MaxTokens,
    /// One of `inferenceConfig.stopSequences` came up.
    StopSequence,
    /// Prompt and reply together have filled the model's context.
    ModelContextWindowExceeded,
    /// A guardrail stepped in.
    GuardrailIntervened,
    /// The model's provider withheld the content.
    ContentFiltered,
}

/// Why a reply was not started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Every slot is taken: `ThrottlingException`.
    #[error("too many replies at once")]
    Throttled,
    /// The prompt cannot be answered by this model, with the reason: `ValidationException`.
    #[error("{0}")]
    Unsuitable(String),
    /// The model broke, with the reason: `ModelErrorException`.
    #[error("{0}")]
    Failed(String),
}

/// Why a reply broke off: `modelStreamErrorException` in the stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failure(pub String);

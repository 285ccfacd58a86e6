//! What the events of a reply mean, for each kind of endpoint.

mod bro_buddy;
mod openai;

use bytes::Bytes;

use crate::sample::ServerTiming;
use crate::sse::Event;

/// The contract of the endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// Bro-Buddy's: events `start`, `token`, `done` and `error`.
    BroBuddy {
        /// The mode to ask for; the service's default without one.
        mode: Option<String>,
    },
    /// OpenAI's chat completions with `stream`.
    OpenAi {
        /// The model to ask for.
        model: String,
    },
}

/// What one event means.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Meaning {
    /// Whether it brought a piece of the reply that is not empty.
    pub(crate) text: Text,
    /// The model's count of output tokens.
    pub(crate) output_tokens: Option<u64>,
    /// The terminal event.
    pub(crate) end: Option<End>,
}

/// Whether an event brought a piece of the reply.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    #[default]
    None,
    Some,
}

/// How a stream says that it is over.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    Done(Option<ServerTiming>),
    Error(String),
}

/// An event that breaks the format.
#[derive(Debug, thiserror::Error)]
#[error("an event {name:?} cannot be read: {source}")]
pub(crate) struct Unreadable {
    name: String,
    source: serde_json::Error,
}

impl Format {
    /// Its name on the command line and in reports.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::BroBuddy { .. } => "bro-buddy",
            Self::OpenAi { .. } => "openai",
        }
    }

    /// Where the endpoint is, when an address does not say.
    pub(crate) fn path(&self) -> &'static str {
        match self {
            Self::BroBuddy { .. } => "/api/chat",
            Self::OpenAi { .. } => "/v1/chat/completions",
        }
    }

    /// The request body for one prompt.
    pub(crate) fn body(&self, prompt: &str) -> Bytes {
        match self {
            Self::BroBuddy { mode } => bro_buddy::body(prompt, mode.as_deref()),
            Self::OpenAi { model } => openai::body(prompt, model),
        }
    }

    pub(crate) fn meaning(&self, event: Event<'_>) -> Result<Meaning, Unreadable> {
        let meaning = match self {
            Self::BroBuddy { .. } => bro_buddy::meaning(event),
            Self::OpenAi { .. } => openai::meaning(event),
        };
        meaning.map_err(|source| Unreadable { name: event.name.to_owned(), source })
    }

    /// The code of a refusal that is not a problem document.
    pub(crate) fn refusal_code(&self, body: &[u8]) -> Option<String> {
        match self {
            Self::BroBuddy { .. } => None,
            Self::OpenAi { .. } => openai::error_code(body),
        }
    }
}

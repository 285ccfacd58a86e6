//! A stand-in for a guardrail's denied topics: keywords in place of a classifier.
//!
//! A request asks for it with `guardrailConfig`, as on Bedrock. `settings` reads that, [`Guardrail`] is what every
//! guardrail here denies and says, `guard` is one request's: it judges the conversation before the model runs, and
//! the reply as it comes. `trace` writes down what it saw.

mod guard;
mod settings;
mod trace;

pub(crate) use guard::{Guard, Verdict};
pub(crate) use settings::{GuardrailSettings, Raw};

use crate::ServiceError;

/// What a guardrail denies, and what it says instead.
///
/// Any guardrail that a request names is this one, unless it is [told](Self::known_as) which names exist.
#[derive(Debug, Clone)]
pub struct Guardrail {
    topics: Vec<Topic>,
    blocked_input: String,
    blocked_output: String,
    known: Vec<String>,
}

/// A denied topic.
#[derive(Debug, Clone)]
struct Topic {
    name: String,
    /// In lower case.
    keywords: Vec<String>,
}

/// What Bedrock's console suggests for both sides.
const BLOCKED: &str = "Sorry, the model cannot answer this question.";

impl Default for Guardrail {
    /// Denies medical and legal advice, by a few words each.
    fn default() -> Self {
        Self::new()
            .deny("Medical advice", ["diagnosis", "diagnose", "dosage", "prescription"])
            .deny("Legal advice", ["lawsuit", "legal advice", "sue my"])
    }
}

impl Guardrail {
    /// Denies nothing yet.
    pub fn new() -> Self {
        Self {
            topics: Vec::new(),
            blocked_input: BLOCKED.to_owned(),
            blocked_output: BLOCKED.to_owned(),
            known: Vec::new(),
        }
    }

    /// Denies `topic`: text that has one of `keywords` in it, in whatever case.
    #[must_use]
    pub fn deny(mut self, topic: impl Into<String>, keywords: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let keywords = keywords.into_iter().map(|keyword| keyword.as_ref().to_lowercase()).collect();
        self.topics.push(Topic { name: topic.into(), keywords });
        self
    }

    /// Says `message` in place of an answer to what it denies.
    #[must_use]
    pub fn blocked_input(mut self, message: impl Into<String>) -> Self {
        self.blocked_input = message.into();
        self
    }

    /// Says `message` in place of a reply that it denies.
    #[must_use]
    pub fn blocked_output(mut self, message: impl Into<String>) -> Self {
        self.blocked_output = message.into();
        self
    }

    /// There is a guardrail of this id, and of those given by other calls; a request that names another is refused.
    #[must_use]
    pub fn known_as(mut self, id: impl Into<String>) -> Self {
        self.known.push(id.into());
        self
    }

    /// Refuses an id that is not known, in Bedrock's words.
    pub(crate) fn admit(&self, settings: &GuardrailSettings) -> Result<(), ServiceError> {
        if self.known.is_empty() || self.known.iter().any(|id| id == settings.id()) {
            return Ok(());
        }
        Err(ServiceError::validation("The guardrail identifier or version provided in the request does not exist."))
    }

    /// The topics that `text` touches.
    fn touched(&self, text: &str) -> Vec<&str> {
        let text = text.to_lowercase();
        let touched = |topic: &&Topic| topic.keywords.iter().any(|keyword| text.contains(keyword));
        self.topics.iter().filter(touched).map(|topic| topic.name.as_str()).collect()
    }
}

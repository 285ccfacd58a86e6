//! What a generator is asked: a `ConverseStream` body, parsed and held to Bedrock's rules.

mod wire;

use crate::{ServiceError, guardrail::GuardrailSettings};

/// A conversation to be continued, and how.
///
/// Always: at least one message, the first and the last from the user, roles alternating, no text blank.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    system: Vec<String>,
    messages: Vec<Message>,
    max_tokens: Option<u32>,
    temperature: Option<f32>,
    top_p: Option<f32>,
    stop_sequences: Vec<String>,
    guardrail: Option<GuardrailSettings>,
    guarded: Vec<String>,
}

impl Prompt {
    /// Parses and checks the JSON body of a `ConverseStream` request.
    ///
    /// Text and guard-content blocks are read. Images, documents and tools are refused; cache points and what
    /// Bedrock itself would pass over are passed over.
    ///
    /// # Errors
    /// `SerializationException` for what is not JSON of that shape, `ValidationException` for what breaks a rule.
    pub fn parse(body: &[u8]) -> Result<Self, ServiceError> {
        wire::parse(body)
    }

    /// The system blocks, in order.
    pub fn system(&self) -> &[String] {
        &self.system
    }

    /// The conversation so far, oldest first.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// The most tokens the reply may have; at least 1. `None` leaves it to the model.
    pub fn max_tokens(&self) -> Option<u32> {
        self.max_tokens
    }

    /// Sampling temperature, 0 to 1. `None` leaves it to the model.
    pub fn temperature(&self) -> Option<f32> {
        self.temperature
    }

    /// Nucleus sampling's probability mass, 0 to 1. `None` leaves it to the model.
    pub fn top_p(&self) -> Option<f32> {
        self.top_p
    }

    /// Texts at which the reply stops, none of them empty.
    pub fn stop_sequences(&self) -> &[String] {
        &self.stop_sequences
    }

    /// The guardrail that is asked for.
    pub(crate) fn guardrail(&self) -> Option<&GuardrailSettings> {
        self.guardrail.as_ref()
    }

    /// The texts that a guardrail judges: the guard-content blocks, or without any all messages. Of the system blocks
    /// it judges guard content alone.
    pub(crate) fn guarded(&self) -> &[String] {
        &self.guarded
    }

    /// Characters of all messages and system blocks.
    pub(crate) fn characters(&self) -> usize {
        let messages = self.messages.iter().map(Message::text);
        self.system.iter().map(String::as_str).chain(messages).map(|text| text.chars().count()).sum()
    }
}

/// One turn of the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    role: Role,
    text: String,
}

impl Message {
    /// Who said it.
    pub fn role(&self) -> Role {
        self.role
    }

    /// What was said; several blocks are joined by line feeds.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The person.
    User,
    /// The model.
    Assistant,
}

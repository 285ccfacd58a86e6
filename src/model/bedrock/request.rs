//! The body of a `ConverseStream` request.
//!
//! Source: Bedrock's service model, `ConverseStreamRequest`; the model's id stands in the URL.

use bytes::Bytes;
use serde::Serialize;

use crate::chat::Role;
use crate::config::{Guardrail, GuardrailStream};
use crate::model::{ModelError, ModelErrorKind, Prompt};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConverseStream<'a> {
    system: [Text<'a>; 2],
    messages: Vec<Message<'a>>,
    inference_config: InferenceConfiguration,
    #[serde(skip_serializing_if = "Option::is_none")]
    guardrail_config: Option<GuardrailConfiguration<'a>>,
}

#[derive(Serialize)]
struct Text<'a> {
    text: &'a str,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: [Text<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InferenceConfiguration {
    max_tokens: u32,
    temperature: f32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GuardrailConfiguration<'a> {
    guardrail_identifier: &'a str,
    guardrail_version: &'a str,
    stream_processing_mode: &'static str,
}

/// What is asked of the model. What a user writes only ever stands in messages.
///
/// # Errors
/// None that is known: there is nothing in it that JSON cannot say.
pub(super) fn body(prompt: &Prompt, guardrail: Option<&Guardrail>) -> Result<Bytes, ModelError> {
    let messages = prompt.conversation.messages().iter().map(|message| Message {
        role: match message.role {
            Role::User => "user",
            Role::Assistant => "assistant",
        },
        content: [Text { text: &message.content }],
    });
    let request = ConverseStream {
        system: [Text { text: &prompt.boundary }, Text { text: &prompt.tone }],
        messages: messages.collect(),
        inference_config: InferenceConfiguration {
            max_tokens: prompt.limits.max_tokens(),
            temperature: prompt.limits.temperature(),
        },
        guardrail_config: guardrail.map(|guardrail| GuardrailConfiguration {
            guardrail_identifier: guardrail.id(),
            guardrail_version: guardrail.version(),
            stream_processing_mode: match guardrail.stream() {
                GuardrailStream::Sync => "sync",
                GuardrailStream::Async => "async",
            },
        }),
    };
    serde_json::to_vec(&request)
        .map(Bytes::from)
        .map_err(|error| ModelError::new(ModelErrorKind::Internal, error.to_string()))
}

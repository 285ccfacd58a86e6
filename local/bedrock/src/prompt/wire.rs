//! The JSON of a `ConverseStream` body and Bedrock's rules for it, in Bedrock's words.
//! Shapes and ranges: botocore's `bedrock-runtime` model, `ConverseStreamRequest`.

use serde::{Deserialize, de::IgnoredAny};

use super::{Message, Prompt, Role};
use crate::{
    ErrorKind, ServiceError,
    guardrail::{GuardrailSettings, Raw},
};

/// A member that is null is one that is not there.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    messages: Option<Vec<Turn>>,
    system: Option<Vec<Block>>,
    inference_config: Option<Inference>,
    tool_config: Option<IgnoredAny>,
    guardrail_config: Option<Raw>,
}

#[derive(Deserialize)]
struct Turn {
    role: Role,
    content: Vec<Block>,
}

/// A union: exactly one of these is set. Every kind that is not text lands in `None` for all.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block {
    text: Option<String>,
    guard_content: Option<Guarded>,
    cache_point: Option<IgnoredAny>,
}

impl Block {
    fn guarded_text(&self) -> Option<&str> {
        Some(&self.guard_content.as_ref()?.text.as_ref()?.text)
    }
}

#[derive(Deserialize)]
struct Guarded {
    text: Option<GuardedText>,
}

#[derive(Deserialize)]
struct GuardedText {
    text: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Inference {
    max_tokens: Option<i64>,
    temperature: Option<f32>,
    top_p: Option<f32>,
    stop_sequences: Option<Vec<String>>,
}

pub(super) fn parse(body: &[u8]) -> Result<Prompt, ServiceError> {
    let body: Body =
        serde_json::from_slice(body).map_err(|error| ServiceError::new(ErrorKind::Serialization, error.to_string()))?;
    if body.tool_config.is_some() {
        return Err(ServiceError::validation("This model doesn't support tool use in streaming mode."));
    }
    let (messages, system) = (body.messages.unwrap_or_default(), body.system.unwrap_or_default());
    let inference = body.inference_config.unwrap_or_default();
    let stop_sequences = inference.stop_sequences.unwrap_or_default();
    if stop_sequences.iter().any(String::is_empty) {
        return Err(constraint(
            "",
            "inferenceConfig.stopSequences",
            "Member must have length greater than or equal to 1",
        ));
    }
    let guarded = guarded(&system, &messages);
    Ok(Prompt {
        guardrail: body.guardrail_config.map(GuardrailSettings::parse).transpose()?.flatten(),
        guarded,
        max_tokens: inference.max_tokens.map(max_tokens).transpose()?,
        temperature: inference.temperature.map(|value| fraction(value, "inferenceConfig.temperature")).transpose()?,
        top_p: inference.top_p.map(|value| fraction(value, "inferenceConfig.topP")).transpose()?,
        stop_sequences,
        system: texts(system, "SystemContentBlock", "system")?,
        messages: conversation(messages)?,
    })
}

/// What a guardrail is to judge. Source: "Include a guardrail with the Converse API" in the Bedrock user guide.
fn guarded(system: &[Block], turns: &[Turn]) -> Vec<String> {
    let blocks = || turns.iter().flat_map(|turn| &turn.content);
    let in_messages: Vec<_> = blocks().filter_map(Block::guarded_text).collect();
    let in_messages =
        if in_messages.is_empty() { blocks().filter_map(|block| block.text.as_deref()).collect() } else { in_messages };
    system.iter().filter_map(Block::guarded_text).chain(in_messages).map(str::to_owned).collect()
}

fn conversation(turns: Vec<Turn>) -> Result<Vec<Message>, ServiceError> {
    let mut messages: Vec<Message> = Vec::with_capacity(turns.len());
    for (index, turn) in turns.into_iter().enumerate() {
        match messages.last() {
            None if turn.role == Role::Assistant => return Err(ServiceError::validation(START_WITH_USER)),
            Some(before) if before.role == turn.role => return Err(ServiceError::validation(ALTERNATE)),
            _ => {}
        }
        let text = texts(turn.content, "ContentBlock", &format!("messages.{index}.content"))?.join("\n");
        if text.is_empty() {
            return Err(ServiceError::validation(format!(
                "The content field in the Message object at messages.{index} is empty. Add a ContentBlock object to the content field and try again."
            )));
        }
        messages.push(Message { role: turn.role, text });
    }
    match messages.last().map(|last| last.role) {
        Some(Role::User) => Ok(messages),
        Some(Role::Assistant) => Err(ServiceError::validation(NO_PREFILL)),
        None => Err(ServiceError::validation(START_WITH_USER)),
    }
}

const START_WITH_USER: &str =
    "A conversation must start with a user message. Try again with a conversation that starts with a user message.";
const ALTERNATE: &str = "A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again.";
/// As the newer Anthropic models answer; others continue the assistant's words.
const NO_PREFILL: &str =
    "This model does not support assistant message prefill. The conversation must end with a user message.";

/// The texts of `blocks`, which are `kind` objects at `place`.
fn texts(blocks: Vec<Block>, kind: &str, place: &str) -> Result<Vec<String>, ServiceError> {
    let mut texts = Vec::with_capacity(blocks.len());
    for (index, block) in blocks.into_iter().enumerate() {
        let guarded = block.guard_content.and_then(|guarded| guarded.text).map(|guarded| guarded.text);
        match block.text.or(guarded) {
            Some(text) if text.trim().is_empty() => {
                return Err(ServiceError::validation(format!(
                    "The text field in the {kind} object at {place}.{index} is blank. Add text to the text field, and try again."
                )));
            }
            Some(text) => texts.push(text),
            None if block.cache_point.is_some() => {}
            None => {
                return Err(ServiceError::validation(format!(
                    "The {kind} object at {place}.{index} holds no text, and this model reads text only."
                )));
            }
        }
    }
    Ok(texts)
}

fn max_tokens(value: i64) -> Result<u32, ServiceError> {
    match u32::try_from(value) {
        Ok(tokens) if tokens >= 1 => Ok(tokens),
        _ => Err(constraint(
            &value.to_string(),
            "inferenceConfig.maxTokens",
            "Member must have value greater than or equal to 1",
        )),
    }
}

fn fraction(value: f32, member: &str) -> Result<f32, ServiceError> {
    if value > 1.0 {
        Err(constraint(&value.to_string(), member, "Member must have value less than or equal to 1"))
    } else if value < 0.0 {
        Err(constraint(&value.to_string(), member, "Member must have value greater than or equal to 0"))
    } else {
        Ok(value)
    }
}

fn constraint(value: &str, member: &str, rule: &str) -> ServiceError {
    ServiceError::validation(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {rule}"
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parse_json(body: &Value) -> Result<Prompt, ServiceError> {
        parse(body.to_string().as_bytes())
    }

    fn user(text: &str) -> Value {
        json!({"role": "user", "content": [{"text": text}]})
    }

    fn assistant(text: &str) -> Value {
        json!({"role": "assistant", "content": [{"text": text}]})
    }

    #[test]
    fn a_whole_request_is_read() {
        let prompt = parse_json(&json!({
            "system": [{"text": "No advice."}, {"cachePoint": {"type": "default"}}, {"text": "Be a bro."}],
            "messages": [user("Yo"), assistant("Yo!"), {"role": "user", "content": [
                {"text": "Look:"}, {"guardContent": {"text": {"text": "three colours?", "qualifiers": ["query"]}}}]}],
            "inferenceConfig": {"maxTokens": 150, "temperature": 0.3, "topP": 0.9, "stopSequences": ["###"]},
            "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1", "streamProcessingMode": "async"},
            "additionalModelRequestFields": {},
        }))
        .unwrap();
        assert_eq!(prompt.system(), ["No advice.", "Be a bro."]);
        let turns: Vec<_> = prompt.messages().iter().map(|message| (message.role(), message.text())).collect();
        assert_eq!(turns, [(Role::User, "Yo"), (Role::Assistant, "Yo!"), (Role::User, "Look:\nthree colours?")]);
        assert_eq!((prompt.max_tokens(), prompt.temperature(), prompt.top_p()), (Some(150), Some(0.3), Some(0.9)));
        assert_eq!(prompt.stop_sequences(), ["###"]);
    }

    #[test]
    fn a_member_that_is_null_is_not_there() {
        let prompt = parse_json(&json!({
            "messages": [user("Yo")], "system": null, "guardrailConfig": null, "toolConfig": null,
            "inferenceConfig": {"maxTokens": null, "stopSequences": null},
        }));
        assert_eq!(prompt, parse_json(&json!({"messages": [user("Yo")], "inferenceConfig": null})));
        assert!(prompt.is_ok());
    }

    #[test]
    fn what_breaks_a_rule_is_a_validation_exception_that_says_which() {
        let with = |inference: Value| json!({"messages": [user("Yo")], "inferenceConfig": inference});
        let cases = [
            (json!({}), "start with a user message"),
            (json!({"messages": [assistant("Yo")]}), "start with a user message"),
            (json!({"messages": [user("a"), user("b")]}), "must alternate"),
            (json!({"messages": [user("a"), assistant("b"), assistant("c")]}), "must alternate"),
            (json!({"messages": [user("a"), assistant("b")]}), "must end with a user message"),
            (json!({"messages": [user(" \n")]}), "ContentBlock object at messages.0.content.0 is blank"),
            (json!({"messages": [{"role": "user", "content": []}]}), "Message object at messages.0 is empty"),
            (json!({"messages": [{"role": "user", "content": [{"image": {}}]}]}), "reads text only"),
            (json!({"messages": [user("a")], "system": [{"text": ""}]}), "object at system.0 is blank"),
            (json!({"messages": [user("a")], "toolConfig": {"tools": []}}), "tool use"),
            (with(json!({"maxTokens": 0})), "Value '0' at 'inferenceConfig.maxTokens'"),
            (with(json!({"maxTokens": -5})), "greater than or equal to 1"),
            (with(json!({"temperature": 1.5})), "Value '1.5' at 'inferenceConfig.temperature'"),
            (with(json!({"temperature": -0.1})), "greater than or equal to 0"),
            (with(json!({"topP": 2})), "'inferenceConfig.topP'"),
            (with(json!({"stopSequences": ["a", ""]})), "inferenceConfig.stopSequences"),
        ];
        for (body, part) in cases {
            let error = parse_json(&body).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Validation, "{body}");
            assert!(error.to_string().contains(part), "{body}: {error}");
        }
    }

    #[test]
    fn what_has_another_shape_is_a_serialization_exception() {
        let bodies = ["", "{", "[]", r#"{"messages": "hi"}"#, r#"{"messages": [{"role": "system", "content": []}]}"#];
        for body in bodies {
            assert_eq!(parse(body.as_bytes()).unwrap_err().kind(), ErrorKind::Serialization, "{body}");
        }
    }
}

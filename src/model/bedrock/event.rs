//! From a frame of a reply to a [`ModelEvent`].
//!
//! Source: Bedrock's service model, `ConverseStreamOutput`. A frame is an event or an exception, by its header
//! `:message-type`; which one, `:event-type` or `:exception-type` says. Errors have their code and words in headers.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::frames::Frame;
use crate::chat::Usage;
use crate::model::{ModelError, ModelErrorKind, ModelEvent};

#[derive(Deserialize)]
struct ContentBlockDelta {
    delta: Option<Delta>,
}

/// One of text, reasoning, a tool's input and what else may come.
#[derive(Deserialize)]
struct Delta {
    text: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageStop {
    stop_reason: String,
}

#[derive(Deserialize)]
struct Metadata {
    usage: Option<TokenUsage>,
    metrics: Option<Metrics>,
}

/// Signed in the service model.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenUsage {
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
    total_tokens: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metrics {
    latency_ms: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Exception {
    #[serde(alias = "Message", alias = "errorMessage")]
    message: Option<String>,
    /// What the model's own server said.
    original_message: Option<String>,
}

/// What a frame says.
///
/// # Errors
/// An exception, or a frame that cannot be read.
pub(super) fn read(frame: &Frame) -> Result<ModelEvent, ModelError> {
    let broken = |what: &dyn std::fmt::Display| ModelError::new(ModelErrorKind::Interrupted, what.to_string());
    let names = [":message-type", ":event-type", ":exception-type", ":error-code", ":error-message"];
    match frame.strings(names).map_err(|error| broken(&error))? {
        [Some("event"), Some(name), ..] => event(name, frame.payload()),
        [Some("exception"), _, Some(name), ..] => Err(exception(name, frame.payload())),
        // The third kind of the specification: an error that is not in the service's model.
        [Some("error"), _, _, Some(code), message] => Err(failure(code, message.unwrap_or("no message"))),
        _ => Err(broken(&"a frame that is neither an event nor an exception")),
    }
}

fn event(name: &str, payload: &[u8]) -> Result<ModelEvent, ModelError> {
    Ok(match name {
        "contentBlockDelta" => match parse::<ContentBlockDelta>(name, payload)?.delta.and_then(|delta| delta.text) {
            Some(text) if !text.is_empty() => ModelEvent::Text(text),
            _ => ModelEvent::Progress,
        },
        "messageStop" => ModelEvent::Stop(parse::<MessageStop>(name, payload)?.stop_reason),
        "metadata" => {
            let metadata: Metadata = parse(name, payload)?;
            ModelEvent::Metadata {
                usage: metadata.usage.as_ref().map(usage),
                latency_ms: metadata.metrics.and_then(|metrics| metrics.latency_ms?.try_into().ok()),
            }
        }
        _ => ModelEvent::Progress,
    })
}

fn usage(counted: &TokenUsage) -> Usage {
    // A count below zero would be nonsense, and is shown as none.
    let count = |tokens: Option<i64>| tokens.and_then(|tokens| u32::try_from(tokens).ok()).unwrap_or(0);
    Usage {
        input_tokens: count(counted.input_tokens),
        output_tokens: count(counted.output_tokens),
        total_tokens: count(counted.total_tokens),
    }
}

fn exception(name: &str, payload: &[u8]) -> ModelError {
    let Exception { message, original_message } =
        serde_json::from_slice(payload).unwrap_or(Exception { message: None, original_message: None });
    let words: Vec<_> = message.into_iter().chain(original_message).collect();
    failure(name, if words.is_empty() { "no message".into() } else { words.join(": ") }.as_str())
}

fn failure(name: &str, words: &str) -> ModelError {
    // As a member of the stream it begins with a small letter, as the name of a shape with a great one.
    let is = |known: &str| name.eq_ignore_ascii_case(known);
    let kind = if is("throttlingException") {
        ModelErrorKind::Throttled
    } else if is("validationException") {
        ModelErrorKind::Rejected
    } else if is("modelTimeoutException") {
        ModelErrorKind::Timeout
    } else {
        // The server's and the model's exceptions, and whatever is not known yet.
        ModelErrorKind::Unavailable
    };
    ModelError::new(kind, format!("{name}: {words}"))
}

/// The place of an error, but not its words, which may quote the reply.
fn parse<T: DeserializeOwned>(name: &str, payload: &[u8]) -> Result<T, ModelError> {
    serde_json::from_slice(payload).map_err(|error| {
        let kind = if error.is_data() { "has another shape" } else { "is no JSON" };
        let detail = format!("{name} {kind} at line {} column {}", error.line(), error.column());
        ModelError::new(ModelErrorKind::Interrupted, detail)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_as_bedrock_writes_them() {
        let table = [
            ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":"Yo \"bro\" \u00e9"},"p":"abc"}"#),
            ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"hm"}}}"#),
            ("contentBlockDelta", r#"{"delta":{"text":""}}"#),
            ("contentBlockDelta", "{}"),
            ("contentBlockDelta", r#"{"delta":null}"#),
            ("messageStart", r#"{"role":"assistant"}"#),
            ("somethingNew", "not even JSON"),
            ("messageStop", r#"{"stopReason":"max_tokens","additionalModelResponseFields":{"a":[1]}}"#),
            (
                "metadata",
                r#"{"metrics":{"latencyMs":40},"usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3,"x":4}}"#,
            ),
            ("metadata", r#"{"metrics":{"latencyMs":-1},"usage":{"inputTokens":-1}}"#),
            ("metadata", r#"{"usage":{"inputTokens":1,"outputTokens":2,"totalTokens":null},"metrics":null}"#),
            ("metadata", "{}"),
        ];
        let counted = |input_tokens, output_tokens, total_tokens| Usage { input_tokens, output_tokens, total_tokens };
        let metadata = |usage, latency_ms| ModelEvent::Metadata { usage, latency_ms };
        let expected = [
            ModelEvent::Text("Yo \"bro\" é".into()),
            ModelEvent::Progress,
            ModelEvent::Progress,
            ModelEvent::Progress,
            ModelEvent::Progress,
            ModelEvent::Progress,
            ModelEvent::Progress,
            ModelEvent::Stop("max_tokens".into()),
            metadata(Some(counted(1, 2, 3)), Some(40)),
            metadata(Some(counted(0, 0, 0)), None),
            metadata(Some(counted(1, 2, 0)), None),
            metadata(None, None),
        ];
        assert_eq!(table.len(), expected.len());
        for ((name, payload), expected) in table.into_iter().zip(expected) {
            assert_eq!(event(name, payload.as_bytes()).expect(payload), expected, "{name} {payload}");
        }
    }

    #[test]
    fn an_event_that_cannot_be_read_interrupts_the_reply_and_is_not_quoted() {
        for (name, payload) in [
            ("contentBlockDelta", r#"{"delta":{"text":"secr"#),
            ("messageStop", "{}"),
            ("metadata", r#"{"usage":"secret"}"#),
        ] {
            let error = event(name, payload.as_bytes()).expect_err(payload);
            assert_eq!(error.kind(), ModelErrorKind::Interrupted);
            assert!(error.to_string().contains(name) && !error.to_string().contains("secr"), "{error}");
        }
    }

    #[test]
    fn exceptions_are_told_by_name() {
        for (name, kind) in [
            ("throttlingException", ModelErrorKind::Throttled),
            ("validationException", ModelErrorKind::Rejected),
            ("ThrottlingException", ModelErrorKind::Throttled),
            ("modelTimeoutException", ModelErrorKind::Timeout),
            ("internalServerException", ModelErrorKind::Unavailable),
            ("modelStreamErrorException", ModelErrorKind::Unavailable),
            ("serviceUnavailableException", ModelErrorKind::Unavailable),
            ("somethingNewException", ModelErrorKind::Unavailable),
        ] {
            for words in [r#"{"message":"too much"}"#, r#"{"Message":"too much"}"#, r#"{"originalMessage":"too much"}"#]
            {
                let error = exception(name, words.as_bytes());
                assert_eq!((error.kind(), error.to_string().contains("too much")), (kind, true), "{error}");
            }
        }
    }
}

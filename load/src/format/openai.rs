//! OpenAI's chat completions, as its many imitators stream them: chunks without an event name, then `[DONE]`.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{End, Meaning, Text};
use crate::sse::Event;

/// The usage comes in a stream only where it is asked for.
pub(super) fn body(prompt: &str, model: &str) -> Bytes {
    let message = json!({ "role": "user", "content": prompt });
    let body = json!({
        "model": model,
        "messages": [message],
        "stream": true,
        "stream_options": { "include_usage": true },
    });
    body.to_string().into()
}

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow, default)]
    choices: Vec<Choice<'a>>,
    usage: Option<Usage>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    delta: Option<Delta<'a>>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow)]
    content: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Usage {
    completion_tokens: Option<u64>,
}

pub(super) fn meaning(event: Event<'_>) -> Result<Meaning, serde_json::Error> {
    if event.data == b"[DONE]" {
        return Ok(Meaning { end: Some(End::Done(None)), ..Meaning::default() });
    }
    let chunk: Chunk<'_> = serde_json::from_slice(event.data)?;
    let has_text = |choice: &Choice<'_>| {
        let content = choice.delta.as_ref().and_then(|delta| delta.content.as_ref());
        content.is_some_and(|content| !content.is_empty())
    };
    Ok(Meaning {
        text: if chunk.choices.first().is_some_and(has_text) { Text::Some } else { Text::None },
        output_tokens: chunk.usage.and_then(|usage| usage.completion_tokens),
        end: chunk.error.map(|error| End::Error(code_of(&error))),
    })
}

/// The code in a refusal's body.
pub(super) fn error_code(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    body.get("error").map(code_of)
}

/// Servers differ in which of the two they fill.
fn code_of(error: &Value) -> String {
    let field = |name| error.get(name).filter(|value| !value.is_null());
    match field("code").or_else(|| field("type")) {
        Some(Value::String(code)) => code.clone(),
        Some(code) => code.to_string(),
        None => "error".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(data: &str) -> Meaning {
        meaning(Event { name: "", data: data.as_bytes() }).unwrap()
    }

    #[test]
    fn the_first_choices_content_is_a_token() {
        assert_eq!(read(r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#), Meaning::default());
        assert_eq!(read(r#"{"choices":[{"index":0,"delta":{"content":"Yo"}}],"usage":null}"#).text, Text::Some);
        assert_eq!(read(r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#), Meaning::default());
        assert_eq!(read(r#"{"choices":[],"usage":{"completion_tokens":17}}"#).output_tokens, Some(17));
        assert_eq!(read("[DONE]").end, Some(End::Done(None)));
    }

    #[test]
    fn an_error_in_the_stream_ends_it_with_its_code() {
        for (error, code) in [
            (r#"{"error":{"code":"overloaded","type":"server_error"}}"#, "overloaded"),
            (r#"{"error":{"code":null,"type":"server_error"}}"#, "server_error"),
            (r#"{"error":{"code":503,"message":"…"}}"#, "503"),
            (r#"{"error":"down"}"#, "error"),
        ] {
            assert_eq!(read(error).end, Some(End::Error(code.to_owned())), "{error}");
            assert_eq!(error_code(error.as_bytes()).as_deref(), Some(code));
        }
    }

    #[test]
    fn a_request_asks_for_a_stream_with_its_usage() {
        let body: Value = serde_json::from_slice(&body("Yo \"bro\"", "m")).unwrap();
        assert_eq!(body["messages"][0]["content"], "Yo \"bro\"");
        assert_eq!(body["stream"], true);
        assert_eq!(body["stream_options"]["include_usage"], true);
    }
}

//! Answers: status, headers, documents.

use serde_json::{Value, json};

use super::{Problems, request_id, stream::stream};
use crate::client::{Answer, Payload};
use crate::events::shown;
use crate::faults::{self, Expected, UNAVAILABLE};
use crate::fixed::{self, Fixed};
use crate::plan::Chat;

/// How long the function holds the status line for Bedrock, in milliseconds. An error that takes longer is an event.
const HOLD_MS: u128 = 1_000;

/// Checks the answer to a request for a reply.
pub(crate) fn chat_answer(chat: &Chat, answer: &Answer, problems: &mut Problems) {
    id(answer, problems);
    let expected = faults::expected(chat.marker.fault);
    let refused = match expected {
        Expected::Refused(code) => Some(code),
        Expected::Reset { .. } => Some(UNAVAILABLE),
        Expected::Done(_) | Expected::Broken { .. } => None,
    };
    match (&answer.payload, refused) {
        (Payload::Document(document), Some(code)) => {
            problem_document(answer, document, code.status, code.name, problems);
            let seconds = answer.header("retry-after").and_then(|seconds| seconds.parse().ok());
            if seconds != code.retry_after {
                problems.add(format!("retry-after is {seconds:?}, and not {:?}", code.retry_after));
            }
        }
        (Payload::Document(document), None) => problems.add(format!("no stream, but {}", shown(document))),
        (Payload::Reply(reply), _) => {
            if matches!(expected, Expected::Refused(_)) && answer.head_after.as_millis() < HOLD_MS {
                problems.add("a stream, although Bedrock refused before the status line was due");
            }
            if answer.status != 200 {
                problems.add(format!("a stream with status {}", answer.status));
            }
            if answer.header("cache-control") != Some("no-store, no-transform") {
                problems.add("a reply that may be stored");
            }
            stream(chat, request_id(answer).unwrap_or_default(), reply, expected, problems);
        }
    }
}

/// Checks the answer to a request whose answer is always the same.
pub(crate) fn fixed_answer(fixed: &Fixed, answer: &Answer, problems: &mut Problems) {
    let Payload::Document(document) = &answer.payload else { return problems.add("an unexpected stream") };
    match &fixed.answer {
        fixed::Answer::Content(content_type) => {
            if answer.status != 200 || answer.header("content-type") != Some(content_type) || document.is_empty() {
                problems.add(format!("not 200 with {content_type}: {} with {}", answer.status, shown(document)));
            }
        }
        fixed::Answer::Problem { status, code, pointer, header } => {
            id(answer, problems);
            problem_document(answer, document, *status, code, problems);
            let document: Value = serde_json::from_slice(document).unwrap_or_default();
            if document.get("pointer").and_then(Value::as_str) != *pointer {
                problems.add(format!("the pointer is not {pointer:?}: {document}"));
            }
            if let Some((name, value)) = header
                && answer.header(name) != Some(value)
            {
                problems.add(format!("{name} is {:?}, and not {value:?}", answer.header(name)));
            }
        }
    }
}

fn id(answer: &Answer, problems: &mut Problems) {
    match (request_id(answer), answer.header("x-amzn-requestid")) {
        (Some(ours), Some(platforms)) if ours == platforms => {}
        (ours, platforms) => problems.add(format!("the request id is {ours:?}, the platform's is {platforms:?}")),
    }
}

fn problem_document(answer: &Answer, document: &[u8], status: u16, code: &str, problems: &mut Problems) {
    if answer.header("content-type") != Some("application/problem+json") {
        problems.add(format!("no problem document, but {:?}: {}", answer.header("content-type"), shown(document)));
    }
    let json: Value = serde_json::from_slice(document).unwrap_or_default();
    let field = |name: &str| json.get(name).unwrap_or(&Value::Null);
    problems.unless_equal("the status", &json!(answer.status), status);
    problems.unless_equal("the document's status", field("status"), status);
    problems.unless_equal("the document's code", field("code"), code);
    problems.unless_equal("the document's request id", field("request_id"), request_id(answer));
}

//! Whether an answer, and what the function wrote of it, are what they must be. Each problem is a sentence.

use serde_json::{Value, json};

use crate::client::{Answer, Payload};

mod answer;
mod stream;
mod written;

pub(crate) use answer::{chat_answer, fixed_answer};
pub(crate) use written::{chat_written, fixed_written};

/// Problems found so far.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<String>);

impl Problems {
    pub(crate) fn into_sentences(self) -> Vec<String> {
        self.0
    }

    pub(crate) fn add(&mut self, problem: impl Into<String>) {
        self.0.push(problem.into());
    }

    fn unless_equal(&mut self, what: &str, found: &Value, expected: impl Into<Value>) {
        let expected = expected.into();
        if *found != expected {
            self.add(format!("{what} is {found}, and not {expected}"));
        }
    }
}

/// The id of the request, by which its record is found. None where the platform has answered by itself.
pub(crate) fn request_id(answer: &Answer) -> Option<&str> {
    answer.header("x-request-id")
}

/// A form in which the platform itself may refuse a request: every sandbox is busy.
pub(crate) fn is_platform_throttle(answer: &Answer) -> bool {
    let Payload::Document(document) = &answer.payload else { return false };
    let reason = serde_json::from_slice(document).ok().and_then(|json: Value| json.get("Reason").cloned());
    answer.status == 429
        && answer.header("x-amzn-errortype") == Some("TooManyRequestsException")
        && reason == Some(json!("ReservedFunctionConcurrentInvocationLimitExceeded"))
}

#[cfg(test)]
mod tests;

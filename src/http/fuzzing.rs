//! What is promised of any body and any query string.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a broken promise is a panic")]

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::answer::Body;
use super::chat_request::ChatRequest;
use super::error::{HttpError, Refusal};
use super::problem;
use crate::policy::Policy;

static POLICY: LazyLock<Policy> = LazyLock::new(|| Policy::built_in().expect("starts"));

/// A body is refused with a problem document, or it means the same when it is written in full.
pub fn chat_request(body: &[u8]) {
    means_the_same(ChatRequest::from_json(body, &POLICY));
}

/// A query string is refused with a problem document, or it means the same as a body.
pub fn chat_query(query: &[u8]) {
    let Ok(query) = std::str::from_utf8(query) else { return };
    means_the_same(ChatRequest::from_query(query, &POLICY));
}

fn means_the_same(parsed: Result<ChatRequest<'_>, Refusal>) {
    let request = match parsed {
        Ok(request) => request,
        Err(refusal) => return is_told(refusal),
    };
    let mode = request.mode.id();
    let messages: Vec<Value> = request
        .conversation
        .messages()
        .iter()
        .enumerate()
        .map(|(n, message)| {
            assert!(!message.content.trim().is_empty(), "a blank message");
            json!({"role": if n % 2 == 0 { "user" } else { "assistant" }, "content": message.content})
        })
        .collect();
    assert!(messages.len() % 2 == 1, "the last message is not from the user");
    let written = json!({"messages": messages, "mode": mode}).to_string();
    // Escapes may make it longer than a body can be.
    if written.len() <= super::chat_request::MAX_BODY {
        let again = ChatRequest::from_json(written.as_bytes(), &POLICY).expect("what was taken is taken again");
        assert_eq!((&again.conversation, again.mode.id()), (&request.conversation, mode));
    }
}

fn is_told(refusal: Refusal) {
    let answer = problem::answer(&HttpError::Refused(refusal), "r-1");
    assert!(answer.response.status().is_client_error(), "{:?}", answer.response.status());
    let Body::Full(body) = answer.response.into_body() else { panic!("a stream") };
    let document: Value = serde_json::from_slice(&body).expect("JSON");
    assert!(document["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{document}");
    assert!(document.get("pointer").is_none_or(|pointer| pointer.as_str().is_some_and(|it| it.starts_with('/'))));
}

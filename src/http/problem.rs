//! Problem documents (RFC 9457): errors before a stream starts.

use http::HeaderValue;
use http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use serde::Serialize;

use super::answer::Answer;
use super::error::{HttpError, Refusal};
use super::sse::X_REQUEST_ID;
use crate::chat::ChatError;

#[derive(Serialize)]
struct Problem<'a> {
    r#type: String,
    title: String,
    status: u16,
    detail: &'a str,
    code: &'static str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<&'a str>,
}

/// The answer that tells an error to a client.
pub(super) fn answer(error: &HttpError, request_id: &str) -> Answer {
    let telling = error.telling();
    let problem = Problem {
        r#type: format!("urn:problem-type:bro-buddy:{}", telling.code),
        title: title(telling.code),
        status: telling.status.as_u16(),
        detail: error.detail(),
        code: telling.code,
        request_id,
        pointer: match error {
            HttpError::Refused(Refusal::InvalidRequest { pointer, .. }) => pointer.as_deref(),
            _ => None,
        },
    };
    let mut answer = Answer::json(telling.status, "application/problem+json", &problem);
    if let Ok(id) = HeaderValue::from_str(request_id) {
        answer = answer.header(X_REQUEST_ID, id);
    }
    if let Some(seconds) = telling.retry_after {
        answer = answer.header(RETRY_AFTER, seconds.into());
    }
    match error {
        HttpError::Refused(Refusal::MethodNotAllowed { allow }) => {
            answer.header(ALLOW, HeaderValue::from_static(allow))
        }
        HttpError::Refused(Refusal::Unauthorized) => {
            answer.header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"bro-buddy\""))
        }
        _ => answer,
    }
}

impl Answer {
    /// The answer to a request that has met a bug of ours.
    pub fn internal(request_id: &str) -> Self {
        answer(&HttpError::Failed(ChatError::Internal), request_id)
    }
}

/// `model_not_found` reads "Model not found".
fn title(code: &str) -> String {
    let mut words = code.replace('_', " ").replace("json", "JSON");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

//! A buffered answer: a JSON document that holds the whole response, or is itself the response.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::Response;
use serde::Deserialize;
use serde_json::Value;

use super::answer::{self, Answer};
use super::prelude::{HeaderValues, Prelude};
use crate::failure::Failure;

/// Everything but the status may be missing, or null as Go's types write what is not set.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    status_code: StatusCode,
    headers: Option<BTreeMap<String, HeaderValues>>,
    cookies: Option<Vec<String>>,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
}

/// A number, or a string with one, which AWS accepts here.
#[derive(Deserialize)]
#[serde(untagged)]
enum StatusCode {
    Number(u16),
    Text(String),
}

impl StatusCode {
    fn number(self) -> Result<u16, Failure> {
        match self {
            Self::Number(number) => Ok(number),
            Self::Text(text) => text
                .parse()
                .map_err(|_| Failure::invalid_response(format!("the status of the response is no number: {text:?}"))),
        }
    }
}

/// Makes the response that a function URL makes of a buffered answer. A document without
/// `statusCode` is the body of a 200, a JSON string without its quotes.
pub(super) fn read(document: &Bytes) -> Result<Response<Answer>, Failure> {
    let unreadable = |error| Failure::invalid_response(format!("the response cannot be read: {error}"));
    let value: Value = serde_json::from_slice(document).map_err(unreadable)?;
    if value.get("statusCode").is_none() {
        let body = match value {
            Value::String(text) => Bytes::from(text),
            _ => document.clone(),
        };
        return answer::whole(&inferred(), body);
    }
    let document: Document = serde_json::from_value(value).map_err(unreadable)?;
    let body = document.body.unwrap_or_default();
    let body = if document.is_base64_encoded.unwrap_or_default() {
        let decoded = BASE64.decode(&body);
        decoded
            .map(Bytes::from)
            .map_err(|error| Failure::invalid_response(format!("the body is not base64: {error}")))?
    } else {
        Bytes::from(body)
    };
    let prelude = Prelude {
        status_code: document.status_code.number()?,
        headers: document.headers.unwrap_or_default(),
        cookies: document.cookies.unwrap_or_default(),
    };
    answer::whole(&prelude, body)
}

fn inferred() -> Prelude {
    Prelude { status_code: 200, headers: BTreeMap::new(), cookies: Vec::new() }
}

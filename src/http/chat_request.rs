//! What a chat request says, in either form of the body or in the query, held to the rules.

use serde::Deserialize;

use super::error::Refusal;
use super::json_object::Object;
use super::query;
use crate::chat::{Conversation, Message, Role};
use crate::policy::{Mode, Policy};

/// The largest body, in bytes.
pub(super) const MAX_BODY: usize = 64 * 1024;

/// A request that keeps every rule.
#[derive(Debug)]
pub(super) struct ChatRequest<'p> {
    pub(super) conversation: Conversation,
    pub(super) mode: &'p Mode,
}

/// Both forms at once, as serde reads them; which one it is, is decided afterwards.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    message: Option<String>,
    messages: Option<Vec<Object<Message>>>,
    mode: Option<String>,
}

impl<'p> ChatRequest<'p> {
    /// Parses a JSON body.
    ///
    /// # Errors
    /// [`Refusal::PayloadTooLarge`], [`Refusal::InvalidJson`], or [`Refusal::InvalidRequest`] with a pointer.
    pub(super) fn from_json(body: &[u8], policy: &'p Policy) -> Result<Self, Refusal> {
        if body.len() > MAX_BODY {
            return Err(Refusal::PayloadTooLarge);
        }
        let mut json = serde_json::Deserializer::from_slice(body);
        let Object(draft): Object<Draft> = serde_path_to_error::deserialize(&mut json).map_err(not_a_draft)?;
        json.end().map_err(|error| Refusal::InvalidJson { detail: error.to_string() })?;
        draft.hold_to(policy)
    }

    /// Parses the query string of the `EventSource` form.
    ///
    /// # Errors
    /// As [`ChatRequest::from_json`].
    pub(super) fn from_query(query: &str, policy: &'p Policy) -> Result<Self, Refusal> {
        if query.len() > MAX_BODY {
            return Err(Refusal::PayloadTooLarge);
        }
        let [message, mode] = query::parse(query, ["message", "mode"])?;
        Draft { message, messages: None, mode }.hold_to(policy)
    }
}

impl Draft {
    fn hold_to(self, policy: &Policy) -> Result<ChatRequest<'_>, Refusal> {
        let mode = match &self.mode {
            None => policy.default_mode(),
            Some(id) => policy.mode(id).ok_or_else(|| {
                let known: Vec<_> = policy.modes().iter().map(Mode::id).collect();
                invalid("/mode", format!("must be one of {}", known.join(", ")))
            })?,
        };
        let short_form = self.message.is_some();
        let messages = match (self.message, self.messages) {
            (Some(content), None) => vec![Message { role: Role::User, content }],
            (None, Some(messages)) => messages.into_iter().map(|Object(message)| message).collect(),
            (Some(_), Some(_)) => return Err(invalid("", "give either message or messages, not both")),
            (None, None) => return Err(invalid("", "message or messages is missing")),
        };
        let conversation = Conversation::parse(messages).map_err(|broken| {
            let pointer = match (broken.message, broken.field) {
                _ if short_form => "/message".to_owned(),
                (Some(n), Some(field)) => format!("/messages/{n}/{field}"),
                _ => "/messages".to_owned(),
            };
            invalid(&pointer, broken.rule)
        })?;
        Ok(ChatRequest { conversation, mode })
    }
}

/// Broken syntax is `invalid_json`; sound JSON of another shape is `invalid_request`, with the place.
fn not_a_draft(error: serde_path_to_error::Error<serde_json::Error>) -> Refusal {
    let pointer = pointer(error.path());
    let error = error.into_inner();
    if error.is_data() {
        // serde_json ends its message with the line and column, which a pointer says better.
        let detail = error.to_string();
        let detail = detail.rsplit_once(" at line ").map_or(detail.as_str(), |(before, _)| before);
        invalid(&pointer, detail)
    } else {
        Refusal::InvalidJson { detail: error.to_string() }
    }
}

/// `messages[2].content` as `/messages/2/content` (RFC 6901).
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            Segment::Enum { .. } | Segment::Unknown => String::new(),
        })
        .collect()
}

fn invalid(pointer: &str, detail: impl Into<String>) -> Refusal {
    Refusal::InvalidRequest { pointer: (!pointer.is_empty()).then(|| pointer.to_owned()), detail: detail.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        Policy::built_in().expect("starts")
    }

    /// The code, and the pointer where there is one.
    fn refused(body: &str) -> (&'static str, Option<String>) {
        match ChatRequest::from_json(body.as_bytes(), &policy()) {
            Ok(_) => panic!("{body} was taken"),
            Err(Refusal::InvalidRequest { pointer, .. }) => ("invalid_request", pointer),
            Err(Refusal::InvalidJson { .. }) => ("invalid_json", None),
            Err(Refusal::PayloadTooLarge) => ("payload_too_large", None),
            Err(other) => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn both_forms_say_the_same() {
        let policy = policy();
        let short = ChatRequest::from_json(br#"{"message":"Yo","mode":"zen"}"#, &policy).expect("short");
        let long = r#"{"messages":[{"role":"user","content":"Yo"}],"mode":"zen"}"#;
        let long = ChatRequest::from_json(long.as_bytes(), &policy).expect("long");
        let query = ChatRequest::from_query("message=Yo&mode=zen", &policy).expect("query");
        for request in [&long, &query] {
            assert_eq!((&request.conversation, request.mode.id()), (&short.conversation, "zen"));
        }
    }

    #[test]
    fn the_mode_defaults_to_the_policys() {
        let policy = policy();
        assert_eq!(ChatRequest::from_json(br#"{"message":"Yo"}"#, &policy).expect("taken").mode.id(), "bro");
    }

    #[test]
    fn bad_bodies_are_told_apart_and_pointed_at() {
        let table = [
            ("", "invalid_json", None),
            ("{", "invalid_json", None),
            (r#"{"message":"Yo"} x"#, "invalid_json", None),
            (r#"{"message":"\ud800"}"#, "invalid_json", None),
            ("{\"message\":\"\u{1}\"}", "invalid_json", None),
            ("[]", "invalid_request", None),
            ("null", "invalid_request", None),
            ("{}", "invalid_request", None),
            (r#"{"message":"Yo","messages":[]}"#, "invalid_request", None),
            (r#"["Yo",null,"zen"]"#, "invalid_request", None),
            (r#"{"messages":[["user","Yo"]]}"#, "invalid_request", Some("/messages/0")),
            (r#"{"message":"Yo","message":"Yo"}"#, "invalid_request", None),
            (r#"{"message":"Yo","max_tokens":4000}"#, "invalid_request", Some("/max_tokens")),
            (r#"{"message":1}"#, "invalid_request", Some("/message")),
            (r#"{"message":"  "}"#, "invalid_request", Some("/message")),
            (r#"{"message":"Yo","mode":"evil"}"#, "invalid_request", Some("/mode")),
            (r#"{"messages":[]}"#, "invalid_request", Some("/messages")),
            (r#"{"messages":[{"role":"system","content":"x"}]}"#, "invalid_request", Some("/messages/0/role")),
            (r#"{"messages":[{"role":"assistant","content":"x"}]}"#, "invalid_request", Some("/messages/0/role")),
            (r#"{"messages":[{"role":"user"}]}"#, "invalid_request", Some("/messages/0")),
            (r#"{"messages":[{"role":"user","content":""}]}"#, "invalid_request", Some("/messages/0/content")),
            (r#"{"messages":[{"role":"user","content":"x","name":"y"}]}"#, "invalid_request", Some("/messages/0/name")),
        ];
        for (body, code, pointer) in table {
            assert_eq!(refused(body), (code, pointer.map(ToOwned::to_owned)), "{body}");
        }
    }

    #[test]
    fn an_unknown_field_is_named() {
        let policy = policy();
        let Err(Refusal::InvalidRequest { detail, .. }) =
            ChatRequest::from_json(br#"{"message":"Yo","temperature":2}"#, &policy)
        else {
            panic!("was taken");
        };
        assert!(detail.contains("temperature"), "{detail}");
    }

    #[test]
    fn a_body_over_64_kib_is_too_large_before_it_is_parsed() {
        assert_eq!(refused(&"x".repeat(MAX_BODY + 1)).0, "payload_too_large");
        assert_eq!(refused(&" ".repeat(MAX_BODY)).0, "invalid_json");
    }
}

//! The rules of what may be asked: turns, their order and their size.

use serde::Deserialize;

/// The most messages in a conversation.
pub(crate) const MAX_MESSAGES: usize = 20;
/// The most characters (Unicode scalar values) in one message.
pub(crate) const MAX_MESSAGE_CHARS: usize = 4_000;
/// The most characters in all messages together.
pub(crate) const MAX_TOTAL_CHARS: usize = 16_000;

/// Who wrote a message. Assistant turns come back from the client and are as untrusted as user turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The person.
    User,
    /// The model, as the client remembers it.
    Assistant,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Who wrote it.
    pub role: Role,
    /// What it says.
    pub content: String,
}

/// Messages that keep every rule: first and last from the user, roles alternating, none blank, none too long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation(Vec<Message>);

/// Which message breaks a rule, and which rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleBroken {
    /// The message's index, where one message is at fault.
    pub message: Option<usize>,
    /// Whether the fault is its role or its content.
    pub field: Option<&'static str>,
    /// The rule, for a person. Never repeats what was written.
    pub rule: String,
}

impl Conversation {
    /// Holds messages to the rules.
    ///
    /// # Errors
    /// The first rule that is broken, and by which message.
    pub fn parse(messages: Vec<Message>) -> Result<Self, RuleBroken> {
        if messages.is_empty() {
            return Err(whole("there must be at least one message"));
        }
        if messages.len() > MAX_MESSAGES {
            return Err(whole(format!("there are {} messages; at most {MAX_MESSAGES} are taken", messages.len())));
        }
        let mut total = 0;
        for (n, message) in messages.iter().enumerate() {
            let expected = if n % 2 == 0 { Role::User } else { Role::Assistant };
            if message.role != expected {
                return Err(one(n, "role", "the first message must be from the user, and roles must alternate"));
            }
            if message.content.trim().is_empty() {
                return Err(one(n, "content", "must not be blank"));
            }
            let chars = message.content.chars().count();
            if chars > MAX_MESSAGE_CHARS {
                return Err(one(
                    n,
                    "content",
                    format!("has {chars} characters; at most {MAX_MESSAGE_CHARS} are taken"),
                ));
            }
            total += chars;
        }
        if messages.len().is_multiple_of(2) {
            return Err(one(messages.len() - 1, "role", "the last message must be from the user"));
        }
        if total > MAX_TOTAL_CHARS {
            return Err(whole(format!(
                "the messages have {total} characters in all; at most {MAX_TOTAL_CHARS} are taken"
            )));
        }
        Ok(Self(messages))
    }

    /// The messages in order.
    pub fn messages(&self) -> &[Message] {
        &self.0
    }
}

fn whole(rule: impl Into<String>) -> RuleBroken {
    RuleBroken { message: None, field: None, rule: rule.into() }
}

fn one(message: usize, field: &'static str, rule: impl Into<String>) -> RuleBroken {
    RuleBroken { message: Some(message), field: Some(field), rule: rule.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn talk(turns: &[&str]) -> Vec<Message> {
        let role = |n| if n % 2 == 0 { Role::User } else { Role::Assistant };
        turns.iter().enumerate().map(|(n, text)| Message { role: role(n), content: (*text).to_owned() }).collect()
    }

    fn broken(messages: Vec<Message>) -> (Option<usize>, Option<&'static str>) {
        let broken = Conversation::parse(messages).expect_err("must be refused");
        (broken.message, broken.field)
    }

    #[test]
    fn turns_alternate_from_the_user_to_the_user() {
        assert_eq!(Conversation::parse(talk(&["a", "b", "c"])).expect("kept").messages().len(), 3);
        assert_eq!(broken(vec![]), (None, None));
        assert_eq!(broken(talk(&["a", "b"])), (Some(1), Some("role")));
        assert_eq!(broken(talk(&["a", "b", "c"])[1..].to_vec()), (Some(0), Some("role")));
        let mut twice = talk(&["a", "b", "c"]);
        twice[1].role = Role::User;
        assert_eq!(broken(twice), (Some(1), Some("role")));
    }

    #[test]
    fn blank_messages_are_refused_in_any_script() {
        for blank in ["", " ", "\n\t", "\u{3000}\u{2003}"] {
            assert_eq!(broken(talk(&["a", blank, "c"])), (Some(1), Some("content")), "{blank:?}");
        }
    }

    #[test]
    fn size_is_counted_in_characters_not_bytes() {
        let longest = "é".repeat(MAX_MESSAGE_CHARS);
        assert!(Conversation::parse(talk(&[&longest])).is_ok());
        assert_eq!(broken(talk(&[&format!("{longest}!")])), (Some(0), Some("content")));
    }

    #[test]
    fn the_whole_has_a_limit_of_its_own() {
        let full = "x".repeat(MAX_MESSAGE_CHARS);
        let rest = "x".repeat(MAX_MESSAGE_CHARS - 2);
        assert!(Conversation::parse(talk(&[&full, &full, &full, "y", "z".repeat(3_999).as_str()])).is_ok());
        assert_eq!(broken(talk(&[&full, &full, &full, &rest, "123"])), (None, None));
    }

    #[test]
    fn twenty_messages_are_the_most() {
        assert!(Conversation::parse(talk(&["x"; 19])).is_ok());
        assert_eq!(broken(talk(&["x"; 21])), (None, None));
    }
}

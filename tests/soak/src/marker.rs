//! What a request's prompt says about the request itself: its number, how long its reply is, and how it fails.
//!
//! Requests run at the same time and are tried again by the SDK, so that neither their order nor their count says which
//! is which at Bedrock. Their prompts do.

use std::fmt;

use local_bedrock::{Fault, Prompt};

const WORD: &str = "soak";
const NO_FAULT: &str = "none";

/// How long a reply is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    /// A few kilobytes, as chats are.
    Usual,
    /// Some megabytes: more than the sockets on the way hold, so that a slow reader is felt.
    Large,
}

/// The prompt of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marker {
    pub(crate) number: u64,
    pub(crate) length: Length,
    pub(crate) fault: Option<Fault>,
}

impl Marker {
    /// The marker in a prompt's last message.
    pub(crate) fn of(prompt: &Prompt) -> Option<Self> {
        Self::parse(prompt.messages().last()?.text())
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        if words.next()? != WORD {
            return None;
        }
        let number = words.next()?.parse().ok()?;
        let length = match words.next()? {
            "usual" => Length::Usual,
            "large" => Length::Large,
            _ => return None,
        };
        let fault = match words.next()? {
            NO_FAULT => None,
            name => Some(name.parse().ok()?),
        };
        words.next().is_none().then_some(Self { number, length, fault })
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = match self.length {
            Length::Usual => "usual",
            Length::Large => "large",
        };
        write!(formatter, "{WORD} {} {length} ", self.number)?;
        match &self.fault {
            None => formatter.write_str(NO_FAULT),
            Some(fault) => fault.fmt(formatter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_read_back_from_its_prompt() {
        for fault in [None, Some("throttle"), Some("exception:throttlingException@2"), Some("stall@0")] {
            let fault = fault.map(|fault| fault.parse().expect("a fault"));
            for length in [Length::Usual, Length::Large] {
                let marker = Marker { number: 71, length, fault };
                assert_eq!(Marker::parse(&marker.to_string()), Some(marker));
            }
        }
        assert_eq!(Marker::parse("Yo"), None);
        assert_eq!(Marker::parse("soak 1 usual none more"), None);
    }
}

//! Where a request's time went: moments on its way, each counted from the receipt of the invocation.

use std::time::Duration;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// The moments of one chat request. Serialises as milliseconds; a moment that has not come is null.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Phases {
    /// The caller was let in, the request read and its rules checked.
    pub parse: Option<Duration>,
    /// The policy was laid over the conversation.
    pub govern: Option<Duration>,
    /// Bedrock's response head was there.
    pub bedrock_head: Option<Duration>,
    /// The first content delta was there.
    pub first_delta: Option<Duration>,
    /// The first `token` event was handed to the connection, which writes it to its socket in the same poll.
    pub first_token_write: Option<Duration>,
}

impl Phases {
    /// The phases by name, in order.
    pub fn named(&self) -> [(&'static str, Option<Duration>); 5] {
        [
            ("parse_ms", self.parse),
            ("govern_ms", self.govern),
            ("bedrock_head_ms", self.bedrock_head),
            ("first_delta_ms", self.first_delta),
            ("first_token_write_ms", self.first_token_write),
        ]
    }
}

impl Serialize for Phases {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let named = self.named();
        let mut map = serializer.serialize_map(Some(named.len()))?;
        for (name, moment) in named {
            map.serialize_entry(name, &moment.map(millis))?;
        }
        map.end()
    }
}

/// Milliseconds, to the microsecond.
pub(crate) fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

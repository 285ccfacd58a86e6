//! The time of a signature, in the one form that SigV4 knows: `20150830T123600Z`.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use time::{OffsetDateTime, PrimitiveDateTime, format_description::BorrowedFormatItem, macros::format_description};

use crate::Incomplete;

const BASIC: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day]T[hour][minute][second]Z");
const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day]");

/// A point in time to the second, printed in ISO 8601's basic format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(OffsetDateTime);

impl Timestamp {
    pub(crate) fn parse(text: &str) -> Result<Self, Incomplete> {
        PrimitiveDateTime::parse(text, BASIC)
            .map(|time| Self(time.assume_utc()))
            .map_err(|_| Incomplete::Date(text.to_owned()))
    }

    /// The day alone, as in a credential scope: `20150830`.
    pub(crate) fn day(self) -> String {
        // Formatting a year of four digits with what it is made of cannot fail; an empty day would match nothing.
        self.0.format(DAY).unwrap_or_default()
    }

    pub(crate) fn earlier(self, window: Window) -> Self {
        Self(self.0.checked_sub(window.signed()).unwrap_or(self.0))
    }

    pub(crate) fn later(self, window: Window) -> Self {
        Self(self.0.checked_add(window.signed()).unwrap_or(self.0))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        Self(OffsetDateTime::from(time))
    }
}

impl From<Timestamp> for SystemTime {
    fn from(time: Timestamp) -> Self {
        time.0.into()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.format(BASIC).map_err(|_| fmt::Error)?)
    }
}

/// How long a signature is good, printed as AWS does: `5 min`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window(Duration);

impl Window {
    /// What a client's clock may be off, either way. The IAM guide says "within five minutes", and Bedrock's own
    /// "Signature expired" names five.
    pub(crate) const CLOCK_SKEW: Self = Self(Duration::from_secs(5 * 60));

    /// The life of a presigned request: a week at most.
    pub(crate) fn parse(seconds: &str) -> Result<Self, Incomplete> {
        match seconds.parse() {
            Ok(number @ 1..=604_800) => Ok(Self(Duration::from_secs(number))),
            _ => Err(Incomplete::Expires(seconds.to_owned())),
        }
    }

    fn signed(self) -> time::Duration {
        time::Duration::try_from(self.0).unwrap_or(time::Duration::MAX)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs() {
            seconds if seconds % 60 == 0 => write!(formatter, "{} min", seconds / 60),
            seconds => write!(formatter, "{seconds} sec"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_in_the_basic_format_alone() {
        assert_eq!(Timestamp::parse("20150830T123600Z").unwrap().to_string(), "20150830T123600Z");
        assert_eq!(Timestamp::parse("20150830T123600Z").unwrap().day(), "20150830");
        for text in ["", "20150830", "2015-08-30T12:36:00Z", "20150830T123600", "20151330T123600Z", "Sun, 30 Aug 2015"]
        {
            assert_eq!(Timestamp::parse(text), Err(Incomplete::Date(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn a_presigned_request_lives_for_a_week_at_most() {
        assert_eq!(Window::parse("1").unwrap().to_string(), "1 sec");
        assert_eq!(Window::parse("604800").unwrap().to_string(), "10080 min");
        for seconds in ["0", "604801", "-1", "1.5", ""] {
            assert_eq!(Window::parse(seconds), Err(Incomplete::Expires(seconds.to_owned())));
        }
    }
}

//! How long a client of a closed loop waits after a failure.
//!
//! A server that refuses at once would otherwise be asked as fast as this machine can, which is no load that anybody
//! means, and which would count nothing but refusals.

use std::time::Duration;

use crate::outcome::Outcome;

/// After the first failure; twice as long after each that follows.
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(1);

/// One client's pauses.
#[derive(Debug, Default)]
pub(super) struct Backoff(Option<Duration>);

impl Backoff {
    /// The pause before the next request; nothing after a reply that came whole.
    pub(super) fn after(&mut self, outcome: &Outcome) -> Option<Duration> {
        self.0 = match (outcome.is_done(), self.0) {
            (true, _) => None,
            (false, None) => Some(FIRST),
            (false, Some(last)) => Some((last * 2).min(LONGEST)),
        };
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_second_and_end_with_a_reply_that_came_whole() {
        let (refused, mut backoff) = (Outcome::ConnectFailed, Backoff::default());
        assert_eq!(backoff.after(&Outcome::Done), None);
        for expected in [100, 200, 400, 800, 1_000, 1_000] {
            assert_eq!(backoff.after(&refused), Some(Duration::from_millis(expected)));
        }
        assert_eq!(backoff.after(&Outcome::Done), None);
        assert_eq!(backoff.after(&refused), Some(FIRST));
    }
}

//! Whose turn it is in a closed loop of several clients.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::load::{Amount, Load};

/// The requests of one load, handed out one by one.
#[derive(Debug)]
pub(crate) struct Turns {
    load: Load,
    taken: AtomicU64,
    /// When the first measured one was handed out.
    began: OnceLock<Instant>,
}

/// What becomes of a request's sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    LeftOut,
    Measured,
}

impl Turns {
    pub(crate) fn new(load: Load) -> Self {
        Self { load, taken: AtomicU64::new(0), began: OnceLock::new() }
    }

    /// The next request, or none where there have been enough.
    pub(crate) fn next(&self) -> Option<Turn> {
        let Some(measured) = self.taken.fetch_add(1, Ordering::Relaxed).checked_sub(self.load.warm_up) else {
            return Some(Turn::LeftOut);
        };
        let goes_on = match self.load.amount {
            Amount::Requests(count) => measured < count.get(),
            Amount::During(time) => self.began.get_or_init(Instant::now).elapsed() < time,
        };
        goes_on.then_some(Turn::Measured)
    }
}

#[cfg(test)]
mod tests {
    use std::num::{NonZeroU64, NonZeroUsize};
    use std::time::Duration;

    use super::*;

    fn turns(amount: Amount, warm_up: u64) -> Vec<Turn> {
        let turns = Turns::new(Load { clients: NonZeroUsize::MIN, amount, warm_up, tokens: 1 });
        std::iter::from_fn(|| turns.next()).collect()
    }

    #[test]
    fn the_warm_up_is_left_out_and_then_as_many_requests_are_measured_as_were_asked_for() {
        let two = NonZeroU64::MIN.saturating_add(1);
        let expected = [Turn::LeftOut, Turn::LeftOut, Turn::LeftOut, Turn::Measured, Turn::Measured];
        assert_eq!(turns(Amount::Requests(two), 3), expected);
    }

    #[test]
    fn a_time_ends_the_measured_requests_and_not_the_warm_up() {
        assert_eq!(turns(Amount::During(Duration::ZERO), 2), [Turn::LeftOut; 2]);
    }
}

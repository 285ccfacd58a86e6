//! How far a run goes: what is left out at its beginning, and when no more requests are started.

use std::num::NonZeroU64;
use std::time::Duration;

/// What is left out at the beginning of a run: its requests are made, and are in no figure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WarmUp {
    /// Nothing.
    #[default]
    None,
    /// So many requests.
    Requests(NonZeroU64),
    /// Requests whose intended start lies within this time.
    Duration(Duration),
}

/// To which part of a run a request belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    WarmUp,
    Measured,
}

/// When no more requests are started: after so many measured ones, after a time, or whichever comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    requests: Option<NonZeroU64>,
    duration: Option<Duration>,
}

impl Extent {
    /// So many measured requests.
    #[must_use]
    pub fn requests_of(count: NonZeroU64) -> Self {
        Self { requests: Some(count), duration: None }
    }

    /// So long, counted from the end of the warm-up.
    #[must_use]
    pub fn duration_of(duration: Duration) -> Self {
        Self { requests: None, duration: Some(duration) }
    }

    /// Whichever comes first.
    #[must_use]
    pub fn either(count: NonZeroU64, duration: Duration) -> Self {
        Self { requests: Some(count), duration: Some(duration) }
    }

    /// Measured requests at most.
    #[must_use]
    pub fn requests(&self) -> Option<NonZeroU64> {
        self.requests
    }

    /// The time in which measured requests start.
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        self.duration
    }

    /// Whether no request may start `since` the end of the warm-up, after so many measured ones.
    pub(crate) fn is_over(&self, since: Duration, measured: u64) -> bool {
        self.requests.is_some_and(|most| measured >= most.get()) || self.duration.is_some_and(|most| since >= most)
    }
}

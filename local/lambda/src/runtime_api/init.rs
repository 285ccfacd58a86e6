//! A sandbox's initialisation: from the start of its process until that asks for its first invocation.

use std::time::Duration;

use tokio::time::Instant;

use crate::failure::Failure;
use crate::logs::Phase;

/// How far the initialisation is.
#[derive(Debug)]
pub(super) enum Init {
    /// The process starts for the first time, with a time limit of its own.
    First { began: Instant },
    /// It failed, and is tried once more within the invocation that waits for it, which must be answered by then.
    Again { began: Instant, until: Instant },
    /// The process has reported why it cannot start.
    Failed { began: Instant, again: Option<Instant>, failure: Failure },
    /// The process has asked for its first invocation. What that took is kept for the first invocation's report.
    Done { took: Option<Duration>, until: Option<Instant> },
}

/// There is no initialisation that could fail.
pub(super) struct NotInitialising;

impl Init {
    pub(super) fn first(began: Instant) -> Self {
        Self::First { began }
    }

    /// When the initialisation under way began.
    pub(super) fn began(&self) -> Option<Instant> {
        match self {
            Self::First { began } | Self::Again { began, .. } | Self::Failed { began, .. } => Some(*began),
            Self::Done { .. } => None,
        }
    }

    /// Where the initialisation under way belongs.
    pub(super) fn phase(&self) -> Phase {
        match self {
            Self::Again { .. } | Self::Failed { again: Some(_), .. } => Phase::Invoke,
            Self::First { .. } | Self::Failed { again: None, .. } | Self::Done { .. } => Phase::Init,
        }
    }

    /// The process asks for an invocation: returns how long its initialisation took, the first time.
    pub(super) fn ready(&mut self) -> Option<Duration> {
        let took = self.began()?.elapsed();
        let until = if let Self::Again { until, .. } = self { Some(*until) } else { None };
        *self = Self::Done { took: Some(took), until };
        Some(took)
    }

    /// By when the first invocation must be answered, if the initialisation was part of it.
    pub(super) fn deadline(&mut self) -> Option<Instant> {
        if let Self::Done { until, .. } = self { until.take() } else { None }
    }

    /// How long the initialisation took; only the first invocation's report says so.
    pub(super) fn take_duration(&mut self) -> Option<Duration> {
        if let Self::Done { took, .. } = self { took.take() } else { None }
    }

    pub(super) fn fail(&mut self, failure: Failure) -> Result<(), NotInitialising> {
        let (began, again) = match self {
            Self::First { began } => (*began, None),
            Self::Again { began, until } => (*began, Some(*until)),
            Self::Failed { .. } | Self::Done { .. } => return Err(NotInitialising),
        };
        *self = Self::Failed { began, again, failure };
        Ok(())
    }

    /// Whether a failure now would be the first.
    pub(super) fn may_begin_again(&self) -> bool {
        matches!(self, Self::First { .. } | Self::Failed { again: None, .. })
    }

    /// Begins once more, unless that was done already; returns why the first one failed, and how long it took.
    pub(super) fn again(&mut self, failure: &Failure, until: Instant) -> Option<(Failure, Duration)> {
        let (began, failure) = match self {
            Self::First { began } => (*began, failure.clone()),
            Self::Failed { began, again: None, failure } => (*began, failure.clone()),
            Self::Again { .. } | Self::Failed { .. } | Self::Done { .. } => return None,
        };
        let now = Instant::now();
        *self = Self::Again { began: now, until };
        Some((failure, now.saturating_duration_since(began)))
    }

    /// The sandbox has ended: the reason that the process itself gave is the better one. Also returns how long an
    /// initialisation that was under way took.
    pub(super) fn ended(&mut self, failure: Failure) -> (Failure, Option<Duration>) {
        let took = self.began().map(|began| began.elapsed());
        match std::mem::replace(self, Self::Done { took: None, until: None }) {
            Self::Failed { failure, .. } => (failure, took),
            Self::First { .. } | Self::Again { .. } | Self::Done { .. } => (failure, took),
        }
    }
}

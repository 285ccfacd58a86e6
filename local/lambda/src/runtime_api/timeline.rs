//! When what happened to one invocation, for the platform's own log lines.

use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::Instant;

use crate::failure::Failure;
use crate::logs::{PlatformRecord, Span, Status};

/// One invocation's moments.
pub(super) struct Timeline {
    id: String,
    init: Option<Duration>,
    delivered_at: OffsetDateTime,
    delivered: Instant,
    began: Option<Instant>,
    completed: Option<Instant>,
    failure: Option<Failure>,
}

impl Timeline {
    /// The process has the invocation. `init` is given if the sandbox was started for it.
    pub(super) fn delivered(id: String, init: Option<Duration>) -> Self {
        Self {
            id,
            init,
            delivered_at: OffsetDateTime::now_utc(),
            delivered: Instant::now(),
            began: None,
            completed: None,
            failure: None,
        }
    }

    /// The invocation has failed in an initialisation within it, which took that long: the process never had it.
    pub(super) fn undelivered(id: String, took: Duration) -> Self {
        let mut timeline = Self::delivered(id, None);
        timeline.delivered_at -= took;
        timeline.delivered = timeline.delivered.checked_sub(took).unwrap_or(timeline.delivered);
        timeline
    }

    /// The process has begun to answer.
    pub(super) fn began(&mut self) {
        self.began = Some(Instant::now());
    }

    /// The answer is complete.
    pub(super) fn completed(&mut self) {
        self.completed = Some(Instant::now());
    }

    /// The first failure is the one that counts, unless it is only the cut by which a later one became known.
    pub(super) fn failed(&mut self, failure: &Failure) {
        if self.failure.as_ref().is_none_or(Failure::is_cut) {
            self.failure = Some(failure.clone());
        }
    }

    /// The invocation, and the failure that counts.
    pub(super) fn failure(&self) -> Option<(&str, &Failure)> {
        self.failure.as_ref().map(|failure| (self.id.as_str(), failure))
    }

    /// The process has asked for its next invocation, or has ended: `platform.runtimeDone` and `platform.report`.
    pub(super) fn over(self, memory_mb: u32, peak_memory_mb: Option<u64>) -> [PlatformRecord; 2] {
        let now = Instant::now();
        let moments = [Some(self.delivered), self.began, self.completed, Some(now)];
        let names = ["responseLatency", "responseDuration", "runtimeOverhead"];
        let spans = names.into_iter().zip(moments.iter().zip(moments.iter().skip(1)));
        let spans = spans.filter_map(|(name, (from, to))| {
            let (from, to) = ((*from)?, (*to)?);
            Some(Span::new(name, self.delivered_at + (from - self.delivered), to - from))
        });
        let duration = now - self.delivered;
        let status = self.failure.as_ref().map_or(Status::Success, Status::of);
        [
            PlatformRecord::runtime_done(self.id.clone(), status.clone(), spans.collect(), duration),
            PlatformRecord::report(self.id, status, duration, self.init, memory_mb, peak_memory_mb),
        ]
    }
}

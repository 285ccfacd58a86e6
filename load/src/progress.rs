//! How far a run is, for whoever watches it. Drawing it is the command's business.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::distribution::{Distribution, Precision};
use crate::outcome::Outcome;
use crate::sample::Sample;

/// Counts what happens; clones count the same run. The warm-up counts too.
#[derive(Debug, Clone)]
pub struct Progress(Arc<Counters>);

#[derive(Debug)]
struct Counters {
    started: AtomicU64,
    done: AtomicU64,
    failed: AtomicU64,
    tokens: AtomicU64,
    ttft: Mutex<Distribution>,
}

/// How far a run is at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Snapshot {
    /// Requests that were due: those that have been started, and those that never will be.
    pub started: u64,
    /// Replies that came whole.
    pub done: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Tokens of requests that have ended.
    pub tokens: u64,
    /// Median time to first token so far, in milliseconds.
    pub ttft_p50: Option<f64>,
    /// Its 99th percentile.
    pub ttft_p99: Option<f64>,
}

impl Default for Progress {
    fn default() -> Self {
        Self(Arc::new(Counters {
            started: AtomicU64::new(0),
            done: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            tokens: AtomicU64::new(0),
            ttft: Mutex::new(Distribution::new(Precision::Coarse)),
        }))
    }
}

impl Progress {
    pub(crate) fn started(&self) {
        self.0.started.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn ended(&self, sample: &Sample) {
        // Then it leaves none under way.
        if sample.outcome == Outcome::NeverStarted {
            self.started();
        }
        let ended = if sample.outcome.is_done() { &self.0.done } else { &self.0.failed };
        ended.fetch_add(1, Ordering::Relaxed);
        self.0.tokens.fetch_add(sample.tokens, Ordering::Relaxed);
        if let Some(ttft) = sample.first_token {
            self.0.ttft.lock().unwrap_or_else(PoisonError::into_inner).record(ttft);
        }
    }

    /// How far the run is now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let ttft = self.0.ttft.lock().unwrap_or_else(PoisonError::into_inner);
        Snapshot {
            started: count(&self.0.started),
            done: count(&self.0.done),
            failed: count(&self.0.failed),
            tokens: count(&self.0.tokens),
            ttft_p50: ttft.percentile(50.0),
            ttft_p99: ttft.percentile(99.0),
        }
    }
}

//! What happened in each second of the clock, so that several machines' runs can be laid over each other.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use crate::distribution::{Distribution, Precision};
use crate::sample::Sample;

/// One second of a run.
#[derive(Debug, Clone)]
pub struct Second {
    /// Requests whose intended start lies in it.
    pub started: u64,
    /// Replies that came whole in it.
    pub done: u64,
    /// Requests that failed in it.
    pub failed: u64,
    /// Tokens that were read in it, those of failed replies included.
    pub tokens: u64,
    /// Time to first token of the complete replies whose intended start lies in it.
    pub ttft: Distribution,
}

impl Default for Second {
    fn default() -> Self {
        Self { started: 0, done: 0, failed: 0, tokens: 0, ttft: Distribution::new(Precision::Coarse) }
    }
}

/// Seconds since the Unix epoch, and what happened in each. A second in which nothing happened is not there.
#[derive(Debug, Clone, Default)]
pub struct Timeline(BTreeMap<u64, Second>);

impl Timeline {
    /// The seconds in order.
    pub fn seconds(&self) -> impl Iterator<Item = (u64, &Second)> {
        self.0.iter().map(|(epoch, second)| (*epoch, second))
    }

    pub(crate) fn insert(&mut self, epoch_second: u64, second: Second) {
        self.0.insert(epoch_second, second);
    }

    pub(crate) fn record(&mut self, sample: &Sample) {
        let intended = sample.intended.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.at(intended).started += 1;
        if let Some(ttft) = sample.first_token {
            let mut arrival = intended + ttft;
            self.at(arrival).tokens += 1;
            for gap in &sample.gaps {
                arrival += *gap;
                self.at(arrival).tokens += 1;
            }
            if sample.outcome.is_done() {
                self.at(intended).ttft.record(ttft);
            }
        }
        let end = self.at(intended + sample.end);
        if sample.outcome.is_done() { end.done += 1 } else { end.failed += 1 }
    }

    fn at(&mut self, since_epoch: Duration) -> &mut Second {
        self.0.entry(since_epoch.as_secs()).or_default()
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (epoch_second, others) in &other.0 {
            let mine = self.0.entry(*epoch_second).or_default();
            mine.started += others.started;
            mine.done += others.done;
            mine.failed += others.failed;
            mine.tokens += others.tokens;
            mine.ttft.merge(&others.ttft);
        }
    }
}

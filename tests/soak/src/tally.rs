//! What has come of the requests so far.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;

/// Failures of requests that are kept, with all that is known of them, and as many of the soak as a whole, which know
/// less. The others are counted.
const KEPT: usize = 20;

/// The longest time to first token that is told apart, in microseconds.
const LONGEST_US: u64 = 100_000_000;

/// Something that must not be.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    /// Since the start of the soak.
    pub(crate) at: Duration,
    /// What is wrong, a sentence each.
    pub(crate) problems: Vec<String>,
    /// What was asked, what came, what was written.
    pub(crate) evidence: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "after {:.1} s: {}", self.at.as_secs_f64(), self.problems.join("; "))?;
        self.evidence.iter().try_for_each(|evidence| write!(formatter, "\n      {evidence}"))
    }
}

/// Counts and figures.
#[derive(Debug)]
pub(crate) struct Tally {
    /// Requests that are over, those that the platform refused among them.
    pub(crate) requests: u64,
    /// By what came of them.
    pub(crate) outcomes: BTreeMap<String, u64>,
    /// Requests that failed on purpose, by the fault.
    pub(crate) faults: BTreeMap<String, u64>,
    /// Requests that the platform refused.
    pub(crate) refused: u64,
    /// Requests that the platform refused while no burst was on.
    pub(crate) refused_outside_bursts: u64,
    /// Times to first token of undisturbed replies, in microseconds.
    first_tokens: Histogram<u64>,
    failures: u64,
    kept: Vec<Failure>,
}

impl Tally {
    /// # Errors
    /// None that its arguments could cause.
    pub(crate) fn new() -> Result<Self, hdrhistogram::CreationError> {
        Ok(Self {
            requests: 0,
            outcomes: BTreeMap::new(),
            faults: BTreeMap::new(),
            refused: 0,
            refused_outside_bursts: 0,
            first_tokens: Histogram::new_with_bounds(1, LONGEST_US, 3)?,
            failures: 0,
            kept: Vec::new(),
        })
    }

    pub(crate) fn count(&mut self, outcome: impl Into<String>) {
        self.requests += 1;
        *self.outcomes.entry(outcome.into()).or_default() += 1;
    }

    pub(crate) fn first_token(&mut self, after: Duration) {
        self.first_tokens.saturating_record(u64::try_from(after.as_micros()).unwrap_or(u64::MAX));
    }

    /// A quantile of the times to first token, in milliseconds.
    pub(crate) fn first_token_ms(&self, quantile: f64) -> f64 {
        Duration::from_micros(self.first_tokens.value_at_quantile(quantile)).as_secs_f64() * 1_000.0
    }

    pub(crate) fn fail(&mut self, failure: Failure) {
        self.failures += 1;
        let alike = self.kept.iter().filter(|kept| kept.evidence.is_empty() == failure.evidence.is_empty());
        if alike.count() < KEPT {
            self.kept.push(failure);
        }
    }

    /// How many failures there are.
    pub(crate) fn failures(&self) -> u64 {
        self.failures
    }

    /// The first failures.
    pub(crate) fn kept(&self) -> &[Failure] {
        &self.kept
    }
}

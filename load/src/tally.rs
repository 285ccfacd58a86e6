//! Everything that is kept of a run's samples. Tallies add up, whatever their order: those of workers, of machines.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use crate::distribution::Distribution;
use crate::latencies::{Latencies, Metric};
use crate::outcome::Outcome;
use crate::sample::{Sample, Start};
use crate::streaming::Verdict;
use crate::timeline::Timeline;
use crate::waterfall::Waterfall;

/// The most outcomes kept apart. Codes come from the other side; beyond this, new ones count as `other`.
const MOST_OUTCOMES: usize = 200;

/// The sum of many samples.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    pub(crate) warm: Latencies,
    pub(crate) cold: Latencies,
    pub(crate) outcomes: BTreeMap<Outcome, Seen>,
    pub(crate) cold_starts: u64,
    pub(crate) warm_up: u64,
    pub(crate) tokens: Tokens,
    pub(crate) streaming: Streaming,
    pub(crate) waterfall: Waterfall,
    pub(crate) timeline: Timeline,
    pub(crate) span: Option<Span>,
}

/// How often an outcome was seen, and one request's detail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) count: u64,
    pub(crate) example: Option<String>,
}

/// The tokens of complete replies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tokens {
    /// Counted as events.
    pub(crate) events: u64,
    /// Reads that brought at least one.
    pub(crate) reads: u64,
    /// As the server counts them; a reply of which it does not say it counts with its events.
    pub(crate) output: u64,
}

/// How the complete replies came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Streaming {
    pub(crate) streamed: u64,
    pub(crate) buffered: u64,
    pub(crate) too_short: u64,
}

/// From the first intended start to the last end, each since the Unix epoch, to the microsecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: Duration,
    pub(crate) end: Duration,
}

impl Tally {
    /// Counts one measured request.
    pub fn record(&mut self, sample: &Sample) {
        let seen = self.seen(&sample.outcome);
        seen.count += 1;
        if seen.example.is_none() {
            seen.example.clone_from(&sample.detail);
        }
        let intended = sample.intended.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.extend_span(Span { start: to_micros(intended), end: to_micros(intended + sample.end) });
        self.timeline.record(sample);
        if sample.start == Start::Cold {
            self.cold_starts += 1;
        }
        if sample.outcome.is_done() {
            self.record_reply(sample);
        }
    }

    fn record_reply(&mut self, sample: &Sample) {
        match sample.start {
            Start::Warm => self.warm.record(sample),
            Start::Cold => self.cold.record(sample),
        }
        self.tokens.events += sample.tokens;
        self.tokens.reads += sample.token_reads;
        self.tokens.output += sample.output_tokens.unwrap_or(sample.tokens);
        self.waterfall.record(sample);
        match sample.streaming() {
            Verdict::Streamed => self.streaming.streamed += 1,
            Verdict::Buffered => self.streaming.buffered += 1,
            Verdict::TooShort => self.streaming.too_short += 1,
        }
    }

    /// Counts a request of the warm-up, of which nothing else is kept.
    pub fn leave_out(&mut self) {
        self.warm_up += 1;
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        self.warm.merge(&other.warm);
        self.cold.merge(&other.cold);
        for (outcome, others) in &other.outcomes {
            let mine = self.seen(outcome);
            mine.count += others.count;
            if mine.example.is_none() {
                mine.example.clone_from(&others.example);
            }
        }
        self.cold_starts += other.cold_starts;
        self.warm_up += other.warm_up;
        self.tokens.events += other.tokens.events;
        self.tokens.reads += other.tokens.reads;
        self.tokens.output += other.tokens.output;
        self.streaming.streamed += other.streaming.streamed;
        self.streaming.buffered += other.streaming.buffered;
        self.streaming.too_short += other.streaming.too_short;
        self.waterfall.merge(&other.waterfall);
        self.timeline.merge(&other.timeline);
        if let Some(span) = other.span {
            self.extend_span(span);
        }
    }

    fn extend_span(&mut self, other: Span) {
        let span = self.span.get_or_insert(other);
        *span = Span { start: span.start.min(other.start), end: span.end.max(other.end) };
    }

    fn seen(&mut self, outcome: &Outcome) -> &mut Seen {
        let full = self.outcomes.len() >= MOST_OUTCOMES && !self.outcomes.contains_key(outcome);
        let key = match outcome {
            Outcome::Error { .. } if full => Outcome::error("other"),
            Outcome::Problem { status, .. } if full => Outcome::problem(*status, "other"),
            outcome => outcome.clone(),
        };
        self.outcomes.entry(key).or_default()
    }

    /// Measured requests.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.outcomes.values().map(|seen| seen.count).sum()
    }

    /// Measured requests whose reply came whole.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.outcomes.get(&Outcome::Done).map_or(0, |seen| seen.count)
    }

    /// How many requests had an outcome that `matches` says yes to.
    pub fn count(&self, matches: impl Fn(&Outcome) -> bool) -> u64 {
        self.outcomes.iter().filter(|(outcome, _)| matches(outcome)).map(|(_, seen)| seen.count).sum()
    }

    /// Replies that were held back somewhere on the way.
    #[must_use]
    pub fn buffered(&self) -> u64 {
        self.streaming.buffered
    }

    /// A figure of complete replies, warm and cold ones together.
    #[must_use]
    pub fn latency(&self, metric: Metric) -> Distribution {
        let mut both = self.warm.get(metric).clone();
        both.merge(self.cold.get(metric));
        both
    }

    /// Time to first token, from the intended start.
    #[must_use]
    pub fn ttft(&self) -> Distribution {
        self.latency(Metric::Ttft)
    }

    /// From each token to the next.
    #[must_use]
    pub fn gap(&self) -> Distribution {
        self.latency(Metric::Gap)
    }

    /// From the first intended start to the last end.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.span.map_or(Duration::ZERO, |span| span.end.saturating_sub(span.start))
    }

    /// Complete replies per second of [`Tally::duration`].
    #[must_use]
    pub fn requests_per_second(&self) -> f64 {
        self.per_second(self.done())
    }

    /// Output tokens of complete replies per second of [`Tally::duration`].
    #[must_use]
    pub fn tokens_per_second(&self) -> f64 {
        self.per_second(self.tokens.output)
    }

    fn per_second(&self, count: u64) -> f64 {
        let seconds = self.duration().as_secs_f64();
        if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
    }
}

fn to_micros(duration: Duration) -> Duration {
    Duration::new(duration.as_secs(), duration.subsec_micros() * 1_000)
}

//! What a threshold can be about, and its value in a report.

use crate::latencies::Metric;
use crate::outcome::Outcome;
use crate::report::{Latency, Report};

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Figure {
    Latency(Metric, Statistic),
    Count(Count),
    /// Of all measured requests, in percent.
    Share(Count),
    RequestsPerSecond,
    TokensPerSecond,
}

/// What can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    Errors,
    CutOff,
    Buffered,
    Streamed,
    ColdStarts,
    NeverStarted,
}

impl Count {
    pub(super) const ALL: [(&'static str, Self); 6] = [
        ("errors", Self::Errors),
        ("cut_off", Self::CutOff),
        ("buffered", Self::Buffered),
        ("streamed", Self::Streamed),
        ("cold_starts", Self::ColdStarts),
        ("never_started", Self::NeverStarted),
    ];
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Statistic {
    Mean,
    Min,
    P50,
    P90,
    P95,
    P99,
    P99_9,
    Max,
}

impl Statistic {
    pub(super) const ALL: [(&'static str, Self); 9] = [
        ("mean", Self::Mean),
        ("min", Self::Min),
        ("p50", Self::P50),
        ("p90", Self::P90),
        ("p95", Self::P95),
        ("p99", Self::P99),
        ("p99.9", Self::P99_9),
        ("p99_9", Self::P99_9),
        ("max", Self::Max),
    ];

    fn of(self, latency: &Latency) -> f64 {
        match self {
            Self::Mean => latency.mean,
            Self::Min => latency.min,
            Self::P50 => latency.p50,
            Self::P90 => latency.p90,
            Self::P95 => latency.p95,
            Self::P99 => latency.p99,
            Self::P99_9 => latency.p99_9,
            Self::Max => latency.max,
        }
    }
}

impl Figure {
    /// Its value and unit.
    pub(super) fn of(self, report: &Report) -> (Option<f64>, &'static str) {
        let total = report.requests.total as f64;
        match self {
            Self::Latency(metric, statistic) => (report.latency.get(metric).map(|latency| statistic.of(latency)), "ms"),
            Self::Count(count) => (Some(count.of(report) as f64), ""),
            Self::Share(count) => ((total > 0.0).then(|| count.of(report) as f64 * 100.0 / total), "%"),
            Self::RequestsPerSecond => (Some(report.throughput.requests_per_second), "/s"),
            Self::TokensPerSecond => (Some(report.throughput.tokens_per_second), "/s"),
        }
    }
}

impl Count {
    fn of(self, report: &Report) -> u64 {
        let outcomes = |wanted: &Outcome| {
            report.outcomes.iter().filter(|each| each.outcome == *wanted).map(|each| each.count).sum()
        };
        match self {
            Self::Errors => report.requests.failed,
            Self::CutOff => outcomes(&Outcome::CutOff),
            Self::Buffered => report.streaming.buffered,
            Self::Streamed => report.streaming.streamed,
            Self::ColdStarts => report.requests.cold_starts,
            Self::NeverStarted => outcomes(&Outcome::NeverStarted),
        }
    }
}

//! A tally's figures, as they go into a report.

use std::cmp::Reverse;
use std::time::SystemTime;

use super::{
    Latency, LatencyReport, OutcomeCount, Report, Requests, Run, SCHEMA, SecondReport, StepsReport, StreamingReport,
    Throughput, WaterfallReport,
};
use crate::distribution::Distribution;
use crate::latencies::{Latencies, Metric};
use crate::tally::Tally;
use crate::waterfall::{Step, Steps, Waterfall};

impl Report {
    /// The report of a tally, and of how it came to be. Thresholds are judged later.
    #[must_use]
    pub fn new(tally: &Tally, runs: Vec<Run>) -> Self {
        let mut all = tally.warm.clone();
        all.merge(&tally.cold);
        Self {
            schema: SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: tally
                .span
                .map(|span| humantime::format_rfc3339_micros(SystemTime::UNIX_EPOCH + span.start).to_string()),
            duration_s: tally.duration().as_secs_f64(),
            runs,
            requests: Requests {
                total: tally.requests(),
                done: tally.done(),
                failed: tally.requests() - tally.done(),
                cold_starts: tally.cold_starts,
                warm_up: tally.warm_up,
            },
            outcomes: outcomes(tally),
            latency: latency_report(&all),
            cold: some_latency_report(&tally.cold),
            warm: some_latency_report(&tally.warm),
            throughput: Throughput {
                requests_per_second: tally.requests_per_second(),
                tokens_per_second: tally.tokens_per_second(),
                output_tokens: tally.tokens.output,
                token_events: tally.tokens.events,
            },
            streaming: streaming(tally),
            waterfall: waterfall(&tally.waterfall),
            timeline: timeline(tally),
            thresholds: Vec::new(),
        }
    }
}

fn outcomes(tally: &Tally) -> Vec<OutcomeCount> {
    let mut outcomes: Vec<_> = tally
        .outcomes
        .iter()
        .map(|(outcome, seen)| OutcomeCount {
            outcome: outcome.clone(),
            count: seen.count,
            example: seen.example.clone(),
        })
        .collect();
    // Stable: equal counts stay in the order of their kind.
    outcomes.sort_by_key(|outcome| Reverse(outcome.count));
    outcomes
}

fn some_latency_report(latencies: &Latencies) -> Option<LatencyReport> {
    (latencies.get(Metric::Total).count() > 0).then(|| latency_report(latencies))
}

fn latency_report(latencies: &Latencies) -> LatencyReport {
    let figure = |metric| latency(latencies.get(metric));
    LatencyReport {
        connect: figure(Metric::Connect),
        tls: figure(Metric::Tls),
        head: figure(Metric::Head),
        first_event: figure(Metric::FirstEvent),
        ttft: figure(Metric::Ttft),
        gap: figure(Metric::Gap),
        stall: figure(Metric::Stall),
        tpot: figure(Metric::Tpot),
        total: figure(Metric::Total),
    }
}

/// Nothing for an empty one.
fn latency(distribution: &Distribution) -> Option<Latency> {
    Some(Latency {
        count: distribution.count(),
        mean: distribution.mean()?,
        min: distribution.min()?,
        p50: distribution.percentile(50.0)?,
        p90: distribution.percentile(90.0)?,
        p95: distribution.percentile(95.0)?,
        p99: distribution.percentile(99.0)?,
        p99_9: distribution.percentile(99.9)?,
        max: distribution.max()?,
        histogram: distribution.encode(),
    })
}

fn streaming(tally: &Tally) -> StreamingReport {
    let tokens = tally.tokens;
    StreamingReport {
        streamed: tally.streaming.streamed,
        buffered: tally.streaming.buffered,
        too_short: tally.streaming.too_short,
        token_reads: tokens.reads,
        reads_per_token: (tokens.events > 0).then(|| tokens.reads as f64 / tokens.events as f64),
    }
}

fn waterfall(waterfall: &Waterfall) -> WaterfallReport {
    let Waterfall { warm, cold } = waterfall;
    let warm_network = (warm.count() > 0).then(|| warm.mean(Step::Network));
    let cold_start = warm_network.map_or(0.0, |warm| (cold.mean(Step::Network) - warm).max(0.0));
    WaterfallReport { warm: steps(warm, 0.0), cold: steps(cold, cold_start) }
}

fn steps(steps: &Steps, cold_start: f64) -> Option<StepsReport> {
    (steps.count() > 0).then(|| StepsReport {
        count: steps.count(),
        queue: steps.mean(Step::Queue),
        connect: steps.mean(Step::Connect),
        tls: steps.mean(Step::Tls),
        cold_start,
        network: steps.mean(Step::Network) - cold_start,
        parse: steps.mean(Step::Parse),
        govern: steps.mean(Step::Govern),
        bedrock_head: steps.mean(Step::BedrockHead),
        first_delta: steps.mean(Step::FirstDelta),
        first_write: steps.mean(Step::FirstWrite),
        ttft: steps.mean_of_all(),
    })
}

fn timeline(tally: &Tally) -> Vec<SecondReport> {
    let seconds = tally.timeline.seconds().map(|(epoch_s, second)| SecondReport {
        epoch_s,
        started: second.started,
        done: second.done,
        failed: second.failed,
        tokens: second.tokens,
        ttft: latency(&second.ttft),
    });
    seconds.collect()
}

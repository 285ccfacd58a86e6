//! A report's figures, as a tally again: what merging is made of.

use std::time::{Duration, SystemTime};

use super::{Latency, LatencyReport, Report, SCHEMA, StepsReport};
use crate::distribution::{Distribution, InvalidHistogram, Precision};
use crate::latencies::{Latencies, Metric};
use crate::tally::{Seen, Span, Streaming, Tally, Tokens};
use crate::timeline::{Second, Timeline};
use crate::waterfall::{Steps, Waterfall};

/// A document that is no report of this program.
#[derive(Debug, thiserror::Error)]
pub enum InvalidReport {
    /// Another document, or a version that this program does not know.
    #[error("its schema is {0:?}; this program reads {SCHEMA:?}")]
    Schema(String),
    /// A histogram that cannot be read.
    #[error("{name}: {source}")]
    Histogram {
        /// Which figure's.
        name: String,
        /// What is wrong with it.
        source: InvalidHistogram,
    },
    /// A time that cannot be read.
    #[error("started_at is {0:?}, no RFC 3339 time after 1970")]
    StartedAt(String),
    /// A duration that cannot be.
    #[error("duration_s is {0}, no number of seconds")]
    Duration(f64),
}

impl TryFrom<&Report> for Tally {
    type Error = InvalidReport;

    fn try_from(report: &Report) -> Result<Self, InvalidReport> {
        if report.schema != SCHEMA {
            return Err(InvalidReport::Schema(report.schema.clone()));
        }
        let outcomes = report
            .outcomes
            .iter()
            .map(|each| (each.outcome.clone(), Seen { count: each.count, example: each.example.clone() }));
        Ok(Self {
            warm: latencies("warm", report.warm.as_ref())?,
            cold: latencies("cold", report.cold.as_ref())?,
            outcomes: outcomes.collect(),
            cold_starts: report.requests.cold_starts,
            warm_up: report.requests.warm_up,
            tokens: Tokens {
                events: report.throughput.token_events,
                reads: report.streaming.token_reads,
                output: report.throughput.output_tokens,
            },
            streaming: Streaming {
                streamed: report.streaming.streamed,
                buffered: report.streaming.buffered,
                too_short: report.streaming.too_short,
            },
            waterfall: Waterfall {
                warm: steps(report.waterfall.warm.as_ref()),
                cold: steps(report.waterfall.cold.as_ref()),
            },
            timeline: timeline(report)?,
            span: span(report)?,
        })
    }
}

impl Latency {
    /// The whole distribution.
    ///
    /// # Errors
    /// When the histogram cannot be read.
    pub fn distribution(&self) -> Result<Distribution, InvalidHistogram> {
        Distribution::decode(&self.histogram, self.mean)
    }
}

fn latencies(name: &str, report: Option<&LatencyReport>) -> Result<Latencies, InvalidReport> {
    let mut latencies = Latencies::default();
    let Some(report) = report else { return Ok(latencies) };
    for metric in Metric::ALL {
        if let Some(latency) = report.get(metric) {
            *latencies.get_mut(metric) = distribution(latency, || format!("{name}.{metric}"))?;
        }
    }
    Ok(latencies)
}

fn distribution(latency: &Latency, name: impl FnOnce() -> String) -> Result<Distribution, InvalidReport> {
    latency.distribution().map_err(|source| InvalidReport::Histogram { name: name(), source })
}

fn steps(report: Option<&StepsReport>) -> Steps {
    let Some(report) = report else { return Steps::default() };
    // What is shown as the start of a sandbox is the platform's, and is told apart again after merging.
    let network = report.network + report.cold_start;
    let StepsReport { queue, connect, tls, parse, govern, bedrock_head, first_delta, first_write, .. } = *report;
    let means = [queue, connect, tls, network, parse, govern, bedrock_head, first_delta, first_write];
    Steps::from_means(report.count, means)
}

fn timeline(report: &Report) -> Result<Timeline, InvalidReport> {
    let mut timeline = Timeline::default();
    for each in &report.timeline {
        let ttft = match &each.ttft {
            Some(ttft) => distribution(ttft, || format!("timeline at {}", each.epoch_s))?,
            None => Distribution::new(Precision::Coarse),
        };
        let second = Second { started: each.started, done: each.done, failed: each.failed, tokens: each.tokens, ttft };
        timeline.insert(each.epoch_s, second);
    }
    Ok(timeline)
}

fn span(report: &Report) -> Result<Option<Span>, InvalidReport> {
    let Some(started_at) = &report.started_at else { return Ok(None) };
    let start = humantime::parse_rfc3339(started_at).ok();
    let start = start.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    let start = start.ok_or_else(|| InvalidReport::StartedAt(started_at.clone()))?;
    // To the microsecond, as it was.
    let duration = Duration::try_from_secs_f64((report.duration_s * 1e6).round() / 1e6);
    let end = duration.ok().and_then(|duration| start.checked_add(duration));
    let end = end.ok_or(InvalidReport::Duration(report.duration_s))?;
    Ok(Some(Span { start, end }))
}

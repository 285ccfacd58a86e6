//! The JSON document of a run, or of several merged ones. Its JSON Schema is `load/schema/report.json`.
//!
//! It holds every figure's whole histogram, so that a document can become a [`Tally`](crate::Tally) again and be
//! merged with others without averaging a percentile. Not here: the table for people ([`crate::table`]) and the page
//! ([`crate::html`]).

mod from_tally;
mod merge;
mod run;
mod to_tally;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use run::{Ended, LoadReport, Run, WarmUpReport};
pub use to_tally::InvalidReport;

use crate::latencies::Metric;
use crate::outcome::Outcome;

/// What the field `schema` says. A change that breaks readers changes the number.
pub const SCHEMA: &str = "bro-load/1";

/// The JSON Schema of [`Report`], as it is committed.
#[must_use]
pub fn schema() -> String {
    let schema = schemars::schema_for!(Report);
    // Cannot fail: a schema is JSON already.
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

/// A run's result. Failed requests are counted in `requests` and `outcomes`; every other figure is of complete replies
/// alone, unless it says otherwise.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// `bro-load/1`.
    pub schema: String,
    /// The version of the program that measured or merged.
    pub version: String,
    /// The first measured request's intended start (RFC 3339, UTC, to the microsecond); null without a request.
    pub started_at: Option<String>,
    /// Seconds from there to the end of the last measured request.
    pub duration_s: f64,
    /// How each of the merged runs was made; one for a run by itself.
    pub runs: Vec<Run>,
    /// How many requests there were.
    pub requests: Requests,
    /// How they ended, the most frequent first.
    pub outcomes: Vec<OutcomeCount>,
    /// Latencies of all complete replies.
    pub latency: LatencyReport,
    /// Latencies of those that a fresh sandbox made; null where there were none.
    pub cold: Option<LatencyReport>,
    /// Latencies of the others; null where there were none.
    pub warm: Option<LatencyReport>,
    /// What was carried.
    pub throughput: Throughput,
    /// Whether replies came as streams.
    pub streaming: StreamingReport,
    /// Where the time to first token went.
    pub waterfall: WaterfallReport,
    /// What happened in each second of the clock; seconds in which nothing happened are left out.
    pub timeline: Vec<SecondReport>,
    /// What became of each `--fail-if`.
    pub thresholds: Vec<ThresholdReport>,
}

/// Requests by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Requests {
    /// Measured requests.
    pub total: u64,
    /// Of these, the ones whose reply came whole.
    pub done: u64,
    /// And the others.
    pub failed: u64,
    /// Measured requests that had a fresh sandbox started, failed ones included.
    pub cold_starts: u64,
    /// Requests of the warm-up, which are in no figure.
    pub warm_up: u64,
}

/// How often requests ended in one way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutcomeCount {
    /// Which way.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// How often.
    pub count: u64,
    /// What exactly went wrong with one of them, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
}

/// The latency figures; null where nothing was counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LatencyReport {
    /// Resolving the name and opening the TCP connection; reused connections do not count.
    pub connect: Option<Latency>,
    /// The TLS handshake; reused connections do not count.
    pub tls: Option<Latency>,
    /// From the intended start to the response head.
    pub head: Option<Latency>,
    /// From the intended start to the first event of any kind.
    pub first_event: Option<Latency>,
    /// From the intended start to the first token with a text.
    pub ttft: Option<Latency>,
    /// From each token to the next.
    pub gap: Option<Latency>,
    /// The longest gap of a reply.
    pub stall: Option<Latency>,
    /// Time per output token: first token to last, over the output tokens after the first.
    pub tpot: Option<Latency>,
    /// From the intended start to the terminal event.
    pub total: Option<Latency>,
}

impl LatencyReport {
    /// One figure.
    #[must_use]
    pub fn get(&self, metric: Metric) -> Option<&Latency> {
        match metric {
            Metric::Connect => self.connect.as_ref(),
            Metric::Tls => self.tls.as_ref(),
            Metric::Head => self.head.as_ref(),
            Metric::FirstEvent => self.first_event.as_ref(),
            Metric::Ttft => self.ttft.as_ref(),
            Metric::Gap => self.gap.as_ref(),
            Metric::Stall => self.stall.as_ref(),
            Metric::Tpot => self.tpot.as_ref(),
            Metric::Total => self.total.as_ref(),
        }
    }
}

/// A distribution, in milliseconds. The mean is exact; the others are within 0.1 % (1 % in a time line) or a
/// microsecond.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Latency {
    /// How many were counted.
    pub count: u64,
    /// The mean.
    pub mean: f64,
    /// The shortest.
    pub min: f64,
    /// The median.
    pub p50: f64,
    /// 90 % do not exceed it.
    pub p90: f64,
    /// 95 % do not exceed it.
    pub p95: f64,
    /// 99 % do not exceed it.
    pub p99: f64,
    /// 99.9 % do not exceed it.
    pub p99_9: f64,
    /// The longest.
    pub max: f64,
    /// All of them, in microseconds: an HdrHistogram (V2, deflated, base64).
    pub histogram: String,
}

/// What was carried from `started_at` on for `duration_s`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Throughput {
    /// Complete replies per second.
    pub requests_per_second: f64,
    /// Output tokens of complete replies per second.
    pub tokens_per_second: f64,
    /// Output tokens of complete replies, as the server counts them; `token` events where it does not.
    pub output_tokens: u64,
    /// Token events of complete replies.
    pub token_events: u64,
}

/// How complete replies came.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StreamingReport {
    /// As they were made.
    pub streamed: u64,
    /// Held back somewhere on the way, and then at once.
    pub buffered: u64,
    /// Too short, or made too fast, to tell.
    pub too_short: u64,
    /// Reads of a connection that brought tokens.
    pub token_reads: u64,
    /// Such reads for each token event: 1 when each token came by itself; null without a token.
    pub reads_per_token: Option<f64>,
}

/// Where the time to first token went, cold and warm starts apart; null where no reply told the server's phases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WaterfallReport {
    /// Replies of sandboxes that had served before.
    pub warm: Option<StepsReport>,
    /// First replies of sandboxes.
    pub cold: Option<StepsReport>,
}

/// Means in milliseconds, in their order. All but `count` and `ttft` add up to `ttft`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepsReport {
    /// The replies with all of the server's phases, from which the means are taken.
    pub count: u64,
    /// Waiting for its turn: from the intended start to the actual one.
    pub queue: f64,
    /// Name and TCP; zero for a reused connection.
    pub connect: f64,
    /// The TLS handshake; zero for a reused connection.
    pub tls: f64,
    /// What `network` was for cold replies beyond warm ones. Zero for warm ones, and without any to compare with.
    pub cold_start: f64,
    /// What the client saw beyond all other steps: the network both ways, and the platform before the function.
    pub network: f64,
    /// The function reads and checks the request.
    pub parse: f64,
    /// The function lays its policy over the conversation.
    pub govern: f64,
    /// From then to Bedrock's response head.
    pub bedrock_head: f64,
    /// From there to the first content delta.
    pub first_delta: f64,
    /// From there to the first token's write.
    pub first_write: f64,
    /// The mean time to first token of these replies.
    pub ttft: f64,
}

/// One second of the clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SecondReport {
    /// Seconds since the Unix epoch.
    pub epoch_s: u64,
    /// Measured requests whose intended start lies in it.
    pub started: u64,
    /// Replies that came whole in it.
    pub done: u64,
    /// Requests that failed in it.
    pub failed: u64,
    /// Token events that were read in it, those of failed replies included.
    pub tokens: u64,
    /// Time to first token of the complete replies whose intended start lies in it.
    pub ttft: Option<Latency>,
}

/// What became of one `--fail-if`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ThresholdReport {
    /// The condition under which the run fails, as it was given.
    pub fail_if: String,
    /// What was measured, in the unit of `unit`; null when nothing was, which fails too.
    pub measured: Option<f64>,
    /// `ms`, `%`, `/s`, or empty for a count.
    pub unit: String,
    /// Whether the run fails by it.
    pub failed: bool,
}

//! How a run was made, as its report tells it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a run was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// The address, without its query.
    pub url: String,
    /// `bro-buddy` or `openai`.
    pub format: String,
    /// The mode asked for, where one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// The model asked for, where one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// How many different request bodies took turns.
    pub prompts: usize,
    /// Closed or open loop.
    pub load: LoadReport,
    /// Measured requests at most.
    pub requests: Option<u64>,
    /// Seconds in which measured requests start.
    pub duration_s: Option<f64>,
    /// What was left out at the beginning.
    pub warm_up: WarmUpReport,
    /// Seconds that a request may take.
    pub timeout_s: f64,
    /// Whether it ran to its end.
    pub ended: Ended,
}

/// How requests were started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "loop", rename_all = "snake_case")]
pub enum LoadReport {
    /// Each of so many clients starts a request when its last one has ended.
    Closed {
        /// How many clients.
        concurrency: usize,
        /// Seconds over which their first requests were spread.
        ramp_up_s: f64,
    },
    /// Requests start on a schedule, whatever became of those before.
    Open {
        /// `constant` or `poisson`.
        arrivals: String,
        /// Requests per second at the beginning.
        rate: f64,
        /// Requests per second at the end.
        rate_at_end: f64,
        /// What the schedule was drawn from.
        seed: u64,
        /// Requests under way at once, at most.
        max_in_flight: usize,
    },
}

/// What was left out at the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WarmUpReport {
    /// Nothing.
    None,
    /// So many requests.
    Requests(u64),
    /// Requests whose intended start lay in the first so many seconds.
    Seconds(f64),
}

/// How a run came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// As planned.
    Completed,
    /// Somebody stopped it.
    Interrupted,
}

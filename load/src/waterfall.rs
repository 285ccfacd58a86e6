//! Where the time to first token went: the client's own steps and the server's, as sums that add up to it.

use std::time::Duration;

use crate::sample::{Phases, Sample, Start};

/// The steps on the way to the first token, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Waiting for its turn, from the intended start to the actual one.
    Queue,
    /// Resolving the name and opening the TCP connection; zero on a reused one.
    Connect,
    /// The TLS handshake; zero on a reused connection.
    Tls,
    /// What the client saw beyond all other steps: the network both ways, and the platform in front of the function,
    /// the start of a sandbox included.
    Network,
    /// The function reads and checks the request.
    Parse,
    /// The function lays its policy over the conversation.
    Govern,
    /// From then to Bedrock's response head.
    BedrockHead,
    /// From the head to the first content delta.
    FirstDelta,
    /// From the first delta to the first token's write.
    FirstWrite,
}

impl Step {
    /// All steps, in their order.
    pub const ALL: [Self; 9] = [
        Self::Queue,
        Self::Connect,
        Self::Tls,
        Self::Network,
        Self::Parse,
        Self::Govern,
        Self::BedrockHead,
        Self::FirstDelta,
        Self::FirstWrite,
    ];

    /// How long this step took in nanoseconds. Differences can be a little below zero, since two clocks are involved;
    /// they are kept, so that the steps add up.
    fn of(self, parts: &Parts) -> i128 {
        let Parts { queue, connect, tls, ttft, server } = *parts;
        match self {
            Self::Queue => nanos(queue),
            Self::Connect => nanos(connect),
            Self::Tls => nanos(tls),
            Self::Network => nanos(ttft) - nanos(queue) - nanos(connect) - nanos(tls) - nanos(server.first_token_write),
            Self::Parse => nanos(server.parse),
            Self::Govern => nanos(server.govern) - nanos(server.parse),
            Self::BedrockHead => nanos(server.bedrock_head) - nanos(server.govern),
            Self::FirstDelta => nanos(server.first_delta) - nanos(server.bedrock_head),
            Self::FirstWrite => nanos(server.first_token_write) - nanos(server.first_delta),
        }
    }
}

/// What the steps are taken from.
struct Parts {
    queue: Duration,
    connect: Duration,
    tls: Duration,
    ttft: Duration,
    server: Phases,
}

fn nanos(duration: Duration) -> i128 {
    i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX)
}

/// Sums of the steps over complete replies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Steps {
    count: u64,
    /// In nanoseconds, one for each of [`Step::ALL`].
    sums: [i128; Step::ALL.len()],
}

impl Steps {
    /// From a count and the mean of each step in milliseconds, in the order of [`Step::ALL`].
    #[allow(clippy::cast_possible_truncation, reason = "2^53 ns are a hundred days")]
    pub(crate) fn from_means(count: u64, means_ms: [f64; Step::ALL.len()]) -> Self {
        Self { count, sums: means_ms.map(|mean| (mean * count as f64 * 1e6).round() as i128) }
    }

    fn add(&mut self, parts: &Parts) {
        self.count += 1;
        for (sum, step) in self.sums.iter_mut().zip(Step::ALL) {
            *sum += step.of(parts);
        }
    }

    fn merge(&mut self, other: &Self) {
        self.count += other.count;
        for (sum, more) in self.sums.iter_mut().zip(other.sums) {
            *sum += more;
        }
    }

    /// How many replies they were taken from.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The mean of one step in milliseconds.
    #[must_use]
    pub fn mean(&self, step: Step) -> f64 {
        let sum = Step::ALL.iter().zip(self.sums).find_map(|(each, sum)| (*each == step).then_some(sum));
        self.millis(sum.unwrap_or(0))
    }

    /// The mean of all steps together, the time to first token, in milliseconds.
    #[must_use]
    pub fn mean_of_all(&self) -> f64 {
        self.millis(self.sums.iter().sum())
    }

    fn millis(&self, sum: i128) -> f64 {
        sum as f64 / 1e6 / self.count.max(1) as f64
    }
}

/// The steps of warm and of cold replies apart. Only complete replies with all of the server's phases count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waterfall {
    pub(crate) warm: Steps,
    pub(crate) cold: Steps,
}

impl Waterfall {
    pub(crate) fn record(&mut self, sample: &Sample) {
        let phases = sample.server.and_then(|server| server.phases);
        let (Some(server), Some(ttft)) = (phases, sample.first_token) else { return };
        let (connect, tls) = (sample.connect.unwrap_or_default(), sample.tls.unwrap_or_default());
        let steps = match sample.start {
            Start::Warm => &mut self.warm,
            Start::Cold => &mut self.cold,
        };
        steps.add(&Parts { queue: sample.queue, connect, tls, ttft, server });
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.warm.merge(&other.warm);
        self.cold.merge(&other.cold);
    }
}

//! The latency figures by name, and a distribution for each.

use std::fmt;
use std::str::FromStr;

use crate::distribution::{Distribution, Precision};
use crate::sample::Sample;

/// A latency figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Resolving the name and opening the TCP connection, where a new one was opened.
    Connect,
    /// The TLS handshake, where there was one.
    Tls,
    /// From the intended start to the response head.
    Head,
    /// From the intended start to the first event of any kind.
    FirstEvent,
    /// From the intended start to the first token with a text.
    Ttft,
    /// From each token to the next.
    Gap,
    /// The longest gap of a reply.
    Stall,
    /// Time per output token: first token to last, over the tokens after the first.
    Tpot,
    /// From the intended start to the terminal event.
    Total,
}

impl Metric {
    /// All of them, in the order in which they come to pass.
    pub const ALL: [Self; 9] = [
        Self::Connect,
        Self::Tls,
        Self::Head,
        Self::FirstEvent,
        Self::Ttft,
        Self::Gap,
        Self::Stall,
        Self::Tpot,
        Self::Total,
    ];

    /// The name in reports and thresholds.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Head => "head",
            Self::FirstEvent => "first_event",
            Self::Ttft => "ttft",
            Self::Gap => "gap",
            Self::Stall => "stall",
            Self::Tpot => "tpot",
            Self::Total => "total",
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no latency figure's.
#[derive(Debug, thiserror::Error)]
#[error("there is no latency figure {name:?}; there are {}", Metric::ALL.map(Metric::name).join(", "))]
pub struct UnknownMetric {
    name: String,
}

impl FromStr for Metric {
    type Err = UnknownMetric;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|metric| metric.name() == text)
            .ok_or_else(|| UnknownMetric { name: text.to_owned() })
    }
}

/// A distribution for each figure.
#[derive(Debug, Clone)]
pub struct Latencies([Distribution; Metric::ALL.len()]);

impl Default for Latencies {
    fn default() -> Self {
        Self(Metric::ALL.map(|_| Distribution::new(Precision::Fine)))
    }
}

impl Latencies {
    /// One figure's distribution.
    #[must_use]
    pub fn get(&self, metric: Metric) -> &Distribution {
        let [connect, tls, head, first_event, ttft, gap, stall, tpot, total] = &self.0;
        match metric {
            Metric::Connect => connect,
            Metric::Tls => tls,
            Metric::Head => head,
            Metric::FirstEvent => first_event,
            Metric::Ttft => ttft,
            Metric::Gap => gap,
            Metric::Stall => stall,
            Metric::Tpot => tpot,
            Metric::Total => total,
        }
    }

    pub(crate) fn get_mut(&mut self, metric: Metric) -> &mut Distribution {
        let [connect, tls, head, first_event, ttft, gap, stall, tpot, total] = &mut self.0;
        match metric {
            Metric::Connect => connect,
            Metric::Tls => tls,
            Metric::Head => head,
            Metric::FirstEvent => first_event,
            Metric::Ttft => ttft,
            Metric::Gap => gap,
            Metric::Stall => stall,
            Metric::Tpot => tpot,
            Metric::Total => total,
        }
    }

    /// A complete reply's figures. A failed one's time to its failure is no latency of a reply.
    pub(crate) fn record(&mut self, sample: &Sample) {
        let single = [
            (Metric::Connect, sample.connect),
            (Metric::Tls, sample.tls),
            (Metric::Head, sample.head),
            (Metric::FirstEvent, sample.first_event),
            (Metric::Ttft, sample.first_token),
            (Metric::Stall, sample.longest_stall()),
            (Metric::Tpot, sample.time_per_output_token()),
            (Metric::Total, Some(sample.end)),
        ];
        for (metric, duration) in single {
            if let Some(duration) = duration {
                self.get_mut(metric).record(duration);
            }
        }
        let gaps = self.get_mut(Metric::Gap);
        for gap in &sample.gaps {
            gaps.record(*gap);
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (mine, others) in self.0.iter_mut().zip(&other.0) {
            mine.merge(others);
        }
    }
}

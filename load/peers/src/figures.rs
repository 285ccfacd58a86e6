//! What a run has measured, in the units in which it is told.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::arm::Arm;
use crate::machine::Machine;

/// Everything of one run. Parts that were not run are empty.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Figures {
    pub(crate) machine: Machine,
    pub(crate) latency: BTreeMap<Arm, Latency>,
    /// For each arm the levels, from the fewest sandboxes to the most.
    pub(crate) load: BTreeMap<Arm, Vec<Level>>,
    pub(crate) start: BTreeMap<Arm, Start>,
    pub(crate) endurance: BTreeMap<Arm, Endurance>,
}

/// Percentiles of a time, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(crate) struct Percentiles {
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    /// None of fewer than [`ENOUGH_FOR_P99`] values: it would be little else than the largest.
    pub(crate) p99: Option<f64>,
}

/// How many values a 99th percentile takes at least.
pub(crate) const ENOUGH_FOR_P99: u64 = 100;

/// One request at a time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Latency {
    pub(crate) requests: u64,
    pub(crate) failed: u64,
    #[serde(flatten)]
    pub(crate) times: Times,
    /// The same of each round alone, in order.
    pub(crate) rounds: Vec<Times>,
}

/// When the tokens of some replies came.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Times {
    pub(crate) ttft_ms: Percentiles,
    /// Between two tokens; none where a reply is a single one.
    pub(crate) gap_ms: Option<Percentiles>,
}

/// So many requests at a time, in so many sandboxes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Level {
    pub(crate) sandboxes: usize,
    pub(crate) requests: u64,
    pub(crate) failed: u64,
    /// Of as many clients as there are sandboxes, while each has a request under way.
    pub(crate) requests_per_second: f64,
    pub(crate) tokens_per_second: f64,
    pub(crate) ttft_ms: Percentiles,
    /// What the arm's processes alone use; none where it has none, where it cannot be seen, or where one of them ended
    /// and took its share with it.
    pub(crate) usage: Option<LevelUsage>,
}

/// What an arm's processes use.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct LevelUsage {
    /// Processor time for a request, in milliseconds.
    pub(crate) cpu_ms: f64,
    /// The most resident memory that any one process ever had, in MiB.
    pub(crate) peak_rss_mib: f64,
}

/// From the start of a process, over several starts, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Start {
    pub(crate) starts: usize,
    /// Until it could take a request.
    pub(crate) ready_ms: Typical,
    /// Until its client had the first token, without what Bedrock takes for it.
    pub(crate) first_token_ms: Typical,
}

/// A few values that are not worth percentiles.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Typical {
    pub(crate) median: f64,
    pub(crate) max: f64,
}

impl Typical {
    /// None of no values.
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let upper = *values.get(middle)?;
        let lower = if values.len().is_multiple_of(2) { *values.get(middle - 1)? } else { upper };
        Some(Self { median: f64::midpoint(lower, upper), max: *values.last()? })
    }
}

/// Many requests to one process, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Endurance {
    /// Requests before the first of these.
    pub(crate) warm_up: u64,
    pub(crate) requests: u64,
    pub(crate) failed: u64,
    /// The first of them, after a warm-up.
    pub(crate) early: Stage,
    /// The last of them.
    pub(crate) late: Stage,
}

/// Some requests of an [`Endurance`], and the process after them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Stage {
    pub(crate) requests: u64,
    pub(crate) ttft_ms: Percentiles,
    /// None where it cannot be seen, or where the process is not the one of the first stage.
    pub(crate) usage: Option<StageUsage>,
}

/// What one process uses in a [`Stage`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct StageUsage {
    /// Processor time for a request, in milliseconds.
    pub(crate) cpu_ms: f64,
    /// Resident memory at its end.
    pub(crate) rss_kib: u64,
}

impl Figures {
    /// None yet.
    pub(crate) fn new(machine: Machine) -> Self {
        let (latency, load) = (BTreeMap::new(), BTreeMap::new());
        Self { machine, latency, load, start: BTreeMap::new(), endurance: BTreeMap::new() }
    }

    /// Whether no part came to its end.
    pub(crate) fn is_empty(&self) -> bool {
        self.latency.is_empty() && self.load.is_empty() && self.start.is_empty() && self.endurance.is_empty()
    }

    /// What an arm adds to the time to the first token and to the gaps of a direct client. Of the floor, which asks
    /// nobody, the first token's is its whole time: what the stand-in for Lambda takes by itself.
    pub(crate) fn added(&self, arm: Arm) -> Option<Added> {
        let (of, direct) = (self.latency.get(&arm)?, self.latency.get(&Arm::Direct)?);
        Added::by(arm, &of.times, &direct.times)
    }

    /// The same of each round alone.
    pub(crate) fn added_by_round(&self, arm: Arm) -> Vec<Added> {
        let rounds = |arm| self.latency.get(&arm).map(|latency| latency.rounds.as_slice()).unwrap_or_default();
        rounds(arm).iter().zip(rounds(Arm::Direct)).filter_map(|(of, direct)| Added::by(arm, of, direct)).collect()
    }

    /// The most processor time of all levels, and the most memory.
    pub(crate) fn most_used(&self, arm: Arm) -> Option<LevelUsage> {
        let usages = self.load.get(&arm)?.iter().filter_map(|level| level.usage);
        usages.reduce(|a, b| LevelUsage {
            cpu_ms: a.cpu_ms.max(b.cpu_ms),
            peak_rss_mib: a.peak_rss_mib.max(b.peak_rss_mib),
        })
    }

    /// Requests of all parts that did not come to a whole reply.
    pub(crate) fn failed(&self) -> u64 {
        let latency = self.latency.values().map(|latency| latency.failed);
        let load = self.load.values().flatten().map(|level| level.failed);
        latency.chain(load).chain(self.endurance.values().map(|endurance| endurance.failed)).sum()
    }
}

/// Milliseconds on top of a direct client's: differences of percentiles.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Added {
    pub(crate) ttft_p50_ms: f64,
    pub(crate) ttft_p99_ms: Option<f64>,
    pub(crate) gap_p99_ms: Option<f64>,
}

impl Added {
    fn by(arm: Arm, of: &Times, direct: &Times) -> Option<Self> {
        let gaps = of.gap_ms.zip(direct.gap_ms);
        let gap_p99_ms = gaps.and_then(|(of, direct)| Some(of.p99? - direct.p99?));
        match arm {
            Arm::Direct => None,
            Arm::Floor => Some(Self { ttft_p50_ms: of.ttft_ms.p50, ttft_p99_ms: of.ttft_ms.p99, gap_p99_ms }),
            _ => Some(Self {
                ttft_p50_ms: of.ttft_ms.p50 - direct.ttft_ms.p50,
                ttft_p99_ms: of.ttft_ms.p99.zip(direct.ttft_ms.p99).map(|(of, direct)| of - direct),
                gap_p99_ms,
            }),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn percentiles(p50: f64, p90: f64, p99: f64) -> Percentiles {
        Percentiles { p50, p90, p99: Some(p99) }
    }

    fn times(ttft_ms: Percentiles, gap_ms: Percentiles) -> Times {
        Times { ttft_ms, gap_ms: Some(gap_ms) }
    }

    /// Two rounds, the first of which was slower by as many milliseconds as the second was quicker.
    fn latency(times: Times, off: f64) -> Latency {
        let round = |off: f64| {
            let Percentiles { p50, p90, .. } = times.ttft_ms;
            Times { ttft_ms: Percentiles { p50: p50 + off, p90: p90 + off, p99: None }, ..times }
        };
        Latency { requests: 1_000, failed: 0, times, rounds: vec![round(off), round(-off)] }
    }

    fn level(sandboxes: usize, requests_per_second: f64, cpu_ms: f64, peak_rss_mib: f64) -> Level {
        Level {
            sandboxes,
            requests: 100,
            failed: 0,
            requests_per_second,
            tokens_per_second: requests_per_second * 60.0,
            ttft_ms: percentiles(5.5, 6.0, 7.0),
            usage: Some(LevelUsage { cpu_ms, peak_rss_mib }),
        }
    }

    fn stage(p50: f64, cpu_ms: f64, rss_kib: u64) -> Stage {
        let usage = Some(StageUsage { cpu_ms, rss_kib });
        Stage { requests: 1_000, ttft_ms: percentiles(p50, 6.5, 8.0), usage }
    }

    /// A run of three arms in which all of Bro-Buddy's targets are met but two.
    pub(crate) fn figures() -> Figures {
        let mut figures = Figures::new(Machine {
            date: "2026-11-22".to_owned(),
            cores: 2,
            memory_kib: Some(8 * 1024 * 1024),
            processor: Some("A processor".to_owned()),
            system: None,
            function_bytes: Some(6_500_000),
            versions: vec!["Rust 1.95: lambda_runtime 1.5.0".to_owned()],
        });
        let gaps = percentiles(5.0, 5.1, 5.3);
        figures.latency = BTreeMap::from([
            (Arm::Direct, latency(times(percentiles(5.2, 5.4, 6.0), gaps), 0.0)),
            (Arm::Floor, latency(times(percentiles(0.3, 0.4, 0.8), percentiles(5.0, 5.1, 5.25)), 0.0)),
            (Arm::BroBuddy, latency(times(percentiles(5.75, 6.0, 9.5), percentiles(5.0, 5.1, 5.7)), 0.1)),
        ]);
        let direct = |sandboxes, rate| Level { usage: None, ..level(sandboxes, rate, 0.0, 0.0) };
        figures.load = BTreeMap::from([
            (Arm::Direct, vec![direct(1, 3.3), direct(10, 33.0)]),
            (Arm::BroBuddy, vec![level(1, 3.2, 2.5, 9.5), level(10, 32.0, 1.75, 10.25)]),
        ]);
        let typical = |median| Typical { median, max: median + 1.0 };
        let start =
            |ready, first_token| Start { starts: 10, ready_ms: typical(ready), first_token_ms: typical(first_token) };
        figures.start = BTreeMap::from([(Arm::Floor, start(1.5, 2.0)), (Arm::BroBuddy, start(4.0, 6.5))]);
        let endurance = Endurance {
            warm_up: 100,
            requests: 10_000,
            failed: 0,
            early: stage(6.0, 2.0, 9_216),
            late: stage(6.3, 2.5, 9_396),
        };
        figures.endurance = BTreeMap::from([(Arm::BroBuddy, endurance)]);
        figures
    }

    #[test]
    fn what_an_arm_adds_is_the_difference_to_direct_and_the_floor_is_its_own_time() {
        let figures = figures();
        let rounded = |arm| {
            let added = figures.added(arm).expect("figures");
            [Some(added.ttft_p50_ms), added.ttft_p99_ms, added.gap_p99_ms]
                .map(|value| value.map(|value| format!("{value:.3}")))
        };
        let texts = |values: [Option<&str>; 3]| values.map(|value| value.map(ToOwned::to_owned));
        assert_eq!(rounded(Arm::BroBuddy), texts([Some("0.550"), Some("3.500"), Some("0.400")]));
        assert_eq!(rounded(Arm::Floor), texts([Some("0.300"), Some("0.800"), Some("-0.050")]));
        assert_eq!(figures.added(Arm::Direct), None);
        assert_eq!(figures.added(Arm::Node), None, "it was not measured");
        let rounds: Vec<_> =
            figures.added_by_round(Arm::BroBuddy).iter().map(|added| format!("{:.3}", added.ttft_p50_ms)).collect();
        assert_eq!(rounds, ["0.650", "0.450"]);
    }

    #[test]
    fn the_worst_level_counts() {
        let most = LevelUsage { cpu_ms: 2.5, peak_rss_mib: 10.25 };
        assert_eq!(figures().most_used(Arm::BroBuddy), Some(most));
        assert_eq!(figures().most_used(Arm::Direct), None);
    }

    #[test]
    fn a_median_of_an_even_number_lies_between_the_two_in_the_middle() {
        assert_eq!(Typical::of(vec![3.0, 1.0, 2.0]), Some(Typical { median: 2.0, max: 3.0 }));
        assert_eq!(Typical::of(vec![4.0, 1.0, 2.0, 10.0]), Some(Typical { median: 3.0, max: 10.0 }));
        assert_eq!(Typical::of(Vec::new()), None);
    }

    #[test]
    fn failures_of_every_part_are_counted() {
        let mut figures = figures();
        assert_eq!(figures.failed(), 0);
        figures.latency.values_mut().for_each(|latency| latency.failed = 1);
        figures.load.values_mut().flatten().for_each(|level| level.failed = 10);
        figures.endurance.values_mut().for_each(|endurance| endurance.failed = 100);
        assert_eq!(figures.failed(), 3 + 40 + 100);
    }
}

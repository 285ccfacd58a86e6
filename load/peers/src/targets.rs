//! What the figures of Bro-Buddy have to come to, and whether they do.

use serde::Serialize;

use crate::arm::Arm;
use crate::figures::{Added, Endurance, Figures};

/// Growth of a process that is no growth: what the soak allows, in KiB per 1,000 requests.
const FLAT_KIB_PER_1000: f64 = 64.0;
/// How much longer or more costly a late request may be: noise of a machine that does other things, too.
const FLAT_SHARE: f64 = 0.1;

/// How many requests to one sandbox it takes to say that nothing grows.
const ENOUGH_FOR_FLAT: u64 = 10_000;

/// One target, with what was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Target {
    pub(crate) what: &'static str,
    pub(crate) at_most: f64,
    pub(crate) measured: Option<f64>,
    /// The same of each round alone: how far the figure can be trusted. None where there are no rounds of enough values.
    pub(crate) rounds: Option<Spread>,
    pub(crate) unit: &'static str,
    pub(crate) verdict: Verdict,
}

/// What a target comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    Met,
    Missed,
    NotMeasured,
    /// It takes more requests than these.
    NotJudged {
        requests: u64,
    },
}

/// The least and the most of several values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// None of fewer than two values, and where one is missing.
    fn of(values: impl Iterator<Item = Option<f64>>) -> Option<Self> {
        let values: Vec<f64> = values.collect::<Option<_>>()?;
        let least = values.iter().copied().reduce(f64::min)?;
        let most = values.iter().copied().reduce(f64::max)?;
        (values.len() > 1).then_some(Self { least, most })
    }
}

impl Target {
    fn new(what: &'static str, at_most: f64, measured: Option<f64>, unit: &'static str) -> Self {
        let verdict = match measured {
            None => Verdict::NotMeasured,
            Some(measured) if measured <= at_most => Verdict::Met,
            Some(_) => Verdict::Missed,
        };
        Self { what, at_most, measured, rounds: None, unit, verdict }
    }

    fn with_rounds(self, rounds: Option<Spread>) -> Self {
        Self { rounds, ..self }
    }

    fn judged_by(self, requests: u64) -> Self {
        let few = self.measured.is_some() && requests < ENOUGH_FOR_FLAT;
        Self { verdict: if few { Verdict::NotJudged { requests } } else { self.verdict }, ..self }
    }
}

/// Whether every target was measured, judged and met, and no request failed.
pub(crate) fn all_met(figures: &Figures) -> bool {
    figures.failed() == 0 && targets(figures).iter().all(|target| target.verdict == Verdict::Met)
}

/// Every target.
pub(crate) fn targets(figures: &Figures) -> Vec<Target> {
    let added = figures.added(Arm::BroBuddy);
    let floor = figures.added(Arm::Floor);
    let (added_by_round, floor_by_round) = (figures.added_by_round(Arm::BroBuddy), figures.added_by_round(Arm::Floor));
    let rounds = || added_by_round.iter().zip(&floor_by_round);
    let p50s = Spread::of(rounds().map(|(added, floor)| Some(p50_beyond(added, floor))));
    let p99s = Spread::of(rounds().map(|(added, floor)| p99_beyond(added, floor)));
    let gaps = Spread::of(added_by_round.iter().map(|added| added.gap_p99_ms));
    let p50 = added.zip(floor).map(|(added, floor)| p50_beyond(&added, &floor));
    let p99 = added.zip(floor).and_then(|(added, floor)| p99_beyond(&added, &floor));
    let start = figures.start.get(&Arm::BroBuddy);
    let usage = figures.most_used(Arm::BroBuddy);
    let endurance = figures.endurance.get(&Arm::BroBuddy);
    #[expect(clippy::cast_precision_loss, reason = "a file's size")]
    let size = figures.machine.function_bytes.map(|bytes| bytes as f64 / 1e6);

    let first_token = start.map(|start| start.first_token_ms.median);
    let growth = endurance.and_then(growth);
    let slower = endurance.map(|endurance| more(endurance.early.ttft_ms.p50, endurance.late.ttft_ms.p50));
    let costlier =
        endurance.and_then(|endurance| Some(more(endurance.early.usage?.cpu_ms, endurance.late.usage?.cpu_ms)));
    let requests = endurance.map_or(0, |endurance| endurance.requests);
    let percent = FLAT_SHARE * 100.0;
    vec![
        Target::new("added TTFT less the floor's, p50", 0.3, p50, "ms").with_rounds(p50s),
        Target::new("added TTFT less the floor's, p99", 1.5, p99, "ms").with_rounds(p99s),
        Target::new("added gap, p99", 0.5, added.and_then(|added| added.gap_p99_ms), "ms").with_rounds(gaps),
        Target::new("process start → first `GET /next`, median", 10.0, start.map(|start| start.ready_ms.median), "ms"),
        Target::new("process start → first token, beyond Bedrock's own time, median", 12.0, first_token, "ms"),
        Target::new("peak resident memory", 12.0, usage.map(|usage| usage.peak_rss_mib), "MiB"),
        Target::new("stripped binary", 8.0, size, "MB"),
        Target::new(
            "processor time a 60-token request, at the worst level",
            3.0,
            usage.map(|usage| usage.cpu_ms),
            "ms",
        ),
        Target::new("memory growth per 1,000 requests in one sandbox", FLAT_KIB_PER_1000, growth, "KiB")
            .judged_by(requests),
        Target::new("TTFT of the last requests over the first ones, p50", percent, slower, "%").judged_by(requests),
        Target::new("processor time of the last requests over the first ones", percent, costlier, "%")
            .judged_by(requests),
    ]
}

fn p50_beyond(added: &Added, floor: &Added) -> f64 {
    added.ttft_p50_ms - floor.ttft_p50_ms
}

fn p99_beyond(added: &Added, floor: &Added) -> Option<f64> {
    Some(added.ttft_p99_ms? - floor.ttft_p99_ms?)
}

/// Memory between the early stage and the late one, in KiB per 1,000 requests.
#[expect(clippy::cast_precision_loss, reason = "2^53 KiB are none of our worries")]
fn growth(endurance: &Endurance) -> Option<f64> {
    let between = endurance.requests.saturating_sub(endurance.early.requests).max(1) as f64;
    Some((endurance.late.usage?.rss_kib as f64 - endurance.early.usage?.rss_kib as f64) * 1_000.0 / between)
}

/// By how many percent `late` is above `early`.
fn more(early: f64, late: f64) -> f64 {
    (late / early - 1.0) * 100.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::tests::figures;

    #[test]
    fn each_target_is_held_against_what_was_measured() {
        let told: Vec<_> = targets(&figures())
            .iter()
            .map(|target| {
                let measured = target.measured.expect("a figure");
                format!("{measured:.2} {} of {}: {:?}", target.unit, target.at_most, target.verdict)
            })
            .collect();
        let expected = [
            "0.25 ms of 0.3: Met",
            "2.70 ms of 1.5: Missed",
            "0.40 ms of 0.5: Met",
            "4.00 ms of 10: Met",
            "6.50 ms of 12: Met",
            "10.25 MiB of 12: Met",
            "6.50 MB of 8: Met",
            "2.50 ms of 3: Met",
            "20.00 KiB of 64: Met",
            "5.00 % of 10: Met",
            "25.00 % of 10: Missed",
        ];
        assert_eq!(told, expected);
    }

    /// The same, with all targets met.
    fn good() -> Figures {
        let mut figures = figures();
        for latency in figures.latency.values_mut() {
            latency.times.ttft_ms.p99 = Some(latency.times.ttft_ms.p50 + 0.25);
        }
        for endurance in figures.endurance.values_mut() {
            endurance.late.usage = endurance.early.usage;
        }
        figures
    }

    fn verdicts(figures: &Figures) -> Vec<Verdict> {
        targets(figures).iter().map(|target| target.verdict).collect()
    }

    #[test]
    fn what_was_not_measured_is_not_met() {
        assert!(all_met(&good()), "{:?}", targets(&good()));
        let mut figures = good();
        figures.latency.remove(&Arm::Floor);
        assert!(!all_met(&figures));
        assert_eq!(verdicts(&figures)[..3], [Verdict::NotMeasured, Verdict::NotMeasured, Verdict::Met]);
    }

    #[test]
    fn that_nothing_grows_is_judged_by_ten_thousand_requests_and_by_no_fewer() {
        let mut figures = good();
        figures.endurance.values_mut().for_each(|endurance| endurance.requests = 9_999);
        assert_eq!(verdicts(&figures)[8..], [Verdict::NotJudged { requests: 9_999 }; 3]);
        assert!(!all_met(&figures));
    }

    #[test]
    fn a_process_that_was_replaced_says_nothing_of_growth() {
        let mut figures = good();
        figures.endurance.values_mut().for_each(|endurance| endurance.late.usage = None);
        assert_eq!(verdicts(&figures)[8..], [Verdict::NotMeasured, Verdict::Met, Verdict::NotMeasured]);
    }

    #[test]
    fn a_request_that_failed_is_a_target_missed() {
        let mut figures = good();
        figures.load.values_mut().flatten().for_each(|level| level.failed = 1);
        assert!(!all_met(&figures));
    }

    #[test]
    fn the_spread_is_that_of_the_same_difference_in_each_round() {
        let targets = targets(&figures());
        let spread = |k: usize| targets[k].rounds.map(|Spread { least, most }| format!("{least:.3} – {most:.3}"));
        assert_eq!(spread(0).as_deref(), Some("0.150 – 0.350"));
        assert_eq!(spread(1), None, "rounds of too few requests for a p99");
        assert_eq!(Spread::of([Some(1.0)].into_iter()), None);
    }
}

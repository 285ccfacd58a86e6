//! What the figures of Bro-Buddy have to come to, and whether they do.

use serde::Serialize;

use crate::arm::Arm;
use crate::figures::{Endurance, Figures};

/// Growth of a process that is no growth: what the soak allows, in KiB per 1,000 requests.
const FLAT_KIB_PER_1000: f64 = 64.0;
/// How much longer or more costly a late request may be: noise of a machine that does other things, too.
const FLAT_SHARE: f64 = 0.1;

/// One target, with what was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Target {
    pub(crate) what: &'static str,
    pub(crate) at_most: f64,
    pub(crate) measured: f64,
    pub(crate) unit: &'static str,
}

impl Target {
    pub(crate) fn is_met(&self) -> bool {
        self.measured <= self.at_most
    }
}

/// Every target that the run says something about.
pub(crate) fn targets(figures: &Figures) -> Vec<Target> {
    let mut targets = Vec::new();
    let mut add = |what, at_most, measured: Option<f64>, unit| {
        targets.extend(measured.map(|measured| Target { what, at_most, measured, unit }));
    };
    let added = figures.added(Arm::BroBuddy);
    let share = added.zip(figures.added(Arm::Floor));
    let p50 = share.map(|(added, floor)| added.ttft_p50_ms - floor.ttft_p50_ms);
    let p99 = share.map(|(added, floor)| added.ttft_p99_ms - floor.ttft_p99_ms);
    let start = figures.start.get(&Arm::BroBuddy);
    let usage = figures.most_used(Arm::BroBuddy);
    let endurance = figures.endurance.get(&Arm::BroBuddy);
    #[expect(clippy::cast_precision_loss, reason = "a file's size")]
    let size = figures.machine.function_bytes.map(|bytes| bytes as f64 / 1e6);

    add("added TTFT less the floor's, p50", 0.3, p50, "ms");
    add("added TTFT less the floor's, p99", 1.5, p99, "ms");
    add("added gap, p99", 0.5, added.and_then(|added| added.gap_p99_ms), "ms");
    add("process start → first `GET /next`, median", 10.0, start.map(|start| start.ready_ms.median), "ms");
    let first_token = start.map(|start| start.first_token_ms.median);
    add("process start → first token, beyond Bedrock's own time, median", 12.0, first_token, "ms");
    add("peak resident memory", 12.0, usage.map(|usage| usage.peak_rss_mib), "MiB");
    add("stripped binary", 8.0, size, "MB");
    add("processor time a 60-token request, at the worst level", 3.0, usage.map(|usage| usage.cpu_ms), "ms");
    add("memory growth per 1,000 requests in one sandbox", FLAT_KIB_PER_1000, endurance.map(growth), "KiB");
    let slower = endurance.map(|endurance| more(endurance.early.ttft_ms.p50, endurance.late.ttft_ms.p50));
    add("TTFT of the last requests over the first ones, p50", FLAT_SHARE * 100.0, slower, "%");
    let costlier = endurance.map(|endurance| more(endurance.early.cpu_ms, endurance.late.cpu_ms));
    add("processor time of the last requests over the first ones", FLAT_SHARE * 100.0, costlier, "%");
    targets
}

/// Memory between the early stage and the late one, in KiB per 1,000 requests.
#[expect(clippy::cast_precision_loss, reason = "2^53 KiB are none of our worries")]
fn growth(endurance: &Endurance) -> f64 {
    let between = endurance.requests.saturating_sub(endurance.early.requests).max(1) as f64;
    (endurance.late.rss_kib as f64 - endurance.early.rss_kib as f64) * 1_000.0 / between
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
            .map(|target| format!("{:.2} {} of {}: {}", target.measured, target.unit, target.at_most, target.is_met()))
            .collect();
        let expected = [
            "0.25 ms of 0.3: true",
            "2.70 ms of 1.5: false",
            "0.40 ms of 0.5: true",
            "4.00 ms of 10: true",
            "6.50 ms of 12: true",
            "10.25 MiB of 12: true",
            "6.50 MB of 8: true",
            "2.50 ms of 3: true",
            "20.00 KiB of 64: true",
            "5.00 % of 10: true",
            "25.00 % of 10: false",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn what_was_not_measured_is_no_target() {
        let mut figures = figures();
        figures.latency.remove(&Arm::Floor);
        figures.endurance.clear();
        figures.start.clear();
        let left: Vec<_> = targets(&figures).iter().map(|target| target.unit).collect();
        assert_eq!(left, ["ms", "MiB", "MB", "ms"], "gap, memory, size, processor time");
    }
}

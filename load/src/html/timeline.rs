//! The run over time: time to first token and what became of requests, second by second or in longer steps.

use std::fmt::Write as _;
use std::ops::Range;
use std::time::{Duration, SystemTime};

use maud::{Markup, html};

use super::axis::{self, Axis};
use super::chart::{Chart, Key, x, y};
use super::number;
use crate::distribution::{Distribution, Precision};
use crate::report::{Report, SecondReport};

/// Steps of time, in seconds, among which the shortest that will do is taken.
const STEPS: [u64; 11] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800];
/// More steps than this are no longer told apart on a telephone.
const MOST_STEPS: u64 = 120;

pub(super) fn draw(report: &Report) -> Markup {
    let (Some(first), Some(last)) = (report.timeline.first(), report.timeline.last()) else { return html! {} };
    let span = last.epoch_s.saturating_sub(first.epoch_s) + 1;
    let width = STEPS.into_iter().find(|step| span.div_ceil(*step) <= MOST_STEPS).unwrap_or(span.div_ceil(MOST_STEPS));
    let steps = steps(&report.timeline, first.epoch_s, span, width, &measured(report, first.epoch_s, span));
    let time = Axis::seconds(span as f64);
    html! {
        section {
            h2 { "Over time" }
            p.lead {
                "In steps of " (number::plural(width, "second")) ". Time to first token stands at the moment at which a "
                "request was due, replies and failures at that of their end."
            }
            (latency(&steps, &time))
            (rates(&steps, &time))
            (table(&steps))
        }
    }
}

/// What happened in one step.
struct Step {
    /// Seconds since the beginning of the first one.
    from: u64,
    until: u64,
    /// As much of it as lies within the measured time, in seconds.
    measured: f64,
    started: u64,
    done: u64,
    failed: u64,
    tokens: u64,
    ttft: Distribution,
}

impl Step {
    fn per_second(&self, count: u64) -> f64 {
        count as f64 / self.measured
    }

    fn ends(&self, time: &Axis) -> (f64, f64) {
        (time.at(self.from as f64), time.at(self.until as f64))
    }
}

/// From the first intended start to the last end, in seconds since the beginning of the first second. A document that
/// does not say it is taken to fill its seconds.
fn measured(report: &Report, first: u64, span: u64) -> Range<f64> {
    let started_at = report.started_at.as_deref().and_then(|text| humantime::parse_rfc3339(text).ok());
    let since_epoch = started_at.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    let start = since_epoch.and_then(|start| start.checked_sub(Duration::from_secs(first)));
    match start {
        Some(start) => start.as_secs_f64()..start.as_secs_f64() + report.duration_s,
        None => 0.0..span as f64,
    }
}

/// Steps in which nothing happened are left out. A rate is taken over the part of a step that lies within the measured
/// time, or over half the step where it is less: a few requests in a few milliseconds are no rate.
fn steps(seconds: &[SecondReport], first: u64, span: u64, width: u64, measured: &Range<f64>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for second in seconds {
        let from = second.epoch_s.saturating_sub(first) / width * width;
        if steps.last().is_none_or(|step| step.from != from) {
            let length = width.min(span.saturating_sub(from)).max(1);
            let until = from.saturating_add(length);
            let within = measured.end.min(until as f64) - measured.start.max(from as f64);
            let measured = within.max(length as f64 / 2.0);
            let ttft = Distribution::new(Precision::Coarse);
            steps.push(Step { from, until, measured, started: 0, done: 0, failed: 0, tokens: 0, ttft });
        }
        if let Some(step) = steps.last_mut() {
            step.started += second.started;
            step.done += second.done;
            step.failed += second.failed;
            step.tokens += second.tokens;
            if let Some(ttft) = second.ttft.as_ref().and_then(|ttft| ttft.distribution().ok()) {
                step.ttft.merge(&ttft);
            }
        }
    }
    steps
}

fn latency(steps: &[Step], time: &Axis) -> Markup {
    let all = |percent| steps.iter().filter_map(move |step| step.ttft.percentile(percent));
    let highest = all(99.0).fold(0.0, f64::max);
    let lowest = all(50.0).fold(f64::INFINITY, f64::min);
    if highest <= 0.0 {
        return html! {};
    }
    let durations = Axis::up(axis::Range { low: lowest, median: lowest, high: highest });
    let shapes = html! {
        path.line.second d=(levels(steps, time, &durations, 99.0)) { title { "99 % within" } }
        path.line.first d=(levels(steps, time, &durations, 50.0)) { title { "median" } }
    };
    let chart = Chart {
        id: "time-line-ttft".to_owned(),
        title: "Time to first token",
        summary: format!(
            "The median from {} to {} a step, the 99th percentile up to {}.",
            number::span(lowest),
            number::span(all(50.0).fold(0.0, f64::max)),
            number::span(highest)
        ),
        x: time,
        y: &durations,
        x_name: "time since the first request",
        y_name: "time to first token",
    };
    let legend: [Key; 2] = [("first", "median"), ("second", "99th percentile")];
    chart.draw(&legend, &[], &shapes)
}

/// A level for each step, joined where steps follow each other.
fn levels(steps: &[Step], time: &Axis, durations: &Axis, percent: f64) -> String {
    let mut path = String::new();
    let mut end_of_last = None;
    for step in steps {
        let Some(ms) = step.ttft.percentile(percent) else { continue };
        let (from, to) = step.ends(time);
        let joined = end_of_last == Some(step.from);
        let level = y(durations.at(ms));
        // Writing to a string cannot fail.
        let _ = write!(path, "{}{:.1} {level:.1}H{:.1}", if joined { 'L' } else { 'M' }, x(from), x(to));
        end_of_last = Some(step.until);
    }
    path
}

fn rates(steps: &[Step], time: &Axis) -> Markup {
    let highest = steps.iter().map(|step| step.per_second(step.done + step.failed)).fold(0.0, f64::max);
    let per_second = Axis::from_zero(highest, "");
    let failed: u64 = steps.iter().map(|step| step.failed).sum();
    let shapes = html! {
        @for step in steps {
            @let (from, to) = step.ends(time);
            @let whole = per_second.at(step.per_second(step.done));
            @let all = per_second.at(step.per_second(step.done + step.failed));
            (bar("bar", from, to, 0.0, whole, &format!("{} whole", number::count(step.done))))
            (bar("bar failed", from, to, whole, all, &format!("{} failed", number::count(step.failed))))
        }
    };
    let chart = Chart {
        id: "time-line-rates".to_owned(),
        title: "Requests ended per second",
        summary: if failed == 0 {
            format!("At most {} per second; none failed.", number::three_digits(highest))
        } else {
            format!("At most {} per second; {} failed.", number::three_digits(highest), number::count(failed))
        },
        x: time,
        y: &per_second,
        x_name: "time since the first request",
        y_name: "per second",
    };
    let legend: [Key; 2] = [("first", "came whole"), ("failed", "failed")];
    chart.draw(&legend, &[], &shapes)
}

fn bar(class: &str, from: f64, to: f64, low: f64, high: f64, words: &str) -> Markup {
    if high <= low {
        return html! {};
    }
    html! {
        rect.(class) x=(format!("{:.2}", x(from))) y=(format!("{:.1}", y(high))) width=(format!("{:.2}", x(to - from)))
            height=(format!("{:.1}", y(low) - y(high))) { title { (words) } }
    }
}

fn table(steps: &[Step]) -> Markup {
    let percentile = |step: &Step, percent| step.ttft.percentile(percent).map(number::millis).unwrap_or_default();
    html! {
        details {
            summary { "The same in figures" }
            div.scroll tabindex="0" role="region" aria-label="Figures over time" {
                table {
                    thead { tr {
                        th scope="col" { "from second" }
                        @for name in ["due", "came whole", "failed", "tokens", "TTFT p50, ms", "TTFT p99, ms"] { th scope="col" { (name) } }
                    } }
                    tbody {
                        @for step in steps {
                            tr {
                                th scope="row" { (number::count(step.from)) }
                                @for count in [step.started, step.done, step.failed, step.tokens] { td { (number::count(count)) } }
                                td { (percentile(step, 50.0)) }
                                td { (percentile(step, 99.0)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Outcome;
    use crate::sample::Sample;
    use crate::tally::Tally;

    /// How many replies a second each step shows, of whole replies that began and ended at these moments (ms).
    fn rates(replies: &[(u64, u64)], width: u64) -> Vec<f64> {
        let mut tally = Tally::default();
        for (begins, ends) in replies {
            let intended = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000) + Duration::from_millis(*begins);
            tally.record(&Sample::without_answer(intended, Duration::from_millis(ends - begins), Outcome::Done));
        }
        let report = Report::new(&tally, Vec::new());
        let span = report.timeline.last().unwrap().epoch_s - 1_000 + 1;
        let steps = steps(&report.timeline, 1_000, span, width, &measured(&report, 1_000, span));
        steps.iter().map(|step| step.per_second(step.done)).collect()
    }

    #[test]
    fn a_partial_first_or_last_second_is_as_long_as_was_measured_of_it() {
        // From 0.25 s to 2.75 s.
        let rates =
            rates(&[(250, 500), (250, 750), (250, 900), (300, 1_500), (300, 2_100), (300, 2_200), (300, 2_750)], 1);
        assert_eq!(rates, [4.0, 1.0, 4.0]);
    }

    #[test]
    fn what_ends_in_the_first_moments_of_a_second_is_no_peak() {
        // To 1.002 s: two in 2 ms are not a thousand a second.
        assert_eq!(rates(&[(0, 500), (0, 1_001), (0, 1_002)], 1), [1.0, 4.0]);
        // In steps of two seconds the last one holds one alone.
        assert_eq!(rates(&[(0, 500), (0, 4_750)], 2), [0.5, 1.0 / 0.75]);
    }

    #[test]
    fn a_document_without_its_start_fills_its_seconds() {
        let mut report = Report::new(&Tally::default(), Vec::new());
        for started_at in [None, Some("yesterday".to_owned()), Some("1970-01-01T00:00:00Z".to_owned())] {
            report.started_at = started_at;
            assert_eq!(measured(&report, 1_000, 3), 0.0..3.0);
        }
    }
}

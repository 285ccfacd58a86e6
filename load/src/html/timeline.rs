//! The run over time: time to first token and what became of requests, second by second or in longer steps.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::axis::{Axis, Range};
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
    let steps = steps(&report.timeline, first.epoch_s, span, width);
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
    /// Seconds since the start of the run.
    from: u64,
    seconds: u64,
    started: u64,
    done: u64,
    failed: u64,
    tokens: u64,
    ttft: Distribution,
}

impl Step {
    fn per_second(&self, count: u64) -> f64 {
        count as f64 / self.seconds as f64
    }

    fn ends(&self, time: &Axis) -> (f64, f64) {
        (time.at(self.from as f64), time.at((self.from + self.seconds) as f64))
    }
}

/// Steps in which nothing happened are left out.
fn steps(seconds: &[SecondReport], start: u64, span: u64, width: u64) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for second in seconds {
        let from = second.epoch_s.saturating_sub(start) / width * width;
        if steps.last().is_none_or(|step| step.from != from) {
            let seconds = width.min(span.saturating_sub(from)).max(1);
            let ttft = Distribution::new(Precision::Coarse);
            steps.push(Step { from, seconds, started: 0, done: 0, failed: 0, tokens: 0, ttft });
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
    let durations = Axis::up(Range { low: lowest, median: lowest, high: highest });
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
        end_of_last = Some(step.from + step.seconds);
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

//! The figures in full, as tables.

use maud::{Markup, html};

use super::{number, summary};
use crate::latencies::Metric;
use crate::report::{Ended, Latency, LatencyReport, LoadReport, Report, Run, ThresholdReport};

/// A table that scrolls sideways in itself where the page is narrower, also by keyboard.
fn scrolling(name: &str, table: &Markup) -> Markup {
    html! { div.scroll tabindex="0" role="region" aria-label=(name) { (table) } }
}

pub(super) fn outcomes(report: &Report) -> Markup {
    let table = html! {
        table.texts {
            thead { tr {
                th scope="col" { "How requests ended" } th.figure scope="col" { "count" } th.figure scope="col" { "share" }
                th scope="col" { "for example" }
            } }
            tbody {
                @for outcome in &report.outcomes {
                    tr.bad[!outcome.outcome.is_done()] {
                        th scope="row" { (outcome.outcome) }
                        td.figure { (number::count(outcome.count)) }
                        td.figure { (number::share(outcome.count, report.requests.total)) }
                        td { (outcome.example.as_deref().unwrap_or_default()) }
                    }
                }
            }
        }
    };
    html! {
        section {
            h2 { "Outcomes" }
            p.lead { (cold_starts(report)) }
            (scrolling("Outcomes", &table))
        }
    }
}

fn cold_starts(report: &Report) -> String {
    let whole = number::plural(report.throughput.token_events, "token event");
    let output = number::plural(report.throughput.output_tokens, "output token");
    let carried = format!("Complete replies carried {output} in {whole}.");
    match report.requests.cold_starts {
        0 => carried,
        count => format!("{} started a sandbox. {carried}", number::plural(count, "request")),
    }
}

pub(super) fn latencies(report: &Report) -> Markup {
    let apart = [("warm", report.warm.as_ref()), ("cold starts", report.cold.as_ref())];
    let both = apart.iter().all(|(_, latencies)| latencies.is_some());
    html! {
        section {
            h2 { "All latencies" }
            p.lead { "Of complete replies, in milliseconds. Percentiles are within 0.1 % or a microsecond, means exact." }
            (scrolling("All latencies", &latency_table(&report.latency)))
            @if both {
                @for (name, latencies) in apart {
                    @if let Some(latencies) = latencies {
                        h3 { "Of these, " (name) }
                        (scrolling(name, &latency_table(latencies)))
                    }
                }
            }
        }
    }
}

fn latency_table(latencies: &LatencyReport) -> Markup {
    html! {
        table {
            thead { tr {
                th scope="col" { "ms" }
                @for name in ["p50", "p90", "p95", "p99", "p99.9", "max", "mean", "min", "count"] { th scope="col" { (name) } }
            } }
            tbody { @for metric in Metric::ALL { @if let Some(latency) = latencies.get(metric) { (latency_row(metric, latency)) } } }
        }
    }
}

fn latency_row(metric: Metric, latency: &Latency) -> Markup {
    let Latency { count, mean, min, p50, p90, p95, p99, p99_9, max, .. } = latency;
    html! {
        tr {
            th scope="row" { (name(metric)) }
            @for ms in [p50, p90, p95, p99, p99_9, max, mean, min] { td { (number::millis(*ms)) } }
            td { (number::count(*count)) }
        }
    }
}

fn name(metric: Metric) -> &'static str {
    super::Words::of(metric).heading
}

pub(super) fn thresholds(thresholds: &[ThresholdReport]) -> Markup {
    if thresholds.is_empty() {
        return html! {};
    }
    let table = html! {
        table.texts {
            thead { tr { th scope="col" { "Fails if" } th.figure scope="col" { "measured" } th scope="col" { "verdict" } } }
            tbody {
                @for threshold in thresholds {
                    tr.bad[threshold.failed] {
                        th scope="row" { code { (threshold.fail_if) } }
                        td.figure {
                            @match threshold.measured {
                                Some(measured) => { (number::three_digits(measured)) " " (threshold.unit) },
                                None => "nothing",
                            }
                        }
                        td { @if threshold.failed { "failed" } @else { "kept" } }
                    }
                }
            }
        }
    };
    html! { section { h2 { "Thresholds" } (scrolling("Thresholds", &table)) } }
}

pub(super) fn runs(runs: &[Run]) -> Markup {
    html! {
        section {
            h2 { "How it was measured" }
            @for run in runs { (self::run(run)) }
        }
    }
}

fn run(run: &Run) -> Markup {
    let seconds = |seconds: f64| format!("{seconds} s");
    let bounds = [run.duration_s.map(seconds), run.requests.map(|count| number::plural(count, "request"))];
    let bounds: Vec<String> = bounds.into_iter().flatten().collect();
    html! {
        dl.run {
            dt { "Target" } dd { (run.url) }
            dt { "Format" } dd { (run.format) }
            @if let Some(mode) = &run.mode { dt { "Mode" } dd { (mode) } }
            @if let Some(model) = &run.model { dt { "Model" } dd { (model) } }
            dt { "Prompts" } dd { (number::count(run.prompts as u64)) }
            dt { "Load" } dd { (summary::load(&run.load)) (details(&run.load)) }
            dt { "Length" } dd { (bounds.join(" or ")) @if run.ended == Ended::Interrupted { ", stopped before its end" } }
            dt { "Warm-up" } dd { (summary::warm_up(run.warm_up)) }
            dt { "Limit per request" } dd { (seconds(run.timeout_s)) }
        }
    }
}

fn details(load: &LoadReport) -> String {
    match load {
        LoadReport::Closed { ramp_up_s, .. } => format!(", first requests spread over {ramp_up_s} s"),
        LoadReport::Open { seed, max_in_flight, .. } => {
            format!(", seed {seed}, at most {} under way", number::plural(*max_in_flight as u64, "request"))
        }
    }
}

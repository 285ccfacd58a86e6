//! The report as a page for people: one file that loads nothing, light or dark, from a telephone's width up.
//!
//! Charts are SVG shapes stretched to the page's width under labels that are HTML, so that no label shrinks with its
//! chart; the figures that a chart shows stand in a table too. There is no script. The figures themselves are
//! [`crate::report`]'s.

mod axis;
mod chart;
mod histogram;
mod number;
mod percentiles;
mod summary;
mod tables;
mod timeline;
mod waterfall;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::distribution::Distribution;
use crate::latencies::Metric;
use crate::report::{LatencyReport, Report};

/// Nothing may be loaded, whatever a report's texts contain.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'";

/// The page, complete from its doctype on. Texts of the report are escaped; a histogram that cannot be read leaves
/// its chart out.
#[must_use]
pub fn render(report: &Report) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(CONTENT_SECURITY_POLICY);
                // An empty icon, so that a browser does not ask a server for one.
                link rel="icon" href="data:,";
                title { "Load test of " (summary::target(report)) }
                style { (PreEscaped(include_str!("html/style.css"))) }
            }
            body {
                main {
                    (summary::draw(report))
                    (latency_section(report, Metric::Ttft))
                    (latency_section(report, Metric::Gap))
                    (timeline::draw(report))
                    (waterfall::draw(&report.waterfall))
                    (tables::outcomes(report))
                    (tables::latencies(report))
                    (tables::thresholds(&report.thresholds))
                    (tables::runs(&report.runs))
                }
                footer { "bro-load " (report.version) ", " (report.schema) }
            }
        }
    };
    page.into_string()
}

/// A latency's distribution by value and by percentile.
fn latency_section(report: &Report, metric: Metric) -> Markup {
    let Some(all) = distribution(&report.latency, metric) else { return html! {} };
    let words = Words::of(metric);
    html! {
        section {
            h2 { (words.heading) }
            p.lead { (words.definition) }
            div.pair {
                (histogram::draw(metric.name(), &words, &all))
                (percentiles::draw(metric.name(), &words, &curves(report, metric, all.clone())))
            }
        }
    }
}

/// Cold and warm starts apart where there were both.
fn curves(report: &Report, metric: Metric, all: Distribution) -> Vec<percentiles::Curve> {
    let of = |latencies: &Option<LatencyReport>| latencies.as_ref().and_then(|each| distribution(each, metric));
    match (of(&report.warm), of(&report.cold)) {
        (Some(warm), Some(cold)) => vec![
            percentiles::Curve { name: "warm", class: "first", distribution: warm },
            percentiles::Curve { name: "cold start", class: "second", distribution: cold },
        ],
        _ => vec![percentiles::Curve { name: "all", class: "first", distribution: all }],
    }
}

fn distribution(latencies: &LatencyReport, metric: Metric) -> Option<Distribution> {
    latencies.get(metric)?.distribution().ok().filter(|distribution| distribution.count() > 0)
}

/// How a latency is spoken of.
struct Words {
    heading: &'static str,
    definition: &'static str,
    /// What is counted, in the plural.
    things: &'static str,
}

impl Words {
    fn of(metric: Metric) -> Self {
        let (heading, definition, things) = match metric {
            Metric::Connect => ("Connecting", "Resolving the name and opening the TCP connection.", "connections"),
            Metric::Tls => ("TLS handshake", "On connections that were opened for a request.", "connections"),
            Metric::Head => ("Response head", "From the intended start to the response head.", "replies"),
            Metric::FirstEvent => ("First event", "From the intended start to the first event.", "replies"),
            Metric::Ttft => (
                "Time to first token",
                "From the moment at which a request was due, so that waiting for its turn counts, to its first token.",
                "replies",
            ),
            Metric::Gap => (
                "Between tokens",
                "From each token of a reply to the next, as they were read; zero for two that one read brought.",
                "gaps",
            ),
            Metric::Stall => ("Longest stall", "The longest gap of a reply.", "replies"),
            Metric::Tpot => {
                ("Time per output token", "First token to last, over the tokens after the first.", "replies")
            }
            Metric::Total => ("Whole reply", "From the intended start to the terminal event.", "replies"),
        };
        Self { heading, definition, things }
    }
}

#[cfg(test)]
mod tests;

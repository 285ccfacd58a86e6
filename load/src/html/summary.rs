//! The head of the page: what was tested, whether it is well, and the figures that matter most.

use maud::{Markup, html};

use super::number;
use crate::report::{Ended, LoadReport, Report, Run, WarmUpReport};

pub(super) fn draw(report: &Report) -> Markup {
    html! {
        header {
            p.kind { "Load test" }
            h1 { (target(report)) }
            p.lead { (conditions(report)) }
        }
        ul.verdicts {
            @for verdict in verdicts(report) {
                li.(verdict.class()) { strong { (verdict.word()) } " " span { (verdict.text()) } }
            }
        }
        (key_figures(report))
    }
}

/// The address, or how many there are.
pub(super) fn target(report: &Report) -> String {
    let mut urls: Vec<&str> = report.runs.iter().map(|run| run.url.as_str()).collect();
    urls.sort_unstable();
    urls.dedup();
    match urls.as_slice() {
        [url] => (*url).to_owned(),
        urls => format!("{} targets", urls.len()),
    }
}

/// When, for how long and under which load, in one line.
fn conditions(report: &Report) -> String {
    let mut parts = Vec::new();
    if let Some(started_at) = &report.started_at {
        // Seconds will do: 2026-11-22T21:52:21.123456Z
        let to_the_second = started_at.get(..19).unwrap_or(started_at);
        parts.push(format!("{} UTC", to_the_second.replace('T', " ")));
    }
    parts.push(format!("{} long", number::span(report.duration_s * 1e3)));
    match report.runs.as_slice() {
        [run] => parts.push(load(&run.load)),
        runs => parts.push(format!("{} runs merged", runs.len())),
    }
    if report.requests.warm_up > 0 {
        parts.push(format!("{} of warm-up left out", number::plural(report.requests.warm_up, "request")));
    }
    parts.join(" · ")
}

/// How requests were started, in words.
pub(super) fn load(load: &LoadReport) -> String {
    match load {
        LoadReport::Closed { concurrency, .. } => {
            format!("closed loop, {}", number::plural(*concurrency as u64, "client"))
        }
        LoadReport::Open { arrivals, rate, rate_at_end, .. } if rate == rate_at_end => {
            format!("open loop, {} arrivals, {rate} requests/s", name_of(arrivals))
        }
        LoadReport::Open { arrivals, rate, rate_at_end, .. } => {
            format!("open loop, {} arrivals, {rate} to {rate_at_end} requests/s", name_of(arrivals))
        }
    }
}

/// A mathematician's name is written as one.
fn name_of(arrivals: &str) -> &str {
    if arrivals == "poisson" { "Poisson" } else { arrivals }
}

/// What was left out at the beginning, in words.
pub(super) fn warm_up(warm_up: WarmUpReport) -> String {
    match warm_up {
        WarmUpReport::None => "none".to_owned(),
        WarmUpReport::Requests(count) => number::plural(count, "request"),
        WarmUpReport::Seconds(seconds) => format!("{seconds} s"),
    }
}

/// One thing that is well or is not.
enum Verdict {
    Good(String),
    Open(String),
    Bad(String),
}

impl Verdict {
    fn class(&self) -> &'static str {
        match self {
            Self::Good(_) => "good",
            Self::Open(_) => "open",
            Self::Bad(_) => "bad",
        }
    }

    /// So that no colour has to be seen.
    fn word(&self) -> &'static str {
        match self {
            Self::Good(_) => "Good",
            Self::Open(_) => "Note",
            Self::Bad(_) => "Failed",
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Good(text) | Self::Open(text) | Self::Bad(text) => text,
        }
    }
}

fn verdicts(report: &Report) -> Vec<Verdict> {
    let mut verdicts = vec![requests(report)];
    verdicts.extend(streaming(report));
    let failed: Vec<_> = report.thresholds.iter().filter(|threshold| threshold.failed).collect();
    for threshold in &failed {
        let measured = threshold.measured.map_or("nothing was measured".to_owned(), |measured| {
            format!("it is {}\u{a0}{}", number::three_digits(measured), threshold.unit).trim_end().to_owned()
        });
        verdicts.push(Verdict::Bad(format!("Limit {}: {measured}.", threshold.fail_if)));
    }
    if failed.is_empty() && !report.thresholds.is_empty() {
        let held = number::plural(report.thresholds.len() as u64, "threshold");
        verdicts.push(Verdict::Good(format!("{held} kept.")));
    }
    if report.runs.iter().any(|run: &Run| run.ended == Ended::Interrupted) {
        verdicts.push(Verdict::Open("The run was stopped before its end.".to_owned()));
    }
    verdicts
}

fn requests(report: &Report) -> Verdict {
    let requests = report.requests;
    match (requests.total, requests.failed) {
        (0, _) => Verdict::Bad("No request was measured.".to_owned()),
        (1, 0) => Verdict::Good("The one reply came whole.".to_owned()),
        (total, 0) => Verdict::Good(format!("All {} replies came whole.", number::count(total))),
        (total, failed) => Verdict::Bad(format!(
            "{} of {} failed ({}).",
            number::count(failed),
            number::plural(total, "request"),
            number::share(failed, total)
        )),
    }
}

fn streaming(report: &Report) -> Option<Verdict> {
    let streaming = report.streaming;
    let judged = streaming.streamed + streaming.buffered;
    if streaming.buffered > 0 {
        let text = format!(
            "{} of {} were buffered on the way: made over a time, and then there at once.",
            number::count(streaming.buffered),
            replies(judged)
        );
        return Some(Verdict::Bad(text));
    }
    if judged > 0 {
        let reads = streaming.reads_per_token.map_or(String::new(), |reads| format!(", {reads:.2} reads a token"));
        let text = if streaming.too_short == 0 {
            format!("Every reply came as a stream{reads}.")
        } else {
            let untold = number::count(streaming.too_short);
            format!("{} came as streams{reads}; {untold} were too short to tell.", replies(streaming.streamed))
        };
        return Some(Verdict::Good(text));
    }
    let text = "Whether replies were streamed cannot be told: they were too short, or made too fast.";
    (streaming.too_short > 0).then(|| Verdict::Open(text.to_owned()))
}

fn replies(count: u64) -> String {
    if count == 1 { "1 reply".to_owned() } else { format!("{} replies", number::count(count)) }
}

fn key_figures(report: &Report) -> Markup {
    let latency = &report.latency;
    let durations = [
        ("Time to first token", "median", latency.ttft.as_ref().map(|ttft| ttft.p50)),
        ("Time to first token", "99th percentile", latency.ttft.as_ref().map(|ttft| ttft.p99)),
        ("Between tokens", "99th percentile", latency.gap.as_ref().map(|gap| gap.p99)),
        ("Whole reply", "median", latency.total.as_ref().map(|total| total.p50)),
    ];
    let rates = [
        ("Whole replies", "per second", report.throughput.requests_per_second),
        ("Output tokens", "per second", report.throughput.tokens_per_second),
    ];
    html! {
        dl.key {
            @for (name, which, ms) in durations {
                div {
                    dt { (name) " " span { (which) } }
                    @match ms.map(number::duration) {
                        Some((figure, unit)) => dd { (figure) " " small { (unit) } },
                        None => dd { "–" },
                    }
                }
            }
            @for (name, which, rate) in rates {
                div { dt { (name) " " span { (which) } } dd { (number::three_digits(rate)) } }
            }
        }
    }
}

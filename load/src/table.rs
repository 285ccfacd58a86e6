//! A report as a table for people, in plain text.

use std::fmt::{self, Display, Write as _};

use crate::latencies::Metric;
use crate::report::{Ended, Latency, LoadReport, Report, Run, StepsReport, WarmUpReport};

/// Shows a report.
pub struct Table<'a>(pub &'a Report);

impl Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.0;
        for run in &report.runs {
            writeln!(f, "{}", heading(run))?;
        }
        writeln!(f)?;
        requests(f, report)?;
        latencies(f, report)?;
        waterfall(f, report)?;
        streaming(f, report)?;
        thresholds(f, report)
    }
}

fn heading(run: &Run) -> String {
    let mut text = format!("{} ({})\n  ", run.url, run.format);
    match &run.load {
        LoadReport::Closed { concurrency: 1, .. } => text.push_str("closed loop, 1 client"),
        LoadReport::Closed { concurrency, .. } => push(&mut text, format_args!("closed loop, {concurrency} clients")),
        LoadReport::Open { arrivals, rate, rate_at_end, .. } => {
            push(&mut text, format_args!("open loop, {arrivals} arrivals, {rate}"));
            if rate != rate_at_end {
                push(&mut text, format_args!("..{rate_at_end}"));
            }
            text.push_str(" requests/s");
        }
    }
    match run.warm_up {
        WarmUpReport::None => {}
        WarmUpReport::Requests(1) => text.push_str(", after a warm-up of one request"),
        WarmUpReport::Requests(count) => push(&mut text, format_args!(", after a warm-up of {count} requests")),
        WarmUpReport::Seconds(seconds) => push(&mut text, format_args!(", after a warm-up of {seconds} s")),
    }
    if run.ended == Ended::Interrupted {
        text.push_str(", interrupted");
    }
    text
}

/// Writing to a string cannot fail.
fn push(text: &mut String, arguments: fmt::Arguments<'_>) {
    let _ = text.write_fmt(arguments);
}

fn requests(f: &mut fmt::Formatter<'_>, report: &Report) -> fmt::Result {
    let (requests, throughput) = (report.requests, report.throughput);
    writeln!(
        f,
        "requests    {} in {:.1} s: {} done, {} failed; {:.1}/s",
        requests.total, report.duration_s, requests.done, requests.failed, throughput.requests_per_second,
    )?;
    writeln!(f, "tokens      {} ({:.0}/s)", throughput.output_tokens, throughput.tokens_per_second)?;
    if requests.cold_starts > 0 {
        writeln!(f, "cold starts {}", requests.cold_starts)?;
    }
    if requests.warm_up > 0 {
        writeln!(f, "left out    {} of the warm-up", requests.warm_up)?;
    }
    for failure in report.outcomes.iter().filter(|each| !each.outcome.is_done()) {
        write!(f, "  failed    {} × {}", failure.count, failure.outcome)?;
        match &failure.example {
            Some(example) => writeln!(f, " (for one: {example})")?,
            None => writeln!(f)?,
        }
    }
    writeln!(f)
}

fn latencies(f: &mut fmt::Formatter<'_>, report: &Report) -> fmt::Result {
    if report.requests.done == 0 {
        return writeln!(f, "No reply came whole: there are no latencies.\n");
    }
    let columns = ["count", "mean", "p50", "p90", "p95", "p99", "p99.9", "max"];
    write!(f, "{:<17}", "ms")?;
    for column in columns {
        write!(f, "{column:>10}")?;
    }
    writeln!(f)?;
    for metric in Metric::ALL {
        if let Some(latency) = report.latency.get(metric) {
            row(f, label(metric), latency)?;
        }
    }
    let apart = report.requests.cold_starts > 0;
    for (name, latencies) in [("TTFT, cold", &report.cold), ("TTFT, warm", &report.warm)] {
        if let Some(latency) = latencies.as_ref().and_then(|latencies| latencies.ttft.as_ref()).filter(|_| apart) {
            row(f, name, latency)?;
        }
    }
    writeln!(f)
}

fn label(metric: Metric) -> &'static str {
    match metric {
        Metric::Connect => "connect",
        Metric::Tls => "TLS",
        Metric::Head => "response head",
        Metric::FirstEvent => "first event",
        Metric::Ttft => "first token, TTFT",
        Metric::Gap => "gap",
        Metric::Stall => "longest gap",
        Metric::Tpot => "per output token",
        Metric::Total => "total",
    }
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, latency: &Latency) -> fmt::Result {
    write!(f, "{name:<17}{:>10}", latency.count)?;
    for value in [latency.mean, latency.p50, latency.p90, latency.p95, latency.p99, latency.p99_9, latency.max] {
        write!(f, "{:>10}", millis(value))?;
    }
    writeln!(f)
}

/// As many digits as say something.
fn millis(value: f64) -> String {
    let digits = match value.abs() {
        value if value < 10.0 => 3,
        value if value < 100.0 => 2,
        _ => 1,
    };
    format!("{value:.digits$}")
}

fn waterfall(f: &mut fmt::Formatter<'_>, report: &Report) -> fmt::Result {
    let columns = [("warm", report.waterfall.warm.as_ref()), ("cold", report.waterfall.cold.as_ref())];
    let columns: Vec<(&str, &StepsReport)> =
        columns.into_iter().filter_map(|(name, steps)| Some((name, steps?))).collect();
    if columns.is_empty() {
        return Ok(());
    }
    write!(f, "{:<44}", "where the time to first token went, mean ms")?;
    for (name, steps) in &columns {
        write!(f, "{:>16}", format!("{name} ({})", steps.count))?;
    }
    writeln!(f)?;
    type Step = (&'static str, fn(&StepsReport) -> f64);
    let steps: [Step; 11] = [
        ("waiting for its turn", |steps| steps.queue),
        ("connect", |steps| steps.connect),
        ("TLS", |steps| steps.tls),
        ("start of the sandbox", |steps| steps.cold_start),
        ("network and platform", |steps| steps.network),
        ("function: parse", |steps| steps.parse),
        ("function: govern", |steps| steps.govern),
        ("Bedrock: response head", |steps| steps.bedrock_head),
        ("Bedrock: first delta", |steps| steps.first_delta),
        ("function: first write", |steps| steps.first_write),
        ("time to first token", |steps| steps.ttft),
    ];
    for (name, of) in steps {
        let values: Vec<f64> = columns.iter().map(|(_, steps)| of(steps)).collect();
        // A step that nobody took says nothing.
        if values.iter().all(|value| *value == 0.0) {
            continue;
        }
        write!(f, "  {name:<42}")?;
        for value in values {
            write!(f, "{:>16}", millis(value))?;
        }
        writeln!(f)?;
    }
    writeln!(f)
}

fn streaming(f: &mut fmt::Formatter<'_>, report: &Report) -> fmt::Result {
    let streaming = report.streaming;
    if report.requests.done == 0 {
        return Ok(());
    }
    let verdict = match (streaming.streamed, streaming.buffered) {
        (0, 0) => "cannot be told: every reply was too short or came too fast",
        (_, 0) => "yes, replies came as they were made",
        (0, _) => "NO: replies were held back on the way, and came at once",
        _ => "NOT ALWAYS: some replies were held back on the way, and came at once",
    };
    writeln!(f, "streamed    {verdict}")?;
    writeln!(
        f,
        "            {} streamed, {} buffered, {} too short to tell{}",
        streaming.streamed,
        streaming.buffered,
        streaming.too_short,
        streaming.reads_per_token.map_or_else(String::new, |reads| format!("; {reads:.2} reads per token")),
    )
}

fn thresholds(f: &mut fmt::Formatter<'_>, report: &Report) -> fmt::Result {
    if !report.thresholds.is_empty() {
        writeln!(f)?;
    }
    for threshold in &report.thresholds {
        let verdict = if threshold.failed { "FAILED" } else { "passed" };
        let measured = match threshold.measured {
            Some(measured) => format!("measured {measured:.3}{}", threshold.unit),
            None => "nothing was measured".to_owned(),
        };
        writeln!(f, "{verdict}      fail if {}: {measured}", threshold.fail_if)?;
    }
    Ok(())
}

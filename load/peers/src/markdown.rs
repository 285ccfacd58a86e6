//! The figures as they go into BENCHMARKS.md.

use std::io::{self, Write};

use crate::arm::Arm;
use crate::figures::{ENOUGH_FOR_P99, Endurance, Figures, Level, Percentiles, Stage, Times};
use crate::model::{FIRST_TOKEN, GAP};
use crate::targets::{Target, Verdict, targets};

/// Where there is no figure.
const NONE: &str = "–";

/// Why stock Rust is slower than the rest.
const RUST_WAITS: &str = "Most of what stock Rust adds to the first token is one socket option: `lambda_runtime` opens its connection to the Runtime API without \
     `TCP_NODELAY`, so that what follows the first write waits for the acknowledgement of it (Nagle's algorithm), which the other side delays. \
     That is so on Linux over loopback; whether Lambda's own Runtime API delays it as well was not verified.";
/// Why Node.js and its runtime client are not the newest.
const NODE_VERSION: &str = "`aws-lambda-ric` is of its third major version, since the fourth needs Node.js 22.";

/// Writes all of it.
pub(crate) fn write(out: &mut dyn Write, figures: &Figures) -> io::Result<()> {
    preface(out, figures)?;
    comparison(out, figures)?;
    latency(out, figures)?;
    load(out, figures)?;
    endurance(out, figures)?;
    verdict(out, figures)?;
    failures(out, figures)
}

fn preface(out: &mut dyn Write, figures: &Figures) -> io::Result<()> {
    let machine = &figures.machine;
    #[expect(clippy::cast_precision_loss, reason = "2^53 KiB are none of our worries")]
    let memory = machine.memory_kib.map(|kib| format!("{:.0} GiB of memory", kib as f64 / 1024.0 / 1024.0));
    let system: Vec<_> = [&machine.processor, &memory, &machine.system].into_iter().flatten().cloned().collect();
    writeln!(out, "Measured on {} with {} cores ({}).", machine.date, machine.cores, system.join(", "))?;
    for versions in &machine.versions {
        writeln!(out, "{versions}.")?;
    }
    writeln!(
        out,
        "The model is scripted: the first token after {} ms, another each {} ms. Clients, the stand-ins for Bedrock and Lambda \
         and the direct client ran in one process on the same machine.",
        FIRST_TOKEN.as_millis(),
        GAP.as_millis()
    )
}

/// The one table with everything side by side.
fn comparison(out: &mut dyn Write, figures: &Figures) -> io::Result<()> {
    let levels = levels(figures);
    let at = if levels.is_empty() { String::new() } else { format!(" at {} sandboxes", slashed(&levels)) };
    writeln!(out, "\n### Side by side\n")?;
    writeln!(
        out,
        "| | added TTFT, p50 / p99 | added gap, p99 | requests/s{at} | tokens/s | processor time a request \
         | peak memory of a process | process start → ready | → first token |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|---|---|")?;
    let arms: Vec<Arm> = present(figures).collect();
    for arm in arms.iter().copied() {
        let added = figures.added(arm);
        let start = figures.start.get(&arm);
        let cells = [
            cell(added, |added| match added.ttft_p99_ms {
                Some(p99) => format!("{:.2} / {p99:.2} ms", added.ttft_p50_ms),
                None => format!("{:.2} / {NONE} ms", added.ttft_p50_ms),
            }),
            cell(added.and_then(|added| added.gap_p99_ms), |gap| format!("{gap:.2} ms")),
            each_level(figures, arm, |level| Some(rate(level.requests_per_second))),
            each_level(figures, arm, |level| Some(rate(level.tokens_per_second))),
            unit(each_level(figures, arm, |level| Some(processor(level.usage?.cpu_ms))), "ms"),
            cell(figures.most_used(arm), |usage| format!("{:.1} MiB", usage.peak_rss_mib)),
            cell(start, |start| format!("{:.1} ms", start.ready_ms.median)),
            cell(start, |start| format!("{:.1} ms", start.first_token_ms.median)),
        ];
        writeln!(out, "| {arm} | {} |", cells.join(" | "))?;
    }
    writeln!(
        out,
        "\nAdded: percentiles less those of the direct client; none of fewer than {ENOUGH_FOR_P99} values. The floor asks nobody and answers at once: \
         the first token it adds is its whole time, the stand-in for Lambda's own share, and its further tokens come at the model's pace. \
         Python is a plain server without Lambda in front, which favours it, with a worker for each reply at once but no more than cores. \
         Requests/s are those of as many clients as sandboxes, while each has a request under way. \
         Processor time and memory are those of an arm's own processes; memory is the most that a single one of them held, though Python's serves many \
         replies at once and there are as many of the functions' as sandboxes. Starts are medians; first tokens are without Bedrock's {} ms.",
        FIRST_TOKEN.as_millis()
    )?;
    causes(out, &arms)
}

/// What a reader would otherwise take for the peers' own slowness.
fn causes(out: &mut dyn Write, arms: &[Arm]) -> io::Result<()> {
    if arms.contains(&Arm::Rust) {
        writeln!(out, "\n{RUST_WAITS}")?;
    }
    if arms.contains(&Arm::Node) {
        writeln!(out, "\n{NODE_VERSION}")?;
    }
    Ok(())
}

/// What was measured before any difference is taken.
fn latency(out: &mut dyn Write, figures: &Figures) -> io::Result<()> {
    if figures.latency.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n### One request at a time, as measured\n")?;
    writeln!(out, "| | requests | failed | TTFT p50 | p90 | p99 | gap p50 | p90 | p99 |")?;
    writeln!(out, "|---|---|---|---|---|---|---|---|---|")?;
    for (arm, latency) in &figures.latency {
        let Times { ttft_ms, gap_ms } = latency.times;
        let gap = gap_ms.map_or_else(|| vec![NONE.to_owned(); 3], percentiles);
        let cells = [percentiles(ttft_ms), gap].concat();
        writeln!(out, "| {arm} | {} | {} | {} |", latency.requests, latency.failed, cells.join(" | "))?;
    }
    Ok(())
}

fn load(out: &mut dyn Write, figures: &Figures) -> io::Result<()> {
    if figures.load.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n### Under load, 60 tokens a reply\n")?;
    writeln!(out, "| | sandboxes | requests | failed | TTFT p50 | p90 | p99 | peak memory of a process |")?;
    writeln!(out, "|---|---|---|---|---|---|---|---|")?;
    for (arm, level) in figures.load.iter().flat_map(|(arm, levels)| levels.iter().map(move |level| (arm, level))) {
        writeln!(
            out,
            "| {arm} | {} | {} | {} | {} | {} |",
            level.sandboxes,
            level.requests,
            level.failed,
            percentiles(level.ttft_ms).join(" | "),
            cell(level.usage, |usage| format!("{:.1} MiB", usage.peak_rss_mib))
        )?;
    }
    Ok(())
}

fn endurance(out: &mut dyn Write, figures: &Figures) -> io::Result<()> {
    if figures.endurance.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n### Many requests in one sandbox, one token a reply\n")?;
    writeln!(out, "| | requests | TTFT p50 | p99 | processor time a request | resident memory |")?;
    writeln!(out, "|---|---|---|---|---|---|")?;
    for (arm, Endurance { warm_up, requests, early, late, .. }) in &figures.endurance {
        let mut row = |which: &str, stage: &Stage| {
            let Stage { requests: count, ttft_ms, usage } = stage;
            #[expect(clippy::cast_precision_loss, reason = "2^53 KiB are none of our worries")]
            let mib = cell(*usage, |usage| format!("{:.2} MiB", usage.rss_kib as f64 / 1024.0));
            let cpu = cell(*usage, |usage| format!("{:.2} ms", usage.cpu_ms));
            let (p50, p99) = (ttft_ms.p50, cell(ttft_ms.p99, |p99| format!("{p99:.2} ms")));
            writeln!(
                out,
                "| {arm} | the {which} {count} of {requests}, after {warm_up} | {p50:.2} ms | {p99} | {cpu} | {mib} |"
            )
        };
        row("first", early)?;
        row("last", late)?;
    }
    Ok(())
}

fn verdict(out: &mut dyn Write, figures: &Figures) -> io::Result<()> {
    writeln!(out, "\n### Targets\n")?;
    writeln!(out, "| | target | measured | least – most of a round | |")?;
    writeln!(out, "|---|---|---|---|---|")?;
    for Target { what, at_most, measured, rounds, unit, verdict } in targets(figures) {
        let verdict = match verdict {
            Verdict::Met => "met".to_owned(),
            Verdict::Missed => {
                let by = measured.map(|measured| format!(" by {:.2} {unit}", measured - at_most));
                format!("**missed**{}", by.unwrap_or_default())
            }
            Verdict::NotMeasured => "not measured".to_owned(),
            Verdict::NotJudged { requests } => format!("not judged: {requests} requests are too few"),
        };
        let measured = cell(measured, |measured| format!("{measured:.2} {unit}"));
        let rounds = cell(rounds, |rounds| format!("{:.2} – {:.2} {unit}", rounds.least, rounds.most));
        writeln!(out, "| {what} | ≤ {at_most} {unit} | {measured} | {rounds} | {verdict} |")?;
    }
    writeln!(
        out,
        "\nAdded TTFT less the floor's is the cost beyond a minimal function and a minimal client of Bedrock. Where the rounds lie \
         far apart, the digits of the difference mean as little."
    )
}

fn failures(out: &mut dyn Write, figures: &Figures) -> io::Result<()> {
    let failed = figures.failed();
    if failed > 0 {
        writeln!(out, "\nRequests that came to no whole reply: {failed}. They are in no figure but the counts.")?;
    }
    Ok(())
}

/// The arms that have a figure in the first table.
fn present(figures: &Figures) -> impl Iterator<Item = Arm> {
    Arm::ALL.into_iter().filter(|arm| {
        figures.latency.contains_key(arm) || figures.load.contains_key(arm) || figures.start.contains_key(arm)
    })
}

fn levels(figures: &Figures) -> Vec<String> {
    let all = figures.load.values().next().into_iter().flatten();
    all.map(|level| level.sandboxes.to_string()).collect()
}

/// One figure of each level, or nothing where not all have it.
fn each_level(figures: &Figures, arm: Arm, figure: impl Fn(&Level) -> Option<String>) -> String {
    let levels = figures.load.get(&arm).map(Vec::as_slice).unwrap_or_default();
    let figures: Option<Vec<String>> = levels.iter().map(figure).collect();
    figures.filter(|figures| !figures.is_empty()).map_or_else(|| NONE.to_owned(), |figures| slashed(&figures))
}

/// Two digits at least.
fn processor(millis: f64) -> String {
    if millis < 0.995 { format!("{millis:.2}") } else { format!("{millis:.1}") }
}

/// Two digits at least.
fn rate(per_second: f64) -> String {
    if per_second < 9.95 { format!("{per_second:.1}") } else { format!("{per_second:.0}") }
}

fn slashed(values: &[String]) -> String {
    values.join(" / ")
}

fn unit(cell: String, unit: &str) -> String {
    if cell == NONE { cell } else { format!("{cell} {unit}") }
}

fn cell<T>(value: Option<T>, show: impl Fn(T) -> String) -> String {
    value.map_or_else(|| NONE.to_owned(), show)
}

fn percentiles(of: Percentiles) -> Vec<String> {
    [Some(of.p50), Some(of.p90), of.p99].map(|value| cell(value, |value| format!("{value:.2} ms"))).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::tests::figures;

    fn written(figures: &Figures) -> String {
        let mut out = Vec::new();
        write(&mut out, figures).expect("memory");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn every_arm_has_a_row_with_all_that_was_measured_of_it() {
        let text = written(&figures());
        for row in [
            "| direct ConverseStream | – | – | 3.3 / 33 | 198 / 1980 | – | – | – | – |",
            "| floor | 0.30 / 0.80 ms | -0.05 ms | – | – | – | – | 1.5 ms | 2.0 ms |",
            "| **Bro-Buddy** | 0.55 / 3.50 ms | 0.40 ms | 3.2 / 32 | 192 / 1920 | 2.5 / 1.8 ms | 10.2 MiB | 4.0 ms | 6.5 ms |",
            "| **Bro-Buddy** | 1000 | 0 | 5.75 ms | 6.00 ms | 9.50 ms | 5.00 ms | 5.10 ms | 5.70 ms |",
            "| **Bro-Buddy** | 10 | 100 | 0 | 5.50 ms | 6.00 ms | 7.00 ms | 10.2 MiB |",
            "| **Bro-Buddy** | the last 1000 of 10000, after 100 | 6.30 ms | 8.00 ms | 2.50 ms | 9.18 MiB |",
            "| added TTFT less the floor's, p50 | ≤ 0.3 ms | 0.25 ms | 0.15 – 0.35 ms | met |",
            "| added TTFT less the floor's, p99 | ≤ 1.5 ms | 2.70 ms | – | **missed** by 1.20 ms |",
        ] {
            assert!(text.lines().any(|line| line == row), "{row}\n{text}");
        }
    }

    #[test]
    fn every_table_has_as_many_cells_in_each_row_as_in_its_head() {
        let text = written(&figures());
        let mut cells = None;
        for line in text.lines() {
            if line.starts_with('|') {
                assert_eq!(line.matches('|').count(), *cells.get_or_insert(line.matches('|').count()), "{line}");
            } else {
                cells = None;
            }
        }
    }

    #[test]
    fn a_part_that_was_not_run_has_no_table() {
        let mut figures = figures();
        figures.load.clear();
        figures.endurance.clear();
        let text = written(&figures);
        assert!(!text.contains("Under load") && !text.contains("Many requests"), "{text}");
    }

    #[test]
    fn requests_that_failed_are_told_of() {
        let mut figures = figures();
        figures.latency.values_mut().for_each(|latency| latency.failed = 2);
        assert!(written(&figures).contains("\nRequests that came to no whole reply: 6."));
    }

    #[test]
    fn failures_are_told_of_also_where_nothing_of_bro_buddys_was_measured() {
        let mut figures = figures();
        figures.latency.remove(&Arm::BroBuddy);
        figures.latency.values_mut().for_each(|latency| latency.failed = 2);
        (figures.load, figures.start, figures.endurance) = Default::default();
        figures.machine.function_bytes = None;
        let text = written(&figures);
        assert!(text.contains("| – | – | not measured |") && text.contains("whole reply: 4."), "{text}");
    }

    #[test]
    fn too_few_requests_have_no_p99_and_no_verdict_on_growth() {
        let mut figures = figures();
        figures.latency.values_mut().for_each(|latency| latency.times.ttft_ms.p99 = None);
        figures.endurance.values_mut().for_each(|endurance| endurance.requests = 2_000);
        let text = written(&figures);
        for row in [
            "| floor | 0.30 / – ms | -0.05 ms | – | – | – | – | 1.5 ms | 2.0 ms |",
            "| added TTFT less the floor's, p99 | ≤ 1.5 ms | – | – | not measured |",
            "| memory growth per 1,000 requests in one sandbox | ≤ 64 KiB | 180.00 KiB | – | not judged: 2000 requests are too few |",
        ] {
            assert!(text.lines().any(|line| line == row), "{row}\n{text}");
        }
    }

    #[test]
    fn stock_rusts_wait_is_explained_where_it_is_shown() {
        let mut figures = figures();
        assert!(!written(&figures).contains("TCP_NODELAY"));
        let start = figures.start[&Arm::Floor];
        figures.start.insert(Arm::Rust, start);
        assert!(written(&figures).contains("`TCP_NODELAY`"));
    }

    #[test]
    fn processor_time_below_a_millisecond_has_two_digits() {
        assert_eq!([0.034, 0.994, 0.996, 3.51].map(processor), ["0.03", "0.99", "1.0", "3.5"]);
    }
}

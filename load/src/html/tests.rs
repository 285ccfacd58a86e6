//! The page as a reader gets it: parsed by a browser's rules, whatever the report holds.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use scraper::{ElementRef, Html, Selector};

use super::*;
use crate::outcome::Outcome;
use crate::report::{Ended, LoadReport, Run, ThresholdReport, WarmUpReport};
use crate::sample::{Phases, Sample, ServerTiming, Start};
use crate::tally::Tally;

const HOSTILE: &str = r#"</title></script><script>alert(1)</script><img src=x onerror=alert(1)> "' & {{x}}"#;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn reply(number: u64, start: Start) -> Sample {
    let ttft = ms(200 + number * 7 % 90);
    let intended = SystemTime::UNIX_EPOCH + ms(1_795_384_341_000 + number * 20);
    let mut sample = Sample::without_answer(intended, ttft + ms(400), Outcome::Done);
    (sample.first_token, sample.last_token) = (Some(ttft), Some(ttft + ms(400)));
    sample.gaps = vec![ms(20), ms(25), ms(0), ms(355)];
    (sample.tokens, sample.token_reads, sample.start) = (5, 4, start);
    let phases =
        Phases { parse: ms(1), govern: ms(2), bedrock_head: ms(90), first_delta: ms(180), first_token_write: ms(181) };
    sample.server = Some(ServerTiming { ttft: Some(ms(181)), total: Some(ms(581)), phases: Some(phases) });
    sample
}

fn run(url: &str) -> Run {
    Run {
        url: url.to_owned(),
        format: "bro-buddy".to_owned(),
        mode: None,
        model: None,
        prompts: 1,
        load: LoadReport::Closed { concurrency: 10, ramp_up_s: 0.0 },
        requests: None,
        duration_s: Some(30.0),
        warm_up: WarmUpReport::None,
        timeout_s: 60.0,
        ended: Ended::Completed,
    }
}

/// 500 replies, two of them of fresh sandboxes, and three failures.
fn report() -> Report {
    let mut tally = Tally::default();
    for number in 0..500 {
        tally.record(&reply(number, if number % 250 == 0 { Start::Cold } else { Start::Warm }));
    }
    for number in 0..3 {
        let mut failed = reply(number * 100, Start::Warm);
        failed.outcome = Outcome::problem(429, "throttled");
        failed.detail = Some("busy".to_owned());
        tally.record(&failed);
    }
    Report::new(&tally, vec![run("http://localhost:4000/api/chat")])
}

/// Every report that the tests render: full, empty, with one reply, and with hostile texts everywhere.
fn reports() -> Vec<Report> {
    let mut single = Tally::default();
    single.record(&reply(1, Start::Warm));
    vec![
        report(),
        Report::new(&Tally::default(), Vec::new()),
        Report::new(&single, vec![run("http://localhost/"), run("https://example.com/")]),
        hostile(),
    ]
}

fn hostile() -> Report {
    let mut report = report();
    report.version = HOSTILE.to_owned();
    report.schema = HOSTILE.to_owned();
    report.started_at = Some(HOSTILE.to_owned());
    let mut run = run(HOSTILE);
    run.format = HOSTILE.to_owned();
    run.mode = Some(HOSTILE.to_owned());
    run.model = Some(HOSTILE.to_owned());
    run.load =
        LoadReport::Open { arrivals: HOSTILE.to_owned(), rate: 1.0, rate_at_end: 2.0, seed: 1, max_in_flight: 1 };
    report.runs = vec![run];
    for outcome in &mut report.outcomes {
        outcome.outcome = Outcome::error(HOSTILE);
        outcome.example = Some(HOSTILE.to_owned());
    }
    let (fail_if, unit) = (HOSTILE.to_owned(), HOSTILE.to_owned());
    report.thresholds = vec![ThresholdReport { fail_if, measured: Some(1.0), unit, failed: true }];
    report
}

fn select<'a>(page: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    page.select(&Selector::parse(selector).unwrap()).collect()
}

fn text(page: &Html, selector: &str) -> String {
    select(page, selector).iter().flat_map(ElementRef::text).collect()
}

#[test]
fn every_page_is_well_formed() {
    for report in reports() {
        let page = Html::parse_document(&render(&report));
        assert_eq!(page.errors, Vec::<std::borrow::Cow<'static, str>>::new());
    }
}

#[test]
fn a_page_loads_nothing_and_runs_nothing() {
    for report in reports() {
        let page = Html::parse_document(&render(&report));
        assert!(select(&page, "script, img, iframe, object, embed, a, form, [src], [onerror]").is_empty());
        let links: Vec<_> = select(&page, "[href]").iter().map(|link| link.attr("href").unwrap()).collect();
        assert_eq!(links, ["data:,"]);
        assert!(text(&page, "style").split("url(").count() == 1 && !text(&page, "style").contains("@import"));
        let policy = select(&page, "meta[http-equiv=Content-Security-Policy]");
        assert!(policy.first().unwrap().attr("content").unwrap().starts_with("default-src 'none'"));
    }
}

#[test]
fn hostile_texts_are_shown_as_texts() {
    let page = Html::parse_document(&render(&hostile()));
    for selector in ["title", "h1", "footer", ".run", ".texts td", ".texts code"] {
        assert!(text(&page, selector).contains(HOSTILE), "{selector}: {}", text(&page, selector));
    }
}

#[test]
fn every_chart_has_a_name_a_description_and_shapes_at_finite_places() {
    let page = Html::parse_document(&render(&report()));
    let ids: Vec<_> = select(&page, "[id]").iter().map(|element| element.attr("id").unwrap().to_owned()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
    let charts = select(&page, "svg");
    assert_eq!(charts.len(), 6);
    for chart in charts {
        for attribute in ["aria-labelledby", "aria-describedby"] {
            assert!(ids.iter().any(|id| id == chart.attr(attribute).unwrap()));
        }
    }
    for report in reports() {
        let page = Html::parse_document(&render(&report));
        for shape in select(&page, "svg *, [style]") {
            for attribute in ["d", "x", "y", "width", "height", "style"] {
                let value = shape.attr(attribute).unwrap_or_default();
                assert!(!value.contains("NaN") && !value.contains("inf") && !value.contains("=\"-"), "{value}");
            }
        }
    }
}

#[test]
fn the_head_of_the_page_says_what_matters() {
    let report = report();
    let page = Html::parse_document(&render(&report));
    assert_eq!(text(&page, "h1"), "http://localhost:4000/api/chat");
    assert!(text(&page, "header .lead").contains("closed loop, 10 clients"));
    let verdicts = text(&page, ".verdicts");
    assert!(verdicts.contains("Failed 3 of 503 requests failed (0.60\u{a0}%)."), "{verdicts}");
    assert!(verdicts.contains("were too short to tell") || verdicts.contains("cannot be told"), "{verdicts}");
    let p50 = report.latency.ttft.as_ref().unwrap().p50;
    assert!(text(&page, ".key").contains(&format!("{p50:.0} ms")), "{}", text(&page, ".key"));
}

#[test]
fn a_failed_threshold_and_a_buffered_reply_stand_at_the_head_of_the_page() {
    let mut report = report();
    report.streaming.buffered = 7;
    report.thresholds = vec![ThresholdReport {
        fail_if: "ttft.p99>100ms".to_owned(),
        measured: Some(288.0),
        unit: "ms".to_owned(),
        failed: true,
    }];
    report.runs = vec![Run { ended: Ended::Interrupted, ..run("http://localhost/") }];
    let verdicts = text(&Html::parse_document(&render(&report)), ".verdicts");
    for expected in
        ["7 of 7 replies were buffered", "Limit ttft.p99>100ms: it is 288\u{a0}ms.", "stopped before its end"]
    {
        assert!(verdicts.contains(expected), "{verdicts}");
    }
}

#[test]
fn the_steps_of_the_waterfall_are_the_reports_and_add_up() {
    let report = report();
    let page = Html::parse_document(&render(&report));
    let steps: Vec<f64> = select(&page, ".waterfall:first-child tbody td:last-child")
        .iter()
        .map(|cell| cell.text().collect::<String>().parse().unwrap())
        .collect();
    assert_eq!(steps.len(), 10);
    let ttft = report.waterfall.warm.unwrap().ttft;
    assert!((steps.iter().sum::<f64>() - ttft).abs() < 1.0, "{steps:?} {ttft}");
}

#[test]
fn a_run_of_hours_is_shown_in_steps_that_fit_and_loses_no_request() {
    let mut tally = Tally::default();
    for number in 0..400 {
        tally.record(&Sample {
            intended: SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_384_341 + number * 30),
            ..reply(number, Start::Warm)
        });
    }
    let page = Html::parse_document(&render(&Report::new(&tally, vec![run("http://localhost/")])));
    let rows = select(&page, "details tbody tr");
    assert!((60..=120).contains(&rows.len()), "{}", rows.len());
    let ended: u64 = select(&page, "details tbody td:nth-child(3)")
        .iter()
        .map(|cell| cell.text().collect::<String>().parse::<u64>().unwrap())
        .sum();
    assert_eq!(ended, 400);
}

#[test]
fn a_histogram_that_cannot_be_read_leaves_its_charts_out() {
    let mut report = report();
    report.latency.ttft.as_mut().unwrap().histogram = "no histogram".to_owned();
    let page = Html::parse_document(&render(&report));
    assert_eq!(select(&page, "svg").len(), 4);
    assert!(text(&page, "table").contains("Time to first token"));
}

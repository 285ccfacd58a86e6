//! The arithmetic of a report, on samples whose every figure is known.

use std::time::{Duration, SystemTime};

use bro_load::report::Latency;
use bro_load::{Metric, Outcome, Phases, Report, Sample, ServerTiming, Start, Tally};
use serde_json::{Value, json};

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// At 2033-05-18T03:33:20Z and so many milliseconds.
fn at(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000) + ms(millis)
}

/// Ten replies, 100 ms apart: the n-th has its first token after n ms, then two more tokens after 10 and 20 ms; the
/// first is a cold start. Then a cut reply with two tokens, and a throttle.
fn samples() -> Vec<Sample> {
    let reply = |n: u64| {
        let phases = Phases {
            parse: Duration::from_micros(100),
            govern: Duration::from_micros(200),
            bedrock_head: Duration::from_micros(300),
            first_delta: Duration::from_micros(400),
            first_token_write: Duration::from_micros(500),
        };
        Sample {
            connect: (n == 1).then_some(Duration::from_micros(250)),
            head: Some(Duration::from_micros(n * 500)),
            first_event: Some(Duration::from_micros(n * 600)),
            first_token: Some(ms(n)),
            last_token: Some(ms(n + 30)),
            gaps: vec![ms(10), ms(20)],
            tokens: 3,
            token_reads: 3,
            output_tokens: Some(7),
            start: if n == 1 { Start::Cold } else { Start::Warm },
            server: Some(ServerTiming {
                ttft: Some(phases.first_token_write),
                total: Some(ms(31)),
                phases: Some(phases),
            }),
            ..Sample::without_answer(at((n - 1) * 100), ms(n + 31), Outcome::Done)
        }
    };
    let cut = Sample {
        first_token: Some(ms(5)),
        last_token: Some(ms(155)),
        gaps: vec![ms(150)],
        tokens: 2,
        token_reads: 2,
        detail: Some("gone".to_owned()),
        ..Sample::without_answer(at(1_900), ms(200), Outcome::CutOff)
    };
    let throttle = Sample::without_answer(at(1_950), ms(50), Outcome::problem(429, "throttled"));
    (1..=10).map(reply).chain([cut, throttle]).collect()
}

fn tally(samples: &[Sample]) -> Tally {
    let mut tally = Tally::default();
    for sample in samples {
        tally.record(sample);
    }
    tally
}

fn figures(latency: Option<&Latency>) -> Value {
    let mut value = serde_json::to_value(latency.unwrap()).unwrap();
    value.as_object_mut().unwrap().remove("histogram");
    value
}

#[test]
fn a_reports_figures_are_those_of_its_samples() {
    let report = Report::new(&tally(&samples()), Vec::new());
    let latency = |metric| figures(report.latency.get(metric));

    assert_eq!(
        latency(Metric::Ttft),
        json!({ "count": 10, "mean": 5.5, "min": 1.0, "p50": 5.003, "p90": 9.007, "p95": 10.007, "p99": 10.007,
                "p99_9": 10.007, "max": 10.007 })
    );
    assert_eq!(
        latency(Metric::Connect),
        json!({ "count": 1, "mean": 0.25, "min": 0.25, "p50": 0.25, "p90": 0.25, "p95": 0.25, "p99": 0.25,
                "p99_9": 0.25, "max": 0.25 })
    );
    let counts_and_means = Metric::ALL.map(|metric| {
        let figure = report.latency.get(metric);
        (metric.name(), figure.map_or(0, |figure| figure.count), figure.map_or(0.0, |figure| figure.mean))
    });
    assert_eq!(
        counts_and_means,
        [
            ("connect", 1, 0.25),
            ("tls", 0, 0.0),
            ("head", 10, 2.75),
            ("first_event", 10, 3.3),
            ("ttft", 10, 5.5),
            ("gap", 20, 15.0),
            ("stall", 10, 20.0),
            // 30 ms over six tokens after the first.
            ("tpot", 10, 5.0),
            ("total", 10, 36.5),
        ]
    );
    assert_eq!(figures(report.cold.as_ref().unwrap().ttft.as_ref())["mean"], 1.0);
    assert_eq!(figures(report.warm.as_ref().unwrap().ttft.as_ref())["mean"], 6.0);

    let whole = serde_json::to_value(&report).unwrap();
    assert_eq!(whole["started_at"], "2033-05-18T03:33:20.000000Z");
    assert_eq!(whole["duration_s"], 2.1);
    assert_eq!(whole["requests"], json!({ "total": 12, "done": 10, "failed": 2, "cold_starts": 1, "warm_up": 0 }));
    assert_eq!(
        whole["outcomes"],
        json!([
            { "outcome": "done", "count": 10 },
            { "outcome": "problem", "status": 429, "code": "throttled", "count": 1 },
            { "outcome": "cut_off", "count": 1, "example": "gone" },
        ])
    );
    let throughput = report.throughput;
    assert_eq!((throughput.output_tokens, throughput.token_events), (70, 30));
    assert!((throughput.requests_per_second - 10.0 / 2.1).abs() < 1e-9);
    assert!((throughput.tokens_per_second - 70.0 / 2.1).abs() < 1e-9);
}

#[test]
fn the_time_line_holds_what_happened_in_each_second() {
    let report = Report::new(&tally(&samples()), Vec::new());
    let seconds: Vec<_> = report
        .timeline
        .iter()
        .map(|second| {
            let ttft = second.ttft.as_ref().map(|ttft| (ttft.count, ttft.mean));
            (second.epoch_s - 2_000_000_000, second.started, second.done, second.failed, second.tokens, ttft)
        })
        .collect();
    // The cut reply and the throttle are due in the second second and end in the third, as does a token of the reply.
    assert_eq!(seconds, [(0, 10, 10, 0, 30, Some((10, 5.5))), (1, 2, 0, 0, 1, None), (2, 0, 0, 2, 1, None)]);
}

#[test]
fn the_waterfalls_steps_add_up_to_the_time_to_first_token() {
    let report = Report::new(&tally(&samples()), Vec::new());
    let (warm, cold) = (report.waterfall.warm.unwrap(), report.waterfall.cold.unwrap());
    assert_eq!((warm.count, warm.ttft, warm.network), (9, 6.0, 5.5));
    // Cold: 1 ms in all, of which 250 µs are the connection's and 500 µs the function's.
    assert_eq!((cold.count, cold.ttft, cold.connect, cold.network, cold.cold_start), (1, 1.0, 0.25, 0.25, 0.0));
    for steps in [warm, cold] {
        let functions = [steps.parse, steps.govern, steps.bedrock_head, steps.first_delta, steps.first_write];
        assert!(functions.iter().all(|step| (step - 0.1).abs() < 1e-9), "{steps:?}");
        let others = steps.queue + steps.connect + steps.tls + steps.cold_start + steps.network;
        assert!((functions.iter().sum::<f64>() + others - steps.ttft).abs() < 1e-9, "{steps:?}");
    }
}

#[test]
fn what_a_cold_start_costs_is_shown_beside_the_network() {
    let mut samples = samples();
    samples[0].first_token = Some(ms(106));
    let waterfall = Report::new(&tally(&samples), Vec::new()).waterfall;
    let cold = waterfall.cold.unwrap();
    // 106 ms without connection (0.25) and function (0.5); the warm ones' network is 5.5.
    assert!((cold.network - 5.5).abs() < 1e-9 && (cold.cold_start - 99.75).abs() < 1e-9, "{cold:?}");
    assert_eq!(waterfall.warm.unwrap().cold_start, 0.0);
}

#[test]
fn reports_of_parts_merge_to_the_report_of_all_in_any_order() {
    let samples = samples();
    let whole = Report::new(&tally(&samples), Vec::new());
    // Through the text of each document, as they come from other machines.
    let part = |samples: &[Sample]| {
        let text = serde_json::to_string(&Report::new(&tally(samples), Vec::new())).unwrap();
        serde_json::from_str::<Report>(&text).unwrap()
    };
    let parts = [part(&samples[..1]), part(&samples[1..7]), part(&[]), part(&samples[7..])];
    let merged = Report::merged(&parts).unwrap();
    let reversed = Report::merged(parts.iter().rev()).unwrap();
    let value = |report: &Report| serde_json::to_value(report).unwrap();
    assert_eq!(value(&merged), value(&whole));
    assert_eq!(value(&reversed), value(&whole));
}

#[test]
fn a_document_that_is_no_report_does_not_merge() {
    let whole = Report::new(&tally(&samples()), Vec::new());
    let broken = |change: fn(&mut Report)| {
        let mut report = whole.clone();
        change(&mut report);
        Report::merged([&report]).unwrap_err().to_string()
    };
    assert!(broken(|report| report.schema = "bro-load/2".to_owned()).contains("bro-load/1"));
    assert!(broken(|report| report.started_at = Some("yesterday".to_owned())).contains("RFC 3339"));
    assert!(broken(|report| report.duration_s = -1.0).contains("duration_s"));
    // Beyond what a moment can be.
    assert!(broken(|report| report.duration_s = 1.844_674_407_370_955e19).contains("duration_s"));
    let histogram = broken(|report| report.warm.as_mut().unwrap().ttft.as_mut().unwrap().histogram = "AAAA".to_owned());
    assert!(histogram.contains("warm.ttft"), "{histogram}");
}

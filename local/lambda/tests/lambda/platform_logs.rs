//! Lambda's own log lines.

use std::num::NonZeroUsize;
use std::time::Duration;

use local_lambda::Function;
use serde_json::{Value, json};

use crate::support::{Lambda, behaving};

async fn with_platform_logs(function: Function) -> Lambda {
    Lambda::with(function, |config| config.sandboxes(NonZeroUsize::MIN).platform_logs()).await
}

/// The next line of the given type; other lines before it are an error.
async fn record(lambda: &mut Lambda, kind: &str) -> Value {
    let line = lambda.line().await;
    let mut line: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line}"));
    assert_eq!(line["type"], kind, "{line}");
    line["record"].take()
}

#[tokio::test]
async fn a_cold_and_a_warm_invocation_are_reported_as_lambda_reports_them() {
    let mut lambda = with_platform_logs(behaving("raw-stream").name("bro").memory_mb(512)).await;
    let response = lambda.get("/").await;
    let id = response.header("x-amzn-requestid").expect("an id").to_owned();
    assert_eq!(response.text().await, "raw");
    assert_eq!(record(&mut lambda, "platform.initStart").await["functionName"], "bro");
    let init = record(&mut lambda, "platform.initReport").await;
    assert_eq!((&init["status"], &init["phase"]), (&json!("success"), &json!("init")));
    assert_eq!(record(&mut lambda, "platform.start").await, json!({ "requestId": id, "version": "$LATEST" }));
    // The function's own line comes by another way, before or after.
    let mut lines = vec![lambda.line().await, lambda.line().await, lambda.line().await];
    lines.retain(|line| line != "answered 202");
    let lines: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let [done, report] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!(done["type"], "platform.runtimeDone");
    assert_eq!(done["record"]["status"], "success");
    let spans = done["record"]["spans"].as_array().expect("spans");
    let names: Vec<_> = spans.iter().map(|span| &span["name"]).collect();
    assert_eq!(names, ["responseLatency", "responseDuration", "runtimeOverhead"]);

    assert_eq!(report["type"], "platform.report");
    let metrics = &report["record"]["metrics"];
    assert_eq!(metrics["initDurationMs"], init["metrics"]["durationMs"]);
    assert_eq!(metrics["memorySizeMB"], 512);
    assert!(metrics["maxMemoryUsedMB"].as_u64().is_some_and(|used| used > 0), "{metrics}");
    let [billed, duration, init] =
        ["billedDurationMs", "durationMs", "initDurationMs"].map(|name| metrics[name].as_f64().expect("a number"));
    assert!((billed - (duration + init)).abs() < 1.01 && billed.fract() == 0.0, "{metrics}");

    assert_eq!(lambda.get("/").await.text().await, "raw");
    record(&mut lambda, "platform.start").await;
    let warm = loop {
        let line = lambda.line().await;
        if line.contains("platform.report") {
            break line;
        }
    };
    assert!(!warm.contains("initDurationMs"), "{warm}");
    lambda.stop().await;
}

#[tokio::test]
async fn a_failed_initialisation_is_reported_with_its_type() {
    let mut lambda = with_platform_logs(behaving("init-error")).await;
    assert_eq!(lambda.get("/").await.status, 502);
    for _ in 0..2 {
        record(&mut lambda, "platform.initStart").await;
        let report = record(&mut lambda, "platform.initReport").await;
        assert_eq!((&report["status"], &report["errorType"]), (&json!("error"), &json!("Config.Missing")));
    }
    lambda.stop().await;
}

#[tokio::test]
async fn an_invocation_that_takes_too_long_is_reported_as_a_timeout() {
    let mut lambda = with_platform_logs(behaving("hang").timeout(Duration::from_millis(50))).await;
    assert_eq!(lambda.get("/").await.status, 502);
    for kind in ["platform.initStart", "platform.initReport", "platform.start"] {
        record(&mut lambda, kind).await;
    }
    for kind in ["platform.runtimeDone", "platform.report"] {
        assert_eq!(record(&mut lambda, kind).await["status"], "timeout");
    }
    lambda.stop().await;
}

#[tokio::test]
async fn an_error_that_the_function_reports_is_an_error() {
    let mut lambda = with_platform_logs(behaving("error")).await;
    assert_eq!(lambda.get("/").await.status, 502);
    for kind in ["platform.initStart", "platform.initReport", "platform.start"] {
        record(&mut lambda, kind).await;
    }
    let done = record(&mut lambda, "platform.runtimeDone").await;
    assert_eq!((&done["status"], &done["errorType"]), (&json!("error"), &json!("Function.Broken")));
    lambda.stop().await;
}

//! Lambda's own log lines.

use std::num::NonZeroUsize;
use std::time::Duration;

use local_lambda::Function;
use serde_json::{Value, json};

use crate::support::{Gate, Lambda, Response, behaving};

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
    for phase in ["init", "invoke"] {
        assert_eq!(record(&mut lambda, "platform.initStart").await["phase"], phase);
        let report = record(&mut lambda, "platform.initReport").await;
        assert_eq!((&report["status"], &report["errorType"]), (&json!("error"), &json!("Config.Missing")));
        assert_eq!(report["phase"], phase);
    }
    // The second was within the invocation, which failed by it.
    let id = record(&mut lambda, "platform.start").await["requestId"].take();
    for kind in ["platform.runtimeDone", "platform.report"] {
        let over = record(&mut lambda, kind).await;
        assert_eq!((&over["requestId"], &over["status"]), (&id, &json!("error")));
        assert_eq!(over["errorType"], "Config.Missing");
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

/// The answer to a request of which the function streams the first half.
async fn half(lambda: &Lambda) -> Response {
    let mut response = lambda.get("/").await;
    assert_eq!(response.piece().await.expect("no cut yet").as_deref(), Some("half"));
    response
}

/// Both records must tell how the invocation ended, and the console must show one fault.
async fn reported(mut lambda: Lambda, status: Value, words: &str) {
    for kind in ["platform.initStart", "platform.initReport", "platform.start"] {
        record(&mut lambda, kind).await;
    }
    for kind in ["platform.runtimeDone", "platform.report"] {
        let over = record(&mut lambda, kind).await;
        assert_eq!(json!([over["status"], over["errorType"]]), status, "{kind}");
    }
    let shown = lambda.console("✗").await;
    assert!(shown.contains(words), "{shown}");
    let console = lambda.stop().await.console;
    assert!(!console.iter().any(|line| line.contains('✗')), "one fault, one line: {console:?}");
}

#[tokio::test]
async fn a_stream_that_takes_too_long_is_reported_as_a_timeout() {
    let lambda = with_platform_logs(behaving("hang-in-stream").timeout(Duration::from_secs(2))).await;
    half(&lambda).await.piece().await.expect_err("a cut");
    reported(lambda, json!(["timeout", null]), "Sandbox.Timedout").await;
}

#[tokio::test]
async fn a_crash_in_mid_stream_is_reported_as_the_end_of_the_process() {
    let gate = Gate::closed().await;
    let lambda = with_platform_logs(gate.guarding(behaving("crash-in-stream"))).await;
    let mut response = half(&lambda).await;
    gate.open().await;
    response.piece().await.expect_err("a cut");
    reported(lambda, json!(["error", "Runtime.ExitError"]), "Runtime.ExitError").await;
}

#[tokio::test]
async fn a_stream_that_a_living_process_breaks_off_is_reported_as_truncated() {
    let gate = Gate::closed().await;
    let lambda = with_platform_logs(gate.guarding(behaving("breaks-off"))).await;
    half(&lambda).await.piece().await.expect_err("a cut");
    gate.open().await;
    reported(lambda, json!(["error", "Runtime.TruncatedResponse"]), "Runtime.TruncatedResponse").await;
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

//! The record: one valid embedded-metric line for each chat request, with nothing private in it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{App, PROFILE_ID, send};
use crate::sse::terminal;

/// Checks a line against the specification's rules for what CloudWatch takes.
fn assert_is_embedded_metric_format(line: &Value) {
    assert!(line["_aws"]["Timestamp"].as_u64().is_some_and(|ms| ms > 1_600_000_000_000), "{line}");
    for directive in line["_aws"]["CloudWatchMetrics"].as_array().expect("directives") {
        assert_eq!(directive["Namespace"], "BroBuddy");
        for set in directive["Dimensions"].as_array().expect("dimension sets") {
            for dimension in set.as_array().expect("a set") {
                assert!(line[dimension.as_str().expect("a name")].is_string(), "{dimension} has no value: {line}");
            }
        }
        let metrics = directive["Metrics"].as_array().expect("metrics");
        assert!(!metrics.is_empty());
        for metric in metrics {
            assert!(line[metric["Name"].as_str().expect("a name")].is_number(), "{metric} has no value: {line}");
            assert!(matches!(metric["Unit"].as_str(), Some("Milliseconds" | "Count" | "None")), "{metric}");
        }
    }
}

#[tokio::test]
async fn a_reply_leaves_one_record_that_agrees_with_its_done_event() {
    let setup = App::setup().variable("PRICE_INPUT_PER_MTOK", "1").variable("PRICE_OUTPUT_PER_MTOK", "5");
    let app = setup.start().await;
    let events = app.reply("Yo").await;
    let done = &terminal(&events).data;
    let record = app.record().await;
    assert_is_embedded_metric_format(&record);

    let usage = |name: &str| done["usage"][name].as_f64().expect("a count");
    assert_eq!(record["OutputTokenCount"], usage("output_tokens"));
    assert_eq!(record["InputTokenCount"], usage("input_tokens"));
    assert_eq!(record["TimeToFirstToken"], done["timing"]["ttft_ms"]);
    assert_eq!(record["BedrockLatency"].as_f64(), done["timing"]["bedrock_ms"].as_f64());
    assert!(record["EdgeTimeToFirstToken"].as_f64() >= record["TimeToFirstToken"].as_f64());
    assert!(record["InvocationLatency"].as_f64() >= done["timing"]["total_ms"].as_f64());
    let cost = (usage("input_tokens") + 5.0 * usage("output_tokens")) / 1e6;
    assert!((record["EstimatedCostUsd"].as_f64().expect("a cost") - cost).abs() < 1e-12);
    assert_eq!(done["cost_usd"], record["EstimatedCostUsd"]);
    for (phase, moment) in done["timing"]["phases"].as_object().expect("phases") {
        assert_eq!(&record["phases"][phase], moment, "{phase}");
    }
    for (property, value) in [
        ("request_id", events[0].data["id"].clone()),
        ("route", json!("POST /api/chat")),
        ("Outcome", json!("done")),
        ("Mode", json!("bro")),
        ("policy_version", events[0].data["policy"].clone()),
        ("model", json!(PROFILE_ID)),
        ("stop_reason", json!("end_turn")),
        ("content_deltas", json!(12)),
        ("ColdStart", json!(1.0)),
        ("gen_ai.request.model", json!(PROFILE_ID)),
        ("gen_ai.usage.output_tokens", json!(12)),
        ("gen_ai.response.finish_reasons", json!(["end_turn"])),
        ("level", json!("INFO")),
    ] {
        assert_eq!(record[property], value, "{property}");
    }
    let policy = bro_buddy::policy::Policy::built_in().expect("starts");
    assert_eq!(record["policy_sha256"], policy.sha256());

    app.reply("Yo").await;
    assert_eq!(app.record().await["ColdStart"], 0.0);
    assert_eq!(app.log_lines_so_far().await.len(), 2, "more than one line for a reply");
}

#[tokio::test]
async fn nothing_private_is_ever_logged() {
    const SECRETS: [&str; 4] = ["my-secret-question", "my-secret-answer", "my-secret-agent", "123456789012"];
    let app = App::setup().saying(&["my-secret-answer"]).variable("AWS_LAMBDA_LOG_LEVEL", "TRACE").start().await;
    let question = json!({"message": "my-secret-question"});
    let mut lines = Vec::new();
    for (method, path, body, fault) in [
        (Method::POST, "/api/chat", question.clone(), None),
        (Method::POST, "/api/chat", question.clone(), Some("exception@1")),
        (Method::POST, "/api/chat", question, Some("access-denied")),
        (Method::POST, "/api/chat", json!({"my-secret-question": 1}), None),
        (Method::POST, "/api/chat", json!({"message": "Yo", "mode": "my-secret-question"}), None),
        (Method::GET, "/api/chat?message=my-secret-question", Value::Null, None),
        (Method::GET, "/my-secret-question", Value::Null, None),
    ] {
        app.faults.set(fault.map(|fault: &str| fault.parse().expect("a fault")));
        let request = app.request(method, path).header("content-type", "application/json");
        let response = send(request.header("user-agent", "my-secret-agent").body(body.to_string())).await;
        response.bytes().await.expect("an end");
        // The last line of a request is its record, or, on other routes, its only line.
        loop {
            let line = app.log_line().await;
            let last = line.contains("\"_aws\"") || line.contains("\"status\":404");
            lines.push(line);
            if last {
                break;
            }
        }
    }
    for line in lines {
        for secret in SECRETS {
            assert!(!line.contains(secret), "{secret} in {line}");
        }
    }
}

#[tokio::test]
async fn every_log_line_has_a_level_and_a_timestamp() {
    let app = App::start().await;
    app.get("/healthz").await;
    app.fails("drop@1");
    app.reply("Yo").await;
    let mut records = 0;
    while records == 0 {
        let line: Value = serde_json::from_str(&app.log_line().await).expect("JSON");
        assert!(line["level"].is_string(), "{line}");
        let timestamp = line["timestamp"].as_str().expect("a timestamp");
        assert!(timestamp.len() >= 20 && timestamp.ends_with('Z') && timestamp.contains('T'), "{timestamp}");
        records += usize::from(line.get("_aws").is_some());
    }
}

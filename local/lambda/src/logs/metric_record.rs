//! A CloudWatch metric record (Embedded Metric Format) as one line for a person.
//!
//! Reads any record: metrics it knows get a short form, others are shown by name, and what is
//! missing is left out. <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use serde_json::{Map, Value};

use super::{BAD, GOOD, QUIET, printable};

/// How a metric that most chat functions have is shown: the name in the record, and the label.
const KNOWN: [(&str, &str); 2] = [("TimeToFirstToken", "ttft "), ("InvocationLatency", "")];
/// Metrics that say nothing a person waits for, or that the line shows in another form.
const SILENT: [&str; 9] = [
    "TimeToFirstToken",
    "InvocationLatency",
    "EdgeTimeToFirstToken",
    "BedrockLatency",
    "TimePerOutputToken",
    "InputTokenCount",
    "OutputTokenCount",
    "Errors",
    "ColdStart",
];

/// Outcomes that are failures even where no error is named.
const FAILED: [&str; 3] = ["refused", "failed", "cut"];

/// The line, or nothing when the text is no metric record.
pub(super) fn summary(text: &str) -> Option<String> {
    // Most lines are not JSON, and most JSON lines are no records: look before parsing.
    if !text.starts_with('{') || !text.contains("\"CloudWatchMetrics\"") {
        return None;
    }
    let record: Map<String, Value> = serde_json::from_str(text).ok()?;
    let directives = record.get("_aws")?.get("CloudWatchMetrics")?.as_array()?;

    let error = text_of(&record, &["error_code", "error.type", "errorCode"]);
    let outcome = text_of(&record, &["Outcome", "outcome"]);
    let failed = error.is_some() || outcome.as_deref().is_some_and(|outcome| FAILED.contains(&outcome));
    let mark = if failed { format!("{BAD}✗{BAD:#}") } else { format!("{GOOD}✓{GOOD:#}") };
    let id = text_of(&record, &["request_id", "requestId"]).map(|id| short(&id));
    let id = id.map(|id| format!("{QUIET}{id}{QUIET:#}"));
    let outcome = error.or_else(|| text_of(&record, &["stop_reason", "stopReason"])).or(outcome);
    let mode = text_of(&record, &["mode", "Mode"]);
    let who = [Some(mark), mode, id, outcome];
    let who = who.into_iter().flatten().collect::<Vec<_>>().join(" ");

    let mut parts = vec![who];
    for (name, label) in KNOWN {
        let shown = unit_of(directives, name).zip(number_of(&record, name));
        parts.extend(shown.map(|(unit, value)| format!("{label}{}", quantity(value, unit))));
    }
    parts.extend(tokens(&record));
    for (name, unit) in metrics(directives).filter(|(name, _)| !SILENT.contains(name)) {
        let value = number_of(&record, name).filter(|value| *value != 0.0);
        parts.extend(value.map(|value| format!("{} {}", printable(name), quantity(value, unit))));
    }
    if number_of(&record, "ColdStart").is_some_and(|cold| cold > 0.0) {
        parts.push("cold".to_owned());
    }
    Some(parts.join(" · "))
}

/// Every metric that the record defines, with its unit.
fn metrics(directives: &[Value]) -> impl Iterator<Item = (&str, &str)> {
    let mut seen = Vec::new();
    directives
        .iter()
        .filter_map(|directive| directive.get("Metrics")?.as_array())
        .flatten()
        .filter_map(|metric| {
            let unit = metric.get("Unit").and_then(Value::as_str).unwrap_or("None");
            Some((metric.get("Name")?.as_str()?, unit))
        })
        .filter(move |(name, _)| {
            !seen.contains(name) && {
                seen.push(*name);
                true
            }
        })
}

fn unit_of<'a>(directives: &'a [Value], name: &str) -> Option<&'a str> {
    metrics(directives).find(|(metric, _)| *metric == name).map(|(_, unit)| unit)
}

fn text_of(record: &Map<String, Value>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| record.get(*name)?.as_str()).map(printable)
}

/// A metric's value; of a metric with several values, the first.
fn number_of(record: &Map<String, Value>, name: &str) -> Option<f64> {
    let value = record.get(name)?;
    value.as_f64().or_else(|| value.as_array()?.first()?.as_f64())
}

fn tokens(record: &Map<String, Value>) -> Option<String> {
    let [input, output] = ["InputTokenCount", "OutputTokenCount"].map(|name| number_of(record, name));
    match (input, output) {
        (Some(input), Some(output)) => Some(format!("{input}→{output} tokens")),
        (None, Some(output)) => Some(format!("{output} tokens")),
        (Some(input), None) => Some(format!("{input} tokens read")),
        (None, None) => None,
    }
}

fn quantity(value: f64, unit: &str) -> String {
    match unit {
        "Milliseconds" if value >= 1000.0 => format!("{:.1} s", value / 1000.0),
        "Milliseconds" if value >= 10.0 => format!("{value:.0} ms"),
        "Milliseconds" => format!("{value:.1} ms"),
        "Seconds" => format!("{value:.1} s"),
        "Count" | "None" => format!("{value}"),
        other => format!("{value} {}", printable(other).to_lowercase()),
    }
}

/// The beginning of a long id: enough to find its record in the file.
fn short(id: &str) -> String {
    match id.char_indices().nth(8) {
        Some((end, _)) => format!("{}…", id.get(..end).unwrap_or(id)),
        None => id.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(record: &Value) -> Option<String> {
        summary(&record.to_string()).map(|line| anstream::adapter::strip_str(&line).to_string())
    }

    fn directives(metrics: &[(&str, &str)]) -> Value {
        let metrics: Vec<_> = metrics.iter().map(|(name, unit)| json!({ "Name": name, "Unit": unit })).collect();
        json!({ "Timestamp": 1, "CloudWatchMetrics": [{ "Namespace": "N", "Dimensions": [[]], "Metrics": metrics }] })
    }

    #[test]
    fn a_chat_record_shows_mode_id_outcome_times_and_tokens() {
        let record = json!({
            "_aws": directives(&[
                ("TimeToFirstToken", "Milliseconds"), ("InvocationLatency", "Milliseconds"),
                ("InputTokenCount", "Count"), ("OutputTokenCount", "Count"), ("ColdStart", "Count"),
            ]),
            "mode": "bro", "request_id": "4f2c8a31-77aa", "stop_reason": "end_turn",
            "TimeToFirstToken": 812.4, "InvocationLatency": 2104.0,
            "InputTokenCount": 48, "OutputTokenCount": [57], "ColdStart": 1,
        });
        let line = "✓ bro 4f2c8a31… end_turn · ttft 812 ms · 2.1 s · 48→57 tokens · cold";
        assert_eq!(shown(&record).as_deref(), Some(line));
    }

    #[test]
    fn a_failed_request_is_marked_and_shows_its_error_instead_of_the_stop_reason() {
        let record = json!({
            "_aws": directives(&[("InvocationLatency", "Milliseconds"), ("Throttles", "Count"), ("Errors", "Count")]),
            "mode": "bro", "error_code": "throttled", "InvocationLatency": 7.25, "Throttles": 1, "Errors": 1,
        });
        assert_eq!(shown(&record).as_deref(), Some("✗ bro throttled · 7.2 ms · Throttles 1"));
    }

    #[test]
    fn a_reply_that_was_cut_is_marked_although_it_names_no_error() {
        let record = json!({ "_aws": directives(&[]), "Mode": "bro", "Outcome": "cut" });
        assert_eq!(shown(&record).as_deref(), Some("✗ bro cut"));
    }

    #[test]
    fn a_record_of_another_function_shows_its_own_metrics() {
        let record = json!({
            "_aws": directives(&[("Orders", "Count"), ("Size", "Kilobytes"), ("Missing", "Count")]),
            "Orders": 3, "Size": 12.5,
        });
        assert_eq!(shown(&record).as_deref(), Some("✓ · Orders 3 · Size 12.5 kilobytes"));
    }

    #[test]
    fn a_record_without_any_value_is_still_a_line() {
        assert_eq!(shown(&json!({ "_aws": { "CloudWatchMetrics": [] } })).as_deref(), Some("✓"));
        assert_eq!(shown(&json!({ "_aws": { "CloudWatchMetrics": [7, {}] } })).as_deref(), Some("✓"));
    }

    #[test]
    fn a_terminal_is_given_nothing_to_obey_by_a_record() {
        let record = json!({
            "_aws": directives(&[("\u{1b}[2JOrders", "\u{1b}[31mKilobytes")]),
            "mode": "\u{1b}[2Jbro\n", "\u{1b}[2JOrders": 3,
        });
        let line = summary(&record.to_string()).expect("a record");
        assert_eq!(line, format!("{GOOD}✓{GOOD:#} bro · Orders 3 kilobytes"));
    }

    #[test]
    fn what_is_no_record_is_left_as_it_is() {
        for text in ["", "words", "{", "{\"CloudWatchMetrics\"", r#"{"a":"CloudWatchMetrics"}"#, r#"{"_aws":{}}"#] {
            assert_eq!(summary(text), None, "{text}");
        }
    }
}

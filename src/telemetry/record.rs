//! The wide record of one chat request: everything that is known about it, gathered on its way, written once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::phases::{Phases, millis};
use super::{emf, write_line};
use crate::chat::Usage;
use crate::config::{ApiKeyId, Prices, UsDollars};
use crate::invocation::{Invocation, Receipt, Start};

/// How a chat request ended; the value of the `Outcome` dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The reply was complete, whatever its stop reason.
    Done,
    /// The request broke a rule or had no right to be answered; Bedrock was not called.
    Refused,
    /// The reply failed, before or within the stream.
    Failed,
    /// The response could not be delivered to its end.
    Cut,
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Cut => "cut",
        }
    }
}

/// The facts of one chat request.
#[derive(Debug)]
pub struct Record {
    request_id: String,
    trace_id: Option<String>,
    received: Receipt,
    start: Start,
    route: &'static str,
    /// When the function URL had the request.
    pub edge_received: Option<SystemTime>,
    /// The mode's id, once known.
    pub mode: Option<String>,
    /// The policy's version and hash.
    pub policy: Option<(String, String)>,
    /// The inference profile's id, never its ARN.
    pub model: Option<String>,
    /// Whose key it was.
    pub api_key: Option<ApiKeyId>,
    /// The moments so far.
    pub phases: Phases,
    /// When the last event was handed to the socket, from the receipt.
    pub last_write: Option<Duration>,
    /// When the last token was handed to the socket, from the receipt.
    pub last_token_write: Option<Duration>,
    /// Content deltas sent on.
    pub content_deltas: u32,
    /// Bedrock's own latency in milliseconds.
    pub bedrock_latency_ms: Option<u64>,
    /// Token counts.
    pub usage: Option<Usage>,
    /// Estimated cost.
    pub cost: Option<UsDollars>,
    /// Why the reply ended.
    pub stop_reason: Option<String>,
    /// The code of the error that ended it.
    pub error_code: Option<&'static str>,
    /// How it ended.
    pub outcome: Option<Outcome>,
}

/// A record that the response's body fills while the adapter waits to write it.
#[derive(Debug, Clone)]
pub struct SharedRecord(Arc<Mutex<Record>>);

impl Record {
    /// The record of a request that has just come.
    pub fn new(invocation: &Invocation, route: &'static str) -> Self {
        Self {
            request_id: invocation.request_id.clone(),
            trace_id: invocation.trace_id.clone(),
            received: invocation.received,
            start: invocation.start,
            route,
            edge_received: None,
            mode: None,
            policy: None,
            model: None,
            api_key: None,
            phases: Phases::default(),
            last_write: None,
            last_token_write: None,
            content_deltas: 0,
            bedrock_latency_ms: None,
            usage: None,
            cost: None,
            stop_reason: None,
            error_code: None,
            outcome: None,
        }
    }

    /// Time since the receipt of the invocation.
    pub fn elapsed(&self) -> Duration {
        self.received.instant.elapsed()
    }

    /// Lambda's request id.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// Notes the token counts, and their cost where prices are known.
    pub fn count(&mut self, usage: Option<Usage>, prices: Option<&Prices>) {
        self.usage = usage;
        self.cost = usage.zip(prices).map(|(usage, prices)| prices.cost(usage.input_tokens, usage.output_tokens));
    }

    /// From the function URL's receipt to the first token, by the wall clocks; it holds a cold start.
    fn edge_time_to_first_token(&self) -> Option<Duration> {
        let on_the_way = self.received.wall.duration_since(self.edge_received?).ok()?;
        Some(on_the_way + self.phases.first_token_write?)
    }

    /// The mean gap between output tokens after the first; none for a reply that came in one delta.
    fn time_per_output_token(&self) -> Option<Duration> {
        if self.content_deltas < 2 {
            return None;
        }
        let gaps = self.usage?.output_tokens.checked_sub(1).filter(|gaps| *gaps > 0)?;
        Some(self.last_token_write?.saturating_sub(self.phases.first_token_write?) / gaps)
    }

    fn line(&self, now: SystemTime, latency: Duration) -> Vec<u8> {
        let outcome = self.outcome.unwrap_or(Outcome::Cut);
        let throttled = self.error_code == Some("throttled");
        let failed = matches!(outcome, Outcome::Failed | Outcome::Cut) && !throttled;
        let guarded = self.stop_reason.as_deref() == Some("guardrail_intervened");
        let flag = |on: bool| Some(f64::from(u8::from(on)));
        let count = |tokens: fn(&Usage) -> u32| self.usage.as_ref().map(|usage| f64::from(tokens(usage)));
        #[expect(clippy::cast_precision_loss, reason = "a latency of 2^53 ms is no latency")]
        let metrics = emf::Metrics {
            time_to_first_token: self.phases.first_token_write.map(millis),
            edge_time_to_first_token: self.edge_time_to_first_token().map(millis),
            invocation_latency: Some(millis(latency)),
            bedrock_latency: self.bedrock_latency_ms.map(|ms| ms as f64),
            time_per_output_token: self.time_per_output_token().map(millis),
            input_token_count: count(|usage| usage.input_tokens),
            output_token_count: count(|usage| usage.output_tokens),
            estimated_cost_usd: self.cost,
            cold_start: flag(self.start == Start::Cold),
            throttles: flag(throttled),
            errors: flag(failed),
            guardrail_interventions: flag(guarded),
        };
        let stop_reason = self.stop_reason.as_deref();
        let properties = emf::Properties {
            level: if failed { "ERROR" } else { "INFO" },
            timestamp: humantime::format_rfc3339_millis(now).to_string(),
            message: "chat request",
            request_id: &self.request_id,
            trace_id: self.trace_id.as_deref(),
            route: self.route,
            outcome: outcome.as_str(),
            mode: self.mode.as_deref(),
            policy_version: self.policy.as_ref().map(|(version, _)| version.as_str()),
            policy_sha256: self.policy.as_ref().map(|(_, sha256)| sha256.as_str()),
            model: self.model.as_deref(),
            stop_reason,
            error_code: self.error_code,
            api_key_id: self.api_key.as_ref().map(ToString::to_string),
            phases: emf::RecordedPhases { phases: self.phases, last_write_ms: self.last_write.map(millis) },
            content_deltas: self.content_deltas,
            gen_ai_request_model: self.model.as_deref(),
            gen_ai_usage_input_tokens: self.usage.map(|usage| usage.input_tokens),
            gen_ai_usage_output_tokens: self.usage.map(|usage| usage.output_tokens),
            gen_ai_response_finish_reasons: stop_reason.map(|reason| [reason]),
            error_type: self.error_code,
        };
        emf::line(now, &metrics, &properties)
    }
}

impl SharedRecord {
    /// Shares a record between a response and whoever writes it.
    pub fn new(record: Record) -> Self {
        Self(Arc::new(Mutex::new(record)))
    }

    /// The record. A panic while it was held leaves facts that are still true.
    pub fn lock(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the line to standard output. A record without an outcome by now is a response that was cut.
    pub fn write(self) {
        let record = self.lock();
        write_line(&mut record.line(SystemTime::now(), record.elapsed()));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use tokio::time::Instant;

    use super::*;

    fn record() -> Record {
        let received = Receipt { instant: Instant::now(), wall: SystemTime::UNIX_EPOCH + Duration::from_millis(1_100) };
        let invocation = Invocation {
            request_id: "r-1".into(),
            trace_id: Some("Root=1-2".into()),
            received,
            deadline: received.instant,
            start: Start::Cold,
        };
        Record::new(&invocation, "POST /api/chat")
    }

    fn line(record: &Record) -> Value {
        let bytes = record.line(SystemTime::UNIX_EPOCH + Duration::from_secs(2), Duration::from_millis(900));
        serde_json::from_slice(&bytes).expect("JSON")
    }

    fn metric_names(line: &Value, dimensions: &Value) -> Vec<String> {
        let directives = line["_aws"]["CloudWatchMetrics"].as_array().expect("directives");
        let directive = directives.iter().find(|directive| directive["Dimensions"] == *dimensions);
        let metrics = directive.map(|directive| directive["Metrics"].as_array().expect("metrics").clone());
        metrics.unwrap_or_default().iter().map(|metric| metric["Name"].as_str().expect("a name").to_owned()).collect()
    }

    #[test]
    fn a_done_request_has_all_its_metrics() {
        let mut record = record();
        record.edge_received = Some(SystemTime::UNIX_EPOCH + Duration::from_millis(1_000));
        record.mode = Some("bro".into());
        record.phases.first_token_write = Some(Duration::from_millis(200));
        record.last_token_write = Some(Duration::from_millis(800));
        record.last_write = Some(Duration::from_millis(850));
        record.content_deltas = 60;
        record.bedrock_latency_ms = Some(700);
        record.stop_reason = Some("end_turn".into());
        record.outcome = Some(Outcome::Done);
        let usage = Usage { input_tokens: 100, output_tokens: 61, total_tokens: 161 };
        record.count(Some(usage), Some(&Prices::per_mtok(1.0, 5.0)));

        let line = line(&record);
        assert_eq!(line["_aws"]["Timestamp"], 2_000);
        assert_eq!(line["timestamp"], "1970-01-01T00:00:02.000Z");
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["TimeToFirstToken"], 200.0);
        assert_eq!(line["EdgeTimeToFirstToken"], 300.0);
        assert_eq!(line["TimePerOutputToken"], 10.0);
        assert_eq!(line["InvocationLatency"], 900.0);
        assert_eq!(line["EstimatedCostUsd"], 0.000_405);
        assert_eq!(line["gen_ai.response.finish_reasons"], serde_json::json!(["end_turn"]));
        assert_eq!(
            (&line["gen_ai.usage.input_tokens"], &line["gen_ai.usage.output_tokens"]),
            (&100.into(), &61.into())
        );
        assert_eq!((&line["trace_id"], &line["phases"]["last_write_ms"]), (&"Root=1-2".into(), &850.0.into()));
        assert_eq!(metric_names(&line, &serde_json::json!([[]])).len(), 12);
        assert_eq!(metric_names(&line, &serde_json::json!([["Outcome"]])), ["InvocationLatency"]);
        assert_eq!(metric_names(&line, &serde_json::json!([["Mode"]])), ["TimeToFirstToken", "OutputTokenCount"]);
    }

    #[test]
    fn a_metric_without_a_value_is_left_out() {
        let mut record = record();
        record.outcome = Some(Outcome::Refused);
        record.error_code = Some("invalid_json");
        let line = line(&record);
        assert_eq!(
            metric_names(&line, &serde_json::json!([[]])),
            ["InvocationLatency", "ColdStart", "Throttles", "Errors", "GuardrailInterventions"]
        );
        assert!(line.get("TimeToFirstToken").is_none());
        assert!(line.get("Mode").is_none(), "a dimension without a value");
        assert_eq!((&line["Outcome"], &line["Errors"]), (&"refused".into(), &0.0.into()));
        assert!(metric_names(&line, &serde_json::json!([["Mode"]])).is_empty());
    }

    #[test]
    fn a_reply_in_one_delta_has_no_time_per_output_token() {
        let mut record = record();
        record.phases.first_token_write = Some(Duration::from_millis(200));
        record.last_token_write = Some(Duration::from_millis(200));
        record.content_deltas = 1;
        record.usage = Some(Usage { input_tokens: 1, output_tokens: 40, total_tokens: 41 });
        assert!(line(&record).get("TimePerOutputToken").is_none());
    }

    #[test]
    fn a_guardrails_intervention_is_counted_and_is_no_error() {
        let mut record = record();
        record.outcome = Some(Outcome::Done);
        record.stop_reason = Some("guardrail_intervened".into());
        let line = line(&record);
        assert_eq!((&line["GuardrailInterventions"], &line["Errors"]), (&1.0.into(), &0.0.into()));
    }

    #[test]
    fn a_failure_is_an_error_with_its_type() {
        let mut record = record();
        record.outcome = Some(Outcome::Failed);
        record.error_code = Some("stream_stalled");
        let line = line(&record);
        assert_eq!((&line["Errors"], &line["GuardrailInterventions"]), (&1.0.into(), &0.0.into()));
        assert_eq!((&line["error.type"], &line["error_code"]), (&"stream_stalled".into(), &"stream_stalled".into()));
    }

    #[test]
    fn a_throttle_is_no_error_and_a_cut_response_is_one() {
        let mut throttled = record();
        throttled.outcome = Some(Outcome::Failed);
        throttled.error_code = Some("throttled");
        let line = line(&throttled);
        assert_eq!((&line["Throttles"], &line["Errors"]), (&1.0.into(), &0.0.into()));

        let cut = self::line(&record());
        assert_eq!((&cut["Outcome"], &cut["Errors"], &cut["level"]), (&"cut".into(), &1.0.into(), &"ERROR".into()));
    }
}

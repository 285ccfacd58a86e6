//! Lambda's own log lines in their JSON format.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html>, as the log format `JSON` writes
//! them. Left out: versions of managed runtimes, `producedBytes`, tracing.

use std::time::Duration;

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Iso8601;
use time::format_description::well_known::iso8601::{Config, EncodedConfig, TimePrecision};

use crate::failure::Failure;

/// As in `2026-10-12T00:00:15.064Z`.
const MILLISECONDS: EncodedConfig =
    Config::DEFAULT.set_time_precision(TimePrecision::Second { decimal_digits: std::num::NonZeroU8::new(3) }).encode();

fn timestamp(at: OffsetDateTime) -> String {
    at.format(&Iso8601::<MILLISECONDS>).unwrap_or_default()
}

/// How an initialisation or an invocation went.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub(crate) enum Status {
    Success,
    Timeout,
    #[serde(untagged)]
    Error(ErrorStatus),
}

/// An error with the type that the runtime, or Lambda, gave it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ErrorStatus {
    status: &'static str,
    error_type: String,
}

impl Status {
    pub(crate) fn of(failure: &Failure) -> Self {
        if failure.is_timeout() {
            return Self::Timeout;
        }
        Self::Error(ErrorStatus { status: "error", error_type: failure.kind().to_owned() })
    }
}

/// Where an initialisation belongs. The words are the Runtime Interface Emulator's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Phase {
    /// Before the first invocation.
    Init,
    /// Within an invocation, since the one before it failed.
    Invoke,
}

/// A part of an invocation.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Span {
    name: &'static str,
    start: String,
    duration_ms: f64,
}

impl Span {
    pub(crate) fn new(name: &'static str, start: OffsetDateTime, duration: Duration) -> Self {
        Self { name, start: timestamp(start), duration_ms: milliseconds(duration) }
    }
}

/// One event of the platform.
#[derive(Debug, Serialize)]
#[serde(tag = "type", content = "record", rename_all_fields = "camelCase")]
pub(crate) enum PlatformRecord {
    #[serde(rename = "platform.initStart")]
    InitStart { initialization_type: &'static str, phase: Phase, function_name: String, function_version: &'static str },
    #[serde(rename = "platform.initReport")]
    InitReport {
        initialization_type: &'static str,
        phase: Phase,
        #[serde(flatten)]
        status: Status,
        metrics: DurationMetric,
    },
    #[serde(rename = "platform.start")]
    Start { request_id: String, version: &'static str },
    #[serde(rename = "platform.runtimeDone")]
    RuntimeDone {
        request_id: String,
        #[serde(flatten)]
        status: Status,
        spans: Vec<Span>,
        metrics: DurationMetric,
    },
    #[serde(rename = "platform.report")]
    Report {
        request_id: String,
        #[serde(flatten)]
        status: Status,
        metrics: ReportMetrics,
    },
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DurationMetric {
    duration_ms: f64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReportMetrics {
    duration_ms: f64,
    billed_duration_ms: u128,
    #[serde(rename = "memorySizeMB")]
    memory_size_mb: u32,
    #[serde(rename = "maxMemoryUsedMB", skip_serializing_if = "Option::is_none")]
    max_memory_used_mb: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    init_duration_ms: Option<f64>,
}

impl PlatformRecord {
    pub(crate) fn init_start(phase: Phase, function_name: &str) -> Self {
        Self::InitStart {
            initialization_type: "on-demand",
            phase,
            function_name: function_name.to_owned(),
            function_version: "$LATEST",
        }
    }

    pub(crate) fn init_report(phase: Phase, took: Duration, failure: Option<&Failure>) -> Self {
        Self::InitReport {
            initialization_type: "on-demand",
            phase,
            status: failure.map_or(Status::Success, Status::of),
            metrics: DurationMetric { duration_ms: milliseconds(took) },
        }
    }

    pub(crate) fn start(request_id: &str) -> Self {
        Self::Start { request_id: request_id.to_owned(), version: "$LATEST" }
    }

    pub(crate) fn runtime_done(request_id: String, status: Status, spans: Vec<Span>, duration: Duration) -> Self {
        let metrics = DurationMetric { duration_ms: milliseconds(duration) };
        Self::RuntimeDone { request_id, status, spans, metrics }
    }

    /// `init` is part of what is billed, since August 2025.
    pub(crate) fn report(
        request_id: String,
        status: Status,
        duration: Duration,
        init: Option<Duration>,
        memory_size_mb: u32,
        max_memory_used_mb: Option<u64>,
    ) -> Self {
        let billed = duration + init.unwrap_or_default();
        let metrics = ReportMetrics {
            duration_ms: milliseconds(duration),
            billed_duration_ms: billed.as_micros().div_ceil(1000),
            memory_size_mb,
            max_memory_used_mb,
            init_duration_ms: init.map(milliseconds),
        };
        Self::Report { request_id, status, metrics }
    }

    /// The log line, stamped with the present time.
    pub(super) fn line(&self) -> String {
        #[derive(Serialize)]
        struct Line<'a> {
            time: String,
            #[serde(flatten)]
            record: &'a PlatformRecord,
        }
        let line = Line { time: timestamp(OffsetDateTime::now_utc()), record: self };
        serde_json::to_string(&line).unwrap_or_default()
    }
}

/// To the microsecond, as Lambda writes them.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn record(record: &PlatformRecord) -> Value {
        let mut line: Value = serde_json::from_str(&record.line()).expect("JSON");
        let time = line["time"].take();
        let time = time.as_str().expect("a time");
        assert!(time.len() == 24 && time.ends_with('Z'), "{time}");
        json!([line["type"], line["record"]])
    }

    #[test]
    fn a_cold_report_bills_the_initialisation_and_rounds_up() {
        let (took, init) = (Duration::from_micros(1_234_001), Duration::from_micros(15_500));
        let report = PlatformRecord::report("id".to_owned(), Status::Success, took, Some(init), 256, Some(9));
        assert_eq!(
            record(&report),
            json!(["platform.report", {
                "requestId": "id",
                "status": "success",
                "metrics": {
                    "durationMs": 1234.001, "billedDurationMs": 1250, "memorySizeMB": 256,
                    "maxMemoryUsedMB": 9, "initDurationMs": 15.5,
                },
            }])
        );
    }

    #[test]
    fn a_failure_is_an_error_with_its_type_or_a_timeout() {
        let took = Duration::from_secs(3);
        for (failure, status) in [
            (Failure::timed_out(took), json!({ "status": "timeout" })),
            (Failure::cut(), json!({ "status": "error", "errorType": "Runtime.TruncatedResponse" })),
        ] {
            let mut expected = json!({ "requestId": "id", "spans": [], "metrics": { "durationMs": 3000.0 } });
            for (key, value) in status.as_object().expect("an object") {
                expected[key] = value.clone();
            }
            let done = PlatformRecord::runtime_done("id".to_owned(), Status::of(&failure), Vec::new(), took);
            assert_eq!(record(&done), json!(["platform.runtimeDone", expected]));
        }
    }
}

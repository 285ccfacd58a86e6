//! CloudWatch's embedded metric format: one JSON line from which CloudWatch takes metrics and Logs Insights the rest.
//!
//! Only the format is here; what the numbers mean is in [`super::record`]. The limits (100 metrics, 30
//! dimensions) are far away. Source: CloudWatch user guide, "Specification: Embedded metric format".

use std::time::SystemTime;

use serde::{Serialize, Serializer};

use super::phases::Phases;

const NAMESPACE: &str = "BroBuddy";

/// The metrics of a record. One without a value is left out, of the values and of the directives.
#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Metrics {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) time_to_first_token: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) edge_time_to_first_token: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) invocation_latency: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bedrock_latency: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) time_per_output_token: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) input_token_count: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output_token_count: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) estimated_cost_usd: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cold_start: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) throttles: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) errors: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) guardrail_interventions: Option<f64>,
}

/// The properties of a record: searchable, not billed as metrics.
#[derive(Serialize)]
pub(super) struct Properties<'a> {
    pub(super) level: &'static str,
    pub(super) timestamp: String,
    pub(super) message: &'static str,
    pub(super) request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trace_id: Option<&'a str>,
    pub(super) route: &'static str,
    #[serde(rename = "Outcome")]
    pub(super) outcome: &'static str,
    #[serde(rename = "Mode", skip_serializing_if = "Option::is_none")]
    pub(super) mode: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) policy_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) policy_sha256: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stop_reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) api_key_id: Option<String>,
    pub(super) phases: RecordedPhases,
    pub(super) content_deltas: u32,
    #[serde(rename = "gen_ai.request.model", skip_serializing_if = "Option::is_none")]
    pub(super) gen_ai_request_model: Option<&'a str>,
    #[serde(rename = "gen_ai.usage.input_tokens", skip_serializing_if = "Option::is_none")]
    pub(super) gen_ai_usage_input_tokens: Option<u32>,
    #[serde(rename = "gen_ai.usage.output_tokens", skip_serializing_if = "Option::is_none")]
    pub(super) gen_ai_usage_output_tokens: Option<u32>,
    #[serde(rename = "gen_ai.response.finish_reasons", skip_serializing_if = "Option::is_none")]
    pub(super) gen_ai_response_finish_reasons: Option<[&'a str; 1]>,
    #[serde(rename = "error.type", skip_serializing_if = "Option::is_none")]
    pub(super) error_type: Option<&'static str>,
}

/// The phases of `done`, and when the last event went out.
#[derive(Serialize)]
pub(super) struct RecordedPhases {
    #[serde(flatten)]
    pub(super) phases: Phases,
    pub(super) last_write_ms: Option<f64>,
}

#[derive(Clone, Copy)]
enum Unit {
    Milliseconds,
    Count,
    None,
}

impl Serialize for Unit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Milliseconds => "Milliseconds",
            Self::Count => "Count",
            Self::None => "None",
        })
    }
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    name: &'static str,
    unit: Unit,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive {
    namespace: &'static str,
    dimensions: [&'static [&'static str]; 1],
    metrics: Vec<Definition>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    timestamp: u64,
    cloud_watch_metrics: Vec<Directive>,
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(rename = "_aws")]
    metadata: Metadata,
    #[serde(flatten)]
    metrics: &'a Metrics,
    #[serde(flatten)]
    properties: &'a Properties<'a>,
}

impl Metrics {
    /// The definitions of those metrics that have a value.
    fn defined(&self) -> Vec<Definition> {
        let milliseconds = Unit::Milliseconds;
        [
            ("TimeToFirstToken", milliseconds, self.time_to_first_token),
            ("EdgeTimeToFirstToken", milliseconds, self.edge_time_to_first_token),
            ("InvocationLatency", milliseconds, self.invocation_latency),
            ("BedrockLatency", milliseconds, self.bedrock_latency),
            ("TimePerOutputToken", milliseconds, self.time_per_output_token),
            ("InputTokenCount", Unit::Count, self.input_token_count),
            ("OutputTokenCount", Unit::Count, self.output_token_count),
            ("EstimatedCostUsd", Unit::None, self.estimated_cost_usd),
            ("ColdStart", Unit::Count, self.cold_start),
            ("Throttles", Unit::Count, self.throttles),
            ("Errors", Unit::Count, self.errors),
            ("GuardrailInterventions", Unit::Count, self.guardrail_interventions),
        ]
        .into_iter()
        .filter(|(_, _, value)| value.is_some())
        .map(|(name, unit, _)| Definition { name, unit })
        .collect()
    }
}

/// The whole line, without its end of line.
///
/// Every combination of dimensions is billed as a metric of its own: hence all metrics without a dimension,
/// and only three more with one.
pub(super) fn line(now: SystemTime, metrics: &Metrics, properties: &Properties<'_>) -> Vec<u8> {
    let all = metrics.defined();
    let only = |names: &[&str]| all.iter().copied().filter(|metric| names.contains(&metric.name)).collect::<Vec<_>>();
    let mut directives: Vec<(&'static [&'static str], Vec<Definition>)> =
        vec![(&["Outcome"], only(&["InvocationLatency"]))];
    if properties.mode.is_some() {
        directives.push((&["Mode"], only(&["TimeToFirstToken", "OutputTokenCount"])));
    }
    directives.insert(0, (&[], all));

    let since_1970 = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let line = Line {
        metadata: Metadata {
            timestamp: u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX),
            cloud_watch_metrics: directives
                .into_iter()
                .filter(|(_, metrics)| !metrics.is_empty())
                .map(|(dimensions, metrics)| Directive { namespace: NAMESPACE, dimensions: [dimensions], metrics })
                .collect(),
        },
        metrics,
        properties,
    };
    // Strings and finite numbers only: nothing that serde_json could refuse.
    serde_json::to_vec(&line).unwrap_or_default()
}

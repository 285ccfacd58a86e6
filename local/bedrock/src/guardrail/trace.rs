//! What a guardrail saw, in the shape of botocore's `GuardrailTraceAssessment`.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::settings::TraceLevel;

/// Characters of one text unit, in which guardrails are billed.
const UNIT_CHARACTERS: usize = 1_000;

/// One request's trace as it fills.
pub(super) struct Trace {
    level: TraceLevel,
    id: String,
    topics: Vec<String>,
    pub(super) input: Option<Assessment>,
    pub(super) output: Option<Assessment>,
    /// What the model had said, where it was blocked.
    pub(super) model_output: Option<String>,
}

/// What came of looking at one side.
pub(super) struct Assessment {
    /// Names of the topics that it touches.
    pub(super) touched: Vec<String>,
    pub(super) latency: Duration,
    /// Characters looked at.
    pub(super) guarded: usize,
    /// Characters there were.
    pub(super) total: usize,
}

impl Trace {
    pub(super) fn new(level: TraceLevel, id: &str, topics: Vec<String>) -> Self {
        Self { level, id: id.to_owned(), topics, input: None, output: None, model_output: None }
    }

    /// `metadata.trace`, where the request asks for it.
    pub(super) fn to_json(&self) -> Option<Value> {
        if self.level == TraceLevel::Disabled {
            return None;
        }
        let mut guardrail = Map::new();
        if let Some(input) = &self.input {
            guardrail.insert("inputAssessment".to_owned(), json!({ &self.id: self.assessment(input) }));
        }
        if let Some(output) = &self.output {
            guardrail.insert("outputAssessments".to_owned(), json!({ &self.id: [self.assessment(output)] }));
        }
        if let Some(text) = &self.model_output {
            guardrail.insert("modelOutput".to_owned(), json!([text]));
        }
        let blocked = [&self.input, &self.output].into_iter().flatten().any(|side| !side.touched.is_empty());
        if blocked {
            guardrail.insert("actionReason".to_owned(), json!("Guardrail blocked."));
        }
        Some(json!({ "guardrail": guardrail }))
    }

    fn assessment(&self, side: &Assessment) -> Value {
        let units = if self.topics.is_empty() { 0 } else { side.guarded.div_ceil(UNIT_CHARACTERS) };
        let latency = u64::try_from(side.latency.as_millis()).unwrap_or(u64::MAX);
        let metrics = json!({
            "guardrailProcessingLatency": latency,
            "usage": {
                "topicPolicyUnits": units,
                "contentPolicyUnits": 0,
                "wordPolicyUnits": 0,
                "sensitiveInformationPolicyUnits": 0,
                "sensitiveInformationPolicyFreeUnits": 0,
                "contextualGroundingPolicyUnits": 0,
            },
            "guardrailCoverage": { "textCharacters": { "guarded": side.guarded, "total": side.total } },
        });
        let topics = self.found(side);
        if topics.is_empty() {
            return json!({ "invocationMetrics": metrics });
        }
        json!({ "invocationMetrics": metrics, "topicPolicy": { "topics": topics } })
    }

    fn found(&self, side: &Assessment) -> Vec<Value> {
        let topic = |name: &String, action: &str, detected: bool| json!({ "name": name, "type": "DENY", "action": action, "detected": detected });
        let touched = side.touched.iter().map(|name| topic(name, "BLOCKED", true));
        let untouched =
            self.topics.iter().filter(|name| self.level == TraceLevel::Full && !side.touched.contains(name));
        touched.chain(untouched.map(|name| topic(name, "NONE", false))).collect()
    }
}

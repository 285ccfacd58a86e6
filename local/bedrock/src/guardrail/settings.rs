//! `guardrailConfig` of a request, held to the patterns of botocore's `GuardrailStreamConfiguration`.

use serde::Deserialize;

use crate::ServiceError;

/// As on the wire.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Raw {
    guardrail_identifier: Option<String>,
    guardrail_version: Option<String>,
    trace: Option<String>,
    stream_processing_mode: Option<String>,
}

/// Which guardrail a request asks for, and how it is to work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GuardrailSettings {
    id: String,
    pub(super) trace: TraceLevel,
    pub(super) mode: StreamMode,
}

/// What is told of a guardrail's work in `metadata`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TraceLevel {
    Disabled,
    /// What it detected.
    Enabled,
    /// Also what it looked for in vain.
    Full,
}

/// Whether a reply is held back until it was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StreamMode {
    Sync,
    Async,
}

impl Default for GuardrailSettings {
    /// Those of a request that asks for no guardrail and gets one all the same.
    fn default() -> Self {
        Self { id: "forced".to_owned(), trace: TraceLevel::Disabled, mode: StreamMode::Sync }
    }
}

impl GuardrailSettings {
    /// `None` where no guardrail is named: both names may be empty.
    pub(crate) fn parse(raw: Raw) -> Result<Option<Self>, ServiceError> {
        let trace = match raw.trace.as_deref() {
            None | Some("disabled") => TraceLevel::Disabled,
            Some("enabled") => TraceLevel::Enabled,
            Some("enabled_full") => TraceLevel::Full,
            Some(other) => return Err(refused(other, "trace", "enum value set: [enabled_full, disabled, enabled]")),
        };
        let mode = match raw.stream_processing_mode.as_deref() {
            None | Some("sync") => StreamMode::Sync,
            Some("async") => StreamMode::Async,
            Some(other) => return Err(refused(other, "streamProcessingMode", "enum value set: [async, sync]")),
        };
        let identifier = raw.guardrail_identifier.unwrap_or_default();
        let version = raw.guardrail_version.unwrap_or_default();
        if identifier.is_empty() && version.is_empty() {
            return Ok(None);
        }
        let Some(id) = id_of(&identifier) else {
            let rule = "regular expression pattern: (|([a-z0-9]+)|(arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:guardrail/[a-z0-9]+))";
            return Err(refused(&identifier, "guardrailIdentifier", rule));
        };
        if version != "DRAFT" && !is_number(&version) {
            return Err(refused(
                &version,
                "guardrailVersion",
                "regular expression pattern: (|([1-9][0-9]{0,7})|(DRAFT))",
            ));
        }
        Ok(Some(Self { id: id.to_owned(), trace, mode }))
    }

    /// Without the ARN around it.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }
}

/// The id itself, of an id or of an ARN.
fn id_of(identifier: &str) -> Option<&str> {
    let parts: Vec<&str> = identifier.split(':').collect();
    let id = match parts.as_slice() {
        [id] => id,
        ["arn", partition, "bedrock", region, account, resource] => {
            let partition = partition.strip_prefix("aws").is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
            let region = (1..=20).contains(&region.len());
            let account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
            resource.strip_prefix("guardrail/").filter(|_| partition && region && account)?
        }
        _ => return None,
    };
    let plain = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    plain.then_some(id)
}

fn is_number(version: &str) -> bool {
    (1..=8).contains(&version.len()) && !version.starts_with('0') && version.bytes().all(|byte| byte.is_ascii_digit())
}

fn refused(value: &str, member: &str, rule: &str) -> ServiceError {
    ServiceError::validation(format!(
        "1 validation error detected: Value '{value}' at 'guardrailConfig.{member}' failed to satisfy constraint: Member must satisfy {rule}"
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(json: serde_json::Value) -> Result<Option<GuardrailSettings>, ServiceError> {
        GuardrailSettings::parse(serde_json::from_value(json).unwrap())
    }

    #[test]
    fn a_guardrail_is_named_by_its_id_or_its_arn() {
        for id in ["gr1", "arn:aws:bedrock:us-east-1:123456789012:guardrail/gr1"] {
            let settings = parse(json!({"guardrailIdentifier": id, "guardrailVersion": "1"})).unwrap().unwrap();
            let expected =
                GuardrailSettings { id: "gr1".to_owned(), trace: TraceLevel::Disabled, mode: StreamMode::Sync };
            assert_eq!(settings, expected);
        }
        assert_eq!(parse(json!({"guardrailIdentifier": "", "guardrailVersion": ""})), Ok(None));
    }

    #[test]
    fn what_fits_no_pattern_is_refused_by_member() {
        let named = |member: &str, value: &str| {
            let mut json = json!({"guardrailIdentifier": "gr1", "guardrailVersion": "DRAFT"});
            json[member] = value.into();
            json
        };
        for (member, value) in [
            ("guardrailIdentifier", "GR 1"),
            ("guardrailIdentifier", ""),
            ("guardrailIdentifier", "nonsense:guardrail/gr1"),
            ("guardrailIdentifier", "arn:aws:bedrock:us-east-1:guardrail/gr1"),
            ("guardrailVersion", "0"),
            ("guardrailVersion", "latest"),
            ("guardrailVersion", "123456789"),
            ("trace", "yes"),
            ("streamProcessingMode", "later"),
        ] {
            let refused = parse(named(member, value)).unwrap_err().to_string();
            assert!(refused.contains(&format!("Value '{value}' at 'guardrailConfig.{member}'")), "{refused}");
        }
    }
}

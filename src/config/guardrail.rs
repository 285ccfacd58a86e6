//! `GUARDRAIL_ID`, `GUARDRAIL_VERSION`, `GUARDRAIL_STREAM`: the Bedrock guardrail laid over each turn.

use super::{Problem, Vars};

/// When a guardrail looks at the streamed reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuardrailStream {
    /// Bedrock holds text back until the guardrail has seen it: safe, and slower to the first token.
    Sync,
    /// Text flows at once; some of it may be out before the guardrail blocks, and personal data cannot be masked.
    Async,
}

/// A guardrail in one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guardrail {
    id: String,
    version: String,
    stream: GuardrailStream,
}

impl Guardrail {
    pub(super) fn from_vars(vars: &Vars<'_>) -> Result<Option<Self>, Vec<Problem>> {
        let mut problems = Vec::new();
        let stream = match vars.get("GUARDRAIL_STREAM").as_deref() {
            None | Some("sync") => GuardrailStream::Sync,
            Some("async") => GuardrailStream::Async,
            Some(_) => {
                problems.push(Problem::new("GUARDRAIL_STREAM", "must be \"sync\" or \"async\""));
                GuardrailStream::Sync
            }
        };
        let guardrail = match (vars.get("GUARDRAIL_ID"), vars.get("GUARDRAIL_VERSION")) {
            (Some(id), Some(version)) => {
                if !is_id(&id) {
                    problems.push(Problem::new("GUARDRAIL_ID", "must be a guardrail's id or ARN"));
                }
                if !is_version(&version) {
                    problems.push(Problem::new("GUARDRAIL_VERSION", "must be a number or DRAFT"));
                }
                Some(Self { id, version, stream })
            }
            (None, None) => None,
            (Some(_), None) => {
                problems
                    .push(Problem::new("GUARDRAIL_VERSION", "is missing; GUARDRAIL_ID needs it (a number or DRAFT)"));
                None
            }
            (None, Some(_)) => {
                problems.push(Problem::new("GUARDRAIL_ID", "is missing; GUARDRAIL_VERSION alone names no guardrail"));
                None
            }
        };
        if problems.is_empty() { Ok(guardrail) } else { Err(problems) }
    }

    /// The guardrail's id or ARN.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The version: a number, or `DRAFT`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// How it is applied to a stream.
    pub fn stream(&self) -> GuardrailStream {
        self.stream
    }
}

/// Bedrock refuses every request that names anything else. Source: the service model's `GuardrailIdentifier`,
/// `[a-z0-9]+` or `arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:guardrail/[a-z0-9]+`.
fn is_id(text: &str) -> bool {
    let is_plain =
        |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let parts: Vec<&str> = text.split(':').collect();
    match parts.as_slice() {
        [id] => is_plain(id),
        ["arn", partition, "bedrock", region, account, resource] => {
            let partition = partition.strip_prefix("aws").is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
            let region = (1..=20).contains(&region.len())
                && region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            let account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
            partition && region && account && resource.strip_prefix("guardrail/").is_some_and(is_plain)
        }
        _ => false,
    }
}

/// `GuardrailVersion`: `[1-9][0-9]{0,7}` or `DRAFT`.
fn is_version(text: &str) -> bool {
    text == "DRAFT" || (text.len() <= 8 && !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(id: &str, version: &str, stream: &str) -> Result<Option<Guardrail>, Vec<Problem>> {
        let lookup = |name: &str| {
            let value = match name {
                "GUARDRAIL_ID" => id,
                "GUARDRAIL_VERSION" => version,
                _ => stream,
            };
            (!value.is_empty()).then(|| value.to_owned())
        };
        Guardrail::from_vars(&Vars { lookup: &lookup })
    }

    #[test]
    fn a_guardrail_needs_its_id_and_its_version() {
        assert_eq!(parse("", "", ""), Ok(None));
        let guardrail = parse("gr1", "DRAFT", "async").expect("valid").expect("there");
        assert_eq!((guardrail.id(), guardrail.version(), guardrail.stream()), ("gr1", "DRAFT", GuardrailStream::Async));
        assert!(parse("gr1", "", "").is_err());
        assert!(parse("", "1", "").is_err());
        assert!(parse("gr1", "1", "sometimes").is_err());
    }

    #[test]
    fn a_guardrail_that_bedrock_would_not_know_is_refused() {
        assert!(parse("arn:aws:bedrock:us-east-1:123456789012:guardrail/gr1", "12", "").is_ok());
        for (id, version) in [
            ("gr-1", "1"),
            ("arn:aws:s3:us-east-1:123456789012:guardrail/gr1", "1"),
            ("arn:aws:bedrock:us-east-1:guardrail/gr1", "1"),
            ("arn:awsx y:bedrock:us-east-1:123456789012:guardrail/gr1", "1"),
            ("gr1", "0"),
            ("gr1", "draft"),
        ] {
            assert!(parse(id, version, "").is_err(), "{id} {version}");
        }
    }

    #[test]
    fn a_stream_is_guarded_synchronously_unless_told_otherwise() {
        assert_eq!(parse("gr1", "1", "").expect("valid").expect("there").stream(), GuardrailStream::Sync);
    }
}

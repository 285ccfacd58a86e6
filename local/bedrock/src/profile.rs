//! The `modelId` of a request: an inference profile, or what Bedrock says to anything else.

use crate::ServiceError;

/// An inference profile, by its ARN or by a system profile's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InferenceProfile {
    region: Option<String>,
}

impl InferenceProfile {
    /// Reads `model_id`, already percent-decoded.
    pub(crate) fn parse(model_id: &str) -> Result<Self, ServiceError> {
        if let Some(region) = profile_arn_region(model_id) {
            return Ok(Self { region: Some(region.to_owned()) });
        }
        if is_system_profile_id(model_id) {
            return Ok(Self { region: None });
        }
        if is_foundation_model_id(model_id) || model_id.contains(":foundation-model/") {
            // The wording, typographic apostrophe included, is Bedrock's.
            return Err(ServiceError::validation(format!(
                "Invocation of model ID {model_id} with on-demand throughput isn’t supported. Retry your request with the ID or ARN of an inference profile that contains this model."
            )));
        }
        Err(ServiceError::validation("The provided model identifier is invalid."))
    }

    /// The region that requests for it must be signed for; an id names none.
    pub(crate) fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }
}

/// `arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:(inference-profile|application-inference-profile)/[a-zA-Z0-9-:.]+`
/// (botocore, `ConversationalModelId`).
fn profile_arn_region(arn: &str) -> Option<&str> {
    let mut fields = arn.splitn(6, ':');
    let mut field = || fields.next();
    let (scheme, partition, service, region, account, resource) =
        (field()?, field()?, field()?, field()?, field()?, field()?);
    let partition_is_aws =
        partition == "aws" || partition.strip_prefix("aws-").is_some_and(|suffix| !suffix.is_empty());
    let region_fits = (1..=20).contains(&region.len()) && region.bytes().all(is_lower_or_digit_or_hyphen);
    let account_fits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let (kind, id) = resource.split_once('/')?;
    let id_fits = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-:.".contains(&byte));
    (scheme == "arn"
        && partition_is_aws
        && service == "bedrock"
        && region_fits
        && account_fits
        && matches!(kind, "inference-profile" | "application-inference-profile")
        && id_fits)
        .then_some(region)
}

/// `geography.provider.model`. Geographies are not listed: AWS keeps adding to them. A version with a dot
/// (`deepseek.v3.2`, `zai.glm-4.6`) also has three parts, but none of a provider's name and a model's name.
fn is_system_profile_id(id: &str) -> bool {
    let Some((geography, model)) = id.split_once('.') else { return false };
    !geography.is_empty()
        && geography.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        && is_foundation_model_id(model)
}

/// `provider.model`, for example `anthropic.claude-3-haiku-20240307-v1:0`.
fn is_foundation_model_id(id: &str) -> bool {
    let Some((provider, model)) = id.split_once('.') else { return false };
    !provider.is_empty()
        && provider.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        && model.starts_with(|first: char| first.is_ascii_lowercase())
        && model.bytes().all(|byte| is_lower_or_digit_or_hyphen(byte) || b".:".contains(&byte))
}

fn is_lower_or_digit_or_hyphen(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_accepted_wherever_they_are() {
        let cases = [
            ("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-micro-v1:0", Some("us-east-1")),
            ("arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/a1b2c3", Some("eu-central-1")),
            ("arn:aws-cn:bedrock:cn-north-1:123456789012:inference-profile/cn.x.y", Some("cn-north-1")),
            ("arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:inference-profile/us-gov.x.y", Some("us-gov-west-1")),
            ("us.anthropic.claude-3-haiku-20240307-v1:0", None),
            ("us-gov.anthropic.claude-3-haiku-20240307-v1:0", None),
            ("global.anthropic.claude-haiku-4-5-20251001-v1:0", None),
            ("apac.amazon.nova-lite-v1:0", None),
            ("us.deepseek.v3.2", None),
        ];
        for (id, region) in cases {
            assert_eq!(InferenceProfile::parse(id).unwrap().region(), region, "{id}");
        }
    }

    #[test]
    fn a_foundation_model_needs_a_profile_and_is_told_so() {
        let ids = [
            "anthropic.claude-3-haiku-20240307-v1:0",
            "zai.glm-4.6",
            "deepseek.v3.2",
            "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0",
        ];
        for id in ids {
            let refused = InferenceProfile::parse(id).unwrap_err().to_string();
            assert!(refused.contains(&format!("Invocation of model ID {id} with on-demand")), "{refused}");
        }
    }

    #[test]
    fn anything_else_is_no_model_identifier() {
        let ids = [
            "",
            "claude",
            "us..model",
            "arn:aws:bedrock:us-east-1:123:inference-profile/us.x.y",
            "arn:aws:bedrock::123456789012:inference-profile/us.x.y",
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/",
            "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/a1",
            "arn:aws:s3:us-east-1:123456789012:inference-profile/us.x.y",
            "arn:awsx:bedrock:us-east-1:123456789012:inference-profile/us.x.y",
        ];
        for id in ids {
            let refused = InferenceProfile::parse(id).unwrap_err().to_string();
            assert!(refused.contains("model identifier is invalid"), "{id}: {refused}");
        }
    }
}

//! `MODEL_ID`: the ARN of a Bedrock inference profile, taken apart.
//!
//! Only profiles are accepted: their ARN names one account and region, so that the role can be
//! limited to it, and cost and quota are counted where the profile is.

use std::fmt;

/// Who made an inference profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileKind {
    /// System-defined: AWS made it, and its id starts with a geography (`us.`, `eu.`, `global.`, …).
    System,
    /// An application inference profile, made in the account to tag and track one application's use.
    Application,
}

/// A Bedrock inference profile, named by its whole ARN.
///
/// Shape: `arn:{partition}:bedrock:{region}:{account}:{inference-profile|application-inference-profile}/{id}`,
/// as Bedrock's service model has it for `ConverseStream`.
#[derive(Clone, PartialEq, Eq)]
pub struct InferenceProfile {
    arn: String,
    partition: String,
    region: String,
    account: String,
    kind: ProfileKind,
    id: String,
}

impl InferenceProfile {
    pub(super) const MUST_BE: &str = "the ARN of an inference profile, like \
        arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0";

    /// Parses an ARN.
    ///
    /// # Errors
    /// What is wrong, as the first half of a sentence about the value.
    pub fn parse(arn: &str) -> Result<Self, String> {
        let Some(rest) = arn.strip_prefix("arn:") else {
            return Err(if looks_like_model_id(arn) {
                format!("{arn:?} is a model or profile id without its ARN")
            } else {
                format!("{arn:?} is not an ARN")
            });
        };
        let mut parts = rest.splitn(5, ':');
        let mut next = || parts.next().unwrap_or_default();
        let (partition, service, region, account, resource) = (next(), next(), next(), next(), next());

        if !is_partition(partition) {
            return Err(format!("{arn:?} has no AWS partition (aws, aws-cn, aws-us-gov, …) after \"arn:\""));
        }
        if service != "bedrock" {
            return Err(format!("{arn:?} is an ARN of another service than bedrock"));
        }
        let (resource_type, id) = resource.split_once('/').unwrap_or((resource, ""));
        let kind = match resource_type {
            "inference-profile" => ProfileKind::System,
            "application-inference-profile" => ProfileKind::Application,
            "foundation-model" => {
                return Err(format!("{arn:?} is a foundation model, which cannot be held to one profile"));
            }
            other => return Err(format!("{arn:?} names a {other:?}, which is no inference profile")),
        };
        if !is_region(region) {
            return Err(format!("{arn:?} has no region"));
        }
        if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
            return Err(format!("{arn:?} has no account of 12 digits"));
        }
        if id.is_empty() || !id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b':' | b'.')) {
            return Err(format!("{arn:?} has no valid profile id after the slash"));
        }
        // geography.provider.model: a system profile's id has a geography before the model's own id.
        if kind == ProfileKind::System && id.split('.').filter(|part| !part.is_empty()).count() < 3 {
            return Err(format!("{arn:?} has a profile id without a geography (us., eu., apac., global., …)"));
        }
        Ok(Self {
            arn: arn.to_owned(),
            partition: partition.to_owned(),
            region: region.to_owned(),
            account: account.to_owned(),
            kind,
            id: id.to_owned(),
        })
    }

    /// The whole ARN, for Bedrock only: it holds an account number, which clients never see.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// `aws`, `aws-cn`, `aws-us-gov`, `aws-eusc`, …
    pub fn partition(&self) -> &str {
        &self.partition
    }

    /// The region that the Bedrock client talks to.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The account of 12 digits that owns the profile.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// Who made the profile.
    pub fn kind(&self) -> ProfileKind {
        self.kind
    }

    /// The profile's own id, as clients and records see it.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Debug for InferenceProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InferenceProfile").field(&self.arn).finish()
    }
}

fn is_partition(text: &str) -> bool {
    text == "aws" || text.strip_prefix("aws-").is_some_and(|rest| !rest.is_empty())
}

fn is_region(text: &str) -> bool {
    (1..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn looks_like_model_id(text: &str) -> bool {
    text.contains('.') && !text.contains(['/', ' '])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inference_profile_arns_are_taken_apart() {
        use ProfileKind::{Application, System};
        let table = [
            ("aws", "us-east-1", "inference-profile", "us.anthropic.claude-haiku-4-5-20251001-v1:0", System),
            ("aws", "us-west-2", "inference-profile", "us.meta.llama3-2-1b-instruct-v1:0", System),
            ("aws", "eu-central-1", "inference-profile", "eu.amazon.nova-lite-v1:0", System),
            ("aws", "ap-northeast-1", "inference-profile", "jp.anthropic.claude-sonnet-4-5-20250929-v1:0", System),
            ("aws", "ap-southeast-2", "inference-profile", "au.anthropic.claude-haiku-4-5-20251001-v1:0", System),
            ("aws", "ap-south-1", "inference-profile", "apac.anthropic.claude-3-5-sonnet-20240620-v1:0", System),
            ("aws", "us-east-2", "inference-profile", "global.anthropic.claude-sonnet-4-20250514-v1:0", System),
            (
                "aws-us-gov",
                "us-gov-west-1",
                "inference-profile",
                "us-gov.anthropic.claude-3-haiku-20240307-v1:0",
                System,
            ),
            ("aws-cn", "cn-north-1", "inference-profile", "cn.amazon.nova-micro-v1:0", System),
            ("aws-eusc", "eusc-de-east-1", "inference-profile", "eusc.amazon.nova-pro-v1:0", System),
            ("aws", "us-east-1", "application-inference-profile", "a1b2c3d4e5f6", Application),
            ("aws-us-gov", "us-gov-east-1", "application-inference-profile", "z9y8x7w6v5u4", Application),
        ];
        for (partition, region, resource, id, kind) in table {
            let arn = format!("arn:{partition}:bedrock:{region}:123456789012:{resource}/{id}");
            let profile = InferenceProfile::parse(&arn).unwrap_or_else(|why| panic!("{why}"));
            assert_eq!(
                (profile.partition(), profile.region(), profile.account(), profile.kind(), profile.id(), profile.arn()),
                (partition, region, "123456789012", kind, id, arn.as_str())
            );
        }
    }

    #[test]
    fn anything_else_is_refused_and_told_apart() {
        let table = [
            ("anthropic.claude-3-haiku-20240307-v1:0", "model or profile id without its ARN"),
            ("us.anthropic.claude-3-haiku-20240307-v1:0", "model or profile id without its ARN"),
            ("claude", "not an ARN"),
            ("arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0", "foundation model"),
            ("arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abc", "no inference profile"),
            ("arn:aws:bedrock:us-east-1:123456789012:imported-model/abc", "no inference profile"),
            ("arn:aws:sagemaker:us-east-1:123456789012:inference-profile/us.a.b", "another service"),
            ("arn:aws:bedrock-runtime:us-east-1:123456789012:inference-profile/us.a.b", "another service"),
            ("arn:gcp:bedrock:us-east-1:123456789012:inference-profile/us.a.b", "no AWS partition"),
            ("arn:aws-:bedrock:us-east-1:123456789012:inference-profile/us.a.b", "no AWS partition"),
            ("arn:aws:bedrock::123456789012:inference-profile/us.a.b", "no region"),
            ("arn:aws:bedrock:US-EAST-1:123456789012:inference-profile/us.a.b", "no region"),
            ("arn:aws:bedrock:us-east-1:12345:inference-profile/us.a.b", "no account"),
            ("arn:aws:bedrock:us-east-1::inference-profile/us.a.b", "no account"),
            ("arn:aws:bedrock:us-east-1:12345678901x:inference-profile/us.a.b", "no account"),
            ("arn:aws:bedrock:us-east-1:123456789012:inference-profile/", "no valid profile id"),
            ("arn:aws:bedrock:us-east-1:123456789012:inference-profile", "no valid profile id"),
            ("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.a.b/c", "no valid profile id"),
            ("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.a.b ", "no valid profile id"),
            ("arn:aws:bedrock:us-east-1:123456789012:inference-profile/anthropic.claude-v2", "without a geography"),
            ("arn:aws:bedrock", "no inference profile"),
            ("arn:", "no AWS partition"),
        ];
        for (arn, why) in table {
            let error = InferenceProfile::parse(arn).expect_err(arn);
            assert!(error.contains(why), "{arn}: {error}");
        }
    }
}

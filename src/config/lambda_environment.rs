//! What Lambda itself sets, and without which the function is not in Lambda at all.
//!
//! The Lambda runtime client reads the same variables and panics where one is missing; looking first
//! turns that into a problem that can be read.

use http::Uri;

use super::{Problem, Vars};

/// The sandbox that the function runs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LambdaEnvironment {
    runtime_api: Uri,
}

impl LambdaEnvironment {
    pub(super) fn from_vars(vars: &Vars<'_>) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let runtime_api = Self::runtime_api_from_vars(vars);
        if runtime_api.is_none() {
            problems.push(Problem::new(
                "AWS_LAMBDA_RUNTIME_API",
                "must be the host and port of the Lambda Runtime API; this program runs in Lambda or its local stand-in",
            ));
        }
        for name in ["AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION"] {
            if vars.get(name).is_none() {
                problems.push(Problem::new(name, "is missing; Lambda sets it"));
            }
        }
        if vars.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE").and_then(|text| text.parse::<i32>().ok()).is_none() {
            problems
                .push(Problem::new("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "must be a number of megabytes; Lambda sets it"));
        }
        match runtime_api {
            Some(runtime_api) if problems.is_empty() => Ok(Self { runtime_api }),
            _ => Err(problems),
        }
    }

    pub(super) fn runtime_api_from_vars(vars: &Vars<'_>) -> Option<Uri> {
        let address: Uri = vars.get("AWS_LAMBDA_RUNTIME_API")?.parse().ok()?;
        address.authority().is_some().then_some(address)
    }

    /// Where the Lambda Runtime API listens.
    pub fn runtime_api(&self) -> &Uri {
        &self.runtime_api
    }
}

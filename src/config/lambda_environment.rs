//! What Lambda itself sets, and without which the function is not in Lambda at all.
//!
//! Source: Lambda developer guide, "Defined runtime environment variables", and for Managed Instances "Building a custom
//! runtime for Lambda Managed Instances".

use std::num::NonZeroUsize;

use http::Uri;

use super::{Problem, Vars};

/// The sandbox that the function runs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LambdaEnvironment {
    runtime_api: Uri,
    max_concurrency: NonZeroUsize,
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
        let max_concurrency = vars.get("AWS_LAMBDA_MAX_CONCURRENCY").map_or(Ok(NonZeroUsize::MIN), |text| text.parse());
        match (runtime_api, max_concurrency) {
            (Some(runtime_api), Ok(max_concurrency)) => Ok(Self { runtime_api, max_concurrency }),
            (_, max_concurrency) => {
                if max_concurrency.is_err() {
                    problems
                        .push(Problem::new("AWS_LAMBDA_MAX_CONCURRENCY", "must be a number from 1; Lambda sets it"));
                }
                Err(problems)
            }
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

    /// How many invocations the sandbox may have at a time: one, but for Lambda Managed Instances.
    pub fn max_concurrency(&self) -> NonZeroUsize {
        self.max_concurrency
    }
}

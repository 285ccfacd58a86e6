//! The function's configuration: environment variables parsed once, at the edge, into types that cannot be wrong.
//!
//! This is the only place that looks at the environment. Each concern has its own file; what they
//! share is [`Vars`] (the look-up) and [`Problem`] (what is wrong, told in a way that can be acted on).
//! Limits on tokens and temperature are not here: they are policy ([`crate::policy`]), and no variable raises them.

mod api_keys;
mod credentials;
mod endpoint;
mod guardrail;
mod inference_profile;
mod lambda_environment;
mod prices;

pub use api_keys::{ApiKeyId, ApiKeys};
pub use credentials::Credentials;
pub use endpoint::Endpoint;
pub use guardrail::{Guardrail, GuardrailStream};
pub use inference_profile::{InferenceProfile, ProfileKind};
pub use lambda_environment::LambdaEnvironment;
pub use prices::{Prices, UsDollars};

use std::fmt;

use http::Uri;
use tracing::level_filters::LevelFilter;

/// Everything the function reads from its environment.
#[derive(Debug, Clone)]
pub struct Config {
    model: InferenceProfile,
    guardrail: Option<Guardrail>,
    prices: Option<Prices>,
    endpoint: Option<Endpoint>,
    credentials: Credentials,
    api_keys: Option<ApiKeys>,
    lambda: LambdaEnvironment,
}

impl Config {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// All problems at once, see [`Config::from_vars`].
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_vars(environment)
    }

    /// Parses the variables that `lookup` gives. Values are not trimmed; an empty value is a missing one.
    ///
    /// # Errors
    /// [`ConfigError`] with every problem found, in a fixed order, not only the first.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let vars = Vars { lookup: &|name| lookup(name).filter(|value| !value.is_empty()) };
        let mut problems = Vec::new();

        let model = vars.required("MODEL_ID", InferenceProfile::MUST_BE, InferenceProfile::parse, &mut problems);
        let guardrail = keep(Guardrail::from_vars(&vars), &mut problems).flatten();
        let prices = keep(Prices::from_vars(&vars), &mut problems).flatten();
        let endpoint = keep(Endpoint::from_vars(&vars), &mut problems).flatten();
        let credentials = keep(Credentials::from_vars(&vars), &mut problems);
        let api_keys = keep(ApiKeys::from_vars(&vars), &mut problems).flatten();
        let lambda = keep(LambdaEnvironment::from_vars(&vars), &mut problems);

        match (model, credentials, lambda) {
            (Some(model), Some(credentials), Some(lambda)) if problems.is_empty() => {
                Ok(Self { model, guardrail, prices, endpoint, credentials, api_keys, lambda })
            }
            _ => Err(ConfigError { problems, runtime_api: LambdaEnvironment::runtime_api_from_vars(&vars) }),
        }
    }

    /// The inference profile that every request goes to (`MODEL_ID`).
    pub fn model(&self) -> &InferenceProfile {
        &self.model
    }

    /// The guardrail to apply, if any.
    pub fn guardrail(&self) -> Option<&Guardrail> {
        self.guardrail.as_ref()
    }

    /// What tokens cost, if known.
    pub fn prices(&self) -> Option<&Prices> {
        self.prices.as_ref()
    }

    /// Where Bedrock is, when it is not where the region says.
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.endpoint.as_ref()
    }

    /// The role's credentials.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The keys that may call; `None` leaves the door open.
    pub fn api_keys(&self) -> Option<&ApiKeys> {
        self.api_keys.as_ref()
    }

    /// The sandbox that the function runs in.
    pub fn lambda(&self) -> &LambdaEnvironment {
        &self.lambda
    }
}

/// The least severe level that is logged, from `AWS_LAMBDA_LOG_LEVEL` in the process's environment as Lambda's
/// advanced logging controls set it. Apart from [`Config`], since what is wrong with that has to be logged too.
/// Lambda validates it, so that anything else means a hand-made environment, and the default serves.
pub fn log_level_from_env() -> LevelFilter {
    log_level(environment("AWS_LAMBDA_LOG_LEVEL").as_deref())
}

fn log_level(value: Option<&str>) -> LevelFilter {
    match value {
        Some("TRACE") => LevelFilter::TRACE,
        Some("DEBUG") => LevelFilter::DEBUG,
        Some("WARN") => LevelFilter::WARN,
        Some("ERROR" | "FATAL") => LevelFilter::ERROR,
        _ => LevelFilter::INFO,
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn environment(name: &str) -> Option<String> {
    match std::env::var(name) {
        Ok(value) => Some(value),
        // A value that is not Unicode is kept, damaged, so that its parser refuses it by name.
        Err(std::env::VarError::NotUnicode(raw)) => Some(raw.to_string_lossy().into_owned()),
        Err(std::env::VarError::NotPresent) => None,
    }
}

fn keep<T>(parsed: Result<T, Vec<Problem>>, problems: &mut Vec<Problem>) -> Option<T> {
    parsed.map_err(|found| problems.extend(found)).ok()
}

/// The environment as the parsers see it: an empty value is a missing one.
pub(crate) struct Vars<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
}

impl Vars<'_> {
    fn get(&self, name: &str) -> Option<String> {
        (self.lookup)(name)
    }

    fn required<T>(
        &self,
        name: &'static str,
        must_be: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
        problems: &mut Vec<Problem>,
    ) -> Option<T> {
        let Some(value) = self.get(name) else {
            problems.push(Problem::new(name, format!("is missing; it must be {must_be}")));
            return None;
        };
        parse(&value).map_err(|why| problems.push(Problem::new(name, format!("{why}; it must be {must_be}")))).ok()
    }
}

/// One variable that stops the start. Its text never repeats a value that could be a secret.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    variable: &'static str,
    problem: String,
}

impl Problem {
    fn new(variable: &'static str, problem: impl Into<String>) -> Self {
        Self { variable, problem: problem.into() }
    }

    /// The variable's name.
    pub fn variable(&self) -> &'static str {
        self.variable
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.variable, self.problem)
    }
}

/// Why the function does not start: every bad variable, and what each must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<Problem>,
    runtime_api: Option<Uri>,
}

impl ConfigError {
    /// Every problem, at least one.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Where to report it, if that much is known.
    pub fn runtime_api(&self) -> Option<&Uri> {
        self.runtime_api.as_ref()
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.problems.iter().enumerate() {
            write!(f, "{}{problem}", if n == 0 { "" } else { ". " })?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    const GOOD: &[(&str, &str)] = &[
        ("MODEL_ID", "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-micro-v1:0"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI"),
        ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001"),
    ];

    fn with(changes: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let vars: HashMap<_, _> = GOOD.iter().chain(changes).copied().collect();
        Config::from_vars(|name| vars.get(name).map(ToString::to_string))
    }

    fn problems(changes: &[(&str, &str)]) -> Vec<&'static str> {
        with(changes).expect_err("must not start").problems().iter().map(Problem::variable).collect()
    }

    #[test]
    fn the_least_configuration_is_a_model_and_credentials() {
        let config = with(&[]).expect("starts");
        assert_eq!(config.model().id(), "us.amazon.nova-micro-v1:0");
        assert!(config.guardrail().is_none() && config.prices().is_none() && config.api_keys().is_none());
        assert_eq!(config.lambda().max_concurrency().get(), 1);
    }

    #[test]
    fn the_log_level_is_lambdas_word_for_it() {
        for (value, level) in [
            (None, LevelFilter::INFO),
            (Some("DEBUG"), LevelFilter::DEBUG),
            (Some("FATAL"), LevelFilter::ERROR),
            (Some("loud"), LevelFilter::INFO),
        ] {
            assert_eq!(log_level(value), level, "{value:?}");
        }
    }

    #[test]
    fn an_empty_value_is_a_missing_one() {
        assert_eq!(problems(&[("MODEL_ID", "")]), ["MODEL_ID"]);
        assert!(with(&[("GUARDRAIL_ID", ""), ("API_KEY_SHA256", "")]).is_ok());
    }

    #[test]
    fn values_are_not_trimmed() {
        let padded = " arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-micro-v1:0";
        assert_eq!(problems(&[("MODEL_ID", padded)]), ["MODEL_ID"]);
    }

    #[test]
    fn every_problem_is_reported_at_once() {
        let found = problems(&[
            ("MODEL_ID", "anthropic.claude-3-haiku-20240307-v1:0"),
            ("AWS_SECRET_ACCESS_KEY", ""),
            ("GUARDRAIL_ID", "gr1"),
            ("PRICE_INPUT_PER_MTOK", "cheap"),
            ("PRICE_OUTPUT_PER_MTOK", "-1"),
            ("AWS_ENDPOINT_URL", "localhost"),
            ("API_KEY_SHA256", "nonsense"),
            ("REQUIRE_API_KEY", "yes"),
            ("AWS_LAMBDA_RUNTIME_API", ""),
            ("AWS_LAMBDA_MAX_CONCURRENCY", "0"),
        ]);
        assert_eq!(
            found,
            [
                "MODEL_ID",
                "GUARDRAIL_VERSION",
                "PRICE_INPUT_PER_MTOK",
                "PRICE_OUTPUT_PER_MTOK",
                "AWS_ENDPOINT_URL",
                "AWS_SECRET_ACCESS_KEY",
                "API_KEY_SHA256",
                "REQUIRE_API_KEY",
                "AWS_LAMBDA_RUNTIME_API",
                "AWS_LAMBDA_MAX_CONCURRENCY",
            ]
        );
    }

    #[test]
    fn a_problem_never_repeats_a_secret() {
        let error = with(&[("API_KEY_SHA256", "a:hunter2"), ("AWS_ACCESS_KEY_ID", "")]).expect_err("must not start");
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert!(!format!("{:?}", with(&[])).contains("wJalrXUtnFEMI"));
    }
}

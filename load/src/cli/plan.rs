//! From arguments to a plan.

use std::path::PathBuf;

use bro_load::auth::{AuthError, Authorizer, Options};
use bro_load::bodies::InvalidBodies;
use bro_load::endpoint::InvalidEndpoint;
use bro_load::{Bodies, Connections, Endpoint, Extent, Format, Limits, Load, Plan, WarmUp};
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, Uri};

use super::{FormatName, RunArgs};

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// Without `--requests` and `--duration`.
const DURATION: std::time::Duration = std::time::Duration::from_secs(10);

/// Arguments that do not go together, or do not fit what they name.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidPlan {
    #[error("there is no URL; write one as http://localhost:3000")]
    NoUrl,
    #[error(transparent)]
    Endpoint(#[from] InvalidEndpoint),
    #[error("--format openai needs the model's name: --model NAME")]
    NoModel,
    #[error("--model goes with --format openai; --mode is Bro-Buddy's")]
    Model,
    #[error("--mode goes with --format bro-buddy; --model is OpenAI's")]
    Mode,
    #[error("--prompts {}: {source}", .file.display())]
    Unreadable { file: PathBuf, source: std::io::Error },
    #[error("--prompts {}: {source}", .file.display())]
    Bodies { file: PathBuf, source: InvalidBodies },
    #[error("--prompt: {0}")]
    Prompt(InvalidBodies),
    #[error("--api-key holds characters that a header cannot hold")]
    ApiKey,
    #[error(
        "--aws-sigv4 writes the authorization header, and so does --api-key with --format openai; give one of them"
    )]
    TwoAuthorizations,
    #[error("--rate {from}..{to} changes over the run's duration: give it with --duration")]
    Ramp { from: f64, to: f64 },
    #[error("--aws-sigv4: {0}")]
    Auth(#[from] AuthError),
}

impl RunArgs {
    pub(crate) async fn plan(self) -> Result<Plan, InvalidPlan> {
        let format = self.format()?;
        let endpoint = Endpoint::parse(self.url.as_deref().ok_or(InvalidPlan::NoUrl)?, &format)?;
        let bodies = self.bodies(&format)?;
        let key = self.key(&format)?;
        if self.aws_sigv4 && key.as_ref().is_some_and(|(name, _)| *name == AUTHORIZATION) {
            return Err(InvalidPlan::TwoAuthorizations);
        }
        let limits = Limits { request: self.timeout, connect: self.connect_timeout, drain: self.drain };
        let connections = if self.fresh_connections { Connections::Fresh } else { Connections::Kept };
        let mut plan = Plan::new(endpoint.clone(), format, bodies)
            .load(self.load()?)
            .extent(self.extent())
            .warm_up(self.warm_up.unwrap_or(WarmUp::None))
            .limits(limits)
            .connections(connections);
        for (name, value) in key.into_iter().chain(self.headers) {
            plan = plan.header(name, value);
        }
        if self.aws_sigv4 {
            let target: Uri = endpoint.uri().clone();
            let options = Options { profile: self.aws_profile, region: self.aws_region, target };
            plan = plan.authorizer(Authorizer::new(options).await?);
        }
        Ok(plan)
    }

    fn format(&self) -> Result<Format, InvalidPlan> {
        match (self.format, &self.mode, &self.model) {
            (FormatName::BroBuddy, _, Some(_)) => Err(InvalidPlan::Model),
            (FormatName::BroBuddy, mode, None) => Ok(Format::BroBuddy { mode: mode.clone() }),
            (FormatName::OpenAi, Some(_), _) => Err(InvalidPlan::Mode),
            (FormatName::OpenAi, None, Some(model)) => Ok(Format::OpenAi { model: model.clone() }),
            (FormatName::OpenAi, None, None) => Err(InvalidPlan::NoModel),
        }
    }

    fn bodies(&self, format: &Format) -> Result<Bodies, InvalidPlan> {
        let Some(file) = self.prompts.clone() else {
            return Bodies::from_prompts(format, [self.prompt.as_str()]).map_err(InvalidPlan::Prompt);
        };
        let text = std::fs::read_to_string(&file);
        let text = text.map_err(|source| InvalidPlan::Unreadable { file: file.clone(), source })?;
        Bodies::from_lines(format, &text).map_err(|source| InvalidPlan::Bodies { file, source })
    }

    /// The header that carries the key.
    fn key(&self, format: &Format) -> Result<Option<(HeaderName, HeaderValue)>, InvalidPlan> {
        let Some(key) = &self.api_key else { return Ok(None) };
        let (name, value) = match format {
            Format::BroBuddy { .. } => (X_API_KEY, key.clone()),
            Format::OpenAi { .. } => (AUTHORIZATION, format!("Bearer {key}")),
        };
        let mut value = HeaderValue::try_from(value).map_err(|_| InvalidPlan::ApiKey)?;
        value.set_sensitive(true);
        Ok(Some((name, value)))
    }

    fn load(&self) -> Result<Load, InvalidPlan> {
        let Some(rate) = self.rate else {
            return Ok(Load::Closed { concurrency: self.concurrency, ramp_up: self.ramp_up });
        };
        if !rate.is_steady() && self.duration.is_none() {
            return Err(InvalidPlan::Ramp { from: rate.from(), to: rate.to() });
        }
        // Half the bits: a number that every JSON reader keeps exactly.
        let seed = self.seed.unwrap_or_else(|| u64::from(fastrand::u32(..)));
        Ok(Load::Open { rate, arrivals: self.arrivals, seed, max_in_flight: self.max_in_flight })
    }

    fn extent(&self) -> Extent {
        match (self.requests, self.duration) {
            (Some(requests), Some(duration)) => Extent::either(requests, duration),
            (Some(requests), None) => Extent::requests_of(requests),
            (None, duration) => Extent::duration_of(duration.unwrap_or(DURATION)),
        }
    }
}

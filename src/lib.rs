//! Bro-Buddy: a language model's reply, streamed token by token from a Lambda function URL.
//!
//! The way of one request through the modules:
//!
//! - [`lambda`] takes an invocation from the Runtime API and makes a function URL's event an HTTP request;
//! - [`http`] finds the route, checks who asks and what ([`http::Service`]);
//! - [`policy`] is laid over the conversation: limits, boundary and tone, none of them from the user;
//! - [`chat`] runs the turn: the model's stream under time-outs, with exactly one terminal event;
//! - [`model`] calls Bedrock's `ConverseStream`;
//! - [`http`] encodes each event as it comes, in the very poll that finds it on Bedrock's socket;
//! - [`lambda`] posts the chunks, and writes the request's record ([`telemetry`]) once they are delivered.
//!
//! [`config`] is read before any of it, and a bad configuration never serves a request. `ARCHITECTURE.md`
//! says why it is cut this way and where to change what.

pub mod chat;
pub mod config;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod http;
pub mod invocation;
pub mod lambda;
pub mod model;
pub mod policy;
pub mod telemetry;

use std::fmt;

use crate::chat::Timeouts;
use crate::config::{Config, ConfigError};
use crate::http::Service;
use crate::model::bedrock::{Bedrock, ConnectionTimeouts};
use crate::policy::{Policy, PolicyError};

/// The service as it is deployed: the built-in policy over Bedrock. Starts to connect to Bedrock at once, and
/// so must be called within a Tokio runtime.
///
/// # Errors
/// A policy that breaks the ceiling.
pub fn service(config: &Config) -> Result<Service<Bedrock>, PolicyError> {
    let policy = Policy::built_in()?;
    Ok(Service::new(
        Bedrock::connect(config, ConnectionTimeouts::default()),
        config.model().clone(),
        policy,
        Timeouts::default(),
    )
    .with_prices(config.prices().cloned())
    .with_api_keys(config.api_keys().cloned()))
}

/// Why the function does not start.
#[derive(Debug)]
pub enum StartError {
    /// The environment.
    Config(ConfigError),
    /// The policy that was built in.
    Policy(PolicyError),
}

impl StartError {
    /// The error type that the platform shows.
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::Config(_) => "Function.InvalidConfiguration",
            Self::Policy(_) => "Function.InvalidPolicy",
        }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Policy(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StartError {}

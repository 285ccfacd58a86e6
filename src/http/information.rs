//! The routes that say something about the service and spend nothing.

use http::StatusCode;
use serde::Serialize;

use super::answer::Answer;
use crate::policy::{Limits, Policy};

const JSON: &str = "application/json";

#[derive(Serialize)]
struct Modes<'a> {
    modes: Vec<ModeShown<'a>>,
    default: &'a str,
    limits: Limits,
    policy: &'a str,
}

#[derive(Serialize)]
struct ModeShown<'a> {
    id: &'a str,
    label: &'a str,
    description: &'a str,
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    version: &'static str,
}

/// `GET /api/modes`.
pub(super) fn modes(policy: &Policy) -> Answer {
    let modes = policy
        .modes()
        .iter()
        .map(|mode| ModeShown { id: mode.id(), label: mode.label(), description: mode.description() })
        .collect();
    let shown = Modes { modes, default: policy.default_mode().id(), limits: policy.limits(), policy: policy.version() };
    Answer::json(StatusCode::OK, JSON, &shown)
}

/// `GET /healthz`: the process runs and its configuration is good. Bedrock is not asked.
pub(super) fn health() -> Answer {
    Answer::json(StatusCode::OK, JSON, &Health { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

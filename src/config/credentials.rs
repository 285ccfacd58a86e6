//! The role's credentials, as Lambda hands them over in the environment.
//!
//! Read here rather than by a credential chain as AWS's SDKs have, whose start-up work (profiles, STS, instance
//! metadata) a Lambda function has no use for. The sandbox does not outlive them.

use std::fmt;

use super::{Problem, Vars};

/// Temporary credentials. `Debug` shows the access key id only.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
}

impl Credentials {
    pub(super) fn from_vars(vars: &Vars<'_>) -> Result<Self, Vec<Problem>> {
        let missing = |name| Problem::new(name, "is missing; Lambda sets it from the function's role");
        match (vars.get("AWS_ACCESS_KEY_ID"), vars.get("AWS_SECRET_ACCESS_KEY")) {
            (Some(access_key_id), Some(secret_access_key)) => {
                Ok(Self { access_key_id, secret_access_key, session_token: vars.get("AWS_SESSION_TOKEN") })
            }
            (id, secret) => Err([(id, "AWS_ACCESS_KEY_ID"), (secret, "AWS_SECRET_ACCESS_KEY")]
                .into_iter()
                .filter(|(value, _)| value.is_none())
                .map(|(_, name)| missing(name))
                .collect()),
        }
    }

    /// The access key id (no secret).
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The secret that requests are signed with.
    pub fn secret_access_key(&self) -> &str {
        &self.secret_access_key
    }

    /// The session token that goes with a role's keys.
    pub fn session_token(&self) -> Option<&str> {
        self.session_token.as_deref()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

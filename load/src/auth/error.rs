//! What can go wrong before a signed request is sent, in words for the person who started the run.
//!
//! No variant holds a credential. What AWS's own libraries say is passed on as text, without control characters and
//! at a bounded length.

use std::error::Error;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;

/// The longest passage of another program's words that a message repeats, in characters.
const LONGEST_DETAIL: usize = 600;

/// Why a request cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// Neither the command line, the host name nor the AWS configuration names a region.
    #[error(
        "no AWS region to sign for: the target is not a *.lambda-url.REGION.on.aws host; give --aws-region, \
         or set AWS_REGION or the profile's `region`"
    )]
    NoRegion,
    /// The region cannot be one.
    #[error("`{0}` is no AWS region: give --aws-region a name like eu-central-1")]
    InvalidRegion(String),
    /// There is nothing to sign with.
    #[error(
        "no AWS credentials were found{of_profile} ({detail}): set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a \
         profile with --aws-profile, or sign in with `aws configure`, `aws login` or `aws sso login`"
    )]
    NoCredentials {
        /// ` of profile …`, or nothing.
        of_profile: String,
        /// What was tried.
        detail: String,
    },
    /// There is a source of credentials, but it gave none.
    #[error(
        "AWS credentials{of_profile} could not be fetched: {detail}; {sign_in}, and see whether \
         `aws sts get-caller-identity` works"
    )]
    Unavailable {
        /// ` of profile …`, or nothing.
        of_profile: String,
        /// What the source said.
        detail: String,
        /// How to sign in.
        sign_in: String,
    },
    /// The source gave credentials that were already of no use.
    #[error("AWS credentials{of_profile} have expired and their source gives no newer ones; {sign_in}")]
    Expired {
        /// ` of profile …`, or nothing.
        of_profile: String,
        /// How to sign in.
        sign_in: String,
    },
    /// The source of credentials did not answer.
    #[error(
        "AWS credentials did not come within {} s: see whether `aws sts get-caller-identity` works, or set \
         AWS_EC2_METADATA_DISABLED=true where there is no instance metadata", .0.as_secs()
    )]
    TimedOut(Duration),
    /// The request is not one that can be signed.
    #[error("the request cannot be signed: {0}")]
    Request(String),
}

impl AuthError {
    pub(super) fn from_provider(error: &CredentialsError, profile: Option<&str>) -> Self {
        let of_profile = of_profile(profile);
        let detail = chain(error);
        match error {
            CredentialsError::CredentialsNotLoaded(_) => Self::NoCredentials { of_profile, detail },
            _ => Self::Unavailable { of_profile, detail, sign_in: sign_in(profile) },
        }
    }

    pub(super) fn expired(profile: Option<&str>) -> Self {
        Self::Expired { of_profile: of_profile(profile), sign_in: sign_in(profile) }
    }
}

fn of_profile(profile: Option<&str>) -> String {
    profile.map(|profile| format!(" of profile `{profile}`")).unwrap_or_default()
}

fn sign_in(profile: Option<&str>) -> String {
    match profile {
        Some(profile) => {
            format!("sign in again with `aws sso login --profile {profile}` or `aws login --profile {profile}`")
        }
        None => "sign in with `aws sso login` or `aws login`, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or \
                 name a profile with --aws-profile"
            .to_owned(),
    }
}

/// An error and its causes, each by what it displays: the `Debug` form that the SDK would add holds raw responses.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    let printable: String =
        text.trim().chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(LONGEST_DETAIL).collect();
    printable
}

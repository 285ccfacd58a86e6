//! What is wrong with a signature, in AWS's words and under AWS's names.
//!
//! Wording: "Troubleshoot signed requests for AWS APIs" in the IAM guide, and what users of Bedrock and other JSON
//! services quote from answers.

use crate::date::{Timestamp, Window};

/// Why a request's signature is not accepted. `Display` is the message that AWS sends.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The request is not signed at all.
    #[error("Missing Authentication Token")]
    Missing,
    /// What should be a signature cannot be read as one.
    #[error(transparent)]
    Incomplete(#[from] Incomplete),
    /// The scope ends in something else than `aws4_request`.
    #[error("Credential should be scoped with a valid terminator: 'aws4_request', not '{0}'.")]
    Terminator(String),
    /// Signed for another region than this one.
    #[error("Credential should be scoped to a valid region, not '{0}'.")]
    Region(String),
    /// Signed for another service than this one, which is named.
    #[error("Credential should be scoped to correct service: '{0}'.")]
    Service(&'static str),
    /// The scope's day is not the day of the signature's time.
    #[error(
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
         '{scope}' != '{day}', from '{signed_at}'.",
        day = signed_at.day(),
    )]
    Date {
        /// The day in the scope.
        scope: String,
        /// When the request was signed.
        signed_at: Timestamp,
    },
    /// Nobody here has this access key id, or its session token is another one.
    #[error("The security token included in the request is invalid.")]
    UnknownToken,
    /// The credentials are no longer valid.
    #[error("The security token included in the request is expired")]
    ExpiredToken,
    /// Signed too long ago.
    #[error(
        "Signature expired: {signed_at} is now earlier than {earliest} ({now} - {window}.)",
        earliest = now.earlier(*window),
    )]
    Expired {
        /// When the request was signed.
        signed_at: Timestamp,
        /// The service's time.
        now: Timestamp,
        /// For how long a signature is good.
        window: Window,
    },
    /// Signed in the future.
    #[error(
        "Signature not yet current: {signed_at} is still later than {latest} ({now} + {window}.)",
        latest = now.later(*window),
    )]
    NotYetCurrent {
        /// When the request was signed.
        signed_at: Timestamp,
        /// The service's time.
        now: Timestamp,
        /// How far ahead a client's clock may be.
        window: Window,
    },
    /// Another secret, another request, or another way to sign it.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method. Consult the service documentation for details."
    )]
    Mismatch,
}

impl SignatureError {
    /// The exception's name in services that speak JSON, such as `InvalidSignatureException`. All go with a 403.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Missing => "MissingAuthenticationTokenException",
            Self::Incomplete(_) => "IncompleteSignatureException",
            Self::UnknownToken => "UnrecognizedClientException",
            Self::ExpiredToken => "ExpiredTokenException",
            Self::Terminator(_)
            | Self::Region(_)
            | Self::Service(_)
            | Self::Date { .. }
            | Self::Expired { .. }
            | Self::NotYetCurrent { .. }
            | Self::Mismatch => "InvalidSignatureException",
        }
    }
}

/// What is missing or malformed in something that should be a signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Incomplete {
    /// An algorithm other than `AWS4-HMAC-SHA256`.
    #[error("Unsupported AWS 'algorithm': '{0}'.")]
    Algorithm(String),
    /// A parameter of the `authorization` header, or of the query string, that is not there.
    #[error("Authorization requires '{0}' parameter.")]
    Parameter(&'static str),
    /// A `Credential` that is no key id with a scope.
    #[error("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{0}'.")]
    Credential(String),
    /// Neither `x-amz-date` nor its query parameter.
    #[error("Authorization requires existence of a 'X-Amz-Date'.")]
    NoDate,
    /// A date in another form than `20150830T123600Z`.
    #[error("Date must be in ISO-8601 'basic format'. Got '{0}'. See http://en.wikipedia.org/wiki/ISO_8601")]
    Date(String),
    /// `X-Amz-Expires` is no number of seconds from 1 to 604,800 (a week).
    #[error("X-Amz-Expires must be a number of seconds from 1 to 604800, not '{0}'.")]
    Expires(String),
    /// The host is not among the signed headers.
    #[error("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")]
    HostNotSigned,
}

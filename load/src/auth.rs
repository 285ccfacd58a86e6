//! Authorization of requests to an `AWS_IAM` function URL: Signature Version 4 for the service `lambda`, with
//! credentials as the AWS CLI finds them, and the content hash that CloudFront wants.
//!
//! API keys and other headers of the user's are not here: they are the target's.

mod credentials;
mod error;
mod region;
mod source;

use std::fmt;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use sha2::{Digest, Sha256};

pub use error::AuthError;

use credentials::KeptCredentials;
use region::Region;

/// The hash of a request's body, in lower-case hexadecimal. CloudFront's origin access control refuses a POST to a
/// function URL without it (403), since it cannot hash a streamed body itself; others ignore it.
pub const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");

const SERVICE: &str = "lambda";

/// What the user says of how to sign; the rest is found as the AWS CLI finds it.
#[derive(Debug, Clone)]
pub struct Options {
    /// The profile of the shared AWS configuration whose credentials sign. As with the AWS CLI, naming one puts the
    /// credentials in the environment aside.
    pub profile: Option<String>,
    /// The region to sign for; without it that of a function URL's own host name, and then the configured one.
    pub region: Option<String>,
    /// Where the requests go.
    pub target: Uri,
}

/// Signs requests with credentials that it fetches up front and again before they expire.
#[derive(Clone)]
pub struct Authorizer {
    region: Region,
    credentials: KeptCredentials,
}

impl Authorizer {
    /// Finds the region and fetches the credentials, within 30 seconds.
    ///
    /// # Errors
    /// What is missing or wrong, and what to do about it. No key or token is in any message.
    pub async fn new(options: Options) -> Result<Self, AuthError> {
        let source = source::find(&options).await?;
        let credentials = KeptCredentials::fetch(source.provider, options.profile).await?;
        Ok(Self { region: source.region, credentials })
    }

    /// The headers that the request needs beside its own: `authorization`, `x-amz-date`, `x-amz-content-sha256` and,
    /// with temporary credentials, `x-amz-security-token`. They take the place of headers of the same name.
    ///
    /// Of the request's own headers `content-type` and the `x-amz-…` are signed, and `host`, which is the URI's
    /// unless it is among them: what a proxy may add or change on the way is left out. Lambda takes a signature
    /// for five minutes.
    ///
    /// # Errors
    /// If the credentials have expired and cannot be fetched again, or the request cannot be signed.
    pub async fn headers(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<HeaderMap, AuthError> {
        let credentials = self.credentials.current().await?;
        self.sign(method, uri, headers, body, credentials, SystemTime::now())
    }

    fn sign(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: &[u8],
        credentials: Credentials,
        now: SystemTime,
    ) -> Result<HeaderMap, AuthError> {
        if uri.host().is_none() && !headers.contains_key(HOST) {
            return Err(AuthError::Request("it names no host".to_owned()));
        }
        let mut covered = Vec::new();
        for (name, value) in headers.iter().filter(|(name, _)| is_signed(name)) {
            let text = value.to_str().map_err(|_| {
                AuthError::Request(format!("the header `{name}` holds characters other than visible ASCII"))
            })?;
            covered.push((name.as_str(), text));
        }

        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let identity = credentials.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region.as_str())
            .name(SERVICE)
            .time(now)
            .settings(settings)
            .build()
            .map_err(|problem| AuthError::Request(problem.to_string()))?
            .into();
        let body = SignableBody::Precomputed(hexadecimal_sha256(body));
        let request = SignableRequest::new(method.as_str(), uri.to_string(), covered.into_iter(), body)
            .map_err(|problem| AuthError::Request(problem.to_string()))?;
        let (instructions, _) =
            sign(request, &parameters).map_err(|problem| AuthError::Request(problem.to_string()))?.into_parts();

        let mut signed = HeaderMap::new();
        for header in instructions.into_parts().0 {
            let mut value = HeaderValue::from_str(header.value())
                .map_err(|_| AuthError::Request(format!("`{}` would not be a header", header.name())))?;
            value.set_sensitive(header.sensitive() || header.name() == AUTHORIZATION.as_str());
            signed.insert(HeaderName::from_static(header.name()), value);
        }
        Ok(signed)
    }
}

/// Neither the key's id nor the key is shown.
impl fmt::Debug for Authorizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorizer").field("region", &self.region).finish_non_exhaustive()
    }
}

/// The value of [`CONTENT_SHA256`] for `body`, for requests that are not signed.
pub fn content_sha256(body: &[u8]) -> HeaderValue {
    HeaderValue::try_from(hexadecimal_sha256(body)).unwrap_or_else(|_| HeaderValue::from_static(""))
}

fn hexadecimal_sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Headers that the signature covers. The content hash and the date are the signature's own, so a user's are not.
fn is_signed(name: &HeaderName) -> bool {
    name == HOST || name == CONTENT_TYPE || (name.as_str().starts_with("x-amz-") && name != CONTENT_SHA256)
}

#[cfg(test)]
mod tests;

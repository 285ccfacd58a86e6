//! Requests to Bedrock, signed with the role's credentials (Signature Version 4) by AWS's own signer.

use std::fmt;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::identity::Identity;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderName, HeaderValue, Request};

use crate::config;

/// The name that Bedrock's requests are signed for; not its endpoint's, `bedrock-runtime`.
const SERVICE: &str = "bedrock";
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const NAME: HeaderValue = HeaderValue::from_static(concat!("bro-buddy/", env!("CARGO_PKG_VERSION")));

const TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");

const ATTEMPT: HeaderName = HeaderName::from_static("amz-sdk-request");

/// One attempt of a request.
pub(super) struct Attempt<'a> {
    pub(super) body: &'a Bytes,
    /// An X-Ray trace header.
    pub(super) trace_id: Option<&'a str>,
    /// From 1.
    pub(super) number: u32,
    /// That there will be.
    pub(super) at_most: u32,
}

/// Makes requests to one URL.
pub(super) struct Signer {
    url: String,
    region: String,
    identity: Identity,
}

impl Signer {
    pub(super) fn new(url: String, region: &str, credentials: &config::Credentials) -> Self {
        let credentials = Credentials::new(
            credentials.access_key_id(),
            credentials.secret_access_key(),
            credentials.session_token().map(ToOwned::to_owned),
            None,
            "Environment",
        );
        Self { url, region: region.to_owned(), identity: credentials.into() }
    }

    /// A `POST` of a JSON body. Signed anew for each attempt, since a signature says when it was made.
    ///
    /// # Errors
    /// None that is known.
    pub(super) fn post(&self, attempt: &Attempt<'_>, now: SystemTime) -> Result<HttpRequest, BoxError> {
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
        let params = SigningParams::builder()
            .identity(&self.identity)
            .region(&self.region)
            .name(SERVICE)
            .time(now)
            .settings(settings)
            .build()?
            .into();
        let headers = std::iter::once((CONTENT_TYPE.as_str(), "application/json"));
        let signable = SignableRequest::new("POST", self.url.as_str(), headers, SignableBody::Bytes(attempt.body))?;
        let (instructions, _) = sign(signable, &params)?.into_parts();
        let mut request = Request::post(self.url.as_str())
            .header(CONTENT_TYPE, JSON)
            .header(USER_AGENT, NAME)
            .body(SdkBody::from(attempt.body.clone()))?;
        instructions.apply_to_request_http1x(&mut request);
        // As AWS's SDKs say it, for the service's own statistics.
        let number = HeaderValue::try_from(format!("attempt={}; max={}", attempt.number, attempt.at_most))?;
        request.headers_mut().insert(ATTEMPT, number);
        // Not signed, as in AWS's SDKs: those on the way may change it.
        if let Some(trace_id) = attempt.trace_id.and_then(|trace_id| HeaderValue::from_str(trace_id).ok()) {
            request.headers_mut().insert(TRACE_ID, trace_id);
        }
        Ok(HttpRequest::try_from(request)?)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("url", &self.url).field("region", &self.region).finish_non_exhaustive()
    }
}

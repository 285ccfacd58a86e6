//! Signing a request, as an edge in front of a service does.

use std::time::SystemTime;

use http::{
    HeaderName, HeaderValue,
    header::{AUTHORIZATION, InvalidHeaderValue},
    request::Parts,
};

use crate::{
    Authorization, CredentialScope, Credentials,
    authorization::{ALGORITHM, Form},
    canonical::{self, hexadecimal_sha256},
    date::Timestamp,
};

pub(crate) const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// Signs a request for `service` in `region` at `now`: adds `x-amz-date`, `x-amz-content-sha256`, a session token
/// where the credentials have one, and `authorization`. `host`, `content-type` and every `x-amz-` header are signed.
///
/// # Errors
/// Where the credentials hold what no header can carry, such as a line break.
pub fn sign(
    head: &mut Parts,
    body: &[u8],
    credentials: &Credentials,
    region: &str,
    service: &str,
    now: SystemTime,
) -> Result<(), InvalidHeaderValue> {
    sign_declared(head, &hexadecimal_sha256(body), credentials, region, service, now)
}

/// Signs a request whose body is not there yet, or is not to be read: `content_sha256` is what somebody says its hash
/// is, in lower-case hexadecimal. Whoever verifies finds out.
///
/// # Errors
/// Where the hash or the credentials hold what no header can carry.
pub fn sign_declared(
    head: &mut Parts,
    content_sha256: &str,
    credentials: &Credentials,
    region: &str,
    service: &str,
    now: SystemTime,
) -> Result<(), InvalidHeaderValue> {
    let signed_at = Timestamp::from(now);
    head.headers.insert(DATE, HeaderValue::try_from(signed_at.to_string())?);
    head.headers.insert(CONTENT_SHA256, HeaderValue::try_from(content_sha256)?);
    head.headers.remove(SECURITY_TOKEN);
    if let Some(token) = credentials.session_token() {
        head.headers.insert(SECURITY_TOKEN, HeaderValue::try_from(token)?);
    }
    let mut authorization = Authorization {
        scope: CredentialScope::new(credentials.access_key_id(), signed_at, region, service),
        signed_headers: ["host", "content-type"].map(str::to_owned).into(),
        signature: String::new(),
        form: Form::Header,
    };
    let amazon = head.headers.keys().filter(|name| name.as_str().starts_with("x-amz-"));
    authorization.signed_headers.extend(amazon.map(ToString::to_string));
    authorization.signed_headers.retain(|name| name == "host" || head.headers.contains_key(name));
    authorization.signature = canonical::signature(head, content_sha256, &authorization, signed_at, credentials);
    let signed_headers: Vec<&str> = authorization.signed_headers.iter().map(String::as_str).collect();
    let header = format!(
        "{ALGORITHM} Credential={}, SignedHeaders={}, Signature={}",
        authorization.scope,
        signed_headers.join(";"),
        authorization.signature,
    );
    head.headers.insert(AUTHORIZATION, HeaderValue::try_from(header)?);
    Ok(())
}

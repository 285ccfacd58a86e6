//! The checks, in the order in which a service makes them.

use std::time::SystemTime;

use http::{HeaderValue, request::Parts};
use subtle::ConstantTimeEq;

use crate::{
    Authorization, Credentials, SignatureError,
    authorization::Form,
    canonical::{self, hexadecimal_sha256},
    date::{Timestamp, Window},
    signer::CONTENT_SHA256,
};

/// A service's gate: it lets in who signed with credentials that it knows.
#[derive(Debug, Clone)]
pub struct Verifier {
    service: &'static str,
    credentials: Vec<Credentials>,
}

impl Verifier {
    /// A gate for `service`, named as in a credential scope: `bedrock`, `lambda`.
    pub fn new(service: &'static str, credentials: impl IntoIterator<Item = Credentials>) -> Self {
        Self { service, credentials: credentials.into_iter().collect() }
    }

    /// Whose request it is. `body` is the whole body as it was sent, `region` that of what was asked for, where it is
    /// known, and `now` the service's time.
    ///
    /// # Errors
    /// Why AWS would refuse the request. Nothing tells a wrong key id from a wrong session token.
    pub fn verify(
        &self,
        head: &Parts,
        body: &[u8],
        region: Option<&str>,
        now: SystemTime,
    ) -> Result<&Credentials, SignatureError> {
        let authorization = Authorization::read(head)?;
        authorization.scope().allow(self.service, region)?;
        let signed_at = authorization.signed_at(head)?;
        authorization.scope().allow_date(signed_at)?;
        allow_time(authorization.form, signed_at, now.into())?;
        let credentials = self.credentials_of(&authorization, head, now)?;
        let declared = head.headers.get(CONTENT_SHA256).map(HeaderValue::as_bytes);
        let content_sha256 = hexadecimal_sha256(body);
        if declared.is_some_and(|hash| hash != content_sha256.as_bytes()) {
            return Err(SignatureError::Mismatch);
        }
        let expected = canonical::signature(head, &content_sha256, &authorization, signed_at, credentials);
        match expected.as_bytes().ct_eq(authorization.signature.as_bytes()).into() {
            true => Ok(credentials),
            false => Err(SignatureError::Mismatch),
        }
    }

    fn credentials_of(
        &self,
        authorization: &Authorization,
        head: &Parts,
        now: SystemTime,
    ) -> Result<&Credentials, SignatureError> {
        let key = authorization.scope().access_key_id();
        let token = authorization.session_token(head).unwrap_or_default();
        let credentials = self
            .credentials
            .iter()
            .find(|credentials| credentials.access_key_id() == key)
            .filter(|known| known.session_token().unwrap_or_default().as_bytes().ct_eq(token.as_bytes()).into())
            .ok_or(SignatureError::UnknownToken)?;
        match credentials.expiry() {
            Some(expiry) if expiry <= now => Err(SignatureError::ExpiredToken),
            _ => Ok(credentials),
        }
    }
}

/// A signature is good for the time that clocks may differ, a presigned one for as long as it says.
fn allow_time(form: Form, signed_at: Timestamp, now: Timestamp) -> Result<(), SignatureError> {
    let ahead = Window::CLOCK_SKEW;
    if signed_at > now.later(ahead) {
        return Err(SignatureError::NotYetCurrent { signed_at, now, window: ahead });
    }
    let window = match form {
        Form::Header => Window::CLOCK_SKEW,
        Form::Presigned { life } => life,
    };
    if signed_at < now.earlier(window) {
        return Err(SignatureError::Expired { signed_at, now, window });
    }
    Ok(())
}

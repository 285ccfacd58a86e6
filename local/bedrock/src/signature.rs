//! Who is asking: by a SigV4 signature or a bearer token, and whether they may.

use std::time::SystemTime;

use http::{header::AUTHORIZATION, request::Parts};
use local_signature::{Authorization, Credentials, SignatureError, Verifier};
use subtle::ConstantTimeEq;

use crate::{ErrorKind, ServiceError};

/// The service's name in a credential scope; `bedrock-runtime` is only its host's.
const SERVICE: &str = "bedrock";

/// Who is let in. Where nobody is named, anyone whose signature has the right scope, and any bearer token.
#[derive(Clone, Default)]
pub(crate) struct Gate {
    credentials: Option<Verifier>,
    bearer_token: Option<String>,
}

impl Gate {
    /// From now on signatures are verified against `credentials`.
    pub(crate) fn know_credentials(&mut self, credentials: Credentials) {
        self.credentials = Some(Verifier::new(SERVICE, [credentials]));
    }

    /// From now on this is the one bearer token.
    pub(crate) fn know_bearer_token(&mut self, token: String) {
        self.bearer_token = Some(token);
    }

    /// Lets a request in, or says why not. `region` is that of the resource, where it names one.
    pub(crate) fn admit(
        &self,
        head: &Parts,
        body: &[u8],
        region: Option<&str>,
        now: SystemTime,
    ) -> Result<(), ServiceError> {
        match bearer_token(head) {
            Some(token) => self.admit_bearer(token),
            None => self.admit_signed(head, body, region, now).map_err(ServiceError::from),
        }
    }

    /// A bearer token is bound to no region.
    fn admit_bearer(&self, token: &str) -> Result<(), ServiceError> {
        let valid = match (&self.bearer_token, &self.credentials) {
            (Some(known), _) => known.as_bytes().ct_eq(token.as_bytes()).into(),
            (None, Some(_)) => false,
            (None, None) => true,
        };
        // The wording is Bedrock's.
        let refused = "Authentication failed: Please make sure your API Key is valid.";
        valid.then_some(()).ok_or_else(|| ServiceError::new(ErrorKind::AccessDenied, refused))
    }

    fn admit_signed(
        &self,
        head: &Parts,
        body: &[u8],
        region: Option<&str>,
        now: SystemTime,
    ) -> Result<(), SignatureError> {
        match (&self.credentials, &self.bearer_token) {
            (Some(verifier), _) => verifier.verify(head, body, region, now).map(drop),
            (None, Some(_)) => Err(SignatureError::UnknownToken),
            (None, None) => Authorization::read(head)?.scope().allow(SERVICE, region),
        }
    }
}

/// The token of `authorization: Bearer …`.
fn bearer_token(head: &Parts) -> Option<&str> {
    let (scheme, token) = head.headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    (scheme == "Bearer" && !token.trim().is_empty()).then_some(token)
}

impl From<SignatureError> for ServiceError {
    fn from(error: SignatureError) -> Self {
        let kind = match error {
            SignatureError::Missing => ErrorKind::MissingAuthenticationToken,
            SignatureError::Incomplete(_) => ErrorKind::IncompleteSignature,
            SignatureError::UnknownToken => ErrorKind::UnrecognizedClient,
            SignatureError::ExpiredToken => ErrorKind::ExpiredToken,
            SignatureError::Terminator(_)
            | SignatureError::Region(_)
            | SignatureError::Service(_)
            | SignatureError::Date { .. }
            | SignatureError::Expired { .. }
            | SignatureError::NotYetCurrent { .. }
            | SignatureError::Mismatch => ErrorKind::InvalidSignature,
        };
        Self::new(kind, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/bedrock/aws4_request, \
        SignedHeaders=host;x-amz-date, Signature=abc";

    fn admit(gate: &Gate, authorization: &str) -> Result<(), ErrorKind> {
        let request = Request::post("/").header("authorization", authorization).body(()).unwrap();
        let admitted = gate.admit(&request.into_parts().0, b"", Some("eu-west-1"), SystemTime::now());
        admitted.map_err(|error| error.kind())
    }

    fn with_token() -> Gate {
        let mut gate = Gate::default();
        gate.know_bearer_token("key".to_owned());
        gate
    }

    fn with_credentials() -> Gate {
        let mut gate = Gate::default();
        gate.know_credentials(Credentials::new("AKID", "secret", None, None, "test"));
        gate
    }

    #[test]
    fn where_nobody_is_named_a_right_scope_and_any_token_will_do() {
        let open = Gate::default();
        assert_eq!(admit(&open, SIGNED), Ok(()));
        assert_eq!(admit(&open, "Bearer bedrock-api-key-x"), Ok(()));
        let cases = [
            ("Basic abc".to_owned(), ErrorKind::MissingAuthenticationToken),
            ("Bearer  ".to_owned(), ErrorKind::MissingAuthenticationToken),
            (SIGNED.replace(", Signature=abc", ""), ErrorKind::IncompleteSignature),
            (SIGNED.replace("/bedrock/", "/bedrock-runtime/"), ErrorKind::InvalidSignature),
            (SIGNED.replace("eu-west-1", "us-east-1"), ErrorKind::InvalidSignature),
        ];
        for (header, kind) in cases {
            assert_eq!(admit(&open, &header), Err(kind), "{header}");
        }
    }

    #[test]
    fn who_is_named_is_let_in_and_nobody_else() {
        assert_eq!(admit(&with_token(), "Bearer key"), Ok(()));
        assert_eq!(admit(&with_token(), "Bearer other"), Err(ErrorKind::AccessDenied));
        assert_eq!(admit(&with_token(), SIGNED), Err(ErrorKind::UnrecognizedClient));
        assert_eq!(admit(&with_credentials(), "Bearer key"), Err(ErrorKind::AccessDenied));
        // Its scope is right, and that is no longer enough.
        assert_eq!(admit(&with_credentials(), SIGNED), Err(ErrorKind::IncompleteSignature));
    }
}

//! Who is asking: a SigV4 authorization header with the right scope, or a bearer token.
//!
//! The signature itself is not checked: the stand-in knows no secret key.

use http::{HeaderMap, header::AUTHORIZATION};

use crate::{ErrorKind, ServiceError};

/// The credential scope of a request that named itself, as far as Bedrock will look at it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Caller<'a> {
    /// Signed for a region.
    Signed { region: &'a str },
    /// A Bedrock API key. It is bound to no region.
    Bearer,
}

impl<'a> Caller<'a> {
    /// Reads the `authorization` header.
    pub(crate) fn authenticate(headers: &'a HeaderMap) -> Result<Self, ServiceError> {
        let Some(header) = headers.get(AUTHORIZATION) else {
            return Err(ErrorKind::MissingAuthenticationToken.into());
        };
        let text = header.to_str().map_err(|_| ServiceError::from(ErrorKind::IncompleteSignature))?;
        match text.split_once(' ') {
            Some(("Bearer", token)) if !token.trim().is_empty() => Ok(Self::Bearer),
            Some(("AWS4-HMAC-SHA256", parameters)) => Self::signed(parameters),
            _ => Err(ErrorKind::MissingAuthenticationToken.into()),
        }
    }

    /// `Credential=KEY/DATE/REGION/SERVICE/aws4_request, SignedHeaders=…, Signature=…`
    fn signed(parameters: &'a str) -> Result<Self, ServiceError> {
        let parameter = |name: &str| {
            parameters
                .split(',')
                .filter_map(|parameter| parameter.trim().split_once('='))
                .find_map(|(found, value)| (found == name && !value.is_empty()).then_some(value))
                .ok_or_else(|| {
                    ServiceError::new(
                        ErrorKind::IncompleteSignature,
                        format!("Authorization header requires '{name}' parameter."),
                    )
                })
        };
        parameter("Signature")?;
        parameter("SignedHeaders")?;
        let scope: Vec<&str> = parameter("Credential")?.split('/').collect();
        match scope.as_slice() {
            [_key, _date, region, "bedrock", "aws4_request"] => Ok(Self::Signed { region }),
            [_key, _date, _region, _service, "aws4_request"] => Err(ServiceError::new(
                ErrorKind::InvalidSignature,
                "Credential should be scoped to correct service: 'bedrock'.",
            )),
            _ => Err(ServiceError::new(
                ErrorKind::IncompleteSignature,
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.",
            )),
        }
    }

    /// Holds the region it was signed for to the one of the resource, where both are known.
    pub(crate) fn allow_region(&self, region: Option<&str>) -> Result<(), ServiceError> {
        match (self, region) {
            (Self::Signed { region: signed }, Some(region)) if *signed != region => Err(ServiceError::new(
                ErrorKind::InvalidSignature,
                format!("Credential should be scoped to a valid region, not '{signed}'."),
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn authenticate(header: &str) -> Result<String, ErrorKind> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(header).unwrap());
        Caller::authenticate(&headers).map(|caller| format!("{caller:?}")).map_err(|error| error.kind())
    }

    #[test]
    fn a_scope_for_bedrock_or_a_bearer_token_passes() {
        let signed = "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/bedrock/aws4_request, SignedHeaders=host;x-amz-date, Signature=abc";
        assert_eq!(authenticate(signed).unwrap(), r#"Signed { region: "eu-west-1" }"#);
        assert_eq!(authenticate(&signed.replace(", ", ",")).unwrap(), r#"Signed { region: "eu-west-1" }"#);
        assert_eq!(authenticate("Bearer bedrock-api-key-x").unwrap(), "Bearer");
    }

    #[test]
    fn anything_less_does_not() {
        let cases = [
            ("Basic abc", ErrorKind::MissingAuthenticationToken),
            ("Bearer  ", ErrorKind::MissingAuthenticationToken),
            (
                "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/bedrock/aws4_request",
                ErrorKind::IncompleteSignature,
            ),
            (
                "AWS4-HMAC-SHA256 Credential=AKID/bedrock, SignedHeaders=host, Signature=abc",
                ErrorKind::IncompleteSignature,
            ),
            (
                "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/bedrock-runtime/aws4_request, SignedHeaders=host, Signature=abc",
                ErrorKind::InvalidSignature,
            ),
        ];
        for (header, kind) in cases {
            assert_eq!(authenticate(header), Err(kind), "{header}");
        }
        assert_eq!(Caller::authenticate(&HeaderMap::new()).unwrap_err().kind(), ErrorKind::MissingAuthenticationToken);
    }

    #[test]
    fn a_signature_for_another_region_than_the_profiles_is_refused() {
        let caller = Caller::Signed { region: "us-east-1" };
        assert!(caller.allow_region(Some("us-east-1")).is_ok());
        assert!(caller.allow_region(None).is_ok());
        assert_eq!(caller.allow_region(Some("eu-west-1")).unwrap_err().kind(), ErrorKind::InvalidSignature);
    }
}

//! What a request says of its own signature, in its `authorization` header or, presigned, in its query string.

use std::collections::BTreeSet;

use form_urlencoded::parse;
use http::{header::AUTHORIZATION, request::Parts};

use crate::{
    CredentialScope, Incomplete, SignatureError,
    date::{Timestamp, Window},
};

pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// A request's signature and what it covers: parsed, not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    pub(crate) scope: CredentialScope,
    /// In lower case; the order in which they are signed is the alphabet's.
    pub(crate) signed_headers: BTreeSet<String>,
    /// Lower-case hexadecimal, if it is what it should be.
    pub(crate) signature: String,
    pub(crate) form: Form,
}

/// Where a signature stands, and for how long it is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Header,
    Presigned { life: Window },
}

impl Authorization {
    /// Reads the `authorization` header; without one, the query string.
    ///
    /// # Errors
    /// [`SignatureError::Missing`] where neither is for SigV4, and what is wrong with one that is, as far as it can
    /// be seen without a secret or a clock.
    pub fn read(head: &Parts) -> Result<Self, SignatureError> {
        match head.headers.get(AUTHORIZATION) {
            Some(header) => Self::from_header(&String::from_utf8_lossy(header.as_bytes())),
            None => Self::from_query(head),
        }
    }

    /// Whom, when and what for the request was signed.
    pub fn scope(&self) -> &CredentialScope {
        &self.scope
    }

    /// `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=host;x-amz-date, Signature=…`
    fn from_header(header: &str) -> Result<Self, SignatureError> {
        let (algorithm, parameters) = header.split_once(' ').unwrap_or((header, ""));
        if !algorithm.starts_with("AWS4-") {
            return Err(SignatureError::Missing);
        }
        Self::new(algorithm, Form::Header, |name| {
            parameters
                .split(',')
                .filter_map(|parameter| parameter.trim().split_once('='))
                .find_map(|(found, value)| (found == name).then(|| value.to_owned()))
        })
    }

    /// `?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=…&X-Amz-Date=…&X-Amz-Expires=…&…`
    fn from_query(head: &Parts) -> Result<Self, SignatureError> {
        let algorithm = query_parameter(head, "X-Amz-Algorithm").ok_or(SignatureError::Missing)?;
        let expires = query_parameter(head, "X-Amz-Expires").ok_or(Incomplete::Parameter("X-Amz-Expires"))?;
        let form = Form::Presigned { life: Window::parse(&expires)? };
        Self::new(&algorithm, form, |name| query_parameter(head, &format!("X-Amz-{name}")))
    }

    fn new(
        algorithm: &str,
        form: Form,
        parameter: impl Fn(&'static str) -> Option<String>,
    ) -> Result<Self, SignatureError> {
        if algorithm != ALGORITHM {
            return Err(Incomplete::Algorithm(algorithm.to_owned()).into());
        }
        let required = |name| parameter(name).filter(|value| !value.is_empty()).ok_or(Incomplete::Parameter(name));
        let credential = required("Credential")?;
        let signature = required("Signature")?;
        let signed_headers: BTreeSet<String> =
            required("SignedHeaders")?.split(';').map(str::to_ascii_lowercase).collect();
        let scope = CredentialScope::parse(&credential)?;
        if !signed_headers.contains("host") && !signed_headers.contains(":authority") {
            return Err(Incomplete::HostNotSigned.into());
        }
        Ok(Self { scope, signed_headers, signature, form })
    }

    /// When the request says it was signed.
    pub(crate) fn signed_at(&self, head: &Parts) -> Result<Timestamp, Incomplete> {
        Timestamp::parse(&self.parameter(head, "x-amz-date", "X-Amz-Date").ok_or(Incomplete::NoDate)?)
    }

    /// The token that the request gives for temporary credentials.
    pub(crate) fn session_token(&self, head: &Parts) -> Option<String> {
        self.parameter(head, "x-amz-security-token", "X-Amz-Security-Token")
    }

    fn parameter(&self, head: &Parts, header: &str, parameter: &str) -> Option<String> {
        match self.form {
            Form::Header => {
                head.headers.get(header).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            }
            Form::Presigned { .. } => query_parameter(head, parameter),
        }
    }
}

fn query_parameter(head: &Parts, name: &str) -> Option<String> {
    let query = head.uri.query().unwrap_or_default();
    parse(query.as_bytes()).find_map(|(found, value)| (found == name).then(|| value.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREDENTIAL: &str = "Credential=AKID/20150830/us-east-1/bedrock/aws4_request";

    fn read(uri: &str, header: Option<&str>) -> Result<Authorization, SignatureError> {
        let mut request = http::Request::post(uri);
        if let Some(header) = header {
            request = request.header(AUTHORIZATION, header);
        }
        Authorization::read(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn a_header_is_read_with_and_without_spaces_and_in_any_order() {
        let spaced = format!("AWS4-HMAC-SHA256 {CREDENTIAL}, SignedHeaders=host;x-amz-date, Signature=abc");
        let tight = format!("AWS4-HMAC-SHA256 Signature=abc,SignedHeaders=x-amz-date;Host,{CREDENTIAL}");
        let authorization = read("/", Some(&spaced)).unwrap();
        assert_eq!(authorization.scope().access_key_id(), "AKID");
        assert_eq!(read("/", Some(&tight)), Ok(authorization));
    }

    #[test]
    fn a_presigned_request_says_the_same_in_its_query() {
        let scope = "AKID%2F20150830%2Fus-east-1%2Fbedrock%2Faws4_request";
        let uri = format!(
            "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={scope}&X-Amz-Date=20150830T123600Z&\
             X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=abc"
        );
        let authorization = read(&uri, None).unwrap();
        assert_eq!(authorization.scope().region(), "us-east-1");
        assert_eq!(authorization.form, Form::Presigned { life: Window::parse("60").unwrap() });
        assert_eq!(
            read(&uri.replace("Expires=60", "Expires=0"), None),
            Err(Incomplete::Expires("0".to_owned()).into())
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let header = |text: &str| Some(text.replace("CREDENTIAL", CREDENTIAL));
        let cases = [
            (None, SignatureError::Missing),
            (header("Basic abc"), SignatureError::Missing),
            (header("AWS4-HMAC-SHA256"), Incomplete::Parameter("Credential").into()),
            (header("AWS4-HMAC-SHA256 CREDENTIAL, SignedHeaders=host"), Incomplete::Parameter("Signature").into()),
            (header("AWS4-HMAC-SHA256 CREDENTIAL, Signature=abc"), Incomplete::Parameter("SignedHeaders").into()),
            (
                header("AWS4-HMAC-SHA256 CREDENTIAL, SignedHeaders=, Signature=abc"),
                Incomplete::Parameter("SignedHeaders").into(),
            ),
            (
                header("AWS4-HMAC-SHA256 CREDENTIAL, SignedHeaders=x-amz-date, Signature=abc"),
                Incomplete::HostNotSigned.into(),
            ),
            (
                header("AWS4-HMAC-SHA512 CREDENTIAL, SignedHeaders=host, Signature=abc"),
                Incomplete::Algorithm("AWS4-HMAC-SHA512".to_owned()).into(),
            ),
        ];
        for (header, error) in cases {
            assert_eq!(read("/", header.as_deref()), Err(error), "{header:?}");
        }
    }
}

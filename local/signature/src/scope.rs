//! What a signature is good for: one key, one day, one region, one service.

use std::fmt;

use crate::{Incomplete, SignatureError, date::Timestamp};

const TERMINATOR: &str = "aws4_request";

/// `KEY/DATE/REGION/SERVICE/aws4_request`, as a request's `Credential` says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialScope {
    access_key_id: String,
    date: String,
    region: String,
    service: String,
}

impl CredentialScope {
    pub(crate) fn new(access_key_id: &str, signed_at: Timestamp, region: &str, service: &str) -> Self {
        Self {
            access_key_id: access_key_id.to_owned(),
            date: signed_at.day(),
            region: region.to_owned(),
            service: service.to_owned(),
        }
    }

    pub(crate) fn parse(credential: &str) -> Result<Self, SignatureError> {
        let elements: Vec<&str> = credential.split('/').collect();
        let [access_key_id, date, region, service, terminator] = elements.as_slice() else {
            return Err(Incomplete::Credential(credential.to_owned()).into());
        };
        if *terminator != TERMINATOR {
            return Err(SignatureError::Terminator((*terminator).to_owned()));
        }
        Ok(Self {
            access_key_id: (*access_key_id).to_owned(),
            date: (*date).to_owned(),
            region: (*region).to_owned(),
            service: (*service).to_owned(),
        })
    }

    /// The key whose secret signed.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The region that the request was signed for.
    pub fn region(&self) -> &str {
        &self.region
    }

    pub(crate) fn service(&self) -> &str {
        &self.service
    }

    /// As it is signed: `DATE/REGION/SERVICE/aws4_request`.
    pub(crate) fn without_key(&self) -> String {
        let Self { date, region, service, .. } = self;
        format!("{date}/{region}/{service}/{TERMINATOR}")
    }

    /// Holds the scope to a service, and to a region where one is known.
    ///
    /// # Errors
    /// [`SignatureError::Region`] or [`SignatureError::Service`], where it is for another one.
    pub fn allow(&self, service: &'static str, region: Option<&str>) -> Result<(), SignatureError> {
        if region.is_some_and(|region| region != self.region) {
            return Err(SignatureError::Region(self.region.clone()));
        }
        if service != self.service {
            return Err(SignatureError::Service(service));
        }
        Ok(())
    }

    /// Holds the scope to the day of the signature's time: days are UTC's, and seconds count.
    pub(crate) fn allow_date(&self, signed_at: Timestamp) -> Result<(), SignatureError> {
        if signed_at.day() == self.date {
            return Ok(());
        }
        Err(SignatureError::Date { scope: self.date.clone(), signed_at })
    }
}

impl fmt::Display for CredentialScope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.access_key_id, self.without_key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_element_is_held_to_what_it_must_be() {
        let scope = CredentialScope::parse("AKID/20150830/us-east-1/bedrock/aws4_request").unwrap();
        assert_eq!((scope.access_key_id(), scope.region()), ("AKID", "us-east-1"));
        assert_eq!(scope.allow("bedrock", Some("us-east-1")), Ok(()));
        assert_eq!(scope.allow("bedrock", None), Ok(()));
        let refusals = [
            (
                scope.allow("bedrock", Some("eu-west-1")),
                "Credential should be scoped to a valid region, not 'us-east-1'.",
            ),
            (scope.allow("lambda", None), "Credential should be scoped to correct service: 'lambda'."),
            (
                scope.allow_date(Timestamp::parse("20150831T000000Z").unwrap()),
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
                 '20150830' != '20150831', from '20150831T000000Z'.",
            ),
            (
                CredentialScope::parse("AKID/20150830/us-east-1/bedrock/aws3").map(drop),
                "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws3'.",
            ),
        ];
        for (refusal, message) in refusals {
            let error = refusal.unwrap_err();
            assert_eq!((error.name(), error.to_string().as_str()), ("InvalidSignatureException", message));
        }
    }

    #[test]
    fn anything_but_five_elements_is_no_scope() {
        for credential in ["", "AKID", "AKID/20150830/us-east-1/bedrock", "A/B/20150830/us-east-1/bedrock/aws4_request"]
        {
            assert_eq!(
                CredentialScope::parse(credential),
                Err(Incomplete::Credential(credential.to_owned()).into()),
                "{credential}"
            );
        }
    }
}

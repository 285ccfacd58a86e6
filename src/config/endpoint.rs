//! `AWS_ENDPOINT_URL_BEDROCK_RUNTIME` and `AWS_ENDPOINT_URL`: where Bedrock is, as every AWS SDK reads them.

use http::Uri;

use super::{Problem, Vars};

/// The base URL of a Bedrock runtime other than the region's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(String);

impl Endpoint {
    pub(super) fn from_vars(vars: &Vars<'_>) -> Result<Option<Self>, Vec<Problem>> {
        // Part of the same convention, see "Service-specific endpoints" in the AWS SDKs and Tools reference guide.
        if vars.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        for name in ["AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_ENDPOINT_URL"] {
            if let Some(url) = vars.get(name) {
                return if is_base_url(&url) {
                    Ok(Some(Self(url)))
                } else {
                    Err(vec![Problem::new(name, "must be an absolute http:// or https:// URL without a query")])
                };
            }
        }
        Ok(None)
    }

    /// The URL as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_base_url(text: &str) -> bool {
    text.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
            && uri.query().is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(vars: &[(&str, &str)]) -> Result<Option<String>, Vec<Problem>> {
        let lookup = |name: &str| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Endpoint::from_vars(&Vars { lookup: &lookup }).map(|endpoint| endpoint.map(|endpoint| endpoint.0))
    }

    #[test]
    fn the_services_own_variable_wins() {
        let both = [("AWS_ENDPOINT_URL", "https://all"), ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "http://127.0.0.1:9000")];
        assert_eq!(endpoint(&both), Ok(Some("http://127.0.0.1:9000".into())));
        assert_eq!(endpoint(&both[..1]), Ok(Some("https://all".into())));
        assert_eq!(endpoint(&[]), Ok(None));
    }

    #[test]
    fn configured_urls_can_be_ignored() {
        assert_eq!(
            endpoint(&[("AWS_ENDPOINT_URL", "https://all"), ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")]),
            Ok(None)
        );
    }

    #[test]
    fn what_is_no_base_url_is_refused() {
        for bad in ["localhost:9000", "ftp://host", "http://", "/path", "http://host?x=1", "http://a b"] {
            assert!(endpoint(&[("AWS_ENDPOINT_URL", bad)]).is_err(), "{bad}");
        }
    }
}

//! The region that a signature is made for.

use http::Uri;

use super::AuthError;

/// The name of an AWS region: lower-case letters, digits and hyphens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Region(String);

impl Region {
    /// # Errors
    /// [`AuthError::InvalidRegion`] for a text that would break the signature's scope.
    pub(super) fn parse(text: &str) -> Result<Self, AuthError> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if text.is_empty() || text.len() > 32 || !text.bytes().all(fits) {
            return Err(AuthError::InvalidRegion(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }

    /// That of a function URL's own host name, `ID.lambda-url.REGION.on.aws`.
    pub(super) fn of_function_url(uri: &Uri) -> Option<Self> {
        let host = uri.host()?.trim_end_matches('.').to_ascii_lowercase();
        let (id, region) = host.strip_suffix(".on.aws")?.split_once(".lambda-url.")?;
        if id.is_empty() || id.contains('.') {
            return None;
        }
        Self::parse(region).ok()
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_url_names_its_region() {
        let cases = [
            ("https://abc123.lambda-url.eu-central-1.on.aws/api/chat", Some("eu-central-1")),
            ("https://ABC123.Lambda-URL.us-gov-west-1.on.aws.:443/", Some("us-gov-west-1")),
            ("https://d111111abcdef8.cloudfront.net/api/chat", None),
            ("https://abc.lambda-url.eu-central-1.on.aws.example.com/", None),
            ("https://evil.example.lambda-url.eu-central-1.on.aws/", None),
            ("https://.lambda-url.eu-central-1.on.aws/", None),
            ("https://abc.lambda-url.a.b.on.aws/", None),
            ("http://127.0.0.1:9000/", None),
            ("/api/chat", None),
        ];
        for (uri, region) in cases {
            let named = Region::of_function_url(&uri.parse().unwrap());
            assert_eq!(named.as_ref().map(Region::as_str), region, "{uri}");
        }
    }

    #[test]
    fn a_region_that_cannot_be_one_is_refused_by_name() {
        for text in ["", "eu central 1", "eu-central-1/", "EU-CENTRAL-1", "eu\n"] {
            assert_eq!(Region::parse(text), Err(AuthError::InvalidRegion(text.to_owned())));
        }
    }
}

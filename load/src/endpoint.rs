//! The address of an endpoint, read once.

use http::Uri;
use http::uri::{PathAndQuery, Scheme};

use crate::format::Format;

/// Where requests go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    scheme: Transport,
    host: String,
    port: u16,
    path: PathAndQuery,
    uri: Uri,
}

/// What carries the HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Tcp,
    Tls,
}

/// A text that is no address of an endpoint.
#[derive(Debug, thiserror::Error)]
#[error("{url:?} is no address: {reason}")]
pub struct InvalidEndpoint {
    url: String,
    reason: &'static str,
}

impl Endpoint {
    /// From `http://` or `https://`, a host, and a path; without a path the format's own is taken.
    ///
    /// # Errors
    /// When it is no such address.
    pub fn parse(url: &str, format: &Format) -> Result<Self, InvalidEndpoint> {
        let invalid = |reason| InvalidEndpoint { url: url.to_owned(), reason };
        let uri: Uri = url.parse().map_err(|_| invalid("write it as http://HOST:PORT/PATH"))?;
        let (scheme, port) = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => (Transport::Tcp, 80),
            Some(scheme) if *scheme == Scheme::HTTPS => (Transport::Tls, 443),
            _ => return Err(invalid("it begins with neither http:// nor https://")),
        };
        let authority = uri.authority().ok_or_else(|| invalid("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(invalid("a user name and a password do not belong in it; use --header or --api-key"));
        }
        let port = if authority.as_str().rsplit(']').next().is_some_and(|after| after.contains(':')) {
            authority.port_u16().ok_or_else(|| invalid("its port is no number from 0 to 65535"))?
        } else {
            port
        };
        // An IPv6 address stands in brackets in an address, and nowhere else.
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let path = match uri.path_and_query() {
            Some(path) if path.as_str() != "/" => path.clone(),
            _ => PathAndQuery::from_static(format.path()),
        };
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(path.clone());
        let uri = Uri::from_parts(parts).map_err(|_| invalid("its path cannot be used"))?;
        Ok(Self { scheme, host, port, path, uri })
    }

    pub(crate) fn transport(&self) -> Transport {
        self.scheme
    }

    /// A name or an IP address, without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The whole address.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// What stands in the request line.
    pub(crate) fn path(&self) -> &PathAndQuery {
        &self.path
    }

    /// What stands in the `host` header.
    pub(crate) fn authority(&self) -> &str {
        self.uri.authority().map_or("", http::uri::Authority::as_str)
    }

    /// The address without its query, which may hold a secret.
    #[must_use]
    pub fn without_query(&self) -> String {
        format!("{}://{}{}", self.uri.scheme_str().unwrap_or_default(), self.authority(), self.path.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Endpoint, InvalidEndpoint> {
        Endpoint::parse(url, &Format::BroBuddy { mode: None })
    }

    #[test]
    fn an_address_without_a_path_gets_the_formats_own() {
        for (url, whole) in [
            ("http://localhost:3000", "http://localhost:3000/api/chat"),
            ("http://localhost:3000/", "http://localhost:3000/api/chat"),
            ("https://example.com/other?key=secret", "https://example.com/other"),
        ] {
            assert_eq!(parse(url).unwrap().without_query(), whole);
        }
        let openai = Format::OpenAi { model: "m".to_owned() };
        let endpoint = Endpoint::parse("http://127.0.0.1:8000", &openai).unwrap();
        assert_eq!(endpoint.without_query(), "http://127.0.0.1:8000/v1/chat/completions");
    }

    #[test]
    fn the_port_is_the_schemes_without_one() {
        for (url, host, port) in [
            ("http://a", "a", 80),
            ("https://a", "a", 443),
            ("https://a:8443", "a", 8_443),
            ("http://[::1]:3000/x", "::1", 3_000),
            ("http://[::1]/x", "::1", 80),
        ] {
            let endpoint = parse(url).unwrap();
            assert_eq!((endpoint.host(), endpoint.port()), (host, port), "{url}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_a_reason() {
        for (url, reason) in [
            ("localhost:3000", "neither http:// nor https://"),
            ("ftp://a/", "neither"),
            ("http://", "write it as"),
            ("http://a:99999/", "port"),
            ("http://user:secret@a/", "--header"),
            ("/api/chat", "neither"),
        ] {
            let error = parse(url).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}

//! Cross-origin resource sharing as a function URL's `Cors` settings say.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html#urls-cors>: the URL answers preflight
//! requests itself; to any other answer it adds its headers, next to those that the function has set, duplicates
//! included. Assumed, since no document says: an allowed origin is named as it came, a wildcard in a list is sent as
//! it is, and an origin that is not allowed gets an answer without these headers.

use std::str::FromStr;

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    ORIGIN, VARY,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};
use serde::Deserialize;
use thiserror::Error;

const WILDCARD: &str = "*";

/// A function URL's CORS settings, within the limits of AWS's API
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_Cors.html>).
///
/// Read from the JSON that `aws lambda create-function-url-config --cors` takes:
///
/// ```
/// let cors: local_lambda::Cors = r#"{"AllowOrigins":["https://example.com"],"AllowMethods":["GET","POST"]}"#.parse()?;
/// # Ok::<(), local_lambda::InvalidCors>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors {
    origins: Vec<String>,
    allow_methods: Option<HeaderValue>,
    allow_headers: Option<HeaderValue>,
    expose_headers: Option<HeaderValue>,
    max_age: Option<HeaderValue>,
    credentials: Credentials,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Credentials {
    Allowed,
    Refused,
}

/// Why AWS would refuse these settings.
#[derive(Debug, Error)]
pub enum InvalidCors {
    /// No JSON, an unknown name, or a value of another kind.
    #[error("the CORS settings cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// More entries than a list may have.
    #[error("{list} has {count} entries; it may have {limit}")]
    TooMany {
        /// The list's name.
        list: &'static str,
        /// How many entries it has.
        count: usize,
        /// How many it may have.
        limit: usize,
    },
    /// An entry that is empty, too long, or cannot stand in a header.
    #[error("{list} has the entry {entry:?}, which must have 1 to {limit} printable characters{hint}")]
    Entry {
        /// The list's name.
        list: &'static str,
        /// The entry.
        entry: String,
        /// How many characters it may have.
        limit: usize,
        /// What to do instead.
        hint: &'static str,
    },
    /// Above a day.
    #[error("MaxAge is {0} s; it may be 86400 s")]
    MaxAge(u32),
}

/// As AWS's API and CloudFormation spell it.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
struct Document {
    allow_origins: Vec<String>,
    allow_methods: Vec<String>,
    allow_headers: Vec<String>,
    expose_headers: Vec<String>,
    allow_credentials: bool,
    max_age: Option<u32>,
}

/// What AWS's API lets a list have.
struct List {
    name: &'static str,
    entries: usize,
    characters: usize,
    hint: &'static str,
}

const ORIGINS: List = List { name: "AllowOrigins", entries: 100, characters: 253, hint: "" };
/// Six methods of six characters at most: `OPTIONS` cannot be among them, since the URL itself answers it.
const METHODS: List =
    List { name: "AllowMethods", entries: 6, characters: 6, hint: "; the URL answers OPTIONS without being told" };
const ALLOW_HEADERS: List = List { name: "AllowHeaders", entries: 100, characters: 1024, hint: "" };
const EXPOSE_HEADERS: List = List { name: "ExposeHeaders", entries: 100, characters: 1024, hint: "" };
/// A day, in seconds.
const MAX_AGE: u32 = 86_400;

impl List {
    fn check(&self, entries: &[String]) -> Result<(), InvalidCors> {
        if entries.len() > self.entries {
            return Err(InvalidCors::TooMany { list: self.name, count: entries.len(), limit: self.entries });
        }
        let fits = |entry: &&String| {
            (1..=self.characters).contains(&entry.chars().count()) && entry.bytes().all(|byte| byte.is_ascii_graphic())
        };
        match entries.iter().find(|entry| !fits(entry)) {
            None => Ok(()),
            Some(entry) => Err(InvalidCors::Entry {
                list: self.name,
                entry: entry.clone(),
                limit: self.characters,
                hint: self.hint,
            }),
        }
    }

    /// The list as a header's value, if it has entries.
    fn joined(&self, entries: &[String]) -> Result<Option<HeaderValue>, InvalidCors> {
        self.check(entries)?;
        // What was checked can stand in a header.
        Ok(if entries.is_empty() { None } else { HeaderValue::try_from(entries.join(",")).ok() })
    }
}

impl FromStr for Cors {
    type Err = InvalidCors;

    fn from_str(json: &str) -> Result<Self, InvalidCors> {
        let document: Document = serde_json::from_str(json)?;
        ORIGINS.check(&document.allow_origins)?;
        if let Some(max_age) = document.max_age.filter(|max_age| *max_age > MAX_AGE) {
            return Err(InvalidCors::MaxAge(max_age));
        }
        Ok(Self {
            allow_methods: METHODS.joined(&document.allow_methods)?,
            allow_headers: ALLOW_HEADERS.joined(&document.allow_headers)?,
            expose_headers: EXPOSE_HEADERS.joined(&document.expose_headers)?,
            max_age: document.max_age.map(HeaderValue::from),
            credentials: if document.allow_credentials { Credentials::Allowed } else { Credentials::Refused },
            origins: document.allow_origins,
        })
    }
}

impl Cors {
    /// The headers of the answer, if the request is a preflight: those never reach the function.
    pub(crate) fn preflight(&self, request: &Parts) -> Option<HeaderMap> {
        let asks = request.method == Method::OPTIONS && request.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if !asks || !request.headers.contains_key(ORIGIN) {
            return None;
        }
        let mut headers = HeaderMap::new();
        self.add_to(&mut headers, &request.headers);
        if headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            let own = [
                (ACCESS_CONTROL_ALLOW_METHODS, &self.allow_methods),
                (ACCESS_CONTROL_ALLOW_HEADERS, &self.allow_headers),
                (ACCESS_CONTROL_MAX_AGE, &self.max_age),
            ];
            headers.extend(own.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))));
        }
        Some(headers)
    }

    /// Adds the URL's headers to those of an answer.
    pub(crate) fn add_to(&self, headers: &mut HeaderMap, request: &HeaderMap) {
        headers.append(VARY, HeaderValue::from_static("Origin"));
        let Some(origin) = request.get(ORIGIN) else { return };
        if !self.origins.iter().any(|allowed| allowed == WILDCARD || allowed.as_bytes() == origin.as_bytes()) {
            return;
        }
        headers.append(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        if self.credentials == Credentials::Allowed {
            headers.append(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        if let Some(exposed) = &self.expose_headers {
            headers.append(ACCESS_CONTROL_EXPOSE_HEADERS, exposed.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(json: &str) -> String {
        json.parse::<Cors>().expect_err("a refusal").to_string()
    }

    #[test]
    fn what_awss_api_refuses_is_refused() {
        let many = format!(r#"{{"ExposeHeaders":[{}"x"]}}"#, r#""x","#.repeat(100));
        let long = format!(r#"{{"AllowOrigins":["https://{}"]}}"#, "x".repeat(246));
        for (json, words) in [
            ("nonsense", "cannot be read"),
            (r#"{"AllowedOrigins":[]}"#, "unknown field `AllowedOrigins`"),
            (r#"{"AllowMethods":["OPTIONS"]}"#, "AllowMethods has the entry \"OPTIONS\", which must have 1 to 6"),
            (r#"{"AllowMethods":["A","B","C","D","E","F","G"]}"#, "AllowMethods has 7 entries; it may have 6"),
            (r#"{"AllowOrigins":[""]}"#, "AllowOrigins has the entry \"\""),
            (r#"{"AllowHeaders":["a\nb"]}"#, "AllowHeaders has the entry \"a\\nb\""),
            (r#"{"MaxAge":86401}"#, "MaxAge is 86401 s"),
            (&many, "ExposeHeaders has 101 entries"),
            (&long, "which must have 1 to 253"),
        ] {
            let refusal = refusal(json);
            assert!(refusal.contains(words), "{json}: {refusal}");
        }
    }

    #[test]
    fn the_limits_themselves_are_accepted() {
        for json in [
            "{}",
            r#"{"AllowMethods":["GET","PUT","HEAD","POST","PATCH","DELETE"],"MaxAge":86400}"#,
            r#"{"AllowOrigins":["*"],"AllowMethods":["*"],"AllowHeaders":["*"],"ExposeHeaders":["*"]}"#,
        ] {
            json.parse::<Cors>().expect(json);
        }
    }
}

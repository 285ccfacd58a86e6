//! The event that a CloudFront function reads, and what it gives back. Source: "CloudFront Functions event structure" in
//! the CloudFront developer guide.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::reserved_headers::{is_hidden, is_read_only};
use crate::verdict::{Failed, Verdict};

/// The values of one name: the first one stands alone, and where there are several, all of them in `multiValue`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Values {
    value: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    multi_value: Vec<Single>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Single {
    value: String,
}

/// What a function gives back. A status code makes it a response.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Returned {
    status_code: Option<u16>,
    uri: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, Values>,
    body: Option<Body>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Body {
    Text(String),
    Encoded { data: String },
}

/// The event of a request.
pub(crate) fn of(head: &Parts, viewer: SocketAddr, id: &str) -> String {
    let told = head.headers.iter().filter(|(name, _)| !is_hidden(name));
    let headers = several(told.map(|(name, value)| (name.as_str(), text(value))));
    let query = head.uri.query().unwrap_or_default().split('&').filter(|parameter| !parameter.is_empty());
    let query = query.map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")));
    json!({
        "version": "1.0",
        "context": {
            "distributionDomainName": "local.cloudfront.net",
            "distributionId": "ELOCAL",
            "eventType": "viewer-request",
            "requestId": id,
        },
        "viewer": { "ip": viewer.ip().to_string() },
        "request": {
            "method": head.method.as_str(),
            "uri": head.uri.path(),
            "querystring": several(query.map(|(name, value)| (name, value.to_owned()))),
            "headers": headers,
            "cookies": {},
        },
    })
    .to_string()
}

fn several<'a>(pairs: impl Iterator<Item = (&'a str, String)>) -> BTreeMap<&'a str, Values> {
    let mut all: BTreeMap<&str, Values> = BTreeMap::new();
    for (name, value) in pairs {
        all.entry(name)
            .and_modify(|values| {
                if values.multi_value.is_empty() {
                    values.multi_value.push(Single { value: values.value.clone() });
                }
                values.multi_value.push(Single { value: value.clone() });
            })
            .or_insert(Values { value, multi_value: Vec::new() });
    }
    all
}

impl Values {
    /// All of them, where a function was told those of `before`: what it changed in `multiValue` counts alone, else what
    /// it changed in `value` takes the place of the first.
    fn applied(self, before: &[String]) -> Vec<String> {
        let all: Vec<String> = self.multi_value.into_iter().map(|single| single.value).collect();
        if all.is_empty() || all == before {
            return std::iter::once(self.value).chain(all.into_iter().skip(1)).collect();
        }
        all
    }
}

impl Returned {
    pub(crate) fn parse(text: &str) -> Result<Self, Failed> {
        serde_json::from_str(text).map_err(shape)
    }

    pub(crate) fn verdict(self, mut head: Parts) -> Result<Verdict, Failed> {
        let headers = headers(self.headers, &head.headers)?;
        if let Some(hidden) = headers.keys().find(|name| is_hidden(name)) {
            return Err(Failed::Header(hidden.clone()));
        }
        if let Some(status) = self.status_code {
            let status = StatusCode::from_u16(status).map_err(shape)?;
            let body = match self.body {
                Some(Body::Text(data) | Body::Encoded { data }) => data,
                None => String::new(),
            };
            return Ok(Verdict::Respond { status, headers, body });
        }
        let kept = |name: &&HeaderName| is_read_only(name);
        let changed = |name: &&HeaderName| !headers.get_all(*name).iter().eq(head.headers.get_all(*name));
        if let Some(name) = headers.keys().chain(head.headers.keys()).filter(kept).find(changed) {
            return Err(Failed::Header(name.clone()));
        }
        if let Some(uri) = self.uri {
            let query = head.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
            let path: PathAndQuery = format!("{uri}{query}").parse().map_err(shape)?;
            head.uri = path.into();
        }
        let told = std::mem::replace(&mut head.headers, headers);
        for (name, value) in told.iter().filter(|(name, _)| is_hidden(name)) {
            head.headers.append(name, value.clone());
        }
        Ok(Verdict::Forward(Box::new(head)))
    }
}

fn headers(given: BTreeMap<String, Values>, before: &HeaderMap) -> Result<HeaderMap, Failed> {
    let mut headers = HeaderMap::new();
    for (name, values) in given {
        let name: HeaderName = name.parse().map_err(shape)?;
        let before: Vec<String> = before.get_all(&name).iter().map(text).collect();
        for value in values.applied(&before) {
            headers.append(&name, HeaderValue::try_from(value).map_err(shape)?);
        }
    }
    Ok(headers)
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

fn shape(error: impl std::fmt::Display) -> Failed {
    Failed::Shape(error.to_string())
}

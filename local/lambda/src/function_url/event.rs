//! An HTTP request as the event a function URL makes of it: payload format 2.0.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, COOKIE, HOST, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Version};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use uuid::Uuid;

use super::iam::Caller;
use crate::function::ACCOUNT;
use crate::invocation::Invocation;

/// As in `10/Apr/2022:13:30:05 +0000`.
const REQUEST_TIME: &[BorrowedFormatItem<'_>] =
    format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000");
/// On AWS the first label of the function URL's host name.
const URL_ID: &str = "local";

/// The two ends of a client's connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Endpoints {
    pub(super) client: SocketAddr,
    pub(super) local: SocketAddr,
}

/// The identifiers of one request.
pub(super) struct Ids {
    pub(super) request_id: String,
    /// X-Ray's form: `Root=1-{seconds in hex}-{96 bits in hex}`.
    pub(super) trace_id: String,
    received: OffsetDateTime,
}

impl Ids {
    pub(super) fn generate() -> Self {
        let received = OffsetDateTime::now_utc();
        let random = Uuid::new_v4().simple().to_string();
        let (unique, _) = random.split_at(24);
        Self {
            request_id: Uuid::new_v4().to_string(),
            trace_id: format!("Root=1-{:08x}-{unique}", received.unix_timestamp()),
            received,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    version: &'static str,
    route_key: &'static str,
    raw_path: &'a str,
    raw_query_string: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<String>,
    headers: BTreeMap<&'a str, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    query_string_parameters: BTreeMap<String, String>,
    request_context: RequestContext<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    account_id: &'static str,
    api_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorizer: Option<Authorizer>,
    domain_name: &'a str,
    domain_prefix: &'static str,
    http: Http<'a>,
    request_id: &'a str,
    route_key: &'static str,
    stage: &'static str,
    time: String,
    time_epoch: i128,
}

#[derive(Serialize)]
struct Authorizer {
    iam: Caller,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Http<'a> {
    method: &'a str,
    path: &'a str,
    protocol: &'static str,
    source_ip: String,
    user_agent: &'a str,
}

/// Writes the event of a request.
///
/// # Errors
/// When the event cannot be written as JSON, which no request is known to cause.
pub(super) fn invocation(
    head: &Parts,
    body: &Bytes,
    endpoints: Endpoints,
    ids: &Ids,
    caller: Option<Caller>,
) -> serde_json::Result<Invocation> {
    let source_ip = endpoints.client.ip().to_canonical().to_string();
    let mut headers = joined(&head.headers);
    headers.insert("x-amzn-trace-id", ids.trace_id.clone());
    headers.insert("x-forwarded-for", source_ip.clone());
    headers.insert("x-forwarded-port", endpoints.local.port().to_string());
    headers.insert("x-forwarded-proto", "http".to_owned());

    let host = text(&head.headers, &HOST);
    let (body, is_base64_encoded) = encoded(&head.headers, body);
    let raw_query_string = head.uri.query().unwrap_or_default();
    let event = Event {
        version: "2.0",
        route_key: "$default",
        raw_path: head.uri.path(),
        raw_query_string,
        cookies: cookies(&head.headers),
        headers,
        query_string_parameters: parameters(raw_query_string),
        request_context: RequestContext {
            account_id: if caller.is_some() { ACCOUNT } else { "anonymous" },
            api_id: URL_ID,
            authorizer: caller.map(|iam| Authorizer { iam }),
            domain_name: host.rsplit_once(':').map_or(host, |(name, _)| name),
            domain_prefix: URL_ID,
            http: Http {
                method: head.method.as_str(),
                path: head.uri.path(),
                protocol: if head.version == Version::HTTP_10 { "HTTP/1.0" } else { "HTTP/1.1" },
                source_ip,
                user_agent: text(&head.headers, &USER_AGENT),
            },
            request_id: &ids.request_id,
            route_key: "$default",
            stage: "$default",
            time: ids.received.format(REQUEST_TIME).unwrap_or_default(),
            time_epoch: ids.received.unix_timestamp_nanos() / 1_000_000,
        },
        body,
        is_base64_encoded,
    };
    Ok(Invocation {
        request_id: ids.request_id.clone(),
        trace_id: ids.trace_id.clone(),
        event: serde_json::to_vec(&event)?.into(),
    })
}

/// Every header but the cookies, its values joined by commas. Names are lower-case already.
fn joined(headers: &HeaderMap) -> BTreeMap<&str, String> {
    let mut joined: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in headers.iter().filter(|(name, _)| *name != COOKIE) {
        let value = String::from_utf8_lossy(value.as_bytes());
        joined
            .entry(name.as_str())
            .and_modify(|joined| {
                joined.push(',');
                joined.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    joined
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookies = values.flat_map(|value| value.split(';')).map(str::trim);
    cookies.filter(|cookie| !cookie.is_empty()).map(str::to_owned).collect()
}

/// The decoded parameters; the values of one that is repeated are joined by commas.
fn parameters(query: &str) -> BTreeMap<String, String> {
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        parameters
            .entry(name.into_owned())
            .and_modify(|joined| {
                joined.push(',');
                joined.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    parameters
}

/// The body as the event holds it, and whether that is base64. An empty body is left out.
fn encoded(headers: &HeaderMap, body: &Bytes) -> (Option<String>, bool) {
    if body.is_empty() {
        return (None, false);
    }
    match std::str::from_utf8(body) {
        Ok(text) if is_text(headers) => (Some(text.to_owned()), false),
        _ => (Some(BASE64.encode(body)), true),
    }
}

/// Whether AWS passes a body of this content type as text: `text/*`, JSON, JavaScript and XML,
/// and nothing else, forms included.
fn is_text(headers: &HeaderMap) -> bool {
    let content_type = text(headers, &CONTENT_TYPE).split(';').next().unwrap_or_default();
    let content_type = content_type.trim().to_ascii_lowercase();
    let textual = content_type.starts_with("text/")
        || matches!(content_type.as_str(), "application/json" | "application/javascript" | "application/xml")
        || content_type.ends_with("+json")
        || content_type.ends_with("+xml");
    textual && !headers.contains_key(CONTENT_ENCODING)
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

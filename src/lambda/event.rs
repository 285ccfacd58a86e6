//! A function URL's event (payload format 2.0) as an HTTP request.
//!
//! Source: Lambda developer guide, "Invoking function URLs". Only what the routes need is read; header names
//! come in lower case, several values of one name joined with commas.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime};

use base64_simd::STANDARD;
use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

/// What a URI may not hold as it is. `%` stays: the path comes as the client sent it.
const NOT_IN_A_URI: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// An event of another kind: a test event of the console, a direct invocation, another trigger.
#[derive(Debug, thiserror::Error)]
#[error("this function answers function URL events (payload format 2.0) only: {0}")]
pub(super) struct NotAFunctionUrlEvent(String);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FunctionUrlEvent<'a> {
    #[serde(borrow)]
    raw_path: Cow<'a, str>,
    #[serde(borrow, default)]
    raw_query_string: Cow<'a, str>,
    #[serde(default)]
    headers: Headers,
    #[serde(borrow)]
    request_context: RequestContext<'a>,
    #[serde(borrow, default)]
    body: Option<Cow<'a, str>>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    #[serde(borrow)]
    http: Http<'a>,
    /// Milliseconds since 1970.
    time_epoch: Option<u64>,
}

#[derive(Deserialize)]
struct Http<'a> {
    #[serde(borrow)]
    method: Cow<'a, str>,
}

impl<'a> FunctionUrlEvent<'a> {
    pub(super) fn parse(event: &'a [u8]) -> Result<Self, NotAFunctionUrlEvent> {
        // The place and the kind of the error, but not its words, which may quote the event.
        serde_json::from_slice(event).map_err(|error| {
            let kind = if error.is_data() { "another shape" } else { "not JSON" };
            NotAFunctionUrlEvent(format!("{kind} at line {} column {}", error.line(), error.column()))
        })
    }

    /// When the function URL had the request.
    pub(super) fn received_at(&self) -> Option<SystemTime> {
        let epoch_ms = self.request_context.time_epoch?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(epoch_ms))
    }

    pub(super) fn into_request(self) -> Result<Request<Bytes>, NotAFunctionUrlEvent> {
        let not_http = |what: &str, error: &dyn fmt::Display| NotAFunctionUrlEvent(format!("{what}: {error}"));
        let method: Method =
            self.request_context.http.method.parse().map_err(|error| not_http("requestContext.http.method", &error))?;
        let mut uri = utf8_percent_encode(&self.raw_path, NOT_IN_A_URI).to_string();
        if !self.raw_query_string.is_empty() {
            uri.push('?');
            uri.extend(utf8_percent_encode(&self.raw_query_string, NOT_IN_A_URI));
        }
        // Not as a whole URI, which may name a host instead of a path.
        let uri: PathAndQuery = uri.parse().map_err(|error| not_http("rawPath", &error))?;
        let body = match self.body {
            None => Bytes::new(),
            Some(text) if self.is_base64_encoded => {
                STANDARD.decode_to_vec(text.as_bytes()).map_err(|error| not_http("body", &error))?.into()
            }
            Some(text) => text.into_owned().into(),
        };
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri.into();
        *request.headers_mut() = self.headers.0;
        Ok(request)
    }
}

/// Headers straight into a header map. One that HTTP does not allow cannot have come over HTTP, and is left out.
#[derive(Default)]
struct Headers(HeaderMap);

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Headers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of header names and values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Headers, A::Error> {
                let mut headers = HeaderMap::with_capacity(map.size_hint().unwrap_or(16));
                while let Some((name, value)) = map.next_entry::<Cow<'de, str>, Cow<'de, str>>()? {
                    if let (Ok(name), Ok(value)) =
                        (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value))
                    {
                        headers.try_append(name, value).map_err(A::Error::custom)?;
                    }
                }
                Ok(Headers(headers))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(changes: &serde_json::Value) -> Vec<u8> {
        let mut event = serde_json::json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": "/api/chat",
            "rawQueryString": "",
            "headers": {"content-type": "application/json", "x-forwarded-for": "203.0.113.7"},
            "requestContext": {
                "http": {"method": "POST", "path": "/api/chat", "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7"},
                "timeEpoch": 1_700_000_000_123_u64
            },
            "body": "{\"message\":\"Yo\"}",
            "isBase64Encoded": false
        });
        for (key, value) in changes.as_object().expect("an object") {
            event[key] = value.clone();
        }
        serde_json::to_vec(&event).expect("JSON")
    }

    fn request(changes: &serde_json::Value) -> Request<Bytes> {
        let event = event(changes);
        FunctionUrlEvent::parse(&event).expect("an event").into_request().expect("a request")
    }

    #[test]
    fn an_event_is_the_request_that_the_function_url_had() {
        let request = request(&serde_json::json!({"rawQueryString": "message=a%20b&mode=zen"}));
        assert_eq!(request.method(), Method::POST);
        assert_eq!(request.uri(), "/api/chat?message=a%20b&mode=zen");
        assert_eq!(request.headers()["content-type"], "application/json");
        assert_eq!(&request.body()[..], br#"{"message":"Yo"}"#);
        let event = event(&serde_json::json!({}));
        let received = FunctionUrlEvent::parse(&event).expect("an event").received_at();
        assert_eq!(received, Some(SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123)));
    }

    #[test]
    fn a_body_may_be_absent_or_base64() {
        assert!(request(&serde_json::json!({"body": null})).body().is_empty());
        let encoded = request(&serde_json::json!({"body": "eyJtZXNzYWdlIjoiWW8ifQ==", "isBase64Encoded": true}));
        assert_eq!(&encoded.body()[..], br#"{"message":"Yo"}"#);
        let bad = event(&serde_json::json!({"body": "%%%", "isBase64Encoded": true}));
        assert!(FunctionUrlEvent::parse(&bad).expect("an event").into_request().is_err());
    }

    #[test]
    fn a_path_that_is_no_uri_is_still_a_request() {
        assert_eq!(request(&serde_json::json!({"rawPath": "/a b{é}"})).uri().path(), "/a%20b%7B%C3%A9%7D");
    }

    #[test]
    fn more_headers_than_a_map_holds_are_no_request() {
        let headers: serde_json::Map<_, _> = (0..40_000).map(|n| (format!("x-{n}"), "y".into())).collect();
        let flooded = event(&serde_json::json!({ "headers": headers }));
        assert!(FunctionUrlEvent::parse(&flooded).is_err());
    }

    #[test]
    fn any_other_event_is_told_what_is_expected() {
        for other in ["{}", "null", "[]", "{\"Records\":[]}", "not JSON", ""] {
            let error = FunctionUrlEvent::parse(other.as_bytes()).err().expect(other).to_string();
            assert!(error.contains("function URL events"), "{error}");
        }
        let quoting =
            FunctionUrlEvent::parse(br#"{"rawPath":"/","headers":"my-secret"}"#).err().expect("another event");
        assert!(!quoting.to_string().contains("my-secret"), "{quoting}");
    }
}

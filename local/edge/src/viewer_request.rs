//! A CloudFront function for the event `viewer-request`, run for each request in an engine of its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use rquickjs::promise::MaybePromise;
use rquickjs::{CatchResultExt, Context, Ctx, Function, Runtime, Value};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What a function may use, as CloudFront allows 2 MB.
const MEMORY: usize = 2 * 1024 * 1024;
/// Far more than CloudFront allows, which is about a millisecond, so that a busy machine refuses nothing.
const TIME: Duration = Duration::from_secs(1);

/// A function that was found to be one.
#[derive(Debug, Clone)]
pub struct ViewerRequest {
    source: Arc<str>,
}

/// Why some source is no CloudFront function.
#[derive(Debug, thiserror::Error)]
#[error("no CloudFront function: {0}")]
pub struct InvalidFunction(String);

/// What a function made of a request.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It goes on, as the head now says.
    Forward(Box<Parts>),
    /// It is answered here.
    Respond { status: StatusCode, headers: HeaderMap, body: String },
}

/// Why a function made nothing of a request. CloudFront answers 503.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    #[error("the function failed: {0}")]
    Threw(String),
    #[error("the function gave back no request and no response: {0}")]
    Shape(String),
    #[error("the function did not end")]
    Lost,
}

/// Multiple values of one name: the last one stands alone, all of them in `multiValue`.
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
struct Returned {
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

impl ViewerRequest {
    /// A function whose source defines `handler`.
    ///
    /// # Errors
    /// Where it does not, or is no JavaScript.
    pub fn parse(source: impl Into<Arc<str>>) -> Result<Self, InvalidFunction> {
        let source = source.into();
        within_an_engine(|js| handler(&js, &source).map(|_| ())).map_err(InvalidFunction)?;
        Ok(Self { source })
    }

    /// What becomes of a request.
    pub(crate) async fn run(&self, head: Parts, viewer: SocketAddr, id: &str) -> Result<Verdict, Failed> {
        let (source, event) = (Arc::clone(&self.source), event(&head, viewer, id));
        let called = tokio::task::spawn_blocking(move || within_an_engine(|js| call(&js, &source, &event)));
        let returned = called.await.map_err(|_| Failed::Lost)?.map_err(Failed::Threw)?;
        let returned: Returned = serde_json::from_str(&returned).map_err(|error| Failed::Shape(error.to_string()))?;
        returned.verdict(head)
    }
}

impl Returned {
    fn verdict(self, mut head: Parts) -> Result<Verdict, Failed> {
        let shape = |error: &dyn std::fmt::Display| Failed::Shape(error.to_string());
        let mut headers = HeaderMap::new();
        for (name, values) in self.headers {
            let name: HeaderName = name.parse().map_err(|error| shape(&error))?;
            let alone = values.multi_value.is_empty().then_some(Single { value: values.value });
            for Single { value } in values.multi_value.into_iter().chain(alone) {
                headers.append(&name, HeaderValue::try_from(value).map_err(|error| shape(&error))?);
            }
        }
        if let Some(status) = self.status_code {
            let status = StatusCode::from_u16(status).map_err(|error| shape(&error))?;
            let body = match self.body {
                Some(Body::Text(data) | Body::Encoded { data }) => data,
                None => String::new(),
            };
            return Ok(Verdict::Respond { status, headers, body });
        }
        if let Some(uri) = self.uri {
            let query = head.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
            let path: PathAndQuery = format!("{uri}{query}").parse().map_err(|error| shape(&error))?;
            head.uri = path.into();
        }
        head.headers = headers;
        Ok(Verdict::Forward(Box::new(head)))
    }
}

/// The event, as the function reads it.
fn event(head: &Parts, viewer: SocketAddr, id: &str) -> String {
    let mut headers: BTreeMap<&str, Values> = BTreeMap::new();
    for (name, value) in &head.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers
            .entry(name.as_str())
            .and_modify(|values| {
                if values.multi_value.is_empty() {
                    values.multi_value.push(Single { value: values.value.clone() });
                }
                values.value.clone_from(&value);
                values.multi_value.push(Single { value: value.clone() });
            })
            .or_insert(Values { value, multi_value: Vec::new() });
    }
    let query = head.uri.query().unwrap_or_default();
    let query: BTreeMap<_, _> = query
        .split('&')
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")))
        .map(|(name, value)| (name, Values { value: value.to_owned(), multi_value: Vec::new() }))
        .collect();
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
            "querystring": query,
            "headers": headers,
            "cookies": {},
        },
    })
    .to_string()
}

/// Nothing is left of one run in the next, as CloudFront promises nothing of it.
fn within_an_engine<T>(work: impl FnOnce(Ctx<'_>) -> Result<T, String>) -> Result<T, String> {
    let engine = Runtime::new().map_err(|error| error.to_string())?;
    engine.set_memory_limit(MEMORY);
    let until = Instant::now() + TIME;
    engine.set_interrupt_handler(Some(Box::new(move || Instant::now() > until)));
    let context = Context::full(&engine).map_err(|error| error.to_string())?;
    context.with(work)
}

fn handler<'js>(js: &Ctx<'js>, source: &str) -> Result<Function<'js>, String> {
    js.eval::<(), _>(source).catch(js).map_err(|error| error.to_string())?;
    js.globals().get("handler").map_err(|_| "there is no function `handler`".to_owned())
}

fn call(js: &Ctx<'_>, source: &str, event: &str) -> Result<String, String> {
    let handler = handler(js, source)?;
    let event = js.json_parse(event).catch(js).map_err(|error| error.to_string())?;
    let returned: MaybePromise<'_> = handler.call((event,)).catch(js).map_err(|error| error.to_string())?;
    let returned: Value<'_> = returned.finish().catch(js).map_err(|error| error.to_string())?;
    let text = js.json_stringify(returned).catch(js).map_err(|error| error.to_string())?;
    text.ok_or("nothing was given back")?.to_string().map_err(|error| error.to_string())
}

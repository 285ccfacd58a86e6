//! The calls of the Extensions API.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use http_body_util::{BodyExt, Collected, Full, Limited};
use hyper::body::Incoming;

use super::exchange::Exchange;
use super::extensions::ExtensionRefusal;
use super::{document, empty, json};

/// A list of a few event names, in bytes.
const MAX_REGISTRATION: usize = 16 * 1024;
const NAME: &str = "lambda-extension-name";
const IDENTIFIER: &str = "lambda-extension-identifier";

/// `route` is the path behind the API's version.
pub(super) async fn answer(parts: &Parts, route: &str, body: Incoming, exchange: &Exchange) -> Response<Full<Bytes>> {
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match (&parts.method, route) {
        (&Method::POST, "/register") => register(header(NAME), body, exchange).await,
        (&Method::GET, "/event/next") => match exchange.extensions().next(header(IDENTIFIER)) {
            // Without an event the process is about to end.
            Ok(event) => json(StatusCode::OK, event.await.unwrap_or_default()),
            Err(refusal) => extension_refused(&refusal),
        },
        (_, "/register" | "/event/next") => empty(StatusCode::METHOD_NOT_ALLOWED),
        _ => empty(StatusCode::NOT_FOUND),
    }
}

async fn register(name: &str, body: Incoming, exchange: &Exchange) -> Response<Full<Bytes>> {
    if !exchange.is_initialising() {
        return document(
            StatusCode::FORBIDDEN,
            "Extension.RegistrationClosed",
            "Extension registration closed already",
        );
    }
    let body = Limited::new(body, MAX_REGISTRATION).collect().await.map(Collected::to_bytes);
    match exchange.extensions().register(name, &body.unwrap_or_default()) {
        Ok(id) => {
            let function = serde_json::json!({
                "functionName": exchange.function().function_name(), "functionVersion": "$LATEST", "handler": "bootstrap",
            });
            let mut response = json(StatusCode::OK, Bytes::from(function.to_string()));
            if let Ok(id) = HeaderValue::try_from(id.to_string()) {
                response.headers_mut().insert(HeaderName::from_static(IDENTIFIER), id);
            }
            response
        }
        Err(refusal) => extension_refused(&refusal),
    }
}

fn extension_refused(refusal: &ExtensionRefusal) -> Response<Full<Bytes>> {
    document(StatusCode::FORBIDDEN, refusal.error_type, &refusal.message)
}

//! The HTTP responses of a function URL: those a function gives, and those Lambda gives itself.

use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, SET_COOKIE, TE, TRAILER, TRANSFER_ENCODING,
    UPGRADE,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, Either, Full, LengthLimitError, Limited};
use local_signature::SignatureError;

use super::NoResponse;
use super::event::Ids;
use super::prelude::Prelude;
use crate::failure::Failure;
use crate::runtime_api::{MAX_BUFFERED, StreamedBody};

/// A response's body: here at once, or still coming.
pub(super) type Answer = Either<Full<Bytes>, StreamedBody>;

const OCTET_STREAM: HeaderValue = HeaderValue::from_static("application/octet-stream");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const ERROR_TYPE: &str = "x-amzn-errortype";

/// Headers that describe the connection or the framing. The function URL sets its own, and passes
/// the function's on as `x-amzn-remapped-…`.
const REMAPPED: [HeaderName; 6] = [CONNECTION, CONTENT_LENGTH, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];

/// The head of a function's streamed response.
pub(super) fn streamed(prelude: &Prelude) -> Result<Response<()>, Failure> {
    let mut response = with_head(prelude)?;
    let headers = response.headers_mut();
    headers.entry(CONTENT_TYPE).or_insert(OCTET_STREAM);
    // A function URL removes it in streaming mode (aws-lambda-nodejs-runtime-interface-client #96).
    headers.remove(CONTENT_ENCODING);
    Ok(response)
}

/// A function's response that has no prelude, of the type that the runtime gave it.
pub(super) fn raw(content_type: Option<HeaderValue>, payload: Answer) -> Response<Answer> {
    let mut response = Response::new(payload);
    response.headers_mut().insert(CONTENT_TYPE, content_type.unwrap_or(OCTET_STREAM));
    response
}

/// A function's streamed response when it is complete.
pub(super) async fn held_back(response: Response<Answer>) -> Result<Response<Answer>, NoResponse> {
    let (head, mut body) = response.into_parts();
    match Limited::new(&mut body, MAX_BUFFERED).collect().await {
        Ok(body) => Ok(Response::from_parts(head, Either::Left(Full::new(body.to_bytes())))),
        Err(error) if error.is::<LengthLimitError>() => {
            unwanted(&mut body);
            Err(Failure::response_too_large(MAX_BUFFERED).into())
        }
        Err(_) => Err(NoResponse::Cut),
    }
}

/// Nothing that is still to come of this body is to be sent.
pub(super) fn unwanted(body: &mut Answer) {
    if let Either::Right(body) = body {
        body.unwanted();
    }
}

/// The answer to a preflight request.
pub(super) fn preflight(headers: HeaderMap, ids: &Ids) -> Response<Answer> {
    let mut response = Response::new(Either::Left(Full::default()));
    *response.headers_mut() = headers;
    identified(response, ids)
}

/// A function's buffered response.
pub(super) fn whole(head: &Prelude, body: Bytes) -> Result<Response<Answer>, Failure> {
    let mut response = with_head(head)?.map(|()| Either::Left(Full::new(body)));
    response.headers_mut().entry(CONTENT_TYPE).or_insert(JSON);
    Ok(response)
}

fn with_head(head: &Prelude) -> Result<Response<()>, Failure> {
    let invalid = |what: &str, error: &dyn std::fmt::Display| {
        Failure::invalid_response(format!("{what} of the response cannot be sent: {error}"))
    };
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(head.status_code)
        .ok()
        .filter(|status| !status.is_informational())
        .ok_or_else(|| invalid("the status", &head.status_code))?;
    let headers = response.headers_mut();
    for (name, values) in &head.headers {
        let mut parsed = HeaderName::try_from(name).map_err(|error| invalid(&format!("header {name:?}"), &error))?;
        if REMAPPED.contains(&parsed) {
            parsed = HeaderName::try_from(format!("x-amzn-remapped-{parsed}"))
                .map_err(|error| invalid(&format!("header {name:?}"), &error))?;
        }
        for value in values.all() {
            let value = HeaderValue::try_from(value).map_err(|error| invalid(&format!("header {name:?}"), &error))?;
            headers.append(&parsed, value);
        }
    }
    for cookie in &head.cookies {
        let cookie = HeaderValue::try_from(cookie).map_err(|error| invalid("a cookie", &error))?;
        headers.append(SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Adds the identifiers that every answer of a function URL carries.
pub(super) fn identified(mut response: Response<Answer>, ids: &Ids) -> Response<Answer> {
    let ids = [("x-amzn-requestid", &ids.request_id), ("x-amzn-trace-id", &ids.trace_id)];
    for (name, id) in ids {
        if let Ok(id) = HeaderValue::try_from(id) {
            response.headers_mut().insert(HeaderName::from_static(name), id);
        }
    }
    response
}

/// The function failed before it began to answer. AWS's body is these bare words (LocalStack holds a
/// test of it to AWS). That they are labelled as JSON, and the error's type, are not confirmed anywhere.
pub(super) fn bad_gateway(ids: &Ids) -> Response<Answer> {
    own(StatusCode::BAD_GATEWAY, "InternalFailure", "Internal Server Error", ids)
}

/// Every sandbox is busy, and there may be no more.
pub(super) fn throttled(ids: &Ids) -> Response<Answer> {
    const BODY: &str =
        r#"{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}"#;
    own(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", BODY, ids)
}

/// The request is not signed, or not as it must be. That the two bodies spell `message` differently is AWS's way.
pub(super) fn forbidden(error: &SignatureError, ids: &Ids) -> Response<Answer> {
    let (name, body) = match error {
        SignatureError::Missing => ("AccessDeniedException", serde_json::json!({ "Message": "Forbidden" })),
        error => (error.name(), serde_json::json!({ "message": error.to_string() })),
    };
    own(StatusCode::FORBIDDEN, name, body.to_string(), ids)
}

/// The event would be larger than Lambda takes.
pub(super) fn too_large(ids: &Ids) -> Response<Answer> {
    const BODY: &str =
        r#"{"Type":"User","message":"Request must be smaller than 6291456 bytes for the InvokeFunction operation"}"#;
    own(StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException", BODY, ids)
}

/// The request's body broke off.
pub(super) fn bad_request(ids: &Ids) -> Response<Answer> {
    own(StatusCode::BAD_REQUEST, "BadRequestException", r#"{"message":"Bad Request"}"#, ids)
}

/// The request's body did not arrive in time.
pub(super) fn request_timeout(ids: &Ids) -> Response<Answer> {
    own(StatusCode::REQUEST_TIMEOUT, "RequestTimeoutException", r#"{"message":"Request Timeout"}"#, ids)
}

fn own(status: StatusCode, error: &'static str, body: impl Into<Bytes>, ids: &Ids) -> Response<Answer> {
    let mut response = Response::new(Either::Left(Full::new(body.into())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(ERROR_TYPE, HeaderValue::from_static(error));
    identified(response, ids)
}

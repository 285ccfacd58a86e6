//! From what goes wrong before the stream to [`ModelError`], and whether it is worth another attempt. What fails within
//! the stream is in `event`.

use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use http_body_util::{BodyExt, Limited};
use serde::Deserialize;

use crate::model::{ModelError, ModelErrorKind};
use crate::telemetry::with_causes;

/// More of an error's body is not read. Bedrock's are some hundred bytes.
const LONGEST_BODY: usize = 64 * 1024;
/// How the exception is called, often with an address behind a colon.
const ERROR_TYPE: &str = "x-amzn-errortype";
/// How long the service would like to be left alone, in milliseconds.
const RETRY_AFTER: &str = "x-amz-retry-after";

/// An attempt that failed before the stream.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: ModelError,
    pub(super) retry: Retry,
}

/// Whether another attempt may go better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Retry {
    /// It would fail in the same way.
    Never,
    /// After the usual pause.
    Backoff,
    /// After as long as the service has asked for.
    After(Duration),
}

#[derive(Deserialize)]
struct Message {
    #[serde(alias = "Message")]
    message: Option<String>,
}

/// The connection could not be opened, or broke before the response.
pub(super) fn unsent(error: &ConnectorError) -> Failure {
    let kind = if error.is_timeout() { ModelErrorKind::Timeout } else { ModelErrorKind::Unavailable };
    let retry = if error.is_user() { Retry::Never } else { Retry::Backoff };
    Failure { error: ModelError::new(kind, with_causes(error)), retry }
}

/// The service has answered with an error.
pub(super) async fn refused(response: HttpResponse) -> Failure {
    let status = response.status().as_u16();
    let header = |name| response.headers().get(name).map(ToOwned::to_owned);
    let retry_after = header(RETRY_AFTER).and_then(|text| text.parse().ok()).map(Duration::from_millis);
    let name = header(ERROR_TYPE).map(|name| name.split(':').next().unwrap_or_default().to_owned());
    let body = Limited::new(response.into_body(), LONGEST_BODY).collect().await;
    let message = body.ok().and_then(|body| serde_json::from_slice::<Message>(&body.to_bytes()).ok()?.message);

    let kind = name.as_deref().and_then(by_name).unwrap_or_else(|| by_status(status));
    let detail = format!(
        "{} (status {status}): {}",
        name.as_deref().unwrap_or("an error without a name"),
        message.as_deref().unwrap_or("no message")
    );
    let worth_it = matches!(status, 429 | 500 | 502 | 503 | 504) || name.as_deref().is_some_and(is_transient);
    let retry = match retry_after {
        _ if !worth_it => Retry::Never,
        Some(pause) => Retry::After(pause),
        None => Retry::Backoff,
    };
    Failure { error: ModelError::new(kind, detail), retry }
}

/// The exceptions of `ConverseStream` (Bedrock's service model).
fn by_name(name: &str) -> Option<ModelErrorKind> {
    Some(match name {
        "ThrottlingException" => ModelErrorKind::Throttled,
        "AccessDeniedException" => ModelErrorKind::AccessDenied,
        "ResourceNotFoundException" => ModelErrorKind::NotFound,
        "ValidationException" => ModelErrorKind::Rejected,
        "ModelTimeoutException" => ModelErrorKind::Timeout,
        "ModelErrorException"
        | "ModelNotReadyException"
        | "ModelStreamErrorException"
        | "InternalServerException"
        | "ServiceUnavailableException" => ModelErrorKind::Unavailable,
        _ => return None,
    })
}

/// Errors that every AWS service may answer with (an expired token, an unknown operation) are not in the operation's
/// model; their status says enough.
fn by_status(status: u16) -> ModelErrorKind {
    match status {
        401 | 403 => ModelErrorKind::AccessDenied,
        404 => ModelErrorKind::NotFound,
        408 => ModelErrorKind::Timeout,
        429 => ModelErrorKind::Throttled,
        400..=499 => ModelErrorKind::Rejected,
        _ => ModelErrorKind::Unavailable,
    }
}

/// Whatever its status. Source: AWS SDKs and Tools Reference Guide, "Retry behavior".
fn is_transient(name: &str) -> bool {
    matches!(
        name,
        "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "TooManyRequestsException"
            | "RequestLimitExceeded"
            | "BandwidthLimitExceeded"
            | "LimitExceededException"
            | "SlowDown"
            | "PriorRequestNotComplete"
            | "RequestTimeout"
            | "RequestTimeoutException"
    )
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;

    use super::*;

    #[test]
    fn an_error_of_no_known_kind_is_told_by_its_status() {
        use ModelErrorKind::{AccessDenied, NotFound, Rejected, Throttled, Timeout, Unavailable};
        let table = [
            (400, Rejected),
            (401, AccessDenied),
            (403, AccessDenied),
            (404, NotFound),
            (408, Timeout),
            (424, Rejected),
            (429, Throttled),
            (500, Unavailable),
            (503, Unavailable),
        ];
        for (status, kind) in table {
            assert_eq!(by_status(status), kind, "{status}");
        }
    }

    #[tokio::test]
    async fn what_may_pass_is_tried_again_and_what_will_not_is_not() {
        let address = "http://internal.amazon.com/coral/com.amazon.bedrock/";
        for (status, name, retry_after, kind, retry) in [
            (429, "ThrottlingException", None, ModelErrorKind::Throttled, Retry::Backoff),
            (
                429,
                "ThrottlingException",
                Some("40"),
                ModelErrorKind::Throttled,
                Retry::After(Duration::from_millis(40)),
            ),
            (400, "ThrottlingException", None, ModelErrorKind::Throttled, Retry::Backoff),
            (429, "ModelNotReadyException", None, ModelErrorKind::Unavailable, Retry::Backoff),
            (500, "InternalServerException", Some("soon"), ModelErrorKind::Unavailable, Retry::Backoff),
            (503, "ServiceUnavailableException", None, ModelErrorKind::Unavailable, Retry::Backoff),
            (502, "SomethingNew", None, ModelErrorKind::Unavailable, Retry::Backoff),
            (424, "ModelErrorException", None, ModelErrorKind::Unavailable, Retry::Never),
            (408, "ModelTimeoutException", None, ModelErrorKind::Timeout, Retry::Never),
            (400, "ValidationException", Some("40"), ModelErrorKind::Rejected, Retry::Never),
            (403, "AccessDeniedException", None, ModelErrorKind::AccessDenied, Retry::Never),
            (403, "ExpiredTokenException", None, ModelErrorKind::AccessDenied, Retry::Never),
            (404, "ResourceNotFoundException", None, ModelErrorKind::NotFound, Retry::Never),
        ] {
            let body = SdkBody::from(r#"{"message":"Bedrock's own words"}"#);
            let mut response = HttpResponse::new(StatusCode::try_from(status).expect("a status"), body);
            response.headers_mut().insert(ERROR_TYPE, format!("{name}:{address}"));
            if let Some(retry_after) = retry_after {
                response.headers_mut().insert(RETRY_AFTER, retry_after);
            }
            let failure = refused(response).await;
            assert_eq!((failure.error.kind(), failure.retry), (kind, retry), "{status} {name}");
            let said = failure.error.to_string();
            assert!(said.contains(name) && said.contains("own words") && !said.contains(address), "{said}");
        }
    }

    #[tokio::test]
    async fn an_error_without_a_name_or_a_message_is_told_by_its_status() {
        for body in ["", "<html>", r#"{"message":1}"#, "[]"] {
            let response = HttpResponse::new(StatusCode::try_from(503).expect("a status"), SdkBody::from(body));
            assert_eq!(refused(response).await.error.kind(), ModelErrorKind::Unavailable, "{body}");
        }
    }
}

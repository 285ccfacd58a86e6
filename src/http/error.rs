//! The one table from errors to HTTP: code, status, words, and whether to try again.

use http::StatusCode;

use crate::chat::ChatError;

/// Why a request is not answered with a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpError {
    /// It broke a rule, or had no right; nothing was spent.
    Refused(Refusal),
    /// It was taken, and failed.
    Failed(ChatError),
}

/// A rule that a request broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The body is not JSON.
    InvalidJson {
        /// What is wrong and where.
        detail: String,
    },
    /// A field breaks a rule.
    InvalidRequest {
        /// A JSON pointer (RFC 6901) to the field, where one is at fault.
        pointer: Option<String>,
        /// The rule.
        detail: String,
    },
    /// No key, or none of ours.
    Unauthorized,
    /// Another site's page made the browser ask.
    CrossSite,
    /// An `EventSource` came back for a reply that it already had.
    AlreadyAnswered,
    /// No such path.
    NotFound,
    /// No such method on this path.
    MethodNotAllowed {
        /// The methods there are.
        allow: &'static str,
    },
    /// The body is larger than the limit.
    PayloadTooLarge,
    /// The body is not declared as JSON.
    UnsupportedMediaType,
}

/// How an error is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Telling {
    /// The stable name that programs match.
    pub(super) code: &'static str,
    /// The status before the stream starts.
    pub(super) status: StatusCode,
    /// For a person.
    pub(super) message: &'static str,
    /// Whether the same request may succeed later.
    pub(super) retryable: bool,
    /// Seconds to wait before that, where it applies.
    pub(super) retry_after: Option<u32>,
}

impl From<Refusal> for HttpError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl HttpError {
    /// The stable name that programs match.
    pub fn code(&self) -> &'static str {
        self.telling().code
    }

    pub(super) fn telling(&self) -> Telling {
        match self {
            Self::Refused(refusal) => refusal.telling(),
            Self::Failed(error) => telling(*error),
        }
    }

    /// What is wrong with this very request.
    pub(super) fn detail(&self) -> &str {
        match self {
            Self::Refused(Refusal::InvalidJson { detail } | Refusal::InvalidRequest { detail, .. }) => detail,
            _ => self.telling().message,
        }
    }
}

impl Refusal {
    fn telling(&self) -> Telling {
        let (code, status, message) = match self {
            Self::InvalidJson { .. } => ("invalid_json", StatusCode::BAD_REQUEST, "The body is not valid JSON."),
            Self::InvalidRequest { .. } => ("invalid_request", StatusCode::BAD_REQUEST, "A field breaks a rule."),
            Self::Unauthorized => (
                "unauthorized",
                StatusCode::UNAUTHORIZED,
                "This needs an API key, as \"authorization: Bearer KEY\" or \"x-api-key: KEY\".",
            ),
            Self::CrossSite => {
                ("cross_site", StatusCode::FORBIDDEN, "A page of another site may not ask in a reader's name.")
            }
            Self::AlreadyAnswered => (
                "already_answered",
                StatusCode::CONFLICT,
                "This reply was sent before; asking again would be a new request, without last-event-id.",
            ),
            Self::NotFound => ("not_found", StatusCode::NOT_FOUND, "There is nothing at this path."),
            Self::MethodNotAllowed { .. } => {
                ("method_not_allowed", StatusCode::METHOD_NOT_ALLOWED, "This path does not take this method.")
            }
            Self::PayloadTooLarge => {
                ("payload_too_large", StatusCode::PAYLOAD_TOO_LARGE, "The body is larger than 64 KiB.")
            }
            Self::UnsupportedMediaType => (
                "unsupported_media_type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body must be declared as \"content-type: application/json\".",
            ),
        };
        Telling { code, status, message, retryable: false, retry_after: None }
    }
}

/// How a failed turn is told, as a problem before the stream and as an `error` event within it.
/// `stream_interrupted`, `stream_stalled` and `deadline_exceeded` never come before the stream; their status only
/// completes the table.
pub(super) fn telling(error: ChatError) -> Telling {
    let told = |code, status, message| Telling { code, status, message, retryable: false, retry_after: None };
    let retryable = |code, status, message| Telling { retryable: true, ..told(code, status, message) };
    match error {
        ChatError::Throttled => Telling {
            retry_after: Some(2),
            ..retryable(
                "throttled",
                StatusCode::TOO_MANY_REQUESTS,
                "The model is busy with other people right now. Try again in a moment.",
            )
        },
        ChatError::ModelAccessDenied => told(
            "model_access_denied",
            StatusCode::BAD_GATEWAY,
            "This service is not allowed to use its model. That is for its operator to mend.",
        ),
        ChatError::ModelNotFound => told(
            "model_not_found",
            StatusCode::BAD_GATEWAY,
            "This service's model does not exist. That is for its operator to mend.",
        ),
        ChatError::ModelRejected => told(
            "model_rejected",
            StatusCode::BAD_GATEWAY,
            "The model did not accept this service's request. That is for its operator to mend.",
        ),
        ChatError::ModelUnavailable => Telling {
            retry_after: Some(5),
            ..retryable(
                "model_unavailable",
                StatusCode::SERVICE_UNAVAILABLE,
                "The model is not available right now. Try again in a few seconds.",
            )
        },
        ChatError::ModelTimeout => retryable(
            "model_timeout",
            StatusCode::GATEWAY_TIMEOUT,
            "The model took too long to answer. Try again, perhaps with a shorter message.",
        ),
        ChatError::StreamInterrupted => retryable(
            "stream_interrupted",
            StatusCode::BAD_GATEWAY,
            "The reply broke off before it was complete. Try again.",
        ),
        ChatError::StreamStalled => {
            retryable("stream_stalled", StatusCode::GATEWAY_TIMEOUT, "The model fell silent. Try again.")
        }
        ChatError::DeadlineExceeded => retryable(
            "deadline_exceeded",
            StatusCode::GATEWAY_TIMEOUT,
            "The reply took longer than this service allows. Try again.",
        ),
        ChatError::Internal => {
            told("internal", StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong here. It has been noted.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_its_code_status_and_advice() {
        let table = ChatError::ALL.map(|error| {
            let telling = telling(error);
            (telling.code, telling.status.as_u16(), telling.retryable, telling.retry_after)
        });
        assert_eq!(
            table,
            [
                ("throttled", 429, true, Some(2)),
                ("model_access_denied", 502, false, None),
                ("model_not_found", 502, false, None),
                ("model_rejected", 502, false, None),
                ("model_unavailable", 503, true, Some(5)),
                ("model_timeout", 504, true, None),
                ("stream_interrupted", 502, true, None),
                ("stream_stalled", 504, true, None),
                ("deadline_exceeded", 504, true, None),
                ("internal", 500, false, None),
            ]
        );
    }

    #[test]
    fn every_refusal_has_its_code_and_status() {
        let invalid = Refusal::InvalidRequest { pointer: None, detail: String::new() };
        let table = [
            (Refusal::InvalidJson { detail: String::new() }, "invalid_json", 400),
            (invalid, "invalid_request", 400),
            (Refusal::Unauthorized, "unauthorized", 401),
            (Refusal::CrossSite, "cross_site", 403),
            (Refusal::AlreadyAnswered, "already_answered", 409),
            (Refusal::NotFound, "not_found", 404),
            (Refusal::MethodNotAllowed { allow: "GET" }, "method_not_allowed", 405),
            (Refusal::PayloadTooLarge, "payload_too_large", 413),
            (Refusal::UnsupportedMediaType, "unsupported_media_type", 415),
        ];
        for (refusal, code, status) in table {
            let telling = HttpError::from(refusal).telling();
            assert_eq!((telling.code, telling.status.as_u16(), telling.retryable), (code, status, false));
        }
    }
}

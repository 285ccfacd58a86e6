//! From the SDK's errors to [`ModelError`], by exception and HTTP status. What fails within the stream is in `event`.

use aws_sdk_bedrockruntime::error::SdkError;
use aws_sdk_bedrockruntime::operation::converse_stream::ConverseStreamError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use crate::model::{ModelError, ModelErrorKind};
use crate::telemetry::with_causes;

/// A failure before the response head, after the SDK's own attempts.
pub(super) fn before_the_stream(error: &SdkError<ConverseStreamError, HttpResponse>) -> ModelError {
    let kind = match error {
        SdkError::ServiceError(service) => match service.err() {
            ConverseStreamError::ThrottlingException(_) => ModelErrorKind::Throttled,
            ConverseStreamError::AccessDeniedException(_) => ModelErrorKind::AccessDenied,
            ConverseStreamError::ResourceNotFoundException(_) => ModelErrorKind::NotFound,
            ConverseStreamError::ValidationException(_) => ModelErrorKind::Rejected,
            ConverseStreamError::ModelTimeoutException(_) => ModelErrorKind::Timeout,
            ConverseStreamError::ModelErrorException(_)
            | ConverseStreamError::ModelNotReadyException(_)
            | ConverseStreamError::ModelStreamErrorException(_)
            | ConverseStreamError::InternalServerException(_)
            | ConverseStreamError::ServiceUnavailableException(_) => ModelErrorKind::Unavailable,
            // Errors that every AWS service may answer with (an expired token, an unknown operation) are not
            // in the operation's model; their status says enough.
            _ => by_status(service.raw().status().as_u16()),
        },
        SdkError::TimeoutError(_) => ModelErrorKind::Timeout,
        SdkError::DispatchFailure(failure) if failure.is_timeout() => ModelErrorKind::Timeout,
        SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => ModelErrorKind::Unavailable,
        _ => ModelErrorKind::Internal,
    };
    ModelError::new(kind, with_causes(error))
}

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

#[cfg(test)]
mod tests {
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
}

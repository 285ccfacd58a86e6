//! Bedrock's HTTP errors: name, status and the shape of the answer. In-stream exceptions are in `fault`.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::Full;

use crate::Refusal;

/// The errors that Bedrock Runtime models for `ConverseStream`, and those of the AWS front end before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// `AccessDeniedException`
    AccessDenied,
    /// `InternalServerException`
    InternalServer,
    /// `ModelErrorException`
    ModelError,
    /// `ModelNotReadyException`
    ModelNotReady,
    /// `ModelTimeoutException`
    ModelTimeout,
    /// `ResourceNotFoundException`
    ResourceNotFound,
    /// `ServiceUnavailableException`
    ServiceUnavailable,
    /// `ThrottlingException`
    Throttling,
    /// `ValidationException`
    Validation,
    /// `ExpiredTokenException`, from the front end.
    ExpiredToken,
    /// `IncompleteSignatureException`, from the front end.
    IncompleteSignature,
    /// `InvalidSignatureException`, from the front end.
    InvalidSignature,
    /// `MissingAuthenticationTokenException`, from the front end.
    MissingAuthenticationToken,
    /// `SerializationException`, from the front end.
    Serialization,
    /// `UnknownOperationException`, from the front end.
    UnknownOperation,
    /// `UnrecognizedClientException`, from the front end.
    UnrecognizedClient,
}

impl ErrorKind {
    /// The exception's name, as in the header `x-amzn-ErrorType`.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// The HTTP status that goes with it.
    pub fn status(self) -> StatusCode {
        self.row().0
    }

    /// A message such as Bedrock sends with it.
    pub fn usual_message(self) -> &'static str {
        self.row().2
    }

    /// Statuses: the `httpError` traits of botocore's `bedrock-runtime` model.
    fn row(self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::AccessDenied => (
                S::FORBIDDEN,
                "AccessDeniedException",
                "You don't have access to the model with the specified model ID.",
            ),
            Self::InternalServer => (
                S::INTERNAL_SERVER_ERROR,
                "InternalServerException",
                "The system encountered an unexpected error during processing. Try your request again.",
            ),
            Self::ModelError => (
                S::FAILED_DEPENDENCY,
                "ModelErrorException",
                "The system encountered an unexpected error while processing the model's output. Try your request again.",
            ),
            Self::ModelNotReady => (
                S::TOO_MANY_REQUESTS,
                "ModelNotReadyException",
                "The model is not ready for inference. Try your request again.",
            ),
            Self::ModelTimeout => (
                S::REQUEST_TIMEOUT,
                "ModelTimeoutException",
                "Model has timed out in processing the request. Try your request again.",
            ),
            Self::ResourceNotFound => (
                S::NOT_FOUND,
                "ResourceNotFoundException",
                "Could not resolve the foundation model from the provided model identifier.",
            ),
            Self::ServiceUnavailable => {
                (S::SERVICE_UNAVAILABLE, "ServiceUnavailableException", "Bedrock is unable to process your request.")
            }
            Self::Throttling => {
                (S::TOO_MANY_REQUESTS, "ThrottlingException", "Too many requests, please wait before trying again.")
            }
            Self::Validation => (S::BAD_REQUEST, "ValidationException", "The provided request is not valid"),
            Self::ExpiredToken => {
                (S::FORBIDDEN, "ExpiredTokenException", "The security token included in the request is expired")
            }
            Self::IncompleteSignature => {
                (S::FORBIDDEN, "IncompleteSignatureException", "Authorization header is malformed.")
            }
            Self::InvalidSignature => (
                S::FORBIDDEN,
                "InvalidSignatureException",
                "The request signature we calculated does not match the signature you provided.",
            ),
            Self::MissingAuthenticationToken => {
                (S::FORBIDDEN, "MissingAuthenticationTokenException", "Missing Authentication Token")
            }
            Self::Serialization => (S::BAD_REQUEST, "SerializationException", "The request body could not be parsed."),
            Self::UnknownOperation => (S::NOT_FOUND, "UnknownOperationException", "Unknown operation"),
            Self::UnrecognizedClient => {
                (S::FORBIDDEN, "UnrecognizedClientException", "The security token included in the request is invalid.")
            }
        }
    }
}

/// An error answer in place of a reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", kind.name())]
pub struct ServiceError {
    kind: ErrorKind,
    message: String,
}

impl ServiceError {
    /// An error with a message of its own.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// Which of Bedrock's errors it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Validation, message)
    }

    pub(crate) fn into_response(self) -> Response<Full<Bytes>> {
        let body = serde_json::json!({ "message": self.message }).to_string();
        let mut response = Response::new(Full::new(Bytes::from(body)));
        *response.status_mut() = self.kind.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        // The SDKs cut the name at the colon; Bedrock does send the rest.
        let error_type = format!("{}:http://internal.amazon.com/coral/com.amazon.bedrock/", self.kind.name());
        if let Ok(error_type) = HeaderValue::try_from(error_type) {
            headers.insert("x-amzn-errortype", error_type);
        }
        response
    }
}

impl From<ErrorKind> for ServiceError {
    fn from(kind: ErrorKind) -> Self {
        Self::new(kind, kind.usual_message())
    }
}

impl From<Refusal> for ServiceError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Throttled => ErrorKind::Throttling.into(),
            Refusal::Unsuitable(message) => Self::validation(message),
            Refusal::Failed(message) => Self::new(ErrorKind::ModelError, message),
        }
    }
}

//! The exceptions that a stream can carry. Those that come as an HTTP error are in `error`.

use crate::ErrorKind;

/// The exceptions that can come as an event (`:exception-type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamException {
    /// `internalServerException`
    InternalServer,
    /// `modelStreamErrorException`
    ModelStreamError,
    /// `validationException`
    Validation,
    /// `throttlingException`
    Throttling,
    /// `serviceUnavailableException`
    ServiceUnavailable,
}

impl StreamException {
    /// Every one of them.
    pub const ALL: [Self; 5] =
        [Self::InternalServer, Self::ModelStreamError, Self::Validation, Self::Throttling, Self::ServiceUnavailable];

    /// The name on the wire, as in `:exception-type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::InternalServer => "internalServerException",
            Self::ModelStreamError => "modelStreamErrorException",
            Self::Validation => "validationException",
            Self::Throttling => "throttlingException",
            Self::ServiceUnavailable => "serviceUnavailableException",
        }
    }

    pub(crate) fn usual_message(self) -> &'static str {
        match self {
            Self::InternalServer => ErrorKind::InternalServer.usual_message(),
            Self::ModelStreamError => ErrorKind::ModelError.usual_message(),
            Self::Validation => ErrorKind::Validation.usual_message(),
            Self::Throttling => ErrorKind::Throttling.usual_message(),
            Self::ServiceUnavailable => ErrorKind::ServiceUnavailable.usual_message(),
        }
    }
}

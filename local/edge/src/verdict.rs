//! What comes of running a CloudFront function.

use http::request::Parts;
use http::{HeaderMap, HeaderName, StatusCode};

/// What a function made of a request.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It goes on, as the head now says.
    Forward(Box<Parts>),
    /// It is answered here.
    Respond { status: StatusCode, headers: HeaderMap, body: String },
}

/// Why a function made nothing of a request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    #[error("the function failed: {0}")]
    Threw(String),
    #[error("the function gave back no request and no response: {0}")]
    Shape(String),
    #[error("the function adds or changes {0}, which it may not")]
    Header(HeaderName),
    #[error("the function did not end")]
    Lost,
}

impl Failed {
    /// What CloudFront answers with. Source: "Restrictions on all edge functions" in its developer guide for the headers.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Header(_) => StatusCode::BAD_GATEWAY,
            Self::Threw(_) | Self::Shape(_) | Self::Lost => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

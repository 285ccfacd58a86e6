//! What the control port says: its state as JSON, or what is wrong with a request.

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{ALLOW, CONTENT_TYPE},
};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::{FaultGroup, Faults, Network, NetworkFaultEntry};

/// Why a request changes nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("There is /faults, /faults/once and /network.")]
    Path,
    #[error("This path takes {0}.")]
    Method(&'static str),
    #[error("The body is longer than {0} bytes.")]
    TooLarge(usize),
    #[error("{0}")]
    Body(String),
}

impl Refused {
    pub(super) fn into_response(self) -> Response<Full<Bytes>> {
        let status = match self {
            Self::Path => StatusCode::NOT_FOUND,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Body(_) => StatusCode::BAD_REQUEST,
        };
        let mut response = json(status, &json!({ "message": self.to_string() }));
        if let Self::Method(allowed) = self {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
        }
        response
    }
}

pub(super) fn json(status: StatusCode, value: &Value) -> Response<Full<Bytes>> {
    // Indented and with a last line feed: mostly it is a person with curl who reads it.
    let mut response = Response::new(Full::new(Bytes::from(format!("{value:#}\n"))));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

pub(super) fn faults(faults: &Faults) -> Value {
    let (standing, once) = faults.current();
    let names: Vec<_> = once.iter().map(ToString::to_string).collect();
    let entries = FaultGroup::ALL.iter().flat_map(|group| group.entries().iter().map(move |entry| (group, entry)));
    let available: Vec<_> = entries
        .map(|(group, entry)| {
            let name = format!("{}{}", entry.name(), entry.parameters());
            json!({ "fault": name, "group": group.title(), "about": entry.about() })
        })
        .collect();
    json!({ "standing": standing.map(|fault| fault.to_string()), "once": names, "available": available })
}

pub(super) fn network(network: &Network) -> Value {
    let faults: Vec<_> = network.current().iter().map(ToString::to_string).collect();
    let available: Vec<_> =
        NetworkFaultEntry::ALL.iter().map(|entry| json!({ "fault": entry.form(), "about": entry.about() })).collect();
    json!({ "faults": faults, "available": available })
}

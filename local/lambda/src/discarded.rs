//! The rest of a body that is too large.

use http_body_util::BodyExt;
use hyper::body::Incoming;

/// Reads the rest and drops it. Whoever is answered while they still write gets a reset for an answer: the kernel
/// sends one when a connection with unread bytes is closed.
pub(crate) async fn discard(body: &mut Incoming) {
    while let Some(Ok(_)) = body.frame().await {}
}

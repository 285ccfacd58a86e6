//! What is promised of any event.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a broken promise is a panic")]

use super::event::FunctionUrlEvent;

/// An event is a request, or a short error: one that quoted the event would grow with it.
pub fn function_url_event(event: &[u8]) {
    let request = FunctionUrlEvent::parse(event).and_then(|event| {
        let _ = event.received_at();
        event.into_request()
    });
    match request {
        Ok(request) => {
            let uri = request.uri();
            // `*` is what OPTIONS may ask for in place of a path.
            let is_path = uri.path().starts_with('/') || uri.path() == "*";
            assert!(uri.authority().is_none() && is_path, "no path: {uri}");
        }
        Err(error) => assert!(error.to_string().len() < 300, "a long error: {error}"),
    }
}

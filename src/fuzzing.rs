//! What the parsers promise of any bytes at all. These are the bodies of the fuzz targets under `fuzz/`, and a test
//! replays the corpora saved there. Compiled for tests and for `cargo fuzz` only.

pub use crate::http::fuzzing::{chat_query, chat_request};
pub use crate::lambda::fuzzing::function_url_event;
pub use crate::model::bedrock::fuzzing::converse_stream;

#[cfg(test)]
#[path = "../fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    use super::replay::replay;

    #[test]
    fn every_saved_request_body_is_taken_or_refused_as_promised() {
        replay("chat_request", super::chat_request);
    }

    #[test]
    fn every_saved_query_string_is_taken_or_refused_as_promised() {
        replay("chat_query", super::chat_query);
    }

    #[test]
    fn every_saved_event_is_a_request_or_an_error_as_promised() {
        replay("function_url_event", super::function_url_event);
    }

    #[test]
    fn every_saved_reply_is_read_or_refused_as_promised() {
        replay("converse_stream", super::converse_stream);
    }
}

//! What the parsers promise of any bytes at all. These are the bodies of the fuzz targets under `fuzz/`, and a test
//! replays the corpora saved there. Compiled for tests and for `cargo fuzz` only.

pub use crate::http::fuzzing::{chat_query, chat_request};
pub use crate::lambda::fuzzing::function_url_event;

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Every file of a target's corpus. The last one printed is the one that failed.
    fn replay(target: &str, promise: fn(&[u8])) {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
        let inputs: Vec<_> =
            std::fs::read_dir(corpus).expect("a corpus").map(|entry| entry.expect("a file").path()).collect();
        assert!(!inputs.is_empty(), "an empty corpus");
        for input in inputs {
            println!("{}", input.display());
            promise(&std::fs::read(input).expect("a file"));
        }
    }

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
}

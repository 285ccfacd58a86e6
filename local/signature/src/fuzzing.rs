//! What the reader of a signature promises. The body of a fuzz target under `fuzz/`, and a test that replays the corpus
//! saved there. Compiled for tests and for `cargo fuzz` only.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a broken promise is a panic")]

use std::time::SystemTime;

use crate::{Credentials, Verifier};

/// A request whose headers and query anybody may have written is refused: nobody guesses a signature. Lines are
/// headers, the first line is the path and query.
pub fn signature(input: &[u8]) {
    let mut lines = input.split(|byte| *byte == b'\n');
    let mut request = http::Request::post("/");
    if let Some(target) = lines.next().and_then(|line| http::Uri::try_from(line).ok()) {
        request = request.uri(target);
    }
    for line in lines {
        let (name, value) = line.split_at(line.iter().position(|byte| *byte == b':').unwrap_or(line.len()));
        request = match (
            http::HeaderName::from_bytes(name),
            http::HeaderValue::from_bytes(value.get(1..).unwrap_or_default()),
        ) {
            (Ok(name), Ok(value)) => request.header(name, value),
            _ => request,
        };
    }
    let (head, ()) = request.body(()).expect("a request").into_parts();
    let verifier = Verifier::new("bedrock", [Credentials::new("AKID", "a secret", None, None, "fuzzing")]);
    let verified = verifier.verify(&head, b"", Some("us-east-1"), SystemTime::UNIX_EPOCH);
    assert!(verified.is_err(), "a forged signature");
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    use super::replay::replay;

    #[test]
    fn every_saved_forgery_is_refused() {
        replay("signature", super::signature);
    }
}

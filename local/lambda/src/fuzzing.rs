//! What the reader of a response's prelude promises. The body of a fuzz target under `fuzz/`, and a test that replays
//! the corpus saved there. Compiled for tests and for `cargo fuzz` only.

pub use crate::function_url::fuzzing::prelude;

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    use super::replay::replay;

    #[test]
    fn every_saved_response_reads_the_same_in_any_division() {
        replay("lambda_prelude", super::prelude);
    }
}

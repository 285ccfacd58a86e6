//! What the reader of a response's prelude promises. The body of a fuzz target under `fuzz/`, and a test that replays
//! the corpus saved there. Compiled for tests and for `cargo fuzz` only.

pub use crate::function_url::fuzzing::prelude;

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Every file of a target's corpus. The last one printed is the one that failed.
    fn replay(target: &str, promise: fn(&[u8])) {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
        let inputs: Vec<_> =
            std::fs::read_dir(corpus).expect("a corpus").map(|entry| entry.expect("a file").path()).collect();
        assert!(!inputs.is_empty(), "an empty corpus");
        for input in inputs {
            println!("{}", input.display());
            promise(&std::fs::read(input).expect("a file"));
        }
    }

    #[test]
    fn every_saved_response_reads_the_same_in_any_division() {
        replay("lambda_prelude", super::prelude);
    }
}

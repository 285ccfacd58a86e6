//! Replays a saved corpus in an ordinary test. Compiled into the tests of each crate that has fuzz targets.

use std::path::Path;

/// Every file of a target's corpus. The last one printed is the one that failed.
pub(super) fn replay(target: &str, promise: fn(&[u8])) {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let corpora = above.map(|folder| folder.join("fuzz/corpus")).find(|folder| folder.is_dir());
    let corpus = corpora.expect("the corpora").join(target);
    let inputs: Vec<_> =
        std::fs::read_dir(corpus).expect("a corpus").map(|entry| entry.expect("a file").path()).collect();
    assert!(!inputs.is_empty(), "an empty corpus");
    for input in inputs {
        println!("{}", input.display());
        promise(&std::fs::read(input).expect("a file"));
    }
}

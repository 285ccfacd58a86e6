//! Rules that the code keeps as a whole, where no lint can hold them.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use local_bedrock::{FaultEntry, FaultGroup, NetworkFaultEntry};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries
        .map(|entry| entry.expect("an entry").path())
        .flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] })
        .collect()
}

/// A stand-in, the real model or anything else that found its way into the function would be deployed.
#[test]
fn the_deployed_function_depends_on_the_listed_crates_only() {
    let arguments =
        "tree --locked --offline --package bro-buddy --edges normal,no-proc-macro --prefix none --format {p}";
    let tree = Command::new(env!("CARGO")).args(arguments.split(' ')).current_dir(ROOT).output().expect("cargo");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).expect("UTF-8");
    let names: BTreeSet<_> =
        tree.lines().filter_map(|line| line.split(' ').next()).filter(|name| !name.is_empty()).collect();
    let list = read(&Path::new(ROOT).join("tests/function-dependencies.txt"));
    let listed: BTreeSet<_> = list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let added: Vec<_> = names.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&names).collect();
    assert!(
        added.is_empty() && gone.is_empty(),
        "the function's dependencies have changed: new {added:?}, gone {gone:?}. If it is meant, edit tests/function-dependencies.txt"
    );
    for forbidden in ["local-bedrock", "local-lambda", "local-model", "local-stack", "candle-core", "reqwest"] {
        assert!(!listed.contains(forbidden), "{forbidden} must never be deployed");
    }
}

#[test]
fn only_the_bedrock_adapter_names_the_bedrock_sdk() {
    let src = Path::new(ROOT).join("src");
    for file in files_below(&src) {
        let inside = file.strip_prefix(&src).expect("below src");
        let adapter = inside == Path::new("model/bedrock.rs") || inside.starts_with("model/bedrock");
        let names_it = ["aws_sdk_bedrockruntime", "aws_smithy"].iter().any(|name| read(&file).contains(name));
        assert!(adapter || !names_it, "{} names the SDK", inside.display());
    }
}

/// Compiler flags for one processor in a file that every build reads would reach the function, and kill it on another.
#[test]
fn no_build_flags_reach_the_function_by_a_file() {
    for file in [".cargo/config.toml", ".cargo/config"] {
        let path = Path::new(ROOT).join(file);
        assert!(!path.exists() || !read(&path).contains("rustflags"), "{file} sets rustflags");
    }
}

#[test]
fn nothing_below_local_depends_on_the_function() {
    for crate_name in ["bedrock", "edge", "lambda", "model", "signature", "stack"] {
        let manifest = read(&Path::new(ROOT).join("local").join(crate_name).join("Cargo.toml"));
        assert!(!manifest.contains("bro-buddy"), "local/{crate_name} depends on the function");
    }
}

/// Every test that the fault table names is there, and every fault that the stand-in knows is in the table.
#[test]
fn the_fault_table_is_true() {
    let table = read(&Path::new(ROOT).join("docs/FAULTS.md"));
    let code: Vec<_> = table.split('`').skip(1).step_by(2).collect();
    let mut tests = 0;
    for (file, test) in code.iter().filter_map(|span| span.split_once("::")) {
        let source = read(&Path::new(ROOT).join(file));
        assert!(source.contains(&format!("fn {test}(")), "{file} has no test {test}");
        tests += 1;
    }
    assert!(tests > 0, "the table names no test");

    let faults = FaultGroup::ALL.iter().flat_map(FaultGroup::entries).map(FaultEntry::name);
    let network = NetworkFaultEntry::ALL.iter().map(NetworkFaultEntry::name);
    let named = |name: &str| code.iter().any(|span| span.split([':', '@']).next() == Some(name));
    let missing: Vec<_> = faults.chain(network).filter(|name| !named(name)).collect();
    assert!(missing.is_empty(), "docs/FAULTS.md does not say what becomes of {missing:?}");
}

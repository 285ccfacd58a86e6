//! The README keeps up with the code: its tables list every fault, each with a test that exists.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests and their helpers fail by panicking")]

use std::{fs, path::Path};

use local_bedrock::{FaultGroup, NetworkFaultEntry};

/// The cells of each row whose first cell is code, in order. Headings of groups are rows too.
fn rows() -> Vec<[String; 3]> {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let rows = readme.lines().filter(|line| line.starts_with("| `") || line.starts_with("| **"));
    rows.map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
        cells.try_into().unwrap()
    })
    .collect()
}

#[test]
fn the_readme_lists_every_fault_as_the_code_does() {
    let mut expected = Vec::new();
    for group in FaultGroup::ALL {
        expected.push([format!("**{}**", group.title()), String::new()]);
        for entry in group.entries() {
            expected.push([format!("`{}{}`", entry.name(), entry.parameters()), entry.about().to_owned()]);
        }
    }
    expected
        .extend(NetworkFaultEntry::ALL.iter().map(|entry| [format!("`{}`", entry.form()), entry.about().to_owned()]));
    let listed: Vec<_> = rows().into_iter().map(|[fault, about, _test]| [fault, about]).collect();
    assert_eq!(listed, expected);
}

#[test]
fn every_fault_names_a_test_that_exists() {
    let tests = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")).unwrap();
    let files = tests.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "rs"));
    let sources: String = files.map(|path| fs::read_to_string(path).unwrap()).collect();
    let mut named = String::new();
    for [fault, _about, test] in rows().into_iter().filter(|[fault, ..]| fault.starts_with('`')) {
        if test != "the same" {
            named = test.trim_matches('`').to_owned();
        }
        assert!(sources.contains(&format!("async fn {named}()")), "{fault}: there is no test `{named}`");
    }
}

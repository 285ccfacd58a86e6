//! What the README says about the tests.

use std::fs;
use std::path::Path;

#[test]
fn the_tests_that_the_readme_names_exist() {
    let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(crate_root.join("README.md")).expect("the README");
    let mut named = 0;
    for name in readme.split("[`").skip(1).filter_map(|rest| rest.split("`]").next()) {
        let (file, test) = name.split_once("::").unwrap_or_else(|| panic!("{name} names no file"));
        let path = crate_root.join(format!("tests/edge/{file}.rs"));
        let tests = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(tests.contains(&format!("fn {test}()")), "{name}");
        named += 1;
    }
    assert!(named >= 10, "only {named} names were found");
}

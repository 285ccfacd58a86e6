//! What the README says about the tests.

use std::path::Path;

/// The file of a test that the README names, and how the test begins there.
fn place(file: &str, test: &str) -> (String, String) {
    if file.starts_with("test_") {
        (format!("tests/foreign/{file}.py"), format!("def {test}("))
    } else {
        (format!("tests/lambda/{file}.rs"), format!("fn {test}()"))
    }
}

#[test]
fn the_tests_that_the_readme_names_exist() {
    let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(crate_root.join("README.md")).expect("the README");
    let mut named = 0;
    for code in readme.split('`') {
        let names_a_test = |(_, test): &(&str, &str)| test.contains('_') && !test.contains(['(', ' ']);
        let Some((file, test)) = code.split_once("::").filter(names_a_test) else { continue };
        let (path, beginning) = place(file, test);
        let path = crate_root.join(path);
        let tests = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(tests.contains(&beginning), "{code}");
        named += 1;
    }
    assert!(named > 60, "only {named} names were found");
}

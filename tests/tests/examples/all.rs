//! No example is left out.

/// The tests of the examples.
const TESTS: [&str; 4] = [
    include_str!("clinician_pages.rs"),
    include_str!("clinician_requests.rs"),
    include_str!("services.rs"),
    include_str!("terminal.rs"),
];

/// F-128: every example is run by a test, and is in the book with its command.
#[test]
fn every_example_is_run_and_in_the_book() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/smart-on-fhir/examples");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<String> = entries.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    assert!(names.contains(&"clinician_web".to_owned()), "{names:?}");
    let book = include_str!("../../../docs/src/examples.md");
    for name in names {
        let starts = ["Program::start(", "Program::start_with("].map(|start| format!("{start}\"{name}\""));
        let is_run = TESTS.iter().any(|test| starts.iter().any(|start| test.contains(start)));
        assert!(is_run, "no test runs {name}");
        assert!(book.contains(&format!("`cargo run -p smart-on-fhir --example {name}")), "{name} is not in the book");
    }
}

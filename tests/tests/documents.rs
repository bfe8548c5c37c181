//! The documents say what the code does.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test reports by panicking")]

use smart_core::leniency::Leniency;
use std::path::Path;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
}

/// CX-13, TK-10: each leniency stands in the table, once, in the order of the code, and no other does.
#[test]
fn every_leniency_is_in_the_table() {
    let table = read("docs/leniencies.md");
    let listed: Vec<&str> =
        table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |").map(|(code, _)| code)).collect();
    let known: Vec<&str> = Leniency::ALL.iter().map(|leniency| leniency.code()).collect();
    assert_eq!(listed, known);
}

/// The README's test command is the one that CI calls.
#[test]
fn ci_runs_the_command_of_the_readme() {
    assert!(read("README.md").contains("\ncargo xtask ci\n"));
    assert!(read(".ci/run").contains("cargo xtask ci"));
}

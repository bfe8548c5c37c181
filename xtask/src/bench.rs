//! `cargo xtask bench`: runs the benches, whichever package has them, and shows what they measured in one table.

use crate::bench_report::{BenchReport, Row};
use crate::error::TaskError;
use crate::metadata;
use crate::run::{Show, cargo, run_showing};
use std::path::Path;

/// Makes a bench print each row once more, as [`MARK`] and one JSON object: `smart_tests::side_by_side`.
const ROWS: &str = "SMART_BENCH_ROWS";
const MARK: &str = "row: ";

/// A bench that can be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bench {
    /// What it is called here.
    pub name: String,
    /// What `cargo bench` is told, to run it.
    pub arguments: Vec<String>,
}

/// The benches of workspaces of their own: their peers' dependencies, or one backend alone, could not be had in this one.
const OUTSIDE: [(&str, &str, &str, &[&str]); 4] = [
    ("FHIR reads", "tests/fhir-benches", "reads", &[]),
    ("scopes", "tests/token-benches", "scopes", &[]),
    ("tokens, josekit", "tests/token-benches", "tokens", &[]),
    ("tokens, ring", "tests/token-benches", "tokens", &["--no-default-features", "--features", "ring"]),
];

/// All benches.
///
/// # Errors
/// When the workspace cannot be read.
pub fn benches(root: &Path) -> Result<Vec<Bench>, TaskError> {
    let own = metadata::read(root)?.benches.into_iter().map(|(package, target)| Bench {
        arguments: ["-p", &package, "--bench", &target].map(str::to_owned).to_vec(),
        name: target,
    });
    let outside = OUTSIDE.into_iter().map(|(name, dir, target, features)| {
        let manifest = format!("{dir}/Cargo.toml");
        let place = ["--locked", "--manifest-path", &manifest, "--bench", target];
        let arguments = place.into_iter().chain(features.iter().copied());
        Bench { name: name.to_owned(), arguments: arguments.map(str::to_owned).collect() }
    });
    Ok(own.chain(outside).collect())
}

/// Runs each bench, those alone whose name contains `filter` where it is given, and goes on after a failure.
///
/// # Errors
/// When there is no such bench, or the workspace cannot be read.
pub fn bench(root: &Path, filter: Option<&str>, show: Show) -> Result<BenchReport, TaskError> {
    let mut benches = benches(root)?;
    benches.retain(|bench| filter.is_none_or(|filter| bench.name.contains(filter)));
    if benches.is_empty() {
        return Err(TaskError::Invalid("there is no such bench".to_owned()));
    }
    let mut report = BenchReport::default();
    for bench in benches {
        let mut command = cargo();
        command.arg("bench").args(&bench.arguments).env(ROWS, "1").current_dir(root);
        let mut rows = Vec::new();
        let is_shown = |line: &str| !line.starts_with(MARK);
        let result = run_showing(command, show, is_shown, |line| {
            rows.extend(line.strip_prefix(MARK).and_then(Row::read));
        });
        report.add(&bench.name, rows, result);
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::root;

    /// Whoever adds a bench outside of the workspace has to name it here.
    #[test]
    fn benches_outside_are_those_of_their_manifests() {
        for dir in OUTSIDE.map(|(_, dir, _, _)| dir) {
            let manifest = std::fs::read_to_string(root().join(dir).join("Cargo.toml")).unwrap();
            let sections = manifest.split("[[bench]]").skip(1);
            for name in sections.map(|section| section.lines().find_map(|line| line.strip_prefix("name = ")).unwrap()) {
                let name = name.trim_matches('"');
                assert!(OUTSIDE.iter().any(|(_, own, target, _)| (*own, *target) == (dir, name)), "{dir}: {name}");
            }
        }
        let all = benches(&root()).unwrap();
        let ring = all.iter().find(|bench| bench.name == "tokens, ring").unwrap();
        assert!(ring.arguments.ends_with(&["--features".to_owned(), "ring".to_owned()]), "{ring:?}");
    }
}

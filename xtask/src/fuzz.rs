//! `cargo xtask fuzz`: runs the fuzz targets in `tests/fuzz`.

use crate::error::TaskError;
use crate::run::{Show, cargo, run, succeeds};
use crate::summary::{Outcome, Step, Summary};
use std::path::Path;
use std::time::Instant;

/// The fuzz targets: the files in `tests/fuzz/fuzz_targets`, sorted.
///
/// # Errors
/// When the directory cannot be read.
pub fn targets(root: &Path) -> Result<Vec<String>, TaskError> {
    let dir = root.join("tests/fuzz/fuzz_targets");
    let mut targets = Vec::new();
    for entry in std::fs::read_dir(&dir).map_err(TaskError::file(&dir))? {
        let path = entry.map_err(TaskError::file(&dir))?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            targets.extend(path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
        }
    }
    targets.sort();
    Ok(targets)
}

/// Runs each target (or `only` one) for `seconds`. A crash fails its step and leaves the input in
/// `tests/fuzz/artifacts`.
///
/// # Errors
/// When cargo-fuzz is not here, or there is no such target.
pub fn fuzz(root: &Path, seconds: u32, only: Option<&str>, show: Show) -> Result<Summary, TaskError> {
    if !succeeds("cargo", &["fuzz", "--version"]) {
        return Err(TaskError::Invalid("cargo-fuzz is not here: cargo install cargo-fuzz --locked".to_owned()));
    }
    let mut targets = targets(root)?;
    targets.retain(|target| only.is_none_or(|only| only == target));
    if targets.is_empty() {
        return Err(TaskError::Invalid("there is no such fuzz target in tests/fuzz/fuzz_targets".to_owned()));
    }
    let mut summary = Summary::default();
    for target in targets {
        let start = Instant::now();
        let (mut command, mut runs) = (cargo(), String::new());
        // The sanitizer flags are unstable; the toolchain is the stable one that the workspace names.
        command.env("RUSTC_BOOTSTRAP", "1").current_dir(root);
        command.args(["fuzz", "run", "--fuzz-dir", "tests/fuzz", &target, "--"]);
        command.args([&format!("-max_total_time={seconds}"), "-timeout=10", "-rss_limit_mb=2048", "-verbosity=1"]);
        let result = run(command, show, |line| {
            if let Some(rest) = line.strip_prefix("Done ") {
                rest.clone_into(&mut runs);
            }
        });
        let mut outcome = Outcome::of(result);
        if outcome.remark.is_empty() {
            outcome.remark = runs;
        }
        summary.steps.push(Step { name: target, outcome, took: start.elapsed() });
    }
    Ok(summary)
}

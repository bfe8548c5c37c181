//! `cargo xtask fuzz`: runs the fuzz targets in `tests/fuzz`.

use crate::error::TaskError;
use crate::run::{Show, cargo, run_showing, succeeds};
use crate::summary::{Outcome, Step, Summary, Verdict};
use crate::test_counts::TestCounts;
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
        let (corpus, seeds) = (format!("tests/fuzz/corpus/{target}"), format!("tests/fuzz/seeds/{target}"));
        let corpus_dir = root.join(&corpus);
        std::fs::create_dir_all(&corpus_dir).map_err(TaskError::file(&corpus_dir))?;
        command.args(["fuzz", "run", "--fuzz-dir", "tests/fuzz", &target, &corpus, &seeds, "--"]);
        command.args([
            &format!("-max_total_time={seconds}"),
            "-timeout=10",
            "-rss_limit_mb=2048",
            "-print_final_stats=1",
        ]);
        let dictionary = root.join(format!("tests/fuzz/dictionaries/{target}.dict"));
        if dictionary.is_file() {
            command.arg(format!("-dict={}", dictionary.display()));
        }
        let result = run_showing(command, show, is_worth_showing, |line| {
            if let Some(rest) = line.strip_prefix("Done ") {
                rest.clone_into(&mut runs);
            }
        });
        let mut outcome = Outcome::of(result);
        if outcome.remark.is_empty() {
            outcome.remark = runs;
        }
        // Each target counts as a test, so that the last line says how many held.
        let is_ok = outcome.verdict == Verdict::Passed;
        outcome.tests = TestCounts { passed: u64::from(is_ok), failed: u64::from(!is_ok), skipped: 0 };
        summary.steps.push(Step { name: target, outcome, took: start.elapsed() });
    }
    Ok(summary)
}

/// A line for each input that is kept, or each function that is reached, would hide all others.
fn is_worth_showing(line: &str) -> bool {
    !line.starts_with('#') && !line.contains("NEW_FUNC[") && !line.contains("\" # Uses: ")
}

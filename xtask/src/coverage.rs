//! `cargo xtask coverage`: which lines the tests reach.

use crate::error::TaskError;
use crate::run::{Show, cargo, run, succeeds};
use crate::workspace;
use std::path::Path;

/// Runs all tests under cargo-llvm-cov and prints a table by file; `html` writes pages to `target/llvm-cov` instead.
///
/// # Errors
/// When cargo-llvm-cov is not here, or a test fails.
pub fn coverage(root: &Path, html: bool, show: Show) -> Result<(), TaskError> {
    if !succeeds("cargo", &["llvm-cov", "--version"]) {
        let how = "cargo install cargo-llvm-cov --locked && rustup component add llvm-tools";
        return Err(TaskError::Invalid(format!("cargo-llvm-cov is not here: {how}")));
    }
    let mut command = cargo();
    command.arg("llvm-cov").args(workspace::ALL).arg(if html { "--html" } else { "--summary-only" }).current_dir(root);
    run(command, show, |_| ())
}

//! `cargo xtask conformance`: the suites of `tests/conformance`.

use crate::error::TaskError;
use crate::run::cargo;
use std::path::Path;

/// Runs the suites with these options; what they print goes where this task prints. `false`: a check failed.
///
/// # Errors
/// [`TaskError::Start`] when cargo cannot be started.
pub fn run(root: &Path, options: &[String]) -> Result<bool, TaskError> {
    let mut command = cargo();
    command.args(["run", "--quiet", "--locked", "-p", "smart-conformance", "--"]).args(options).current_dir(root);
    let status = command.status().map_err(|source| TaskError::Start { program: "cargo run".to_owned(), source })?;
    Ok(status.success())
}

//! `cargo xtask bench`: runs the benches of the workspace, whichever package has them.

use crate::error::TaskError;
use crate::metadata;
use crate::run::{Show, cargo, run};
use std::path::Path;

/// Runs each bench target, those alone whose name contains `filter` where it is given.
///
/// # Errors
/// When there is no such bench, or one fails.
pub fn bench(root: &Path, filter: Option<&str>, show: Show) -> Result<(), TaskError> {
    let mut benches = metadata::read(root)?.benches;
    benches.retain(|(_, name)| filter.is_none_or(|filter| name.contains(filter)));
    if benches.is_empty() {
        return Err(TaskError::Invalid("no package of the workspace has such a bench".to_owned()));
    }
    for (package, name) in benches {
        let mut command = cargo();
        command.args(["bench", "-p", &package, "--bench", &name]).current_dir(root);
        run(command, show, |_| ())?;
    }
    Ok(())
}

//! Environments of Python below `target`, each with one package.

use crate::error::TaskError;
use crate::run::{Show, run};
use std::path::Path;
use std::process::Command;

/// Makes the environment in `folder` and installs `package` in it.
///
/// # Errors
/// When Python cannot make environments, or the package cannot be had.
pub fn environment(folder: &Path, package: &str, show: Show) -> Result<(), TaskError> {
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv"]).arg(folder);
    run(venv, show, |_| ())?;
    install(folder, &[package.as_ref()], show)
}

/// Installs what `arguments` say.
///
/// # Errors
/// When it cannot be had.
pub fn install(folder: &Path, arguments: &[&std::ffi::OsStr], show: Show) -> Result<(), TaskError> {
    let mut pip = Command::new(folder.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(arguments);
    run(pip, show, |_| ())
}

//! The libraries with each of their features alone, with none and with all: `cargo hack`.

use crate::error::TaskError;
use crate::public_api::LIBRARIES;
use crate::run::{Show, run};
use crate::tools::CARGO_HACK;
use std::path::Path;
use std::process::Command;

/// It cannot be built without one of its backends.
const TWO_BACKENDS: &str = "smart-jwt";

/// Checks that every selection compiles.
///
/// # Errors
/// When one does not, or cargo-hack cannot be had.
pub fn check(root: &Path, show: Show) -> Result<(), TaskError> {
    let hack = CARGO_HACK.ensure(root, show)?;
    let start = |selection: &[&str]| {
        let mut command = Command::new(&hack);
        command.args(["hack", "check", "--lib", "--locked", "--keep-going"]).args(selection).current_dir(root);
        command
    };
    let mut others = start(&["--each-feature"]);
    for library in LIBRARIES.iter().filter(|library| **library != TWO_BACKENDS) {
        others.args(["-p", library]);
    }
    run(others, show, |_| ())?;
    run(start(&["--feature-powerset", "--at-least-one-of", "josekit,ring", "-p", TWO_BACKENDS]), show, |_| ())
}

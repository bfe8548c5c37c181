//! The libraries with each of their features alone, with none and with all: `cargo hack`.

use crate::error::TaskError;
use crate::run::{Show, run};
use crate::tools::CARGO_HACK;
use std::path::Path;
use std::process::Command;

/// Those with features of their own. The facade's are those of the layers below.
const WITH_FEATURES: [&str; 3] = ["smart-http", "smart-store", "smart-fhir"];
/// Those that cannot be built without one of the two backends of signatures.
const TWO_BACKENDS: [&str; 2] = ["smart-jwt", "smart-flows"];

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
    for library in WITH_FEATURES {
        others.args(["-p", library]);
    }
    run(others, show, |_| ())?;
    let mut with_ring = start(&["--each-feature", "--features", "ring"]);
    for library in TWO_BACKENDS {
        with_ring.args(["-p", library]);
    }
    run(with_ring, show, |_| ())
}

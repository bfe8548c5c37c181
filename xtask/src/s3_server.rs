//! A server that speaks S3, for the tests of exports to object stores: moto, in a Python environment below `target`.

use crate::python;
use crate::run::{Show, succeeds};
use crate::summary::Outcome;
use crate::workspace;
use std::path::PathBuf;

/// The version is fixed, so that a test does not change from one day to the next.
const PACKAGE: &str = "moto[server]==5.2.5";

/// Where the environment is; the tests of smart-cli look there.
fn folder() -> PathBuf {
    workspace::root().join("target/moto")
}

/// Installs it where it is not there.
pub fn ensure(show: Show) -> Outcome {
    let server = folder().join("bin/moto_server");
    if succeeds(&server.to_string_lossy(), &["--help"]) {
        return Outcome::passed("there");
    }
    match python::environment(&folder(), PACKAGE, show) {
        Ok(()) => Outcome::passed(&format!("installed {PACKAGE}")),
        Err(error) if std::env::var_os("CI").is_some() => Outcome::failed(&format!("{error}; {PACKAGE} is missing")),
        Err(error) => Outcome::skipped(&format!("{error}; the tests with an S3 server are skipped")),
    }
}

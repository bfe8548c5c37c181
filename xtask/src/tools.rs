//! Programs that some tasks need, each in its fixed version below `target/tools`, installed where it is not there.

use crate::error::TaskError;
use crate::run::{Show, cargo, run};
use std::path::{Path, PathBuf};

/// A program from crates.io.
#[derive(Debug, Clone, Copy)]
pub struct Tool {
    /// The package.
    pub package: &'static str,
    /// Its version. It is fixed, so that a check does not change from one day to the next.
    pub version: &'static str,
    /// The program.
    pub program: &'static str,
    /// What `cargo install` is told besides.
    pub options: &'static [&'static str],
}

/// Builds the book. Without its server, search and watching, which the book does not need.
pub const MDBOOK: Tool =
    Tool { package: "mdbook", version: "0.5.4", program: "mdbook", options: &["--no-default-features"] };

/// Checks the combinations of features.
pub const CARGO_HACK: Tool = Tool { package: "cargo-hack", version: "0.6.46", program: "cargo-hack", options: &[] };

impl Tool {
    /// Where the program is; it is installed if it is not there.
    ///
    /// # Errors
    /// When it cannot be installed.
    pub fn ensure(&self, root: &Path, show: Show) -> Result<PathBuf, TaskError> {
        let tools = root.join("target/tools");
        let folder = tools.join(format!("{}-{}", self.package, self.version));
        let program = folder.join("bin").join(self.program);
        if !program.is_file() {
            show.line(&format!("installing {} {}", self.package, self.version));
            let mut install = cargo();
            install.args(["install", self.package, "--locked", "--quiet", "--version", self.version]);
            install.args(self.options).arg("--root").arg(&folder).arg("--target-dir").arg(tools.join("build"));
            run(install, show, |_| ())?;
        }
        Ok(program)
    }
}

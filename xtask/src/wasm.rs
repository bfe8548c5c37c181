//! `cargo xtask wasm`: the WebAssembly of smart-wasm, and the npm package around it.

use crate::error::TaskError;
use crate::run::{Show, run};
use crate::summary::Outcome;
use crate::wasm_toolchain::Toolchain;
use flate2::{Compression, write::GzEncoder};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// How large the module may be that a page downloads, compressed by gzip: 500 kilobytes.
const LARGEST: usize = 500_000;
/// The package's folder within the example's.
const PACKAGE: &str = "smart-on-fhir-web";

/// Where the example lies as a browser loads it, with the package in its folder `smart-on-fhir-web`.
pub fn site(root: &Path) -> PathBuf {
    root.join("target/web")
}

/// Builds all of it into `target/web`, and measures it. Skipped where no compiler for the target can be had.
pub fn build(root: &Path, show: Show) -> Outcome {
    let toolchain = match Toolchain::find(root) {
        Ok(toolchain) => toolchain,
        Err(why) if std::env::var_os("CI").is_some() => return Outcome::failed(&why),
        Err(why) => return Outcome::skipped(&why),
    };
    show.line(&format!("compiling smart-wasm with {toolchain}"));
    match package(root, &toolchain, show) {
        Ok(size) if size.compressed > LARGEST => {
            Outcome::failed(&format!("{size}; at most {LARGEST} octets compressed are allowed"))
        }
        Ok(size) => Outcome::passed(&size.to_string()),
        Err(error) => Outcome::failed(&error.to_string()),
    }
}

fn package(root: &Path, toolchain: &Toolchain, show: Show) -> Result<Size, TaskError> {
    let mut compile = toolchain.cargo(root);
    compile.args(["build", "--locked", "--package", "smart-wasm", "--lib", "--profile", "wasm"]);
    run(compile, show, |_| ())?;
    let module = Toolchain::target_dir(root).join("wasm32-unknown-unknown/wasm/smart_wasm.wasm");

    let (site, source) = (site(root), root.join("crates/smart-wasm"));
    if site.exists() {
        std::fs::remove_dir_all(&site).map_err(TaskError::file(&site))?;
    }
    let package = site.join(PACKAGE);
    copy_folder(&source.join("example"), &site)?;
    copy_folder(&source.join("npm"), &package)?;
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        copy(&root.join(licence), &package.join(licence))?;
    }
    let mut bindgen = crate::run::cargo();
    bindgen.args(["run", "--quiet", "--locked", "--manifest-path", "xtask/bindgen/Cargo.toml"]);
    bindgen.args(["--target-dir", "target/bindgen", "--"]).arg(&module).arg(package.join("wasm")).current_dir(root);
    run(bindgen, show, |_| ())?;
    Size::of(&package.join("wasm/smart_wasm_bg.wasm"))
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), TaskError> {
    std::fs::create_dir_all(to).map_err(TaskError::file(to))?;
    for entry in std::fs::read_dir(from).map_err(TaskError::file(from))? {
        let path = entry.map_err(TaskError::file(from))?.path();
        if let (true, Some(name)) = (path.is_file(), path.file_name()) {
            copy(&path, &to.join(name))?;
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<(), TaskError> {
    std::fs::copy(from, to).map(drop).map_err(TaskError::file(from))
}

/// The size of a module, in octets.
struct Size {
    plain: usize,
    compressed: usize,
}

impl Size {
    fn of(module: &Path) -> Result<Self, TaskError> {
        let octets = std::fs::read(module).map_err(TaskError::file(module))?;
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        let compressed = gzip.write_all(&octets).and_then(|()| gzip.finish()).map_err(TaskError::file(module))?;
        Ok(Self { plain: octets.len(), compressed: compressed.len() })
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the module has {} octets, {} compressed by gzip", self.plain, self.compressed)
    }
}

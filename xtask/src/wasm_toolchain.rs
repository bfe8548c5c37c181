//! A compiler for wasm32-unknown-unknown: rustup's own target, or Debian's.

use crate::run::cargo;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const TARGET: &str = "wasm32-unknown-unknown";
/// Where Debian's packages rustc-web, cargo-web and rust-web-src put things.
const DEBIAN: [&str; 3] = ["/usr/bin/rustc", "/usr/bin/cargo", "/usr/lib/rustlib/src/rust/library/std"];

/// The oldest compiler of the workspace, 1.95: Debian's package rustc, without `-web`, is older.
const OLDEST: u32 = 95;

/// What compiles for the target.
pub(crate) enum Toolchain {
    /// The toolchain of the workspace has the target: `rustup target add wasm32-unknown-unknown`.
    Rustup,
    /// Debian's compiler builds the standard library along; the linker is the one of the workspace's toolchain.
    Debian {
        /// `rust-lld`.
        linker: PathBuf,
    },
}

impl Toolchain {
    /// The one that can be had.
    ///
    /// # Errors
    /// What is missing, and how to get it.
    pub(crate) fn find(root: &Path) -> Result<Self, String> {
        let sysroot = first_line("rustc", &["--print", "sysroot"], root).map(PathBuf::from);
        let sysroot = sysroot.ok_or("the workspace's rustc does not say where it lies")?;
        if first_line("clang", &["--version"], root).is_none() {
            return Err("ring's C code is compiled by clang, which is not here".to_owned());
        }
        if sysroot.join("lib/rustlib").join(TARGET).is_dir() {
            return Ok(Self::Rustup);
        }
        let missing: Vec<&str> = DEBIAN.into_iter().filter(|path| !Path::new(path).exists()).collect();
        if !missing.is_empty() {
            return Err(format!(
                "no compiler for {TARGET}: `rustup target add {TARGET}`, or Debian's rustc-web, cargo-web and rust-web-src ({} missing)",
                missing.join(", ")
            ));
        }
        let version = first_line(DEBIAN[0], &["--version"], root).unwrap_or_default();
        if minor_version(&version).is_none_or(|minor| minor < OLDEST) {
            return Err(format!("{} is `{version}`, and at least 1.{OLDEST} is needed: Debian's rustc-web", DEBIAN[0]));
        }
        let host =
            first_line("rustc", &["--print", "host-tuple"], root).ok_or("the workspace's rustc names no host")?;
        let linker = sysroot.join("lib/rustlib").join(host).join("bin/rust-lld");
        if !linker.is_file() {
            return Err(format!("the linker {} is not here", linker.display()));
        }
        Ok(Self::Debian { linker })
    }

    /// Its cargo, told the target.
    pub(crate) fn cargo(&self, root: &Path) -> Command {
        let mut command = match self {
            Self::Rustup => cargo(),
            Self::Debian { linker } => {
                let mut command = Command::new(DEBIAN[1]);
                // The standard library is built along, which is not stable yet.
                command
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("RUSTC", DEBIAN[0])
                    .env_remove("RUSTUP_TOOLCHAIN")
                    .env_remove("LD_LIBRARY_PATH");
                command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
                command.env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort");
                command.env("CARGO_UNSTABLE_BUILD_STD_FEATURES", "optimize_for_size");
                command
            }
        };
        let mut flags = short_paths(root);
        if let Self::Debian { .. } = self {
            // A panic says what happened and not where: the places alone are some kilobytes.
            flags.push("-Zlocation-detail=none".to_owned());
        }
        command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
        command.current_dir(root).env("CARGO_BUILD_TARGET", TARGET).env("CARGO_TARGET_DIR", Self::target_dir(root));
        command
    }

    /// Where it puts what it compiles: another compiler's work is of no use to the workspace's.
    pub(crate) fn target_dir(root: &Path) -> PathBuf {
        root.join("target/wasm")
    }
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rustup => "the workspace's toolchain, which has the target",
            Self::Debian { .. } => "Debian's compiler, and the standard library with it",
        })
    }
}

/// The second number of a compiler's version, as `--version` tells it.
fn minor_version(line: &str) -> Option<u32> {
    line.strip_prefix("rustc 1.")?.split('.').next()?.parse().ok()
}

/// Flags that keep this machine's folders out of the places that a panic names.
fn short_paths(root: &Path) -> Vec<String> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    let registry = home.map(|home| (home.join("registry/src"), "crates"));
    [registry, Some((root.to_owned(), "smart-on-fhir"))]
        .into_iter()
        .flatten()
        .map(|(folder, name)| format!("--remap-path-prefix={}={name}", folder.display()))
        .collect()
}

/// The first line that a program writes.
fn first_line(program: &str, arguments: &[&str], root: &Path) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root).stdin(Stdio::null());
    let output = command.output().ok().filter(|output| output.status.success())?;
    let line = String::from_utf8(output.stdout).ok()?.lines().next()?.trim().to_owned();
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_apart() {
        for (line, minor) in [
            ("rustc 1.96.0 (ac68faa20 2026-05-25) (built from a source tarball)", Some(96)),
            ("rustc 1.63.0", Some(63)),
            ("rustc 1.100.0-nightly", Some(100)),
            ("cargo 1.96.0", None),
            ("", None),
        ] {
            assert_eq!(minor_version(line), minor, "{line}");
        }
    }

    #[test]
    fn paths_of_this_machine_are_shortened() {
        let flags = short_paths(Path::new("/somewhere/else"));
        assert!(flags.iter().any(|flag| flag == "--remap-path-prefix=/somewhere/else=smart-on-fhir"), "{flags:?}");
        assert!(flags.iter().any(|flag| flag.ends_with("registry/src=crates")), "{flags:?}");
    }
}

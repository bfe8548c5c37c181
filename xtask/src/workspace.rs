//! Where the workspace is and which packages it has, read without cargo.

use crate::error::TaskError;
use std::path::{Path, PathBuf};

/// What selects the whole workspace, with the stores and the models that are off by default.
pub const ALL: [&str; 3] = ["--workspace", "--features", "smart-store/keyring,smart-store/postgres,smart-fhir/models"];

/// The workspace's root directory.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// A package of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its directory.
    pub dir: PathBuf,
    /// The binaries that its manifest names: name and path below the directory.
    pub bins: Vec<(String, PathBuf)>,
}

/// All packages of the workspace at `root`: `crates/*`, `tests`, `tests/conformance` and `xtask`, sorted by directory.
///
/// # Errors
/// When a directory or manifest cannot be read, or a manifest has no name.
pub fn packages(root: &Path) -> Result<Vec<Package>, TaskError> {
    let crates = root.join("crates");
    let mut dirs = vec![root.join("tests"), root.join("tests/conformance"), root.join("xtask")];
    for entry in std::fs::read_dir(&crates).map_err(TaskError::file(&crates))? {
        dirs.push(entry.map_err(TaskError::file(&crates))?.path());
    }
    dirs.retain(|dir| dir.join("Cargo.toml").is_file());
    dirs.sort();
    dirs.into_iter().map(package).collect()
}

fn package(dir: PathBuf) -> Result<Package, TaskError> {
    let path = dir.join("Cargo.toml");
    let text = std::fs::read_to_string(&path).map_err(TaskError::file(&path))?;
    let (mut section, mut name, mut bins) = (String::new(), None, Vec::new());
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            line.clone_into(&mut section);
            if section == "[[bin]]" {
                bins.push((String::new(), PathBuf::new()));
            }
        } else if let Some((key, value)) = line.split_once('=') {
            let value = value.trim().trim_matches('"');
            match (section.as_str(), key.trim(), bins.last_mut()) {
                ("[package]", "name", _) => name = Some(value.to_owned()),
                ("[[bin]]", "name", Some(bin)) => value.clone_into(&mut bin.0),
                ("[[bin]]", "path", Some(bin)) => bin.1 = PathBuf::from(value),
                _ => {}
            }
        }
    }
    let name = name.ok_or_else(|| TaskError::Invalid(format!("{}: no package name", path.display())))?;
    Ok(Package { name, dir, bins })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_of_this_workspace_are_found() {
        let all = packages(&root()).unwrap();
        let core = all.iter().find(|package| package.name == "smart-core").unwrap();
        assert!(core.dir.ends_with("crates/smart-core"));
        let cli = all.iter().find(|package| package.name == "smart-cli").unwrap();
        assert_eq!(cli.bins, [("smart".to_owned(), PathBuf::from("src/main.rs"))]);
        assert!(all.iter().any(|package| package.name == "xtask"));
    }
}

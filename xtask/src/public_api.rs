//! `cargo xtask api`: the public API of each library, as a list of its items in `docs/api`. A change of the API is a change of these
//! files, which whoever reviews it sees; and no item names a type of a crate that the libraries do not mean to be tied to.

use crate::error::TaskError;
use crate::run::{Show, cargo, run};
use crate::workspace;
use public_api::Builder;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The libraries.
pub const LIBRARIES: [&str; 8] = [
    "smart-core",
    "smart-fhir",
    "smart-flows",
    "smart-http",
    "smart-jwt",
    "smart-on-fhir",
    "smart-sandbox",
    "smart-store",
];

/// Crates that items may name: the language's own, this workspace's, and those of which everybody's code is made. `serde` has its
/// traits in `serde_core`.
const TIED_TO: [&str; 10] =
    ["core", "alloc", "std", "http", "url", "serde", "serde_core", "bytes", "futures_core", "serde_json"];

/// What may be named besides, and where: behind a feature that is for that crate alone.
const BY_FEATURE: [(&str, &str); 2] = [("smart-flows", "axum"), ("smart-fhir", "fhir_model")];

/// Writes the lists anew.
///
/// # Errors
/// When rustdoc fails, or a file cannot be written.
pub fn write(root: &Path, show: Show) -> Result<(), TaskError> {
    let folder = root.join("docs/api");
    std::fs::create_dir_all(&folder).map_err(TaskError::file(&folder))?;
    for (library, list) in lists(root, show)? {
        let path = file(root, library);
        std::fs::write(&path, list).map_err(TaskError::file(&path))?;
    }
    Ok(())
}

/// What is not as the files say, and which items are tied to crates that they should not be.
///
/// # Errors
/// When rustdoc fails, or a file cannot be read.
pub fn problems(root: &Path, show: Show) -> Result<Vec<String>, TaskError> {
    let mut problems = Vec::new();
    for (library, list) in lists(root, show)? {
        let path = file(root, library);
        let known = std::fs::read_to_string(&path).map_err(TaskError::file(&path))?;
        problems.extend(differences(&known, &list).into_iter().map(|line| format!("{library}: {line}")));
        problems.extend(ties(library, &list));
    }
    if !problems.is_empty() {
        problems.push("where the change is meant, write the lists anew: cargo xtask api --write".to_owned());
    }
    Ok(problems)
}

fn file(root: &Path, library: &str) -> PathBuf {
    root.join("docs/api").join(format!("{library}.txt"))
}

/// The items of each library, a line each.
fn lists(root: &Path, show: Show) -> Result<Vec<(&'static str, String)>, TaskError> {
    document(root, show)?;
    let of = |library: &'static str| {
        let json = root.join("target/doc").join(format!("{}.json", library.replace('-', "_")));
        let api = Builder::from_rustdoc_json(&json)
            .omit_blanket_impls(true)
            .omit_auto_trait_impls(true)
            .omit_auto_derived_impls(true)
            .build()
            .map_err(|error| TaskError::Invalid(format!("{}: {error}", json.display())))?;
        let lines: BTreeSet<String> = api.items().map(ToString::to_string).collect();
        Ok((library, lines.into_iter().map(|line| line + "\n").collect()))
    };
    LIBRARIES.into_iter().map(of).collect()
}

/// Makes rustdoc write JSON, which the toolchain of this workspace does only when it is told that it may.
fn document(root: &Path, show: Show) -> Result<(), TaskError> {
    let mut command = cargo();
    command.args(["doc", "--no-deps", "--lib", "--locked"]).args(workspace::ALL).current_dir(root);
    command.env("RUSTDOC", root.join("xtask/rustdoc-unstable"));
    command.env("RUSTDOCFLAGS", "-Z unstable-options --output-format json --cap-lints allow");
    run(command, show, |_| ())
}

/// Lines that were added or are gone.
fn differences(known: &str, list: &str) -> Vec<String> {
    let (known, list): (BTreeSet<&str>, BTreeSet<&str>) = (known.lines().collect(), list.lines().collect());
    let gone = known.difference(&list).map(|line| format!("gone: {line}"));
    let new = list.difference(&known).map(|line| format!("new: {line}"));
    gone.chain(new).collect()
}

/// The items that name another crate than they may.
fn ties(library: &str, list: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for line in list.lines() {
        for name in crates_in(line) {
            let is_ours = name.starts_with("smart_");
            let is_by_feature = BY_FEATURE.contains(&(library, name));
            if !is_ours && !is_by_feature && !TIED_TO.contains(&name) {
                problems.push(format!("{library}: tied to {name}: {line}"));
            }
        }
    }
    problems
}

/// The crates that the paths of a line begin with.
fn crates_in(line: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (at, _) in line.match_indices("::") {
        let before = line.get(..at).unwrap_or_default();
        let start = before.rfind(|c| !is_word(c)).map_or(0, |end| end + 1);
        let name = before.get(start..).unwrap_or_default();
        let is_first = !before.get(..start).unwrap_or_default().ends_with("::");
        if is_first && name.starts_with(|c: char| c.is_lowercase()) {
            found.push(name);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_told() {
        assert_eq!(differences("a\nb\n", "b\nc\n"), ["gone: a", "new: c"]);
        assert!(differences("a\n", "a\n").is_empty());
    }

    #[test]
    fn items_name_no_other_crates() {
        let line = "pub fn smart_http::Client::new(limits: &tokio::time::Sleep, url: url::Url) -> Self::Error";
        assert_eq!(crates_in(line), ["smart_http", "tokio", "url"]);
        assert_eq!(ties("smart-http", line), [format!("smart-http: tied to tokio: {line}")]);
        assert!(ties("smart-flows", "pub fn smart_flows::web::routes() -> axum::Router").is_empty());
        assert_eq!(ties("smart-http", "pub fn smart_http::routes() -> axum::Router").len(), 1);
    }
}

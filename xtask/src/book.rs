//! `cargo xtask docs`: builds the book in `docs`.

use crate::error::TaskError;
use crate::run::{Show, run};
use crate::tools::MDBOOK;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds the book into `docs/book`.
///
/// # Errors
/// When a page is missing, mdbook cannot be installed, or it fails.
pub fn build(root: &Path, show: Show) -> Result<(), TaskError> {
    let problems = problems(root)?;
    if !problems.is_empty() {
        return Err(TaskError::Invalid(problems.join("\n")));
    }
    let mut command = Command::new(MDBOOK.ensure(root, show)?);
    command.args(["build", "docs"]).current_dir(root);
    run(command, show, |_| ())
}

/// Pages that the summary or another page points at and that are not there.
///
/// # Errors
/// When the pages cannot be read.
pub fn problems(root: &Path) -> Result<Vec<String>, TaskError> {
    let src = root.join("docs/src");
    let mut pages = Vec::new();
    collect_pages(&src, &mut pages)?;
    let mut problems = Vec::new();
    for path in pages {
        let text = std::fs::read_to_string(&path).map_err(TaskError::file(&path))?;
        let name = path.strip_prefix(root).unwrap_or(&path).display();
        let folder = path.parent().unwrap_or(&src);
        let targets = pointed_at(&text).into_iter().filter(|target| !folder.join(target).is_file());
        problems.extend(targets.map(|target| format!("{name} points at {target}, which is not there")));
    }
    Ok(problems)
}

/// The pages of a folder and of those in it.
fn collect_pages(folder: &Path, pages: &mut Vec<PathBuf>) -> Result<(), TaskError> {
    for entry in std::fs::read_dir(folder).map_err(TaskError::file(folder))? {
        let path = entry.map_err(TaskError::file(folder))?.path();
        if path.is_dir() {
            collect_pages(&path, pages)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
    Ok(())
}

/// The files that links and includes of a page point at.
fn pointed_at(text: &str) -> Vec<String> {
    let links = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    let includes = text.split("{{#include ").skip(1).filter_map(|rest| rest.split_once("}}")).map(|(target, _)| target);
    links
        .filter(|target| {
            !target.contains("://") && !target.starts_with('#') && !target.is_empty() && !target.starts_with("mailto:")
        })
        .chain(includes)
        .map(|target| target.split('#').next().unwrap_or(target).trim().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_includes_are_seen() {
        let text = "[a](a.md) [b](b.md#part) [c](https://x.example/y.md) [d](#here) {{#include ../e.md}}";
        assert_eq!(pointed_at(text), ["a.md", "b.md", "../e.md"]);
    }
}

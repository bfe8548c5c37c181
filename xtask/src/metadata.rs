//! What `cargo metadata` says of the workspace: its packages, their dependencies and their targets.

use crate::error::TaskError;
use crate::run::cargo;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What a dependency is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DependencyKind {
    /// The code itself.
    Normal,
    /// A build script.
    Build,
    /// Tests, examples and benches.
    Development,
}

/// The workspace as cargo resolves it.
#[derive(Debug, Clone, Default)]
pub struct Metadata {
    /// The arrows between the workspace's own packages: from, to, and what for.
    pub arrows: Vec<(String, String, DependencyKind)>,
    /// For each package of the workspace the names of all packages that its code (not its tests) is built with.
    pub trees: BTreeMap<String, BTreeSet<String>>,
    /// The bench targets: package and name.
    pub benches: Vec<(String, String)>,
}

/// Asks cargo about the workspace at `root`.
///
/// # Errors
/// When cargo cannot be run, or says what this does not understand.
pub fn read(root: &Path) -> Result<Metadata, TaskError> {
    let output = cargo()
        .args(["metadata", "--format-version", "1"])
        .current_dir(root)
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|source| TaskError::Start { program: "cargo metadata".to_owned(), source })?;
    if !output.status.success() {
        return Err(TaskError::Failed { command: "cargo metadata".to_owned() });
    }
    let value: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| TaskError::Invalid(format!("cargo metadata: {error}")))?;
    parse(&value).ok_or_else(|| TaskError::Invalid("cargo metadata has another form than expected".to_owned()))
}

fn parse(value: &Value) -> Option<Metadata> {
    let members: BTreeSet<&str> = strings(value.get("workspace_members")?)?;
    let packages = value.get("packages")?.as_array()?;
    let mut names = BTreeMap::new();
    for package in packages {
        names.insert(package.get("id")?.as_str()?, package.get("name")?.as_str()?);
    }
    let own: BTreeSet<&str> = members.iter().filter_map(|id| names.get(id).copied()).collect();
    let mut metadata = Metadata::default();
    for package in packages.iter().filter(|package| is_in(package, &members)) {
        let name = package.get("name")?.as_str()?;
        for dependency in package.get("dependencies")?.as_array()? {
            let to = dependency.get("name")?.as_str()?;
            if own.contains(to) && dependency.get("path").is_some_and(Value::is_string) {
                metadata.arrows.push((name.to_owned(), to.to_owned(), kind(dependency.get("kind"))?));
            }
        }
        for target in package.get("targets")?.as_array()? {
            if strings(target.get("kind")?)?.contains("bench") {
                metadata.benches.push((name.to_owned(), target.get("name")?.as_str()?.to_owned()));
            }
        }
    }
    let edges = edges(value.get("resolve")?.get("nodes")?)?;
    for id in &members {
        let tree = reachable(id, &edges).into_iter().filter_map(|id| names.get(id).map(|name| (*name).to_owned()));
        metadata.trees.insert((*names.get(id)?).to_owned(), tree.collect());
    }
    Some(metadata)
}

fn is_in(package: &Value, members: &BTreeSet<&str>) -> bool {
    package.get("id").and_then(Value::as_str).is_some_and(|id| members.contains(id))
}

fn strings(value: &Value) -> Option<BTreeSet<&str>> {
    value.as_array()?.iter().map(Value::as_str).collect()
}

fn kind(value: Option<&Value>) -> Option<DependencyKind> {
    match value.and_then(Value::as_str) {
        None => Some(DependencyKind::Normal),
        Some("build") => Some(DependencyKind::Build),
        Some("dev") => Some(DependencyKind::Development),
        Some(_) => None,
    }
}

/// For each package id those that its code or build script is built with.
fn edges(nodes: &Value) -> Option<BTreeMap<&str, Vec<&str>>> {
    let mut edges = BTreeMap::new();
    for node in nodes.as_array()? {
        let mut to = Vec::new();
        for dependency in node.get("deps")?.as_array()? {
            let kinds = dependency.get("dep_kinds")?.as_array()?;
            if kinds.iter().any(|one| kind(one.get("kind")) != Some(DependencyKind::Development)) {
                to.push(dependency.get("pkg")?.as_str()?);
            }
        }
        edges.insert(node.get("id")?.as_str()?, to);
    }
    Some(edges)
}

fn reachable<'a>(from: &str, edges: &BTreeMap<&'a str, Vec<&'a str>>) -> BTreeSet<&'a str> {
    let (mut seen, mut open) = (BTreeSet::new(), edges.get(from).cloned().unwrap_or_default());
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            open.extend(edges.get(id).into_iter().flatten());
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn arrows_trees_and_benches_are_read() {
        let value = json!({
            "workspace_members": ["a 1", "b 1"],
            "packages": [
                {"id": "a 1", "name": "a", "dependencies": [
                    {"name": "b", "path": "/b", "kind": null}, {"name": "c", "kind": null}, {"name": "b", "path": "/b", "kind": "dev"}
                ], "targets": [{"kind": ["bench"], "name": "speed"}, {"kind": ["lib"], "name": "a"}]},
                {"id": "b 1", "name": "b", "dependencies": [], "targets": []},
                {"id": "c 1", "name": "c", "dependencies": [], "targets": []},
                {"id": "d 1", "name": "d", "dependencies": [], "targets": []}
            ],
            "resolve": {"nodes": [
                {"id": "a 1", "deps": [
                    {"pkg": "b 1", "dep_kinds": [{"kind": null}]}, {"pkg": "d 1", "dep_kinds": [{"kind": "dev"}]}
                ]},
                {"id": "b 1", "deps": [{"pkg": "c 1", "dep_kinds": [{"kind": "build"}]}]},
                {"id": "c 1", "deps": []}, {"id": "d 1", "deps": []}
            ]}
        });
        let metadata = parse(&value).unwrap();
        let arrow = |kind| ("a".to_owned(), "b".to_owned(), kind);
        assert_eq!(metadata.arrows, [arrow(DependencyKind::Normal), arrow(DependencyKind::Development)]);
        assert_eq!(metadata.trees.get("a").unwrap(), &BTreeSet::from(["b".to_owned(), "c".to_owned()]));
        assert_eq!(metadata.benches, [("a".to_owned(), "speed".to_owned())]);
        assert!(parse(&json!({})).is_none());
    }
}

//! The workspace has the layers of its design.

use std::collections::{BTreeMap, BTreeSet};
use xtask::layers::problems;
use xtask::metadata::{DependencyKind, Metadata, read};

/// No arrow of the workspace runs upward or sideways; smart-core and smart-jwt do no I/O; smart-fhir knows no flow.
#[test]
fn the_workspace_has_the_layers_of_its_design() {
    let metadata = read(&xtask::workspace::root()).unwrap();
    assert!(metadata.arrows.iter().any(|(from, to, _)| (from.as_str(), to.as_str()) == ("smart-flows", "smart-core")));
    assert!(metadata.trees.get("smart-http").unwrap().contains("hyper"), "the trees are real");
    assert_eq!(problems(&metadata), Vec::<String>::new());
}

/// A workspace in order, to which faults are added.
fn in_order() -> Metadata {
    let trees = ["smart-core", "smart-jwt", "smart-store", "smart-http", "smart-flows", "smart-fhir", "smart-cli"];
    let trees: BTreeMap<String, BTreeSet<String>> =
        trees.into_iter().map(|name| (name.to_owned(), BTreeSet::from(["serde".to_owned()]))).collect();
    Metadata { arrows: Vec::new(), trees, benches: Vec::new() }
}

fn with_arrow(from: &str, to: &str, kind: DependencyKind) -> Vec<String> {
    let mut metadata = in_order();
    metadata.arrows.push((from.to_owned(), to.to_owned(), kind));
    problems(&metadata)
}

fn with_tree(name: &str, dependency: &str) -> Vec<String> {
    let mut metadata = in_order();
    metadata.trees.entry(name.to_owned()).or_default().insert(dependency.to_owned());
    problems(&metadata)
}

#[test]
fn arrows_that_run_upward_or_sideways_are_found() {
    use DependencyKind::{Build, Development, Normal};
    assert_eq!(problems(&in_order()), Vec::<String>::new());
    for (from, to, kind, fault) in [
        ("smart-core", "smart-http", Normal, Some("the dependency of smart-core on smart-http runs upward")),
        ("smart-jwt", "smart-flows", Build, Some("runs upward")),
        (
            "smart-core",
            "smart-sandbox",
            Development,
            Some("the dev-dependency of smart-core on smart-sandbox runs upward"),
        ),
        ("smart-store", "smart-http", Normal, Some("runs sideways")),
        ("smart-fhir", "smart-flows", Normal, Some("runs sideways")),
        ("smart-flows", "smart-sandbox", Normal, Some("runs upward")),
        ("smart-flows", "smart-sandbox", Development, None),
        ("smart-store", "smart-store", Development, None),
        ("smart-store", "smart-store", Normal, Some("runs sideways")),
        ("smart-cli", "smart-core", Normal, None),
    ] {
        let found = with_arrow(from, to, kind);
        match fault {
            Some(fault) => assert!(found.len() == 1 && found.iter().all(|found| found.contains(fault)), "{found:?}"),
            None => assert_eq!(found, Vec::<String>::new(), "{from} {to}"),
        }
    }
}

#[test]
fn io_in_the_core_and_flows_in_the_fhir_client_are_found() {
    for (name, dependency, fault) in [
        ("smart-core", "tokio", "smart-core does no I/O but is built with tokio"),
        ("smart-jwt", "hyper", "smart-jwt does no I/O but is built with hyper"),
        ("smart-fhir", "smart-flows", "smart-fhir is built with smart-flows"),
        ("smart-fhir", "smart-jwt", "smart-fhir is built with smart-jwt"),
        ("smart-fhir", "smart-store", "smart-fhir is built with smart-store"),
        ("smart-new", "serde", "smart-new has no layer"),
    ] {
        let found = with_tree(name, dependency);
        assert!(found.len() == 1 && found.iter().all(|found| found.contains(fault)), "{found:?}");
    }
    assert_eq!(with_tree("smart-http", "tokio"), Vec::<String>::new());
}

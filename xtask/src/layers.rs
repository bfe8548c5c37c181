//! The layers of the workspace: each crate uses only those below it.

use crate::metadata::{DependencyKind, Metadata};

/// The layers, the lowest first.
pub const LAYERS: [&[&str]; 5] = [
    &["smart-core"],
    &["smart-store", "smart-http", "smart-jwt"],
    &["smart-flows", "smart-fhir"],
    &["smart-on-fhir", "smart-sandbox"],
    &["smart-cli", "smart-ffi", "smart-wasm", "xtask", "smart-tests", "smart-conformance"],
];

/// Arrows downward that are forbidden all the same: the FHIR client knows no flow, no key and no store.
const APART: [(&str, &str); 3] =
    [("smart-fhir", "smart-flows"), ("smart-fhir", "smart-jwt"), ("smart-fhir", "smart-store")];

/// Arrows of tests that need not run downward, each with its reason.
const TESTS_MAY: [(&str, &str, &str); 6] = [
    ("smart-tests", "xtask", "the checks of the tables and layers are xtask's"),
    ("smart-conformance", "xtask", "the list of requirements lies below the root that xtask knows"),
    ("smart-on-fhir", "smart-sandbox", "the facade's tests and examples need a server"),
    ("smart-flows", "smart-sandbox", "flows are tested against a strict server"),
    ("smart-fhir", "smart-sandbox", "the FHIR client is tested against a strict server"),
    ("smart-http", "smart-sandbox", "the transport is tested against a real listener"),
];

/// Crates whose code does no I/O: what must not be in what they are built with.
const WITHOUT_IO: [&str; 2] = ["smart-core", "smart-jwt"];
const IO: [&str; 6] = ["tokio", "hyper", "reqwest", "async-std", "mio", "socket2"];

/// Everything that breaks the layers.
pub fn problems(metadata: &Metadata) -> Vec<String> {
    let mut problems = Vec::new();
    for name in metadata.trees.keys().filter(|name| layer(name).is_none()) {
        problems.push(format!("{name} has no layer: give it one in xtask/src/layers.rs"));
    }
    for (from, to, kind) in &metadata.arrows {
        problems.extend(arrow_problem(from, to, *kind));
    }
    for name in WITHOUT_IO {
        match metadata.trees.get(name) {
            None => problems.push(format!("there is no crate {name}")),
            Some(tree) => problems.extend(
                IO.iter()
                    .filter(|io| tree.contains(**io))
                    .map(|io| format!("{name} does no I/O but is built with {io}")),
            ),
        }
    }
    for (from, to) in APART {
        if metadata.trees.get(from).is_some_and(|tree| tree.contains(to)) {
            problems.push(format!("{from} is built with {to}; it must not know it"));
        }
    }
    problems
}

fn arrow_problem(from: &str, to: &str, kind: DependencyKind) -> Option<String> {
    let (Some(above), Some(below)) = (layer(from), layer(to)) else { return None };
    let is_for_tests = kind == DependencyKind::Development;
    let is_allowed = is_for_tests && (from == to || TESTS_MAY.iter().any(|(a, b, _)| (*a, *b) == (from, to)));
    if below < above || is_allowed {
        return None;
    }
    let direction = if below == above { "sideways" } else { "upward" };
    let what = if is_for_tests { "dev-dependency" } else { "dependency" };
    Some(format!("the {what} of {from} on {to} runs {direction}"))
}

/// The layer of a crate, counted from the lowest.
fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&name))
}

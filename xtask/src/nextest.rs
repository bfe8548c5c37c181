//! What the compiled test binaries have, as `cargo nextest list` says.

use crate::error::TaskError;
use crate::run::{cargo, succeeds};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;

/// Whether nextest is here.
pub fn is_here() -> bool {
    succeeds("cargo", &["nextest", "--version"])
}

/// The names (`binary::test`) of all tests that are not ignored. `selection` says of which packages and features.
///
/// # Errors
/// When nextest fails or says what this does not understand.
pub fn list(root: &Path, selection: &[&str]) -> Result<BTreeSet<String>, TaskError> {
    let name = "cargo nextest list";
    let output = cargo()
        .args(["nextest", "list", "--message-format", "json", "--cargo-quiet"])
        .args(selection)
        .current_dir(root)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| TaskError::Start { program: name.to_owned(), source })?;
    if !output.status.success() {
        return Err(TaskError::Failed { command: name.to_owned() });
    }
    let value: Value =
        serde_json::from_slice(&output.stdout).map_err(|error| TaskError::Invalid(format!("{name}: {error}")))?;
    parse(&value).ok_or_else(|| TaskError::Invalid(format!("{name} has another form than expected")))
}

fn parse(value: &Value) -> Option<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for (binary, suite) in value.get("rust-suites")?.as_object()? {
        for (test, about) in suite.get("testcases")?.as_object()? {
            if about.get("ignored").and_then(Value::as_bool) != Some(true) {
                names.insert(format!("{binary}::{test}"));
            }
        }
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_join_binary_and_test() {
        let value = json!({"rust-suites": {
            "smart-core": {"testcases": {"pkce::tests::a": {"ignored": false}, "b": {"ignored": true}}},
            "smart-core::scopes": {"testcases": {"c": {"ignored": false}}}
        }});
        let names: Vec<_> = parse(&value).unwrap().into_iter().collect();
        assert_eq!(names, ["smart-core::pkce::tests::a", "smart-core::scopes::c"]);
        assert!(parse(&json!({})).is_none());
    }
}

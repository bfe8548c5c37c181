//! The suites against `oidc-provider`, a certified OpenID provider that nobody of this project wrote.
//!
//! npm installs it as the lock file has it. Without node the test passes with a remark, except in CI.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test reports by panicking")]

use smart_conformance::report::{line, summary};
use smart_conformance::run::run;
use smart_conformance::suites;
use smart_conformance::target::{OidcProvider, provider_folder};

/// F-131: every check that can be made passes there, those with spoilt answers too; what is left out are the exports, as the
/// provider has no FHIR data.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_check_passes_against_oidc_provider() {
    if std::env::var_os("CI").is_none() && std::process::Command::new("node").arg("--version").output().is_err() {
        eprintln!("skipped: there is no node");
        return;
    }
    let target = OidcProvider::start(&provider_folder()).await.unwrap_or_else(|stop| panic!("{stop:?}"));
    let results = run(&target, &suites::all(), |_| ()).await;
    let told = |word: &str| -> Vec<String> {
        results.checks.iter().filter(|ran| ran.verdict.word() == word).map(line).collect()
    };
    assert!(told("failed").is_empty(), "{}", told("failed").join("\n"));
    let skipped: Vec<_> = results.checks.iter().filter(|ran| ran.verdict.word() == "skipped").collect();
    let no_exports = Some("this server has no data to export");
    let others = skipped.iter().filter(|ran| ran.suite != "bulk" || ran.verdict.reason() != no_exports);
    let others: Vec<String> = others.map(|ran| line(ran)).collect();
    assert!(others.is_empty(), "{}", others.join("\n"));
    assert!(results.count("passed") > 55, "{}", summary(&results));
}

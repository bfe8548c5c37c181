//! The suites against `oidc-provider`, a certified OpenID provider that nobody of this project wrote.
//!
//! npm installs it as the lock file has it. Without node the test passes with a remark, except in CI.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test reports by panicking")]

use smart_conformance::report::{line, summary};
use smart_conformance::run::{Verdict, run};
use smart_conformance::suites;
use smart_conformance::target::{OidcProvider, provider_folder};

/// F-131: every check that can be made passes there; what is left out is only what the provider cannot be told to do.
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
    let cannot = |verdict: &Verdict| verdict.reason() == Some("this server cannot be told to");
    let skipped = results.checks.iter().filter(|ran| ran.verdict.word() == "skipped" && !cannot(&ran.verdict));
    let skipped: Vec<String> = skipped.map(line).collect();
    assert!(skipped.is_empty(), "{}", skipped.join("\n"));
    assert!(results.count("passed") > 40, "{}", summary(&results));
}

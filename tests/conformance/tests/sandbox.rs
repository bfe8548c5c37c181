//! The suites against the embedded sandbox, and their reports.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

use smart_conformance::check::{Check, Stop, Suite, ensure};
use smart_conformance::report::{html, json, junit, line, summary};
use smart_conformance::run::{Results, Verdict, run};
use smart_conformance::suites;
use smart_conformance::target::SandboxTarget;
use std::collections::BTreeSet;

async fn results(suites: &[Suite]) -> Results {
    let target = SandboxTarget::start(None).await.unwrap_or_else(|stop| panic!("{stop:?}"));
    run(&target, suites, |_| ()).await
}

/// F-131: every check passes against the sandbox; none is left out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_check_passes_against_the_sandbox() {
    let results = results(&suites::all()).await;
    let others: Vec<String> = results.checks.iter().filter(|ran| ran.verdict != Verdict::Passed).map(line).collect();
    assert!(others.is_empty(), "{}", others.join("\n"));
    assert!(results.checks.len() > 80, "{}", summary(&results));
}

/// Checks have names of their own, and ids of the list of requirements.
#[test]
fn checks_are_about_requirements() {
    let list = std::fs::read_to_string(xtask::workspace::root().join("tests/data/requirement-ids.txt")).unwrap();
    let known: BTreeSet<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let mut names = BTreeSet::new();
    for suite in suites::all() {
        for check in &suite.checks {
            assert!(names.insert((suite.name, check.name)), "{} is there twice", check.name);
            for id in check.ids {
                assert!(known.contains(id), "{} names {id}", check.name);
            }
        }
    }
}

/// One check of each end.
fn three() -> Vec<Suite> {
    let check = |name, run| Check { name, ids: &["SC-01"], run };
    let checks = vec![
        check("good", |_| Box::pin(async { Ok(()) })),
        check("<b>bad</b>", |_| Box::pin(async { ensure(1 > 2, "one & two") })),
        check("left out", |_| Box::pin(async { Err(Stop::skipped("not \"here\"")) })),
    ];
    vec![Suite { name: "three", about: "Ends of all kinds.", checks }]
}

/// A check that fails is told in each report, with its reason, and makes the run fail.
#[tokio::test]
async fn reports_tell_how_each_check_ended() {
    let results = results(&three()).await;
    assert!(!results.is_good());
    assert_eq!(["passed", "failed", "skipped"].map(|word| results.count(word)), [1, 1, 1]);

    assert!(summary(&results).contains("3 checks against the embedded sandbox"));
    let json = json(&results);
    assert_eq!(json["checks"][1]["reason"], "one & two");
    assert_eq!((json["passed"].as_u64(), json["failed"].as_u64()), (Some(1), Some(1)));

    let xml = junit(&results);
    assert!(xml.contains("tests=\"3\" failures=\"1\" skipped=\"1\""), "{xml}");
    assert!(xml.contains("<failure message=\"one &amp; two\"/>"), "{xml}");
    assert!(xml.contains("<skipped message=\"not &quot;here&quot;\"/>"), "{xml}");

    let page = html(&results);
    assert!(page.contains("&lt;b&gt;bad&lt;/b&gt;") && !page.contains("<b>"), "{page}");
    assert!(page.contains("something failed") && page.contains("one &amp; two"));
}

/// A run of no checks that passed is no good run.
#[tokio::test]
async fn a_run_without_a_pass_is_not_good() {
    let mut suites = three();
    suites[0].checks.remove(1);
    suites[0].checks.remove(0);
    assert!(!results(&suites).await.is_good());
}

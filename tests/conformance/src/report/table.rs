//! The report for a terminal.

use crate::run::{Ran, Results, Verdict};

/// One check, as it ends.
pub fn line(ran: &Ran) -> String {
    let word = match ran.verdict {
        Verdict::Passed => "ok     ",
        Verdict::Failed(_) => "FAILED ",
        Verdict::Skipped(_) => "skipped",
    };
    let reason = ran.verdict.reason().map(|reason| format!("\n         {reason}")).unwrap_or_default();
    format!("{word}  {}: {} [{}]{reason}", ran.suite, ran.name, ran.ids.join(" "))
}

/// The counts, suite by suite.
pub fn summary(results: &Results) -> String {
    let width = results.suites.iter().map(|(name, _)| name.len()).max().unwrap_or(0).max("suite".len());
    let mut lines = vec![format!("{:width$}  passed  failed  skipped", "suite")];
    for (name, _) in &results.suites {
        let count = |word| results.checks.iter().filter(|ran| ran.suite == *name && ran.verdict.word() == word).count();
        lines.push(format!("{name:width$}  {:6}  {:6}  {:7}", count("passed"), count("failed"), count("skipped")));
    }
    lines.push(format!(
        "{} checks against {} ({}): {} passed, {} failed, {} skipped",
        results.checks.len(),
        results.server,
        results.fhir_base,
        results.count("passed"),
        results.count("failed"),
        results.count("skipped"),
    ));
    lines.join("\n")
}

//! The report as JUnit XML, as build servers read it.

use super::markup::escaped;
use crate::run::{Results, Verdict};
use std::fmt::Write as _;

/// One test suite for each suite, one test case for each check.
pub fn junit(results: &Results) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        xml,
        "<testsuites name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\">",
        escaped(&results.server),
        results.checks.len(),
        results.count("failed"),
        results.count("skipped"),
    );
    for (name, _) in &results.suites {
        let checks: Vec<_> = results.checks.iter().filter(|ran| ran.suite == *name).collect();
        let count = |word| checks.iter().filter(|ran| ran.verdict.word() == word).count();
        let _ = writeln!(
            xml,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\" timestamp=\"{}\">",
            escaped(name),
            checks.len(),
            count("failed"),
            count("skipped"),
            escaped(results.began.trim_end_matches('Z')),
        );
        for ran in checks {
            let _ = write!(
                xml,
                "    <testcase classname=\"{}\" name=\"{} [{}]\" time=\"{:.3}\"",
                escaped(ran.suite),
                escaped(ran.name),
                ran.ids.join(" "),
                ran.took.as_secs_f64(),
            );
            let inner = match &ran.verdict {
                Verdict::Passed => "/>\n".to_owned(),
                Verdict::Failed(reason) => format!("><failure message=\"{}\"/></testcase>\n", escaped(reason)),
                Verdict::Skipped(reason) => format!("><skipped message=\"{}\"/></testcase>\n", escaped(reason)),
            };
            xml.push_str(&inner);
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

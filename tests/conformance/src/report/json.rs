//! The report for programs.

use crate::run::Results;
use serde_json::{Value, json};

/// All that came of a run.
pub fn json(results: &Results) -> Value {
    let checks: Vec<Value> = results
        .checks
        .iter()
        .map(|ran| {
            json!({
                "suite": ran.suite,
                "name": ran.name,
                "requirements": ran.ids,
                "result": ran.verdict.word(),
                "reason": ran.verdict.reason(),
                "seconds": ran.took.as_secs_f64(),
            })
        })
        .collect();
    json!({
        "server": results.server,
        "fhirBase": results.fhir_base,
        "began": results.began,
        "passed": results.count("passed"),
        "failed": results.count("failed"),
        "skipped": results.count("skipped"),
        "checks": checks,
    })
}

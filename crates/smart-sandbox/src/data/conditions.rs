//! Condition resources.

use super::calendar::{at, day};
use super::codes::system::{ICD10, SNOMED};
use super::history::{History, Problem};
use super::resource::{fhir_concept, meta, object, reference};
use super::staff::name_of;
use serde_json::{Value, json};

pub(super) fn condition(of: &History, index: usize, problem: &Problem) -> Value {
    let disorder = problem.disorder;
    let (status, status_name) = if problem.abated.is_some() { ("resolved", "Resolved") } else { ("active", "Active") };
    let updated = at(day(problem.abated.unwrap_or(problem.onset)), 17 * 60);
    object([
        ("resourceType", Some("Condition".into())),
        ("id", Some(format!("{}-problem-{:02}", of.id, index + 1).into())),
        ("meta", Some(meta(&updated, Some("us-core-condition-problems-health-concerns")))),
        ("clinicalStatus", Some(fhir_concept("condition-clinical", status, status_name))),
        ("verificationStatus", Some(fhir_concept("condition-ver-status", "confirmed", "Confirmed"))),
        ("category", Some(json!([fhir_concept("condition-category", "problem-list-item", "Problem List Item")]))),
        (
            "code",
            Some(json!({
                "coding": [
                    {"system": SNOMED, "code": disorder.snomed, "display": disorder.name},
                    {"system": ICD10, "code": disorder.icd10, "display": disorder.name},
                ],
                "text": disorder.name,
            })),
        ),
        ("subject", Some(reference("Patient", of.id, None))),
        ("onsetDateTime", Some(problem.onset.into())),
        ("abatementDateTime", problem.abated.map(Value::from)),
        ("recordedDate", Some(problem.onset.into())),
        ("recorder", Some(reference("Practitioner", of.practitioner, Some(&name_of(of.practitioner))))),
    ])
}

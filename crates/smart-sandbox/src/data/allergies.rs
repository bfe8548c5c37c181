//! AllergyIntolerance resources.

use super::codes::Allergy;
use super::codes::system::SNOMED;
use super::history::History;
use super::resource::{concept, fhir_concept, meta, object, reference};
use serde_json::{Value, json};

pub(super) fn allergy_intolerance(of: &History, index: usize, allergy: &Allergy) -> Value {
    let criticality = if allergy.high_risk { "high" } else { "low" };
    object([
        ("resourceType", Some("AllergyIntolerance".into())),
        ("id", Some(format!("{}-allergy-{:02}", of.id, index + 1).into())),
        ("meta", Some(meta(&format!("{}T12:00:00Z", of.visits.first), Some("us-core-allergyintolerance")))),
        ("clinicalStatus", Some(fhir_concept("allergyintolerance-clinical", "active", "Active"))),
        ("verificationStatus", Some(fhir_concept("allergyintolerance-verification", "confirmed", "Confirmed"))),
        ("type", Some("allergy".into())),
        ("category", Some(json!([allergy.category]))),
        ("criticality", Some(criticality.into())),
        ("code", Some(concept(SNOMED, allergy.snomed, allergy.name))),
        ("patient", Some(reference("Patient", of.id, None))),
        ("recordedDate", Some(of.visits.first.into())),
    ])
}

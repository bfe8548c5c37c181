//! Encounter resources.

use super::codes::system::SNOMED;
use super::history::History;
use super::patients::display_name;
use super::resource::{concept, meta, object, reference};
use super::staff::{ORGANIZATION, name_of};
use super::visits::Visit;
use serde_json::{Value, json};

pub(super) fn encounter(of: &History, visit: &Visit) -> Value {
    let (code, display) = of.visits.reason;
    let end = visit.at(25);
    object([
        ("resourceType", Some("Encounter".into())),
        ("id", Some(visit.encounter_id(of).into())),
        ("meta", Some(meta(&visit.at(40), Some("us-core-encounter")))),
        ("status", Some("finished".into())),
        (
            "class",
            Some(
                json!({"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB", "display": "ambulatory"}),
            ),
        ),
        ("type", Some(json!([concept(SNOMED, code, display)]))),
        ("subject", Some(reference("Patient", of.id, Some(&display_name(of))))),
        (
            "participant",
            Some(json!([{"individual": reference("Practitioner", of.practitioner, Some(&name_of(of.practitioner)))}])),
        ),
        ("period", Some(json!({"start": visit.at(0), "end": end}))),
        ("serviceProvider", Some(reference("Organization", ORGANIZATION, None))),
    ])
}

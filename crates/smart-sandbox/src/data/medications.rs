//! MedicationRequest resources.

use super::calendar::{at, day};
use super::codes::system::RXNORM;
use super::history::{History, Prescription};
use super::resource::{concept, fhir_concept, meta, object, reference};
use super::staff::name_of;
use serde_json::{Value, json};

pub(super) fn medication_request(of: &History, index: usize, prescription: &Prescription) -> Value {
    object([
        ("resourceType", Some("MedicationRequest".into())),
        ("id", Some(format!("{}-rx-{:02}", of.id, index + 1).into())),
        ("meta", Some(meta(&at(day(prescription.authored), 16 * 60), Some("us-core-medicationrequest")))),
        ("status", Some(prescription.status.into())),
        ("intent", Some("order".into())),
        ("category", Some(json!([fhir_concept("medicationrequest-category", "community", "Community")]))),
        ("medicationCodeableConcept", Some(concept(RXNORM, prescription.medicine.rxnorm, prescription.medicine.name))),
        ("subject", Some(reference("Patient", of.id, None))),
        ("authoredOn", Some(prescription.authored.into())),
        ("requester", Some(reference("Practitioner", of.practitioner, Some(&name_of(of.practitioner))))),
        ("dosageInstruction", Some(json!([{"sequence": 1, "text": prescription.dosage}]))),
    ])
}

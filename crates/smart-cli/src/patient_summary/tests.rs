//! The summary as a whole.

use super::*;
use crate::table::Characters;
use serde_json::json;

fn patient() -> Value {
    json!({
        "resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1980-06-15",
        "name": [{"use": "official", "given": ["Ada"], "family": "Lee"}],
        "address": [{"use": "home", "line": ["1 Main St"], "city": "Bend"}],
    })
}

fn condition_of(name: &str, clinical: &str, verification: &str) -> Value {
    json!({
        "resourceType": "Condition", "code": {"text": name}, "onsetDateTime": "2019-03-01T00:00:00Z",
        "clinicalStatus": {"coding": [{"code": clinical}]},
        "verificationStatus": {"coding": [{"code": verification}]},
    })
}

fn summary(patient: &Value, conditions: &[Value], medications: &[Value]) -> PatientSummary {
    PatientSummary::new(patient, conditions, medications, &[], "2024-06-15".parse().unwrap())
}

fn lines(summary: &PatientSummary) -> String {
    summary.person_table().lines(Characters::Ascii, 100).join("\n")
}

/// The table has name, birth date with age, sex and address.
#[test]
fn the_person_is_shown() {
    let shown = lines(&summary(&patient(), &[], &[]));
    for part in ["Ada Lee", "1980-06-15 (44 years)", "female", "1 Main St, Bend", "none in the record"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

/// Active conditions come first; a refuted one is never shown as if the patient had it.
#[test]
fn conditions_show_status_and_active_ones_first() {
    let conditions = [
        condition_of("Sprain", "resolved", "confirmed"),
        condition_of("Diabetes", "active", "confirmed"),
        condition_of("Lupus", "inactive", "refuted"),
    ];
    let summary = summary(&patient(), &conditions, &[]);
    let names: Vec<_> = summary.conditions.iter().map(|c| c.text.as_str()).collect();
    assert_eq!(names, ["Diabetes", "Sprain", "Lupus"]);
    assert_eq!(summary.conditions[2].status.as_deref(), Some("inactive, refuted"));
    assert!(lines(&summary).contains("Diabetes (active, since 2019-03-01)"), "{}", lines(&summary));
}

/// What was entered in error is not shown, and it is said that something is not shown.
#[test]
fn mistakes_are_counted_and_not_shown() {
    let summary = summary(&patient(), &[condition_of("Asthma", "active", "entered-in-error")], &[]);
    assert!(summary.conditions.is_empty());
    assert_eq!(summary.left_out, 1);
    assert!(lines(&summary).contains("1 entered in error"));
}

/// Medications show their dosage and status; an order not to give something says so.
#[test]
fn medications_show_dosage_and_prohibitions() {
    let medications = [
        json!({"resourceType": "MedicationRequest", "status": "stopped",
               "medicationReference": {"reference": "Medication/1", "display": "Aspirin 81 mg"}}),
        json!({"resourceType": "MedicationRequest", "status": "active", "authoredOn": "2023-01-02",
               "medicationCodeableConcept": {"text": "Metformin 500 mg"},
               "dosageInstruction": [{"text": "1 tablet twice a day"}]}),
        json!({"resourceType": "MedicationRequest", "status": "active", "doNotPerform": true,
               "medicationCodeableConcept": {"text": "Penicillin"}}),
    ];
    let shown = lines(&summary(&patient(), &[], &medications));
    assert!(shown.contains("Metformin 500 mg: 1 tablet twice a day (active, since 2023-01-02)"), "{shown}");
    assert!(shown.contains("NOT to be given: Penicillin (active)"), "{shown}");
    assert!(shown.find("Metformin") < shown.find("Aspirin"), "{shown}");
}

/// The age of somebody who died stands still, and is not told when the day is not known.
#[test]
fn the_age_stands_still_after_death() {
    let mut died = patient();
    died["deceasedDateTime"] = json!("2000-06-14T08:00:00Z");
    let summary_of_dead = summary(&died, &[], &[]);
    assert_eq!(summary_of_dead.age.as_deref(), Some("19 years"));
    assert_eq!(summary_of_dead.deceased.as_deref(), Some("2000-06-14 08:00"));
    let mut unknown = patient();
    unknown["deceasedBoolean"] = json!(true);
    assert_eq!(summary(&unknown, &[], &[]).age, None);
    unknown["deceasedBoolean"] = json!(false);
    assert_eq!(summary(&unknown, &[], &[]).deceased, None);
}

/// A record that has nothing, or nonsense, gives an empty summary and no panic.
#[test]
fn empty_and_malformed_records_are_survived() {
    for record in [json!({}), json!(null), json!([1]), json!({"name": 1, "birthDate": [], "address": "x"})] {
        let summary = summary(&record, std::slice::from_ref(&record), std::slice::from_ref(&record));
        assert_eq!(summary.name, None);
        assert!(lines(&summary).contains("no name"));
        assert!(summary.vitals_table().is_empty());
    }
}

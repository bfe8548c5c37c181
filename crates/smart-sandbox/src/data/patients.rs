//! Patient resources.

use super::codes::system::MEDICAL_RECORD_NUMBER;
use super::history::{History, Sex};
use super::resource::{concept, meta, object, reference};
use super::staff::{ORGANIZATION, name_of};
use serde_json::{Value, json};

/// `Amara Okafor`.
pub(super) fn display_name(of: &History) -> String {
    format!("{} {}", of.given.first().copied().unwrap_or_default(), of.family)
}

pub(super) fn patient(of: &History) -> Value {
    let (language, language_name) = of.language;
    let updated = of.died.unwrap_or("2025-12-20T08:00:00Z");
    let number: String = of.id.chars().filter(char::is_ascii_digit).collect();
    object([
        ("resourceType", Some("Patient".into())),
        ("id", Some(of.id.into())),
        ("meta", Some(meta(updated, Some("us-core-patient")))),
        (
            "identifier",
            Some(json!([{
                "use": "usual",
                "type": concept("http://terminology.hl7.org/CodeSystem/v2-0203", "MR", "Medical record number"),
                "system": MEDICAL_RECORD_NUMBER,
                "value": format!("MRN-{number}"),
            }])),
        ),
        ("active", Some(of.died.is_none().into())),
        ("name", Some(json!([{"use": "official", "family": of.family, "given": of.given}]))),
        (
            "telecom",
            Some(json!([
                {"system": "phone", "value": format!("555-0{}", number.get(1..).unwrap_or("100")), "use": "home"},
                {"system": "email", "value": format!("mrn-{number}@patients.example"), "use": "home"},
            ])),
        ),
        ("gender", Some(if of.sex == Sex::Female { "female" } else { "male" }.into())),
        ("birthDate", Some(of.born.into())),
        ("deceasedDateTime", of.died.map(Value::from)),
        ("address", Some(json!([{"use": "home", "line": [of.street], "city": of.city, "postalCode": of.postcode}]))),
        (
            "communication",
            Some(json!([{"language": concept("urn:ietf:bcp:47", language, language_name), "preferred": true}])),
        ),
        (
            "generalPractitioner",
            Some(json!([reference("Practitioner", of.practitioner, Some(&name_of(of.practitioner)))])),
        ),
        ("managingOrganization", Some(reference("Organization", ORGANIZATION, None))),
    ])
}

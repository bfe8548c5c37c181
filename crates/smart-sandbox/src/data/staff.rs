//! The hospital and the people who work there.

use super::resource::{meta, reference};
use serde_json::{Value, json};

/// A practitioner: id, family name, given name, gender, national provider identifier (an invented one), SNOMED CT
/// occupation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Practitioner {
    pub(super) id: &'static str,
    pub(super) family: &'static str,
    pub(super) given: &'static str,
    gender: &'static str,
    number: &'static str,
    qualification: (&'static str, &'static str),
}

pub(super) const ORGANIZATION: &str = "o3001";

/// The name of the hospital.
pub(crate) const HOSPITAL: &str = "Saltmere Example Hospital";

/// The hospital's page, which is its identifier too.
pub(crate) const HOSPITAL_IDENTIFIER: &str = "https://hospital.example";

pub(super) const PRACTITIONERS: [Practitioner; 4] = [
    Practitioner {
        id: "pr2001",
        family: "Adeyemi",
        given: "Folake",
        gender: "female",
        number: "9900000017",
        qualification: ("62247001", "General practitioner"),
    },
    Practitioner {
        id: "pr2002",
        family: "Marchetti",
        given: "Luca",
        gender: "male",
        number: "9900000025",
        qualification: ("17561000", "Cardiologist"),
    },
    Practitioner {
        id: "pr2003",
        family: "Whitfield",
        given: "Dana",
        gender: "female",
        number: "9900000033",
        qualification: ("62247001", "General practitioner"),
    },
    Practitioner {
        id: "pr2004",
        family: "Sato",
        given: "Hiroshi",
        gender: "male",
        number: "9900000041",
        qualification: ("82296001", "Pediatrician"),
    },
];

/// `Dr. Folake Adeyemi`.
pub(super) fn practitioner_name(of: &Practitioner) -> String {
    format!("Dr. {} {}", of.given, of.family)
}

/// The name of the practitioner with this id.
pub(super) fn name_of(id: &str) -> String {
    PRACTITIONERS.iter().find(|one| one.id == id).map(practitioner_name).unwrap_or_default()
}

pub(super) fn resources() -> Vec<Value> {
    let mut all = vec![organization()];
    all.extend(PRACTITIONERS.iter().map(practitioner));
    all
}

fn organization() -> Value {
    json!({
        "resourceType": "Organization",
        "id": ORGANIZATION,
        "meta": meta("2020-06-01T09:00:00Z", Some("us-core-organization")),
        "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "9900000009"}],
        "active": true,
        "type": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/organization-type", "code": "prov", "display": "Healthcare Provider"}]}],
        "name": HOSPITAL,
        "telecom": [{"system": "phone", "value": "555-0100", "use": "work"}, {"system": "url", "value": HOSPITAL_IDENTIFIER}],
        "address": [{"line": ["1 Infirmary Hill"], "city": "Saltmere", "postalCode": "00110"}]
    })
}

fn practitioner(of: &Practitioner) -> Value {
    let (code, display) = of.qualification;
    json!({
        "resourceType": "Practitioner",
        "id": of.id,
        "meta": meta("2020-06-01T09:30:00Z", Some("us-core-practitioner")),
        "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": of.number}],
        "active": true,
        "name": [{"use": "official", "family": of.family, "given": [of.given], "prefix": ["Dr."]}],
        "telecom": [{"system": "email", "value": format!("{}.{}@hospital.example", of.given, of.family).to_lowercase(), "use": "work"}],
        "gender": of.gender,
        "qualification": [{
            "code": {"coding": [{"system": super::codes::system::SNOMED, "code": code, "display": display}], "text": display},
            "issuer": reference("Organization", ORGANIZATION, Some(HOSPITAL))
        }]
    })
}

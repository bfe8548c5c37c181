//! What a resource has to be before it is stored. These are the checks of `$validate` too: light ones, without profiles and
//! terminologies.

use super::resource_types::{is_id, is_served};
use super::search::Range;
use serde_json::{Map, Value};

/// Something that is wrong with a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    /// A code of FHIR's issue types.
    pub(super) code: &'static str,
    /// Where, as a simple FHIRPath.
    pub(super) path: String,
    pub(super) text: String,
}

/// What the checks cover, for those who ask.
pub(super) const COVERED: &str = "checked: JSON structure, resource type, ids, no empty values, form of references and dates, \
     the required elements and status codes of common types; not checked: profiles, terminologies, cardinalities, unknown \
     elements";

/// No resource is nested deeper.
const MAX_DEPTH: usize = 64;
/// No more problems are told.
const MAX_PROBLEMS: usize = 50;

/// The elements that a type has to have; of `a|b` one.
const REQUIRED: &[(&str, &[&str])] = &[
    ("AllergyIntolerance", &["patient"]),
    ("Appointment", &["status", "participant"]),
    ("Basic", &["code"]),
    ("Binary", &["contentType"]),
    ("Bundle", &["type"]),
    ("CarePlan", &["status", "intent", "subject"]),
    ("Communication", &["status"]),
    ("Composition", &["status", "type", "date", "author", "title"]),
    ("Condition", &["subject"]),
    ("Coverage", &["status", "beneficiary", "payor"]),
    ("DiagnosticReport", &["status", "code"]),
    ("DocumentReference", &["status", "content"]),
    ("Encounter", &["status", "class"]),
    ("Endpoint", &["status", "connectionType", "payloadType", "address"]),
    ("Goal", &["lifecycleStatus", "description", "subject"]),
    ("Group", &["type", "actual"]),
    ("Immunization", &["status", "vaccineCode", "patient", "occurrenceDateTime|occurrenceString"]),
    ("List", &["status", "mode"]),
    ("MedicationAdministration", &["status", "medicationCodeableConcept|medicationReference", "subject"]),
    ("MedicationDispense", &["status", "medicationCodeableConcept|medicationReference"]),
    ("MedicationRequest", &["status", "intent", "medicationCodeableConcept|medicationReference", "subject"]),
    ("MedicationStatement", &["status", "medicationCodeableConcept|medicationReference", "subject"]),
    ("Observation", &["status", "code"]),
    ("OperationOutcome", &["issue"]),
    ("Procedure", &["status", "subject"]),
    ("Provenance", &["target", "recorded", "agent"]),
    ("Questionnaire", &["status"]),
    ("QuestionnaireResponse", &["status"]),
    ("RelatedPerson", &["patient"]),
    ("ServiceRequest", &["status", "intent", "subject"]),
    ("Task", &["status", "intent"]),
];

/// The codes of required bindings.
const CODES: &[(&str, &str, &str)] = &[
    ("Observation", "status", "registered preliminary final amended corrected cancelled entered-in-error unknown"),
    (
        "DiagnosticReport",
        "status",
        "registered partial preliminary final amended corrected appended cancelled entered-in-error unknown",
    ),
    ("Encounter", "status", "planned arrived triaged in-progress onleave finished cancelled entered-in-error unknown"),
    ("MedicationRequest", "status", "active on-hold cancelled completed entered-in-error stopped draft unknown"),
    ("Procedure", "status", "preparation in-progress not-done on-hold stopped completed entered-in-error unknown"),
    ("ServiceRequest", "status", "draft active on-hold revoked completed entered-in-error unknown"),
    ("Patient", "gender", "male female other unknown"),
    ("Practitioner", "gender", "male female other unknown"),
    ("RelatedPerson", "gender", "male female other unknown"),
];

/// Elements that are dates besides those whose name ends in `DateTime`.
const DATES: &[&str] = &[
    "authored",
    "authoredOn",
    "birthDate",
    "created",
    "dueDate",
    "issued",
    "lastUpdated",
    "received",
    "recorded",
    "recordedDate",
    "sent",
    "startDate",
];

/// What is wrong with a resource; nothing, if it may be stored.
pub(super) fn problems(resource: &Value) -> Vec<Problem> {
    let mut found = Vec::new();
    let resource_type = resource.get("resourceType").and_then(Value::as_str).unwrap_or_default();
    let Some(members) = resource.as_object().filter(|_| is_served(resource_type)) else {
        add(&mut found, "structure", "resourceType", "this is no resource of FHIR R4");
        return found;
    };
    check_members(members, resource_type, &mut found);
    walk(resource, resource_type, 0, &mut found);
    found
}

fn add(found: &mut Vec<Problem>, code: &'static str, path: &str, text: impl Into<String>) {
    if found.len() < MAX_PROBLEMS {
        found.push(Problem { code, path: path.to_owned(), text: text.into() });
    }
}

fn check_members(members: &Map<String, Value>, resource_type: &str, found: &mut Vec<Problem>) {
    if members.get("id").is_some_and(|id| !id.as_str().is_some_and(is_id)) {
        add(found, "value", &format!("{resource_type}.id"), "this is no id");
    }
    if members.get("meta").is_some_and(|meta| !meta.is_object()) {
        add(found, "structure", &format!("{resource_type}.meta"), "this is no object");
    }
    let required = REQUIRED.iter().find(|(name, _)| *name == resource_type).map_or(&[][..], |(_, names)| names);
    for name in required {
        if !name.split('|').any(|name| members.contains_key(name)) {
            add(found, "required", &format!("{resource_type}.{name}"), "this element is required");
        }
    }
    for (_, name, codes) in CODES.iter().filter(|(of, ..)| *of == resource_type) {
        let Some(value) = members.get(*name) else { continue };
        if !value.as_str().is_some_and(|value| codes.split(' ').any(|code| code == value)) {
            add(found, "code-invalid", &format!("{resource_type}.{name}"), format!("this has to be one of {codes}"));
        }
    }
}

fn walk(value: &Value, path: &str, depth: usize, found: &mut Vec<Problem>) {
    if depth > MAX_DEPTH {
        return add(found, "too-long", path, format!("this is nested deeper than {MAX_DEPTH} levels"));
    }
    match value {
        Value::Object(members) if members.is_empty() => add(found, "structure", path, "an object must not be empty"),
        Value::Object(members) => {
            for (name, inner) in members {
                let below = format!("{path}.{name}");
                check_member(name, inner, &below, found);
                walk(inner, &below, depth + 1, found);
            }
        }
        Value::Array(items) if items.is_empty() => add(found, "structure", path, "a list must not be empty"),
        Value::Array(items) => {
            for (at, inner) in items.iter().enumerate() {
                // Lists of primitives and of their extensions run side by side, with null for what one of them lacks.
                if !inner.is_null() {
                    walk(inner, &format!("{path}[{at}]"), depth + 1, found);
                }
            }
        }
        Value::String(text) if text.is_empty() => add(found, "value", path, "a text must not be empty"),
        Value::Null => add(found, "structure", path, "null is not allowed here"),
        _ => {}
    }
}

fn check_member(name: &str, value: &Value, path: &str, found: &mut Vec<Problem>) {
    let is_date = DATES.contains(&name) || name.ends_with("DateTime");
    if is_date && value.as_str().is_some_and(|text| Range::parse(text).is_none()) {
        add(found, "value", path, "this is no date");
    }
    if name == "reference"
        && let Some(text) = value.as_str()
        && (text.contains(char::is_whitespace) || text.contains(['<', '>', '"']))
    {
        add(found, "value", path, "this is no reference");
    }
    if name == "contained" {
        for (at, inner) in value.as_array().map_or(&[][..], Vec::as_slice).iter().enumerate() {
            if !inner.get("resourceType").and_then(Value::as_str).is_some_and(is_served) {
                add(found, "structure", &format!("{path}[{at}]"), "this is no resource of FHIR R4");
            }
        }
    }
}

/// Sets a member of a resource.
pub(super) fn set_member(resource: &mut Value, name: &str, value: Value) {
    if let Some(members) = resource.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::DataSet;
    use serde_json::json;

    /// What the sandbox offers itself passes its own checks.
    #[test]
    fn built_in_resources_are_sound() {
        let data = DataSet::built_in();
        for resource_type in data.resource_types() {
            for stored in data.all(resource_type) {
                assert_eq!(problems(stored.content()), [], "{}", stored.reference());
            }
        }
    }

    /// Each kind of fault is found, and where it is.
    #[test]
    fn faults_are_found() {
        for (resource, path) in [
            (json!("text"), "resourceType"),
            (json!({"resourceType": "Nonsense"}), "resourceType"),
            (json!({"resourceType": "Observation", "code": {"text": "x"}}), "Observation.status"),
            (json!({"resourceType": "Observation", "status": "done", "code": {"text": "x"}}), "Observation.status"),
            (json!({"resourceType": "Patient", "id": "a/b"}), "Patient.id"),
            (json!({"resourceType": "Patient", "name": []}), "Patient.name"),
            (json!({"resourceType": "Patient", "name": [{}]}), "Patient.name[0]"),
            (json!({"resourceType": "Patient", "name": [{"family": ""}]}), "Patient.name[0].family"),
            (json!({"resourceType": "Patient", "active": null}), "Patient.active"),
            (json!({"resourceType": "Patient", "birthDate": "soon"}), "Patient.birthDate"),
            (
                json!({"resourceType": "Patient", "link": [{"other": {"reference": "Patient/7 8"}}]}),
                "Patient.link[0].other.reference",
            ),
            (json!({"resourceType": "Patient", "contained": [{"id": "x"}]}), "Patient.contained[0]"),
        ] {
            assert_eq!(problems(&resource).first().map(|problem| problem.path.as_str()), Some(path), "{resource}");
        }
        let fine = json!({"resourceType": "Patient", "name": [{"given": ["A", null], "_given": [null, {"id": "x"}]}]});
        assert_eq!(problems(&fine), []);
        let mut deep = json!("x");
        for _ in 0..100 {
            deep = json!({"x": deep});
        }
        let deep = json!({"resourceType": "Patient", "x": deep});
        assert_eq!(problems(&deep).first().map(|problem| problem.code), Some("too-long"));
    }
}

//! The `fhirContext` array: further resources that the launch is about.

use crate::leniency::Leniency;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The role of an entry that names none.
const DEFAULT_ROLE: &str = "launch";

/// One entry of `fhirContext` (SMART 2.1 and later; experimental).
///
/// At least one of reference, canonical and identifier is there. Entries of other shapes are not kept.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FhirContextItem {
    /// A relative reference such as `ImagingStudy/123`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// A canonical URL; a version may follow a pipe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canonical: Option<String>,
    /// A FHIR Identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<Value>,
    /// The resource type.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// The role as it came: none, a role that SMART defines, or an absolute URI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Members that SMART does not define.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl FhirContextItem {
    /// The role; an entry that names none has the role `launch`.
    pub fn role(&self) -> &str {
        self.role.as_deref().unwrap_or(DEFAULT_ROLE)
    }

    /// The resource type: the one that is named, or the one that the reference begins with.
    pub fn resource_type(&self) -> Option<&str> {
        self.resource_type.as_deref().or_else(|| self.referenced_type())
    }

    /// The type that the reference leads to, with or without a version.
    fn referenced_type(&self) -> Option<&str> {
        let reference = self.reference.as_deref()?;
        let unversioned = reference.split_once("/_history/").map_or(reference, |(before, _)| before);
        let mut segments = unversioned.rsplit('/');
        segments.next()?;
        segments.next()
    }

    /// Reads the array, leaving out what cannot be used and saying so.
    pub(crate) fn read_all(value: &Value, notes: &mut Vec<Leniency>) -> Vec<Self> {
        let Value::Array(items) = value else {
            notes.push(Leniency::ContextMemberUnreadable);
            return Vec::new();
        };
        items.iter().filter_map(|item| Self::read(item, notes)).collect()
    }

    fn read(value: &Value, notes: &mut Vec<Leniency>) -> Option<Self> {
        let mut item = match value {
            Value::String(reference) if !reference.is_empty() => {
                notes.push(Leniency::FhirContextString);
                Self::of_reference(reference.clone())
            }
            Value::Object(_) if let Ok(item) = Self::deserialize(value) => item,
            _ => {
                notes.push(Leniency::ContextMemberUnreadable);
                return None;
            }
        };
        if item.role.as_deref() == Some("") {
            notes.push(Leniency::ContextMemberUnreadable);
            item.role = None;
        }
        if item.identifier.as_ref().is_some_and(|identifier| !identifier.is_object()) {
            notes.push(Leniency::ContextMemberUnreadable);
            item.identifier = None;
        }
        item.reference = item.reference.filter(|text| !text.is_empty());
        item.canonical = item.canonical.filter(|text| !text.is_empty());
        if item.reference.is_none() && item.canonical.is_none() && item.identifier.is_none() {
            notes.push(Leniency::FhirContextEmpty);
            return None;
        }
        let is_of_context = |name: Option<&str>| matches!(name, Some("Patient" | "Encounter"));
        if item.role() == DEFAULT_ROLE && (is_of_context(item.resource_type()) || is_of_context(item.referenced_type()))
        {
            notes.push(Leniency::FhirContextLaunchPatient);
        }
        Some(item)
    }

    fn of_reference(reference: String) -> Self {
        Self {
            reference: Some(reference),
            canonical: None,
            identifier: None,
            resource_type: None,
            role: None,
            other: Map::new(),
        }
    }
}

impl std::fmt::Debug for FhirContextItem {
    /// Shows type and role; references and identifiers can tell who a patient is.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FhirContextItem")
            .field("type", &self.resource_type())
            .field("role", &self.role())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: &Value) -> (Vec<FhirContextItem>, Vec<Leniency>) {
        let mut notes = Vec::new();
        (FhirContextItem::read_all(value, &mut notes), notes)
    }

    /// CX-07, F-43 (SMART, fhirContext): reference, canonical or identifier; unknown members are kept.
    #[test]
    fn all_shapes_of_an_entry() {
        let (items, notes) = read(&json!([
            {"reference": "ImagingStudy/1"},
            {"canonical": "https://ehr.example/Questionnaire/q|4", "type": "Questionnaire", "role": "https://ehr.example/role"},
            {"identifier": {"system": "urn:x", "value": "7"}, "type": "ServiceRequest", "x_extra": 1},
        ]));
        assert!(notes.is_empty(), "{notes:?}");
        assert_eq!(items[0].resource_type(), Some("ImagingStudy"));
        assert_eq!(items[1].canonical.as_deref(), Some("https://ehr.example/Questionnaire/q|4"));
        assert_eq!(items[2].other["x_extra"], 1);
        assert_eq!(serde_json::to_value(&items[2]).unwrap()["x_extra"], 1);
    }

    /// CX-07: an entry that names nothing is left out and reported.
    #[test]
    fn entry_without_any_name_is_left_out() {
        for (entry, noted) in [
            (json!({"role": "x"}), vec![Leniency::FhirContextEmpty]),
            (json!({"reference": "", "canonical": ""}), vec![Leniency::FhirContextEmpty]),
            (json!({"identifier": "7"}), vec![Leniency::ContextMemberUnreadable, Leniency::FhirContextEmpty]),
            (json!({"reference": 3}), vec![Leniency::ContextMemberUnreadable]),
            (json!(7), vec![Leniency::ContextMemberUnreadable]),
            (json!(""), vec![Leniency::ContextMemberUnreadable]),
        ] {
            assert_eq!(read(&json!([entry])), (vec![], noted), "{entry}");
        }
        let (items, notes) = read(&json!([{"identifier": 7, "reference": "Goal/1"}]));
        assert_eq!((items.len(), items[0].identifier.as_ref()), (1, None));
        assert_eq!(notes, [Leniency::ContextMemberUnreadable]);
        assert_eq!(read(&json!({"reference": "Goal/1"})), (vec![], vec![Leniency::ContextMemberUnreadable]));
    }

    /// CX-08 (SMART 2.0): bare reference strings are read as entries, mixed with objects.
    #[test]
    fn strings_of_smart_2_0_are_read() {
        let (items, notes) = read(&json!(["DiagnosticReport/1", {"reference": "ImagingStudy/2"}]));
        assert_eq!(
            items.iter().map(|i| i.reference.as_deref().unwrap()).collect::<Vec<_>>(),
            ["DiagnosticReport/1", "ImagingStudy/2"]
        );
        assert_eq!(notes, [Leniency::FhirContextString]);
    }

    /// CX-09 (SMART, fhirContext roles): no role means launch, an empty one is invalid.
    #[test]
    fn default_role_is_launch() {
        let (items, notes) =
            read(&json!([{"reference": "A/1"}, {"reference": "A/2", "role": ""}, {"reference": "A/3", "role": "r"}]));
        assert_eq!(items.iter().map(FhirContextItem::role).collect::<Vec<_>>(), ["launch", "launch", "r"]);
        assert_eq!(notes, [Leniency::ContextMemberUnreadable]);
    }

    /// CX-10: a Patient in the role launch does not belong here; it is reported.
    #[test]
    fn patient_in_role_launch_is_reported() {
        for entry in [
            json!({"reference": "Patient/1"}),
            json!({"reference": "Patient/1", "role": "launch"}),
            json!({"reference": "Encounter/1/_history/2"}),
            json!({"reference": "https://ehr.example/r4/Patient/1"}),
            json!({"reference": "Patient/1", "type": "Group"}),
            json!({"identifier": {"value": "7"}, "type": "Patient"}),
        ] {
            let (items, notes) = read(&json!([entry]));
            assert_eq!((items.len(), notes), (1, vec![Leniency::FhirContextLaunchPatient]), "{entry}");
        }
        for entry in [
            json!({"reference": "Patient/1", "role": "https://ehr.example/mother"}),
            json!({"reference": "ImagingStudy/Patient"}),
        ] {
            assert!(read(&json!([entry])).1.is_empty(), "{entry}");
        }
    }
}

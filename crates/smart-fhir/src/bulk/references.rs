//! References between the resources of an export.

use crate::{ReferenceTarget, ResourceTypeName};
use serde_json::Value;
use smart_core::fhir_base::FhirBaseUrl;
use std::collections::HashSet;
use std::fmt;

/// Which resources a set of files has, so that references between them can be followed, whether they are relative or absolute at
/// the base of the export (requirement BK-43). It keeps type and id of each resource, some 40 octets.
#[derive(Clone)]
pub struct ExportReferences {
    base: FhirBaseUrl,
    known: HashSet<Box<str>>,
}

impl ExportReferences {
    /// An index of an export from the server at `base`.
    pub fn new(base: FhirBaseUrl) -> Self {
        Self { base, known: HashSet::new() }
    }

    /// Notes down a resource.
    pub fn add(&mut self, resource: &Value) {
        let text = |name: &str| resource.get(name).and_then(Value::as_str);
        if let (Some(resource_type), Some(id)) = (text("resourceType"), text("id")) {
            self.known.insert(format!("{resource_type}/{id}").into());
        }
    }

    /// The key, `Type/id`, of the resource in the files that a reference leads to. None when it is not there, leads to another
    /// server, or into the resource itself. A version in the reference is passed over: files have the newest one.
    pub fn find(&self, reference: &str) -> Option<&str> {
        let ReferenceTarget::Here { resource_type, id, .. } = ReferenceTarget::resolve(&self.base, reference).ok()?
        else {
            return None;
        };
        self.known.get(key(&resource_type, id.as_str()).as_str()).map(AsRef::as_ref)
    }

    /// How many resources are known.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}

fn key(resource_type: &ResourceTypeName, id: &str) -> String {
    format!("{resource_type}/{id}")
}

impl fmt::Debug for ExportReferences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportReferences").field("len", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// BK-43 (Bulk Data 3.0, kick-off): relative references and absolute ones at the base of the export are followed in the files.
    #[test]
    fn references_lead_to_the_files() {
        let mut index = ExportReferences::new(FhirBaseUrl::parse("https://ehr.example/fhir").unwrap());
        index.add(&json!({"resourceType": "Patient", "id": "1"}));
        index.add(&json!({"resourceType": "Observation"}));
        assert_eq!(index.len(), 1);
        for reference in ["Patient/1", "https://ehr.example/fhir/Patient/1", "Patient/1/_history/2"] {
            assert_eq!(index.find(reference), Some("Patient/1"), "{reference}");
        }
        for reference in [
            "Patient/2",
            "https://other.example/fhir/Patient/1",
            "https://ehr.example/fhir2/Patient/1",
            "#1",
            "urn:uuid:1",
            "",
        ] {
            assert_eq!(index.find(reference), None, "{reference}");
        }
        assert!(!format!("{index:?}").contains("Patient"));
    }
}

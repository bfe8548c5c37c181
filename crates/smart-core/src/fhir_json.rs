//! Looking into FHIR resources as JSON: this crate knows no resource types, only the few places that it needs.

use serde_json::Value;

/// Extension that says why a value is not there (FHIR R4, extension data-absent-reason).
pub(crate) const DATA_ABSENT_REASON: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";

/// The items of a list; nothing where there is none.
pub(crate) fn items<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A text that is not empty.
pub(crate) fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Whether a value is a resource of this type.
pub(crate) fn is_resource(value: &Value, resource_type: &str) -> bool {
    text(value, "resourceType") == Some(resource_type)
}

/// The extensions of an element with this URL.
pub(crate) fn extensions<'v>(element: &'v Value, url: &'v str) -> impl Iterator<Item = &'v Value> {
    items(element, "extension").iter().filter(move |extension| text(extension, "url") == Some(url))
}

/// The codes that a CodeableConcept has in a system.
pub(crate) fn codes<'v>(concept: &'v Value, system: &'v str) -> impl Iterator<Item = &'v str> {
    items(concept, "coding")
        .iter()
        .filter(move |coding| text(coding, "system") == Some(system))
        .filter_map(|coding| text(coding, "code"))
}

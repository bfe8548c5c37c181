//! What vital signs and laboratory results have in common.

use super::codes::Quantity;
use super::history::History;
use super::resource::{fhir_concept, loinc, meta, object, reference, value_quantity};
use super::staff::name_of;
use super::visits::Visit;
use serde_json::{Value, json};

/// The category of an observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Category {
    VitalSigns,
    Laboratory,
}

/// What is observed: its code, and its value or components.
pub(super) struct Observed<'a> {
    /// Ends the id: `bp`, `hba1c`.
    pub(super) key: &'a str,
    pub(super) profile: &'a str,
    pub(super) category: Category,
    pub(super) code: Value,
    pub(super) value: Option<Value>,
    pub(super) components: Option<Value>,
    pub(super) reference_range: Option<Value>,
    pub(super) interpretation: Option<Value>,
}

pub(super) fn observation(of: &History, visit: &Visit, observed: Observed<'_>) -> Value {
    let (category, name, minutes) = match observed.category {
        Category::VitalSigns => ("vital-signs", "Vital Signs", 5),
        Category::Laboratory => ("laboratory", "Laboratory", 15),
    };
    let effective = visit.at(minutes);
    // Vital signs are entered at once, results come back in the afternoon.
    let issued = if observed.category == Category::VitalSigns { visit.at(10) } else { visit.at(300) };
    object([
        ("resourceType", Some("Observation".into())),
        ("id", Some(format!("{}-{:02}-{}", of.id, visit.index + 1, observed.key).into())),
        ("meta", Some(meta(&issued, Some(observed.profile)))),
        ("status", Some("final".into())),
        ("category", Some(json!([fhir_concept("observation-category", category, name)]))),
        ("code", Some(observed.code)),
        ("subject", Some(reference("Patient", of.id, None))),
        ("encounter", Some(reference("Encounter", &visit.encounter_id(of), None))),
        ("effectiveDateTime", Some(effective.into())),
        ("issued", Some(issued.into())),
        ("performer", Some(json!([reference("Practitioner", of.practitioner, Some(&name_of(of.practitioner)))]))),
        ("valueQuantity", observed.value),
        ("interpretation", observed.interpretation),
        ("referenceRange", observed.reference_range),
        ("component", observed.components),
    ])
}

/// An observation of one quantity.
pub(super) fn measured<'a>(
    key: &'a str,
    profile: &'a str,
    category: Category,
    quantity: &Quantity,
    value: f64,
) -> Observed<'a> {
    Observed {
        key,
        profile,
        category,
        code: loinc(quantity),
        value: Some(value_quantity(quantity, value)),
        components: None,
        reference_range: reference_range(quantity),
        interpretation: interpretation(quantity, value),
    }
}

fn reference_range(quantity: &Quantity) -> Option<Value> {
    let bound = |value: Option<f64>| value.map(|value| value_quantity(quantity, value));
    (quantity.low.is_some() || quantity.high.is_some())
        .then(|| json!([object([("low", bound(quantity.low)), ("high", bound(quantity.high))])]))
}

fn interpretation(quantity: &Quantity, value: f64) -> Option<Value> {
    let (code, display) = match (quantity.low, quantity.high) {
        (None, None) => return None,
        (Some(low), _) if value < low => ("L", "Low"),
        (_, Some(high)) if value > high => ("H", "High"),
        _ => ("N", "Normal"),
    };
    Some(json!([fhir_concept("v3-ObservationInterpretation", code, display)]))
}

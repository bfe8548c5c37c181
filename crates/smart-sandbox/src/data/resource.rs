//! The parts that resources share.

use super::codes::Quantity;
use super::codes::system::{LOINC, UCUM};
use serde_json::{Map, Number, Value, json};

/// `meta` with version 1, a time and, where the resource follows one, a profile of US Core.
pub(super) fn meta(last_updated: &str, us_core: Option<&str>) -> Value {
    let mut meta = json!({"versionId": "1", "lastUpdated": last_updated});
    if let Some(profile) = us_core {
        let profile = format!("http://hl7.org/fhir/us/core/StructureDefinition/{profile}");
        put(&mut meta, "profile", json!([profile]));
    }
    meta
}

/// A relative reference.
pub(super) fn reference(resource_type: &str, id: &str, display: Option<&str>) -> Value {
    let mut reference = json!({"reference": format!("{resource_type}/{id}")});
    if let Some(display) = display {
        put(&mut reference, "display", display.into());
    }
    reference
}

/// A coded concept of one code.
pub(super) fn concept(system: &str, code: &str, display: &str) -> Value {
    json!({"coding": [{"system": system, "code": code, "display": display}], "text": display})
}

/// A coded concept of one of the code systems of FHIR.
pub(super) fn fhir_concept(system: &str, code: &str, display: &str) -> Value {
    concept(&format!("http://terminology.hl7.org/CodeSystem/{system}"), code, display)
}

/// The concept of a quantity.
pub(super) fn loinc(quantity: &Quantity) -> Value {
    concept(LOINC, quantity.loinc, quantity.name)
}

/// A value with its unit.
pub(super) fn value_quantity(quantity: &Quantity, value: f64) -> Value {
    json!({"value": number(value, quantity.decimals), "unit": quantity.unit, "system": UCUM, "code": quantity.ucum})
}

/// A number rounded to some decimals; whole numbers have none.
pub(super) fn number(value: f64, decimals: u32) -> Value {
    let text = match decimals {
        0 => format!("{value:.0}"),
        1 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    };
    text.parse::<Number>().map_or(Value::Null, Value::Number)
}

/// Sets a member of an object.
pub(super) fn put(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

/// An object of the members that have a value.
pub(super) fn object(members: impl IntoIterator<Item = (&'static str, Option<Value>)>) -> Value {
    let present = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(present.collect::<Map<_, _>>())
}

//! The vital signs of a visit.

use super::codes as c;
use super::history::{Course, History};
use super::observations::{Category, Observed, measured, observation};
use super::resource::{concept, loinc, value_quantity};
use super::visits::Visit;
use serde_json::{Value, json};

pub(super) fn vital_signs(of: &History, visit: &Visit) -> Vec<Value> {
    let value = |series, course| visit.value(of, series, course);
    // Rounded first, so that the index agrees with what is reported.
    let height = to_one_decimal(value("height", of.vitals.height));
    let weight = to_one_decimal(value("weight", of.vitals.weight));
    let metres = height / 100.0;
    let quantities = [
        ("pulse", "us-core-heart-rate", c::HEART_RATE, value("pulse", of.vitals.pulse)),
        ("height", "us-core-body-height", c::HEIGHT, height),
        ("weight", "us-core-body-weight", c::WEIGHT, weight),
        ("bmi", "us-core-bmi", c::BODY_MASS_INDEX, weight / (metres * metres)),
        ("temp", "us-core-body-temperature", c::TEMPERATURE, value("temp", TEMPERATURE)),
    ];
    let mut all = vec![observation(of, visit, blood_pressure(of, visit))];
    all.extend(quantities.into_iter().map(|(key, profile, quantity, value)| {
        observation(of, visit, measured(key, profile, Category::VitalSigns, &quantity, value))
    }));
    all
}

const TEMPERATURE: Course = Course { from: 36.7, to: 36.7, spread: 0.4 };

fn blood_pressure(of: &History, visit: &Visit) -> Observed<'static> {
    let (code, display) = c::BLOOD_PRESSURE_LOINC;
    let systolic = visit.value(of, "systolic", of.vitals.systolic);
    let diastolic = visit.value(of, "diastolic", of.vitals.diastolic);
    Observed {
        key: "bp",
        profile: "us-core-blood-pressure",
        category: Category::VitalSigns,
        code: concept(c::system::LOINC, code, display),
        value: None,
        components: Some(json!([
            {"code": loinc(&c::SYSTOLIC), "valueQuantity": value_quantity(&c::SYSTOLIC, systolic)},
            {"code": loinc(&c::DIASTOLIC), "valueQuantity": value_quantity(&c::DIASTOLIC, diastolic)},
        ])),
        reference_range: None,
        interpretation: None,
    }
}

fn to_one_decimal(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

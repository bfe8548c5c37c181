//! Vital signs: the last value of each, and their course over time.

use super::age::moment;
use super::codes::{
    concept_key, concept_text, has_code, is_entered_in_error, list, quantity_text, shown_date, text, unit,
};
use crate::plot::Point;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

const SYSTOLIC: &str = "http://loinc.org|8480-6";
const DIASTOLIC: &str = "http://loinc.org|8462-4";

/// Of several series with as many values, the one to plot.
const PREFERRED: &[&str] = &[
    SYSTOLIC,
    "http://loinc.org|8867-4",
    "http://loinc.org|29463-7",
    "http://loinc.org|39156-5",
    "http://loinc.org|8310-5",
    "http://loinc.org|9279-1",
    "http://loinc.org|2708-6",
    "http://loinc.org|59408-5",
];

/// The last value of one vital sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Vital {
    /// What was measured.
    pub(crate) name: String,
    /// The value with its unit.
    pub(crate) value: String,
    /// When, as the record has it.
    pub(crate) taken: String,
    #[serde(skip)]
    seconds: i64,
}

/// The course of one vital sign, in one unit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Course {
    /// What was measured.
    pub(crate) name: String,
    /// In which unit. Values in different units are never put in one course.
    pub(crate) unit: String,
    /// The values.
    pub(crate) points: Vec<Point>,
}

/// Observations of the category vital signs that stand: none entered in error or cancelled, each with a time.
fn vital_signs(observations: &[Value]) -> impl Iterator<Item = (&Value, i64, &str)> {
    observations
        .iter()
        .filter(|o| text(o, "resourceType") == Some("Observation"))
        .filter(|o| list(o, "category").iter().any(|category| has_code(category, "vital-signs")))
        .filter(|o| !is_entered_in_error(o) && text(o, "status") != Some("cancelled"))
        .filter_map(|o| {
            let taken = taken(o)?;
            Some((o, moment(taken)?, taken))
        })
}

fn taken(observation: &Value) -> Option<&str> {
    let period = observation.get("effectivePeriod");
    text(observation, "effectiveDateTime")
        .or_else(|| text(observation, "effectiveInstant"))
        .or_else(|| period.and_then(|period| text(period, "end").or_else(|| text(period, "start"))))
        .or_else(|| text(observation, "issued"))
}

/// The last value of each vital sign, by name. Of two at one time, the later in the list is shown.
pub(crate) fn last_vitals(observations: &[Value]) -> Vec<Vital> {
    let mut last: BTreeMap<String, Vital> = BTreeMap::new();
    for (observation, seconds, taken) in vital_signs(observations) {
        let Some(code) = observation.get("code") else { continue };
        let (Some(key), Some(name), Some(value)) = (concept_key(code), concept_text(code), value_text(observation))
        else {
            continue;
        };
        if last.get(&key).is_none_or(|known| known.seconds <= seconds) {
            last.insert(key, Vital { name, value, taken: shown_date(taken), seconds });
        }
    }
    let mut vitals: Vec<Vital> = last.into_values().collect();
    vitals.sort_by(|a, b| a.name.cmp(&b.name));
    vitals
}

fn value_text(observation: &Value) -> Option<String> {
    if let Some(value) = observation.get("valueQuantity").and_then(quantity_text) {
        return Some(value);
    }
    let components = list(observation, "component");
    if let Some(pressure) = blood_pressure(components) {
        return Some(pressure);
    }
    let parts: Vec<String> = components
        .iter()
        .filter_map(|component| {
            let name = component.get("code").and_then(concept_text)?;
            Some(format!("{name} {}", component.get("valueQuantity").and_then(quantity_text)?))
        })
        .collect();
    if !parts.is_empty() {
        return Some(parts.join(", "));
    }
    let coded = observation.get("valueCodeableConcept").and_then(concept_text);
    coded.or_else(|| text(observation, "valueString").map(str::to_owned))
}

/// `120/80 mmHg`, where both values are there, in one unit, and exact.
fn blood_pressure(components: &[Value]) -> Option<String> {
    let part = |wanted: &str| {
        let of_code = |c: &&Value| c.get("code").and_then(concept_key).is_some_and(|key| key == wanted);
        components.iter().find(of_code).and_then(|component| component.get("valueQuantity"))
    };
    let (systolic, diastolic) = (part(SYSTOLIC)?, part(DIASTOLIC)?);
    let exact = |quantity: &Value| quantity.get("comparator").is_none();
    if unit(systolic) != unit(diastolic) || !exact(systolic) || !exact(diastolic) {
        return None;
    }
    let number = |quantity: &Value| quantity.get("value").filter(|v| v.is_number()).map(Value::to_string);
    let pressure = format!("{}/{} {}", number(systolic)?, number(diastolic)?, unit(systolic).unwrap_or_default());
    Some(pressure.trim_end().to_owned())
}

/// The course with the most values, of at least two. `None`: nothing was measured twice.
pub(crate) fn course_to_plot(observations: &[Value]) -> Option<Course> {
    let mut courses: BTreeMap<(String, String), Course> = BTreeMap::new();
    for (observation, seconds, _) in vital_signs(observations) {
        for measured in std::iter::once(observation).chain(list(observation, "component")) {
            let Some((key, name, unit, value)) = measurement(measured) else { continue };
            let course =
                courses.entry((key, unit.clone())).or_insert_with(|| Course { name, unit, points: Vec::new() });
            course.points.push(Point { seconds, value });
        }
    }
    let rank = |key: &str| PREFERRED.iter().position(|code| *code == key).unwrap_or(PREFERRED.len());
    courses
        .into_iter()
        .filter(|(_, course)| course.points.len() > 1)
        .min_by_key(|((key, _), course)| (std::cmp::Reverse(course.points.len()), rank(key)))
        .map(|(_, course)| course)
}

/// Code, name, unit and value of a measurement that is exact: one with a comparator is no point of a plot.
fn measurement(measured: &Value) -> Option<(String, String, String, f64)> {
    let quantity = measured.get("valueQuantity").filter(|quantity| quantity.get("comparator").is_none())?;
    let code = measured.get("code")?;
    let value = quantity.get("value").and_then(Value::as_f64)?;
    Some((concept_key(code)?, concept_text(code)?, unit(quantity).unwrap_or_default().to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn observation(code: &str, name: &str, taken: &str, value: f64, unit: &str) -> Value {
        json!({
            "resourceType": "Observation", "status": "final",
            "category": [{"coding": [{"code": "vital-signs"}]}],
            "code": {"coding": [{"system": "http://loinc.org", "code": code, "display": name}]},
            "effectiveDateTime": taken, "valueQuantity": {"value": value, "unit": unit},
        })
    }

    fn pressure(taken: &str, systolic: i64, diastolic: i64) -> Value {
        let part = |code: &str, name: &str, value: i64| {
            json!({"code": {"coding": [{"system": "http://loinc.org", "code": code, "display": name}]},
                   "valueQuantity": {"value": value, "unit": "mmHg"}})
        };
        let mut whole = observation("85354-9", "Blood pressure", taken, 0.0, "");
        whole.as_object_mut().unwrap().remove("valueQuantity");
        whole["component"] = json!([part("8480-6", "Systolic", systolic), part("8462-4", "Diastolic", diastolic)]);
        whole
    }

    /// The last value is the latest in time, whatever the order and the offsets.
    #[test]
    fn the_latest_value_is_shown() {
        let vitals = last_vitals(&[
            observation("8867-4", "Heart rate", "2024-05-01T14:00:00Z", 80.0, "/min"),
            observation("8867-4", "Heart rate", "2024-05-01T23:30:00+10:00", 60.0, "/min"),
            pressure("2024-01-01", 120, 80),
        ]);
        let shown: Vec<_> = vitals.iter().map(|v| (v.name.as_str(), v.value.as_str(), v.taken.as_str())).collect();
        assert_eq!(
            shown,
            [("Blood pressure", "120/80 mmHg", "2024-01-01"), ("Heart rate", "80.0 /min", "2024-05-01 14:00")]
        );
    }

    /// What was entered in error or cancelled is no vital sign, nor is a laboratory value.
    #[test]
    fn mistakes_and_other_categories_are_left_out() {
        let mut mistake = observation("8867-4", "Heart rate", "2024-06-01", 300.0, "/min");
        mistake["status"] = json!("entered-in-error");
        let mut laboratory = observation("2339-0", "Glucose", "2024-06-01", 99.0, "mg/dL");
        laboratory["category"] = json!([{"coding": [{"code": "laboratory"}]}]);
        let mut undated = observation("8310-5", "Temperature", "x", 36.6, "Cel");
        undated["effectiveDateTime"] = json!("last week");
        let all = [mistake, laboratory, undated];
        assert!(last_vitals(&all).is_empty());
        assert_eq!(course_to_plot(&all), None);
    }

    /// Pounds and kilograms are not put in one course.
    #[test]
    fn units_are_not_mixed_in_a_course() {
        let course = course_to_plot(&[
            observation("29463-7", "Weight", "2024-01-01", 70.0, "kg"),
            observation("29463-7", "Weight", "2024-02-01", 154.0, "lb"),
            observation("29463-7", "Weight", "2024-03-01", 71.0, "kg"),
        ])
        .unwrap();
        assert_eq!(course.unit, "kg");
        assert_eq!(course.points.len(), 2);
    }

    /// The vital sign that was measured most often is plotted; of equals, the systolic pressure first.
    #[test]
    fn the_longest_course_is_plotted() {
        let all = [
            pressure("2024-01-01", 120, 80),
            pressure("2024-02-01", 130, 85),
            observation("8867-4", "Heart rate", "2024-01-01", 70.0, "/min"),
            observation("8867-4", "Heart rate", "2024-02-01", 71.0, "/min"),
        ];
        assert_eq!(course_to_plot(&all).unwrap().name, "Systolic");
        let more = [all.to_vec(), vec![observation("8867-4", "Heart rate", "2024-03-01", 72.0, "/min")]].concat();
        assert_eq!(course_to_plot(&more).unwrap().points.len(), 3);
        assert_eq!(course_to_plot(&all[..1]), None);
    }

    /// A value with a comparator is shown as it is and is no point of a plot.
    #[test]
    fn comparators_are_shown_and_not_plotted() {
        let mut low = observation("59408-5", "Oxygen saturation", "2024-01-01", 70.0, "%");
        low["valueQuantity"]["comparator"] = json!("<");
        assert_eq!(last_vitals(std::slice::from_ref(&low))[0].value, "< 70.0 %");
        assert_eq!(course_to_plot(&[low.clone(), low]), None);
    }
}

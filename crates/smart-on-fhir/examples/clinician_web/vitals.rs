//! Vital signs as courses that can be drawn.

use crate::record::{day, text};
use jiff::civil::Date;
use serde_json::Value;

/// The courses of the vital signs that the page draws, the earliest value first.
#[derive(Default)]
pub(crate) struct Vitals {
    pub(crate) systolic: Vec<(Date, f64)>,
    pub(crate) diastolic: Vec<(Date, f64)>,
    pub(crate) weight: Vec<(Date, f64)>,
    /// How many values have a unit, a date or a status that cannot be drawn with the others.
    pub(crate) left_out: usize,
}

/// Reads observations of blood pressure and body weight. A value in another unit is counted, not drawn: two units on one
/// axis would show a change that never was.
pub(crate) fn vitals(observations: &[Value]) -> Vitals {
    let mut vitals = Vitals::default();
    for observation in observations {
        if vitals.add(observation).is_none() {
            vitals.left_out += 1;
        }
    }
    for course in [&mut vitals.systolic, &mut vitals.diastolic, &mut vitals.weight] {
        course.sort_by_key(|(date, _)| *date);
    }
    vitals
}

impl Vitals {
    /// `None`: it cannot be drawn.
    fn add(&mut self, observation: &Value) -> Option<()> {
        if !["final", "amended", "corrected", "preliminary"].contains(&text(observation, "status")?) {
            return None;
        }
        let date = date(text(observation, "effectiveDateTime")?)?;
        if is_coded(observation, "29463-7") {
            self.weight.push((date, quantity(observation, "kg")?));
            return Some(());
        }
        let components = observation.get("component")?.as_array()?;
        let of = |loinc: &str| {
            let component = components.iter().find(|component| is_coded(component, loinc))?;
            quantity(component, "mm[Hg]")
        };
        // Both or none: half a blood pressure misleads.
        let (systolic, diastolic) = (of("8480-6")?, of("8462-4")?);
        self.systolic.push((date, systolic));
        self.diastolic.push((date, diastolic));
        Some(())
    }
}

fn is_coded(value: &Value, loinc: &str) -> bool {
    let codings = value.pointer("/code/coding").and_then(Value::as_array);
    codings.is_some_and(|codings| codings.iter().any(|coding| text(coding, "code") == Some(loinc)))
}

/// A value in this unit of UCUM.
fn quantity(value: &Value, unit: &str) -> Option<f64> {
    let quantity = value.get("valueQuantity")?;
    (text(quantity, "code")? == unit).then_some(quantity.get("value")?.as_f64()?)
}

/// The day of a dateTime; of a month or a year alone its first.
fn date(text: &str) -> Option<Date> {
    let mut parts = day(text).split('-');
    let year = parts.next()?.parse().ok()?;
    let month = parts.next().map_or(Some(1), |month| month.parse().ok())?;
    let day = parts.next().map_or(Some(1), |day| day.parse().ok())?;
    Date::new(year, month, day).ok()
}

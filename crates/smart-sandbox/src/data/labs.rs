//! The laboratory results of a visit.

use super::calendar::{day, years_between};
use super::codes as c;
use super::history::{History, Lab, Sex};
use super::observations::{Category, measured, observation};
use super::visits::Visit;
use serde_json::Value;

pub(super) fn results(of: &History, visit: &Visit) -> Vec<Value> {
    let mut all = Vec::new();
    for lab in of.labs.iter().filter(|lab| visit.index.is_multiple_of(lab.every.max(1))) {
        let value = round(visit.value(of, lab.quantity.loinc, lab.course), lab.quantity.decimals);
        all.push(result(of, visit, key(lab), &lab.quantity, value));
        if lab.quantity.loinc == c::CREATININE.loinc {
            let age = years_between(day(of.born), visit.date);
            all.push(result(of, visit, "egfr", &c::EGFR, filtration_rate(value, age, of.sex)));
        }
    }
    all
}

fn result(of: &History, visit: &Visit, key: &str, quantity: &c::Quantity, value: f64) -> Value {
    observation(of, visit, measured(key, "us-core-observation-lab", Category::Laboratory, quantity, value))
}

fn key(lab: &Lab) -> &'static str {
    let keys = [
        (c::HBA1C.loinc, "hba1c"),
        (c::LDL.loinc, "ldl"),
        (c::CREATININE.loinc, "creatinine"),
        (c::HAEMOGLOBIN.loinc, "hb"),
        (c::THYROTROPIN.loinc, "tsh"),
        (c::URATE.loinc, "urate"),
    ];
    keys.iter().find(|(loinc, _)| *loinc == lab.quantity.loinc).map_or("lab", |(_, key)| key)
}

fn round(value: f64, decimals: u32) -> f64 {
    let factor = f64::from(10_u32.pow(decimals.min(6)));
    (value * factor).round() / factor
}

/// The estimated glomerular filtration rate by the CKD-EPI creatinine equation of 2021, for adults.
fn filtration_rate(creatinine: f64, age: i16, sex: Sex) -> f64 {
    let (kappa, alpha, factor): (f64, f64, f64) = match sex {
        Sex::Female => (0.7, -0.241, 1.012),
        Sex::Male => (0.9, -0.302, 1.0),
    };
    let ratio = creatinine / kappa;
    142.0 * ratio.min(1.0).powf(alpha) * ratio.max(1.0).powf(-1.200) * 0.9938_f64.powf(f64::from(age)) * factor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filtration_rate_agrees_with_published_values() {
        // Values of the public calculator for this equation.
        assert!((filtration_rate(1.0, 50, Sex::Male) - 92.0).abs() < 1.0);
        assert!((filtration_rate(1.0, 50, Sex::Female) - 69.0).abs() < 1.0);
    }
}

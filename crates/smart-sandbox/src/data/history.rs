//! What the tables of patients say: who a person is and how their health went.

use super::codes::{Allergy, Disorder, Medicine, Quantity};

/// A patient: the person, and the course of their health.
#[derive(Debug, Clone, Copy)]
pub(super) struct History {
    pub(super) id: &'static str,
    pub(super) family: &'static str,
    pub(super) given: &'static [&'static str],
    pub(super) sex: Sex,
    pub(super) born: &'static str,
    pub(super) died: Option<&'static str>,
    pub(super) street: &'static str,
    pub(super) city: &'static str,
    pub(super) postcode: &'static str,
    pub(super) language: (&'static str, &'static str),
    pub(super) practitioner: &'static str,
    pub(super) visits: Visits,
    pub(super) vitals: Vitals,
    pub(super) labs: &'static [Lab],
    pub(super) problems: &'static [Problem],
    pub(super) prescriptions: &'static [Prescription],
    pub(super) allergies: &'static [Allergy],
}

/// The administrative gender, which here goes with the sex that formulas need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sex {
    Female,
    Male,
}

/// Visits at regular intervals, the last one at or before `last`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visits {
    pub(super) first: &'static str,
    pub(super) last: &'static str,
    pub(super) every_days: i32,
    pub(super) reason: (&'static str, &'static str),
}

/// A quantity that goes from one value to another, give or take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Course {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) spread: f64,
}

/// A course in short.
pub(super) const fn course(from: f64, to: f64, spread: f64) -> Course {
    Course { from, to, spread }
}

/// The vital signs, taken at each visit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vitals {
    pub(super) height: Course,
    pub(super) weight: Course,
    pub(super) systolic: Course,
    pub(super) diastolic: Course,
    pub(super) pulse: Course,
}

/// A laboratory value, taken at every n-th visit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lab {
    pub(super) quantity: Quantity,
    pub(super) course: Course,
    pub(super) every: usize,
}

/// A lab plan in short.
pub(super) const fn lab(quantity: Quantity, from: f64, to: f64, spread: f64, every: usize) -> Lab {
    Lab { quantity, course: course(from, to, spread), every }
}

/// A condition with its onset and, when it is over, its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Problem {
    pub(super) disorder: Disorder,
    pub(super) onset: &'static str,
    pub(super) abated: Option<&'static str>,
}

/// A lasting problem in short.
pub(super) const fn since(disorder: Disorder, onset: &'static str) -> Problem {
    Problem { disorder, onset, abated: None }
}

/// A problem that is over in short.
pub(super) const fn during(disorder: Disorder, onset: &'static str, abated: &'static str) -> Problem {
    Problem { disorder, onset, abated: Some(abated) }
}

/// A prescription.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prescription {
    pub(super) medicine: Medicine,
    pub(super) authored: &'static str,
    pub(super) status: &'static str,
    pub(super) dosage: &'static str,
}

/// A prescription that is in force, in short.
pub(super) const fn takes(medicine: Medicine, authored: &'static str, dosage: &'static str) -> Prescription {
    Prescription { medicine, authored, status: "active", dosage }
}

/// A prescription that has run its course, in short.
pub(super) const fn took(medicine: Medicine, authored: &'static str, dosage: &'static str) -> Prescription {
    Prescription { medicine, authored, status: "completed", dosage }
}

/// A prescription that was stopped early, in short.
pub(super) const fn stopped(medicine: Medicine, authored: &'static str, dosage: &'static str) -> Prescription {
    Prescription { medicine, authored, status: "stopped", dosage }
}

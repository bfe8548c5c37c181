//! What a person wants to see first of a patient's record, read from FHIR JSON.
//!
//! Nothing is guessed: what the record does not say is left out, and what was entered in error is not shown but
//! counted.

pub(crate) mod age;
pub(crate) mod codes;
pub(crate) mod vitals;

use crate::table::{Align, Table};
use age::{PartialDate, age};
use codes::{address, concept_text, is_entered_in_error, list, name, shown_date, text};
use jiff::civil::Date;
use serde::Serialize;
use serde_json::Value;
use vitals::{Course, Vital, course_to_plot, last_vitals};

/// A patient's record in short.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct PatientSummary {
    /// The name.
    pub(crate) name: Option<String>,
    /// The birth date, as the record has it.
    pub(crate) birth_date: Option<String>,
    /// The age, in words.
    pub(crate) age: Option<String>,
    /// When the patient died, or that.
    pub(crate) deceased: Option<String>,
    /// The administrative gender.
    pub(crate) sex: Option<String>,
    /// The address.
    pub(crate) address: Option<String>,
    /// Conditions: active ones first.
    pub(crate) conditions: Vec<Entry>,
    /// Medications: active ones first.
    pub(crate) medications: Vec<Entry>,
    /// The last value of each vital sign.
    pub(crate) vitals: Vec<Vital>,
    /// How many resources are not shown because they are marked as entered in error.
    pub(crate) left_out: usize,
    /// The vital sign to plot.
    #[serde(skip)]
    pub(crate) course: Option<Course>,
}

/// A condition or a medication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Entry {
    /// What it is.
    pub(crate) text: String,
    /// Its status, as a code.
    pub(crate) status: Option<String>,
    /// Since when, as the record has it.
    pub(crate) since: Option<String>,
    /// How a medication is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dosage: Option<String>,
}

impl PatientSummary {
    /// Reads the record. `day`: the day at which the age is told.
    pub(crate) fn new(
        patient: &Value,
        conditions: &[Value],
        medications: &[Value],
        observations: &[Value],
        day: Date,
    ) -> Self {
        let birth_date = text(patient, "birthDate");
        let deceased = deceased(patient);
        // After a death the age stands still.
        let at = match patient.get("deceasedDateTime").and_then(Value::as_str).and_then(PartialDate::parse) {
            Some(PartialDate::Day(died)) => Some(died),
            None if deceased.is_none() => Some(day),
            _ => None,
        };
        let all = || conditions.iter().chain(medications).chain(observations);
        Self {
            name: name(patient),
            birth_date: birth_date.map(str::to_owned),
            age: birth_date.and_then(PartialDate::parse).zip(at).and_then(|(birth, at)| age(birth, at)),
            deceased,
            sex: text(patient, "gender").map(str::to_owned),
            address: address(patient),
            conditions: sorted(conditions.iter().filter_map(condition).collect()),
            medications: sorted(medications.iter().filter_map(medication).collect()),
            vitals: last_vitals(observations),
            left_out: all().filter(|resource| is_entered_in_error(resource)).count(),
            course: course_to_plot(observations),
        }
    }

    /// Who the patient is, with conditions and medications.
    pub(crate) fn person_table(&self) -> Table {
        let mut table = Table::of_pairs();
        table.row(["Name", self.name.as_deref().unwrap_or("(the record has no name)")]);
        let born = match (&self.birth_date, &self.age) {
            (Some(born), Some(age)) => Some(format!("{born} ({age})")),
            (born, _) => born.clone(),
        };
        let known = [("Born", &born), ("Died", &self.deceased), ("Sex", &self.sex), ("Address", &self.address)];
        for (label, value) in known {
            if let Some(value) = value {
                table.row([label, value]);
            }
        }
        entry_rows(&mut table, "Conditions", &self.conditions);
        entry_rows(&mut table, "Medications", &self.medications);
        if self.left_out > 0 {
            table.row(["Not shown", &format!("{} entered in error", self.left_out)]);
        }
        table
    }

    /// The last vital signs.
    pub(crate) fn vitals_table(&self) -> Table {
        let mut table =
            Table::new(&[("Last vital signs", Align::Left), ("Value", Align::Right), ("Taken", Align::Left)]);
        for vital in &self.vitals {
            table.row([&vital.name, &vital.value, &vital.taken]);
        }
        table
    }
}

fn entry_rows(table: &mut Table, label: &str, entries: &[Entry]) {
    if entries.is_empty() {
        table.row([label, "none in the record"]);
    }
    for (at, entry) in entries.iter().enumerate() {
        let mut words = vec![entry.text.clone()];
        words.extend(entry.dosage.clone());
        let notes: Vec<String> = [entry.status.clone(), entry.since.as_ref().map(|since| format!("since {since}"))]
            .into_iter()
            .flatten()
            .collect();
        let note = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) };
        table.row([if at == 0 { label } else { "" }, &format!("{}{note}", words.join(": "))]);
    }
}

/// Active entries first, each part in the order in which it came.
fn sorted(mut entries: Vec<Entry>) -> Vec<Entry> {
    let is_active = |entry: &Entry| matches!(entry.status.as_deref(), Some("active" | "recurrence" | "relapse"));
    entries.sort_by_key(|entry| !is_active(entry));
    entries
}

fn deceased(patient: &Value) -> Option<String> {
    if let Some(died) = text(patient, "deceasedDateTime") {
        return Some(shown_date(died));
    }
    (patient.get("deceasedBoolean") == Some(&Value::Bool(true))).then(|| "yes (date not in the record)".to_owned())
}

fn condition(resource: &Value) -> Option<Entry> {
    if text(resource, "resourceType") != Some("Condition") || is_entered_in_error(resource) {
        return None;
    }
    let codings = |member: &str| resource.get(member).map_or(&[][..], |concept| list(concept, "coding"));
    let status = codings("clinicalStatus").iter().find_map(|coding| text(coding, "code"));
    // A refuted diagnosis is one that the patient does not have.
    let verification = codings("verificationStatus").iter().find_map(|coding| text(coding, "code"));
    let status = match verification {
        None | Some("confirmed") => status.map(str::to_owned),
        Some(other) => Some([status, Some(other)].into_iter().flatten().collect::<Vec<_>>().join(", ")),
    };
    let since = text(resource, "onsetDateTime").or_else(|| text(resource, "recordedDate")).map(day_only);
    Some(Entry { text: concept_text(resource.get("code")?)?, status, since, dosage: None })
}

fn medication(resource: &Value) -> Option<Entry> {
    if !matches!(text(resource, "resourceType"), Some("MedicationRequest" | "MedicationStatement"))
        || is_entered_in_error(resource)
    {
        return None;
    }
    let reference = resource.get("medicationReference");
    let what = resource
        .get("medicationCodeableConcept")
        .and_then(concept_text)
        .or_else(|| reference.and_then(|r| text(r, "display").or_else(|| text(r, "reference"))).map(str::to_owned))?;
    let dosages = ["dosageInstruction", "dosage"].into_iter().flat_map(|member| list(resource, member));
    let dosage: Vec<&str> = dosages.filter_map(|dosage| text(dosage, "text")).collect();
    Some(Entry {
        text: if resource.get("doNotPerform") == Some(&Value::Bool(true)) {
            format!("NOT to be given: {what}")
        } else {
            what
        },
        status: text(resource, "status").map(str::to_owned),
        since: text(resource, "authoredOn").or_else(|| text(resource, "effectiveDateTime")).map(day_only),
        dosage: Some(dosage.join("; ")).filter(|text| !text.is_empty()),
    })
}

fn day_only(date_time: &str) -> String {
    date_time.split('T').next().unwrap_or(date_time).to_owned()
}

#[cfg(test)]
mod tests;

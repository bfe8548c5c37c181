//! A record in short, for a terminal.

use serde_json::Value;
use smart_on_fhir::core::untrusted::shown;
use smart_on_fhir::fhir::FhirError;
use smart_on_fhir::prelude::*;
use std::fmt::Write as _;

/// How long a text of the record may be on the screen.
const LONGEST: usize = 100;
/// How many entries of a kind are read at most: more than that are an error, as a part could be taken for all.
const MOST: u64 = 5000;

/// Why there is no summary.
#[derive(Debug)]
pub(crate) enum SummaryError {
    Session(Error),
    Fhir(FhirError),
}

impl std::fmt::Display for SummaryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Session(error) => error.fmt(f),
            Self::Fhir(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SummaryError {}

impl From<Error> for SummaryError {
    fn from(error: Error) -> Self {
        Self::Session(error)
    }
}

impl From<FhirError> for SummaryError {
    fn from(error: FhirError) -> Self {
        Self::Fhir(error)
    }
}

/// The record of the session's patient in short.
pub(crate) async fn summary(session: &Session) -> Result<String, SummaryError> {
    let (fhir, id) = (session.fhir(), session.patient()?);
    let of = |resource_type: &str| SearchQuery::new(resource_type).param("patient", id.as_str()).count(100);
    let (patient, conditions, requests) = tokio::try_join!(
        fhir.read::<Value>("Patient", &id),
        fhir.search(of("Condition")).max_entries(MOST).collect_all(),
        fhir.search(of("MedicationRequest")).max_entries(MOST).collect_all(),
    )?;
    let mut weights = fhir.search(of("Observation").token("code", "http://loinc.org", "29463-7").sort(["-date"]));
    let weight = weights.try_next().await?;

    let mut summary = String::new();
    // Writing to a String cannot fail.
    let mut row = |label: &str, value: &str| {
        let _ = writeln!(summary, "  {label:<10}  {}", shown(value, LONGEST));
    };
    row("Name", &name(&patient));
    row("Born", at(&patient, "/birthDate").unwrap_or("unknown"));
    row("Sex", at(&patient, "/gender").unwrap_or("unknown"));
    if let Some(weight) = weight {
        let value = weight.pointer("/valueQuantity/value").map_or_else(|| "?".to_owned(), Value::to_string);
        let unit = at(&weight, "/valueQuantity/unit").unwrap_or_default();
        row("Weight", &format!("{value} {unit} on {}", day(&weight, "/effectiveDateTime")));
    }
    let is_active = |condition: &&Value| at(condition, "/clinicalStatus/coding/0/code") == Some("active");
    let problems = conditions.iter().filter(is_active);
    entries("Problems", problems, |problem| concept(problem, "/code"), "/onsetDateTime", &mut row);
    let is_taken = |request: &&Value| at(request, "/status") == Some("active");
    let medicines = requests.iter().filter(is_taken);
    let medicine = |request: &Value| concept(request, "/medicationCodeableConcept");
    entries("Medicines", medicines, medicine, "/authoredOn", &mut row);
    Ok(summary)
}

/// A row for each, with the label before the first.
fn entries<'a>(
    label: &str,
    found: impl Iterator<Item = &'a Value>,
    text: impl Fn(&Value) -> String,
    since: &str,
    row: &mut impl FnMut(&str, &str),
) {
    let mut label = Some(label);
    for entry in found {
        row(label.take().unwrap_or_default(), &format!("{}  since {}", text(entry), day(entry, since)));
    }
    if let Some(label) = label {
        row(label, "none in the record");
    }
}

fn name(patient: &Value) -> String {
    let given =
        patient.pointer("/name/0/given").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let all: Vec<&str> = given.chain(at(patient, "/name/0/family")).collect();
    if all.is_empty() { at(patient, "/name/0/text").unwrap_or("unknown").to_owned() } else { all.join(" ") }
}

fn concept(resource: &Value, member: &str) -> String {
    let text = at(resource, &format!("{member}/text")).or_else(|| at(resource, &format!("{member}/coding/0/display")));
    text.unwrap_or("(without a name)").to_owned()
}

fn at<'a>(resource: &'a Value, pointer: &str) -> Option<&'a str> {
    resource.pointer(pointer).and_then(Value::as_str)
}

fn day<'a>(resource: &'a Value, pointer: &str) -> &'a str {
    at(resource, pointer).and_then(|date| date.split('T').next()).unwrap_or("an unknown day")
}

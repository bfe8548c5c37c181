//! What the page shows of a record, read from FHIR.
//!
//! What could not be read is never shown as nothing: "no problems" and "problems unknown" are not the same.

use crate::vitals::{Vitals, vitals};
use jiff::civil::Date;
use jiff::tz::Offset;
use serde_json::Value;
use smart_on_fhir::fhir::FhirError;
use smart_on_fhir::prelude::*;
use std::fmt;

/// How many resources of a kind are read at most. A part with more is shown as unknown: some of them could be taken for all.
const MOST: u64 = 5000;

/// A patient's record.
pub(crate) struct Record {
    pub(crate) person: Person,
    /// Whether the page has to say whose record it is. An EHR that frames the app may do so itself.
    pub(crate) shows_banner: bool,
    pub(crate) problems: Part<Vec<Entry>>,
    pub(crate) medicines: Part<Vec<Entry>>,
    pub(crate) vitals: Part<Vitals>,
    /// The FHIR base, and when it was read, for people.
    pub(crate) source: String,
    pub(crate) read_at: String,
}

/// A part of a record, or why it is not there.
pub(crate) type Part<T> = Result<T, Missing>;

/// Why a part of the record is not on the page.
pub(crate) enum Missing {
    /// The scopes that were granted do not open it.
    NotAllowed,
    /// Reading it failed.
    Failed,
}

/// Who the patient is. What the record does not say is `None`.
pub(crate) struct Person {
    pub(crate) name: Option<String>,
    pub(crate) sex: Option<String>,
    pub(crate) born: Option<String>,
    pub(crate) age: Option<i16>,
    pub(crate) died: Option<String>,
    pub(crate) number: Option<String>,
}

/// A problem or a medicine.
pub(crate) struct Entry {
    pub(crate) text: String,
    pub(crate) detail: Option<String>,
    pub(crate) since: Option<String>,
}

/// Why there is no record to show. Its text is for the clinician.
pub(crate) enum RecordError {
    /// The session is over, locked, or has no patient.
    Session(Error),
    /// The server did not give the patient.
    Fhir(FhirError),
    /// The server gave another patient.
    OtherPatient,
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(error) => error.fmt(f),
            Self::Fhir(error) => error.fmt(f),
            Self::OtherPatient => f.write_str("The EHR answered with another patient's record, which is not shown"),
        }
    }
}

impl From<Error> for RecordError {
    fn from(error: Error) -> Self {
        Self::Session(error)
    }
}

impl Record {
    /// Reads the record of the session's patient.
    pub(crate) async fn read(session: &Session) -> Result<Self, RecordError> {
        let (fhir, id) = (session.fhir(), session.patient()?);
        let of = |resource_type: &str| SearchQuery::new(resource_type).param("patient", id.as_str()).count(100);
        let codes = [("http://loinc.org", "85354-9"), ("http://loinc.org", "29463-7")];
        let codes = codes.map(|(system, code)| smart_on_fhir::fhir::SearchValue::token(system, code));
        let observations = of("Observation").any_of("code", codes).sort(["-date"]);
        let (patient, conditions, requests, observations) = tokio::join!(
            fhir.read::<Value>("Patient", &id),
            found(session, &id, "Condition", of("Condition")),
            found(session, &id, "MedicationRequest", of("MedicationRequest")),
            found(session, &id, "Observation", observations),
        );
        let patient = patient.map_err(RecordError::Fhir)?;
        if text(&patient, "id") != Some(&id) {
            return Err(RecordError::OtherPatient);
        }
        let now = Offset::UTC.to_datetime(jiff::Timestamp::now());
        Ok(Self {
            person: Person::read(&patient, now.date()),
            shows_banner: session.context()?.need_patient_banner != Some(false),
            problems: conditions.map(|conditions| conditions.iter().filter_map(problem).collect()),
            medicines: requests.map(|requests| requests.iter().filter_map(medicine).collect()),
            vitals: observations.map(|observations| vitals(&observations)),
            source: session.fhir_base().to_string(),
            read_at: now.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        })
    }
}

/// Everything that a search finds of this patient.
async fn found(session: &Session, id: &str, resource_type: &str, query: SearchQuery) -> Part<Vec<Value>> {
    if !session.can(Interaction::SearchType, resource_type) {
        return Err(Missing::NotAllowed);
    }
    let found = session.fhir().search(query).max_entries(MOST).collect_all().await;
    let mut found = found.map_err(|error| {
        eprintln!("{resource_type}: {error}");
        Missing::Failed
    })?;
    let (relative, absolute) = (format!("Patient/{id}"), format!("/Patient/{id}"));
    found.retain(|resource| {
        // Nothing of another patient gets onto the page, whatever the server found.
        let subject = resource.pointer("/subject/reference").and_then(Value::as_str).unwrap_or_default();
        subject == relative || subject.ends_with(&absolute)
    });
    Ok(found)
}

impl Person {
    fn read(patient: &Value, today: Date) -> Self {
        let born = text(patient, "birthDate");
        let died = text(patient, "deceasedDateTime").map(day);
        // After a death the age stands still.
        let until = died.map_or(Some(today), |died| died.parse().ok());
        let is_dead = died.is_some() || patient.get("deceasedBoolean") == Some(&Value::Bool(true));
        Self {
            name: name(patient),
            sex: text(patient, "gender").map(str::to_owned),
            age: born.and_then(|born| born.parse().ok()).zip(until).map(|(born, until)| years(born, until)),
            born: born.map(str::to_owned),
            died: is_dead.then(|| died.unwrap_or("date unknown").to_owned()),
            number: record_number(patient),
        }
    }
}

/// The official name, else the first one.
fn name(patient: &Value) -> Option<String> {
    let names = patient.get("name")?.as_array()?;
    let name = names.iter().find(|name| text(name, "use") == Some("official")).or(names.first())?;
    if let Some(text) = text(name, "text") {
        return Some(text.to_owned());
    }
    let given = name.get("given").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let all: Vec<&str> = given.chain(text(name, "family")).collect();
    (!all.is_empty()).then(|| all.join(" "))
}

/// The medical record number.
fn record_number(patient: &Value) -> Option<String> {
    let identifiers = patient.get("identifier")?.as_array()?;
    let is_record_number = |identifier: &&Value| {
        let codings = identifier.pointer("/type/coding").and_then(Value::as_array);
        codings.is_some_and(|codings| codings.iter().any(|coding| text(coding, "code") == Some("MR")))
    };
    let identifier = identifiers.iter().find(is_record_number)?;
    text(identifier, "value").map(str::to_owned)
}

/// Whole years from one day to another.
fn years(born: Date, until: Date) -> i16 {
    let had_birthday = (until.month(), until.day()) >= (born.month(), born.day());
    until.year() - born.year() - i16::from(!had_birthday)
}

/// An active condition that nobody took back.
fn problem(condition: &Value) -> Option<Entry> {
    let refuted = ["entered-in-error", "refuted"];
    if code(condition, "verificationStatus").is_some_and(|status| refuted.contains(&status)) {
        return None;
    }
    let status = code(condition, "clinicalStatus");
    let is_active = status.is_none_or(|status| ["active", "recurrence", "relapse"].contains(&status));
    is_active.then(|| Entry {
        text: concept(condition.get("code")),
        detail: None,
        since: text(condition, "onsetDateTime").map(|date| day(date).to_owned()),
    })
}

/// A prescription that is in force.
fn medicine(request: &Value) -> Option<Entry> {
    let dosage = request.pointer("/dosageInstruction/0/text").and_then(Value::as_str);
    let reference = request.pointer("/medicationReference/display").and_then(Value::as_str);
    (text(request, "status") == Some("active")).then(|| Entry {
        text: reference.map_or_else(|| concept(request.get("medicationCodeableConcept")), str::to_owned),
        detail: dosage.map(str::to_owned),
        since: text(request, "authoredOn").map(|date| day(date).to_owned()),
    })
}

/// A concept in words.
fn concept(concept: Option<&Value>) -> String {
    let own = concept.and_then(|concept| text(concept, "text"));
    let coded = || concept?.pointer("/coding/0/display")?.as_str();
    own.or_else(coded).unwrap_or("(without a name)").to_owned()
}

/// The code of a status.
fn code<'a>(resource: &'a Value, member: &str) -> Option<&'a str> {
    resource.get(member)?.pointer("/coding/0/code")?.as_str()
}

/// A member that is a text.
pub(crate) fn text<'a>(value: &'a Value, member: &str) -> Option<&'a str> {
    value.get(member)?.as_str()
}

/// The day of a FHIR date or dateTime, as far as it goes.
pub(crate) fn day(date: &str) -> &str {
    date.split('T').next().unwrap_or(date)
}

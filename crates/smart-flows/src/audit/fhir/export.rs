//! Events as FHIR resources.

use super::agents::agents;
use super::codes::{BALP, EventCode, KIND, coding, outcome, profile};
use super::entities::entities;
use super::source::AuditSource;
use crate::audit::event::{AuditEvent, rfc3339};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

/// Makes `AuditEvent` resources of FHIR R4 of events.
///
/// A successful request becomes one of the Basic Audit Log Patterns of IHE (BALP 1.1: Read, Create, Update, Delete, Query,
/// and the same with a patient), and says so in `meta.profile`. Everything else is a plain AuditEvent with the codes of
/// DICOM and IHE where they have one. The kind of the event is always among the subtypes.
///
/// Without opting in a resource names neither a patient nor an id, and a search has its values masked.
#[derive(Debug, Clone)]
pub struct FhirAudit {
    source: AuditSource,
    pub(super) references: bool,
    pub(super) search_values: bool,
}

impl FhirAudit {
    /// What `source` records.
    pub fn new(source: AuditSource) -> Self {
        Self { source, references: false, search_values: false }
    }

    /// Names patients and resources by their ids. The resources are health data then: that this person's record was read
    /// is one.
    pub fn with_patient_references(mut self) -> Self {
        self.references = true;
        self
    }

    /// Keeps the values of searches, in base64. They hold whatever was searched for: names, dates of birth, diagnoses.
    /// Parameters that FHIR does not know stay masked.
    pub fn with_search_values(mut self) -> Self {
        self.search_values = true;
        self
    }

    /// The resource of an event.
    pub fn resource(&self, event: &AuditEvent) -> FhirAuditEvent {
        let patient = event.exposed_patient().filter(|_| self.references && event.request().is_some());
        let code = EventCode::of(event);
        let mut subtypes: Vec<Value> = code.subtype.into_iter().collect();
        subtypes.push(coding(KIND, event.kind().as_str(), event.kind().as_str()));
        let mut resource = Map::new();
        let mut put = |name: &str, value: Value| resource.insert(name.to_owned(), value);
        put("resourceType", "AuditEvent".into());
        put("id", event.id().to_string().into());
        let profiles = profiles(event, patient.is_some());
        if !profiles.is_empty() {
            put("meta", json!({"profile": profiles}));
        }
        put("type", code.event_type);
        put("subtype", subtypes.into());
        put("action", code.action.into());
        put("recorded", rfc3339::rfc3339(event.time()).into());
        put("outcome", outcome(event).into());
        if let Some(text) = outcome_text(event) {
            put("outcomeDesc", text.into());
        }
        put("agent", agents(event, &self.source).into());
        put("source", self.source.to_json());
        let entities = entities(event, self, patient);
        if !entities.is_empty() {
            put("entity", entities.into());
        }
        FhirAuditEvent(Value::Object(resource))
    }
}

/// The profiles that the resource meets. That of the use of an OAuth token is claimed for services alone: with a user it
/// asks for the token's JWT id, which a client does not know.
fn profiles(event: &AuditEvent, patient: bool) -> Vec<String> {
    let Some(rest) = profile(event, patient) else { return Vec::new() };
    let by_service = event.user().is_none() && event.client_id().is_some() && event.token().is_some();
    let token_use = by_service.then(|| format!("{BALP}.OAUTHaccessTokenUse.Comprehensive"));
    [rest].into_iter().chain(token_use).collect()
}

fn outcome_text(event: &AuditEvent) -> Option<String> {
    let status = event.status().filter(|status| *status >= 400).map(|status| format!("HTTP status {status}"));
    let reason = event.reason().map(|reason| reason.to_string());
    match (reason, status) {
        (Some(reason), Some(status)) => Some(format!("{reason}: {status}")),
        (reason, status) => reason.or(status),
    }
}

/// An `AuditEvent` resource of FHIR R4, to be posted to `[base]/AuditEvent` or kept.
#[derive(Debug, Clone, PartialEq)]
pub struct FhirAuditEvent(Value);

impl FhirAuditEvent {
    /// The resource as JSON.
    pub fn as_json(&self) -> &Value {
        &self.0
    }

    /// The same, to be taken along.
    pub fn into_json(self) -> Value {
        self.0
    }
}

impl Serialize for FhirAuditEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl std::fmt::Display for FhirAuditEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

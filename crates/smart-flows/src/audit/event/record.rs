//! An event as it is recorded.

use super::entry::{AuditEntry, Details};
use super::event_id::EventId;
use super::hidden::Hidden;
use super::names::{AuditUser, SessionHandle, TokenId, UserNaming};
use super::place::{AuditEndpoint, LaunchKind, StoreKind};
use super::rfc3339::rfc3339;
use super::{AuditKind, Outcome, Reason, RecordedScopes, RequestLine, Severity};
use serde::{Serialize, Serializer};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::time::Timestamp;

/// An event as it is recorded. It cannot be changed any more.
///
/// Serialised it is a JSON object, the same in all sinks that write JSON; members that do not apply are left out. Ids of
/// patients and resources are in neither that nor `Debug`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    id: EventId,
    time: Timestamp,
    sequence: u64,
    kind: AuditKind,
    severity: Severity,
    outcome: Outcome,
    fhir_base: Option<FhirBaseUrl>,
    client_id: Option<String>,
    session: Option<SessionHandle>,
    user: Option<AuditUser>,
    patient: Option<Hidden<String>>,
    details: Details,
}

impl AuditEvent {
    pub(crate) fn new(id: EventId, time: Timestamp, sequence: u64, entry: AuditEntry, naming: &UserNaming) -> Self {
        let (severity, outcome) = (entry.severity(), entry.outcome());
        let AuditEntry { kind, context, details } = entry;
        let user = context.user.as_ref().map(Hidden::expose).map(|(issuer, subject)| naming.name(issuer, subject));
        Self {
            id,
            time,
            sequence,
            kind,
            severity,
            outcome,
            fhir_base: context.fhir_base,
            client_id: context.client_id,
            session: context.session,
            user,
            patient: context.patient,
            details,
        }
    }

    /// Its id.
    pub fn id(&self) -> EventId {
        self.id
    }

    /// When it happened.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// Its number among the events of its auditor, from 1 on.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// What happened.
    pub fn kind(&self) -> AuditKind {
        self.kind
    }

    /// How much it matters.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// How it ended.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Why it failed or ended.
    pub fn reason(&self) -> Option<Reason> {
        self.details.reason
    }

    /// The FHIR server.
    pub fn fhir_base(&self) -> Option<&FhirBaseUrl> {
        self.fhir_base.as_ref()
    }

    /// The client.
    pub fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    /// The session.
    pub fn session(&self) -> Option<SessionHandle> {
        self.session
    }

    /// The user.
    pub fn user(&self) -> Option<&AuditUser> {
        self.user.as_ref()
    }

    /// The kind of launch.
    pub fn launch(&self) -> Option<LaunchKind> {
        self.details.launch
    }

    /// The token that it is about, or that was used.
    pub fn token(&self) -> Option<TokenId> {
        self.details.token
    }

    /// The granted scopes.
    pub fn scopes(&self) -> Option<&RecordedScopes> {
        self.details.scopes.as_ref()
    }

    /// The endpoint that was asked.
    pub fn endpoint(&self) -> Option<&AuditEndpoint> {
        self.details.endpoint.as_ref()
    }

    /// For which request a token was used.
    pub fn request(&self) -> Option<&RequestLine> {
        self.details.request.as_ref()
    }

    /// The HTTP status of the answer.
    pub fn status(&self) -> Option<u16> {
        self.details.status
    }

    /// The kind of store.
    pub fn store(&self) -> Option<StoreKind> {
        self.details.store
    }

    /// The patient whose record was touched: the one that the request names, else the one in context.
    pub(crate) fn exposed_patient(&self) -> Option<&str> {
        let in_context = self.patient.as_ref().map(|id| id.expose().as_str());
        self.request().map_or(in_context, |request| request.exposed_patient(in_context))
    }
}

/// What is written of an event.
#[derive(Serialize)]
struct Written<'a> {
    id: EventId,
    time: String,
    seq: u64,
    kind: AuditKind,
    severity: Severity,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fhir_base: Option<&'a FhirBaseUrl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<SessionHandle>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a AuditUser>,
    #[serde(skip_serializing_if = "Option::is_none")]
    launch: Option<LaunchKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<TokenId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<&'a RecordedScopes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<&'a AuditEndpoint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<&'a RequestLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<StoreKind>,
}

impl Serialize for AuditEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Written {
            id: self.id,
            time: rfc3339(self.time),
            seq: self.sequence,
            kind: self.kind,
            severity: self.severity,
            outcome: self.outcome,
            reason: self.reason(),
            fhir_base: self.fhir_base(),
            client_id: self.client_id(),
            session: self.session,
            user: self.user(),
            launch: self.launch(),
            token: self.token(),
            scopes: self.scopes(),
            endpoint: self.endpoint(),
            request: self.request(),
            status: self.status(),
            store: self.store(),
        }
        .serialize(serializer)
    }
}

//! The codes of R4 AuditEvents: of FHIR, DICOM (PS3.15, A.5; PS3.16, CID 400 and 401) and IHE (BALP 1.1, IUA).

use crate::audit::event::{AuditEvent, AuditKind, Outcome, RequestLine, RestInteraction, Severity};
use serde_json::{Value, json};

pub(super) const DICOM: &str = "http://dicom.nema.org/resources/ontology/DCM";
pub(super) const EVENT_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-event-type";
pub(super) const ENTITY_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
pub(super) const OBJECT_ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";
pub(super) const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
pub(super) const PROVENANCE_PARTICIPANT: &str = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";
pub(super) const SOURCE_TYPE: &str = "http://terminology.hl7.org/CodeSystem/security-source-type";
pub(super) const INTERACTION: &str = "http://hl7.org/fhir/restful-interaction";
pub(super) const USER_AGENT_TYPE: &str = "https://profiles.ihe.net/ITI/BALP/CodeSystem/UserAgentTypes";
pub(super) const IHE_TRANSACTION: &str = "urn:ihe:event-type-code";
/// The kinds of this library, as codes.
pub(super) const KIND: &str = "https://github.com/smart-on-fhir-rs/smart-on-fhir/CodeSystem/audit-kind";
/// Where the profiles of BALP lie.
pub(super) const BALP: &str = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit";

/// A `Coding`.
pub(super) fn coding(system: &str, code: &str, display: &str) -> Value {
    json!({"system": system, "code": code, "display": display})
}

/// What an event is in the codes.
pub(super) struct EventCode {
    pub(super) event_type: Value,
    /// All but the kind of this library.
    pub(super) subtype: Option<Value>,
    pub(super) action: &'static str,
}

impl EventCode {
    pub(super) fn of(event: &AuditEvent) -> Self {
        let dicom = |code, display| coding(DICOM, code, display);
        let rest = || coding(EVENT_TYPE, "rest", "Restful Operation");
        let login = || Some(dicom("110122", "Login"));
        let ihe = |code, display| Some(coding(IHE_TRANSACTION, code, display));
        let authentication = || dicom("110114", "User Authentication");
        if let Some(interaction) = event.request().and_then(RequestLine::interaction) {
            let subtype = Some(coding(INTERACTION, interaction.as_str(), interaction.as_str()));
            return Self { event_type: rest(), subtype, action: action(interaction) };
        }
        let (event_type, subtype, action) = match event.kind() {
            AuditKind::ResourceAccessed => (rest(), None, "R"),
            AuditKind::ResourceModified => (rest(), None, "U"),
            AuditKind::ResourceCreated => (rest(), None, "C"),
            AuditKind::ResourceDeleted => (rest(), None, "D"),
            AuditKind::CapabilitiesLoaded => (rest(), Some(coding(INTERACTION, "capabilities", "capabilities")), "R"),
            AuditKind::AuthenticationAttempt
            | AuditKind::AuthenticationSuccess
            | AuditKind::AuthenticationFailure
            | AuditKind::AuthenticationCancelled
            | AuditKind::LoginTimeout
            | AuditKind::SessionStarted => (authentication(), login(), "E"),
            AuditKind::SessionEnded | AuditKind::SessionTimeout => {
                (authentication(), Some(dicom("110123", "Logout")), "E")
            }
            AuditKind::TokenIssued | AuditKind::TokenRefreshed => {
                (authentication(), ihe("ITI-71", "Get Access Token"), "E")
            }
            AuditKind::TokenIntrospected => (authentication(), ihe("ITI-102", "Introspect Token"), "E"),
            AuditKind::AuthorizationGranted
            | AuditKind::AuthorizationDenied
            | AuditKind::TokenRevoked
            | AuditKind::TokenExpired
            | AuditKind::TokenValidated => (authentication(), None, "E"),
            AuditKind::SecurityViolation
            | AuditKind::CsrfDetected
            | AuditKind::ReplayDetected
            | AuditKind::InvalidSignature
            | AuditKind::ExpiredToken
            | AuditKind::TamperedToken
            | AuditKind::ValidationFailed => (dicom("110113", "Security Alert"), None, "E"),
            AuditKind::LaunchBegun
            | AuditKind::EndpointDiscovered
            | AuditKind::StoreOpened
            | AuditKind::NetworkError
            | AuditKind::ConfigurationError
            | AuditKind::UnexpectedError => (dicom("110100", "Application Activity"), None, "E"),
        };
        Self { event_type, subtype, action }
    }
}

/// The action of an interaction, as BALP has it; a search is executed.
fn action(interaction: RestInteraction) -> &'static str {
    use RestInteraction as I;
    match interaction {
        I::Read | I::Vread | I::HistoryInstance | I::HistoryType | I::HistorySystem | I::Capabilities => "R",
        I::Create => "C",
        I::Update | I::Patch => "U",
        I::Delete => "D",
        I::SearchType | I::SearchSystem | I::Operation | I::Batch => "E",
    }
}

/// The outcome: 0 success, 4 minor, 8 serious, 12 major failure.
pub(super) fn outcome(event: &AuditEvent) -> &'static str {
    match (event.outcome(), event.severity()) {
        (Outcome::Success, _) => "0",
        (Outcome::Failure, Severity::Info | Severity::Warning) => "4",
        (Outcome::Failure, Severity::Error) => "8",
        (Outcome::Failure, Severity::Critical) => "12",
    }
}

/// The profile of BALP that an event about a request meets: those of successful requests only. The flag: whether a
/// patient is named.
pub(super) fn profile(event: &AuditEvent, patient: bool) -> Option<String> {
    use RestInteraction as I;
    if event.outcome() != Outcome::Success || event.fhir_base().is_none() {
        return None;
    }
    let name = match event.request()?.interaction()? {
        I::Read | I::Vread => "Read",
        I::Create => "Create",
        I::Update | I::Patch => "Update",
        I::Delete => "Delete",
        I::SearchType | I::SearchSystem => "Query",
        _ => return None,
    };
    Some(format!("{BALP}.{}{name}", if patient { "Patient" } else { "" }))
}

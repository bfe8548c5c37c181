//! Who and where: what the events of one login or session have in common.

use super::entry::AuditEntry;
use super::hidden::Hidden;
use super::kind::AuditKind;
use super::names::{LONGEST, SessionHandle};
use super::shape::is_id;
use smart_core::client_id::ClientId;
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::untrusted::shown;

/// What the events of one login or session have in common: made once, and then [`entry`](Self::entry) for each of them.
///
/// `Debug` shows neither user nor patient.
#[derive(Debug, Clone, Default)]
pub struct AuditContext {
    pub(super) fhir_base: Option<FhirBaseUrl>,
    pub(super) client_id: Option<String>,
    pub(super) session: Option<SessionHandle>,
    pub(super) user: Option<Hidden<(String, String)>>,
    pub(super) patient: Option<Hidden<String>>,
}

impl AuditContext {
    /// Nothing is known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The FHIR server.
    pub fn fhir_base(mut self, base: &FhirBaseUrl) -> Self {
        self.fhir_base = Some(base.clone());
        self
    }

    /// The client. Its id is public; 256 characters of it are kept.
    pub fn client(mut self, client_id: &ClientId) -> Self {
        self.client_id = Some(shown(client_id.as_str(), LONGEST));
        self
    }

    /// The session, or the pending login.
    pub fn session(mut self, session: SessionHandle) -> Self {
        self.session = Some(session);
        self
    }

    /// The user: issuer and subject of a validated ID token. Events hold the name that the auditor makes of them.
    pub fn user(mut self, issuer: impl Into<String>, subject: impl Into<String>) -> Self {
        self.user = Some(Hidden::new((issuer.into(), subject.into())));
        self
    }

    /// The patient in context, for the export to FHIR alone, where the app has opted in.
    ///
    /// Give it where access is limited to this patient, as by `patient/` scopes. With `user/` or `system/` scopes a request
    /// may concern another one: then leave it out, so that no event names a patient whose record was not touched. What is
    /// no FHIR id is left out.
    pub fn patient(mut self, id: &str) -> Self {
        self.patient = is_id(id).then(|| Hidden::new(id.to_owned()));
        self
    }

    /// An event of this context.
    pub fn entry(&self, kind: AuditKind) -> AuditEntry {
        AuditEntry::in_context(self.clone(), kind)
    }
}

//! What the flows record, and where.
//!
//! An event is recorded when the thing has happened; where it is about to (a token is used), before. With a strict audit a
//! thing that cannot be recorded does not go on.

use crate::audit::{
    AuditContext, AuditEntry, AuditKind, EndpointRole, LaunchKind, Reason, RequestLine, SessionHandle, StoreKind,
    TokenId,
};
use crate::client::Inner as Client;
use crate::error::Error;
use crate::events::EndReason;
use crate::record::{Grant, SessionRecord};
use crate::session::Inner as Session;
use http::Method;
use smart_core::discovery::{Discovered, Source};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::scope::{Level, Scope};
use smart_store::Key;
use url::Url;

impl Client {
    pub(crate) fn record(&self, entry: AuditEntry) -> Result<(), Error> {
        Ok(self.audit.record(entry)?)
    }

    /// Records what came to nothing already, so that a failing audit cannot make it worse.
    pub(crate) fn record_failure(&self, entry: AuditEntry, error: &Error) {
        if let Err(failed) = self.audit.record(entry.found(error)) {
            tracing::error!(%failed, "a failure was not recorded");
        }
    }

    pub(crate) fn audit_context(&self, fhir_base: &FhirBaseUrl) -> AuditContext {
        AuditContext::new().fhir_base(fhir_base).client(&self.app.client_id)
    }

    /// What is known of a stored session.
    pub(crate) fn record_context(&self, record: &SessionRecord) -> AuditContext {
        let mut context = self.audit_context(&record.fhir_base).session(SessionHandle::of(&record.key()));
        if let Some(user) = &record.user {
            context = context.user(user.issuer.clone(), user.subject.clone());
        }
        match &record.context.patient {
            Some(patient) if is_about_one_patient(record) => context.patient(patient),
            _ => context,
        }
    }

    pub(crate) fn record_discovery(&self, server: &Discovered) -> Result<(), Error> {
        let context = self.audit_context(&server.fhir_base);
        let role = match server.source {
            Source::CapabilityStatement => EndpointRole::Metadata,
            Source::WellKnown | Source::Overrides => EndpointRole::SmartConfiguration,
        };
        self.record(context.entry(AuditKind::EndpointDiscovered).endpoint(role, server.fhir_base.url()))?;
        self.record(context.entry(AuditKind::CapabilitiesLoaded))
    }

    pub(crate) fn record_launch(&self, fhir_base: &FhirBaseUrl, launch: LaunchKind) -> Result<(), Error> {
        self.record(self.audit_context(fhir_base).entry(AuditKind::LaunchBegun).launch(launch))
    }

    pub(crate) fn record_attempt(
        &self,
        fhir_base: &FhirBaseUrl,
        role: EndpointRole,
        endpoint: &Url,
    ) -> Result<(), Error> {
        self.record(self.audit_context(fhir_base).entry(AuditKind::AuthenticationAttempt).endpoint(role, endpoint))
    }

    /// A login, or a backend service's first token.
    pub(crate) fn record_login(&self, record: &SessionRecord, id_token: Option<TokenId>) -> Result<(), Error> {
        let context = self.record_context(record);
        if let Some(id_token) = id_token {
            self.record(context.entry(AuditKind::TokenValidated).token(id_token))?;
        }
        self.record(context.entry(AuditKind::AuthorizationGranted).scopes(&record.granted))?;
        self.record(issued(&context, AuditKind::TokenIssued, record))?;
        self.record(context.entry(AuditKind::AuthenticationSuccess))?;
        self.record(context.entry(AuditKind::SessionStarted))
    }

    pub(crate) fn record_renewal(&self, record: &SessionRecord) -> Result<(), Error> {
        self.record(issued(&self.record_context(record), AuditKind::TokenRefreshed, record))
    }

    /// The client is ready, and its store is open.
    pub(crate) fn record_store(&self) {
        let kind = match self.store.backend() {
            "memory" => StoreKind::Memory,
            "encrypted-file" => StoreKind::EncryptedFile,
            "database" => StoreKind::Database,
            _ => StoreKind::Other,
        };
        let entry = AuditContext::new().client(&self.app.client_id).entry(AuditKind::StoreOpened).store(kind);
        if let Err(error) = self.record(entry) {
            tracing::error!(%error, "the opening of a store was not recorded");
        }
    }

    /// A callback or pending login that belongs to nobody here.
    pub(crate) fn record_stray_callback(&self, error: &Error) {
        let context = AuditContext::new().client(&self.app.client_id);
        self.record_failure(context.entry(AuditKind::AuthenticationFailure), error);
    }

    pub(crate) fn record_unreadable(&self, key: &Key, error: &Error) {
        let context = AuditContext::new().client(&self.app.client_id).session(SessionHandle::of(key));
        self.record_failure(context.entry(AuditKind::ValidationFailed), error);
    }
}

impl Session {
    /// The token is about to be used for a request.
    pub(crate) fn record_use(&self, method: &Method, url: &Url) -> Result<(), Error> {
        let client = &self.client.inner;
        if !client.audit.is_on() {
            return Ok(());
        }
        let live = self.live()?;
        let request = RequestLine::new(method, url, &live.record.fhir_base);
        let entry = client.record_context(&live.record).entry(request.kind());
        client.record(entry.token(TokenId::access(&live.record.access_token)).request(request))
    }

    /// The session is over. Nobody is asked whether it may be.
    pub(crate) fn record_end(&self, record: &SessionRecord, end: EndReason) {
        let (kind, reason) = match end {
            EndReason::TimedOut(timeout) => (AuditKind::SessionTimeout, reason_of(timeout)),
            EndReason::LoggedOut | EndReason::LoggedOutElsewhere => (AuditKind::SessionEnded, Reason::LOGGED_OUT),
            EndReason::Revoked => (AuditKind::SessionEnded, Reason::new("revoked")),
            EndReason::RefreshRefused | EndReason::EhrSessionEnded => (AuditKind::SessionEnded, Reason::INVALID_GRANT),
            EndReason::OtherPerson => (AuditKind::SessionEnded, Reason::new("other-person")),
            EndReason::OtherPatient => (AuditKind::SessionEnded, Reason::new("other-patient")),
            EndReason::Replaced => (AuditKind::SessionEnded, Reason::new("replaced")),
        };
        let entry = self.client.inner.record_context(record).entry(kind).reason(reason);
        if let Err(error) = self.client.inner.record(entry) {
            tracing::error!(%error, "the end of a session was not recorded");
        }
    }
}

fn reason_of(timeout: crate::session_policy::Timeout) -> Reason {
    match timeout {
        crate::session_policy::Timeout::Idle => Reason::IDLE,
        crate::session_policy::Timeout::Absolute => Reason::TOO_OLD,
    }
}

fn issued(context: &AuditContext, kind: AuditKind, record: &SessionRecord) -> AuditEntry {
    let entry = context.entry(kind).token(TokenId::access(&record.access_token)).scopes(&record.granted);
    entry.endpoint(EndpointRole::Token, &record.endpoints.token)
}

/// Whether no request of the session can concern another patient than the one in context.
fn is_about_one_patient(record: &SessionRecord) -> bool {
    record.grant == Grant::Login
        && record.granted.iter().all(|scope| match scope {
            Scope::Resource(resource) => resource.level() == Level::Patient,
            _ => true,
        })
}

//! Events as those of `tracing`.

use crate::audit::error::AuditError;
use crate::audit::event::{AuditEvent, RestInteraction, Severity};
use crate::audit::sink::AuditSink;

/// Hands events to `tracing`, with the target `smart::audit` and a field for each member. Information is at level INFO,
/// warnings at WARN, errors and what is critical at ERROR.
#[derive(Debug, Clone, Copy, Default)]
pub struct TracingSink;

impl AuditSink for TracingSink {
    fn record(&self, event: &AuditEvent) -> Result<(), AuditError> {
        let shown = |value: Option<&dyn std::fmt::Display>| value.map(ToString::to_string);
        macro_rules! emit {
            ($level:ident) => {
                tracing::event!(
                    target: "smart::audit",
                    tracing::Level::$level,
                    id = %event.id(),
                    sequence = event.sequence(),
                    kind = event.kind().as_str(),
                    severity = event.severity().as_str(),
                    outcome = event.outcome().as_str(),
                    reason = event.reason().map(|reason| reason.as_str()),
                    fhir_base = event.fhir_base().map(|base| base.as_str()),
                    client_id = event.client_id(),
                    session = shown(event.session().as_ref().map(|session| session as _)),
                    user_issuer = event.user().map(|user| user.issuer()),
                    user = event.user().map(|user| user.name()),
                    launch = event.launch().map(|launch| launch.as_str()),
                    token_kind = event.token().map(|token| token.kind().as_str()),
                    token = shown(event.token().as_ref().map(|token| token as _)),
                    scopes = shown(event.scopes().map(|scopes| scopes as _)),
                    endpoint = event.endpoint().map(|endpoint| endpoint.role().as_str()),
                    endpoint_origin = event.endpoint().map(|endpoint| endpoint.origin()),
                    request = shown(event.request().map(|request| request as _)),
                    interaction = event.request().and_then(|request| request.interaction()).map(RestInteraction::as_str),
                    status = event.status(),
                    store = event.store().map(|store| store.as_str()),
                    "{}", event.kind()
                )
            };
        }
        match event.severity() {
            Severity::Info => emit!(INFO),
            Severity::Warning => emit!(WARN),
            Severity::Error | Severity::Critical => emit!(ERROR),
        }
        Ok(())
    }

    fn name(&self) -> &'static str {
        "tracing"
    }
}

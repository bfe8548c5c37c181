//! Each kind of event: built, with its severity and outcome, and seen in each sink.

use super::support::{Keeping, builder, logged, usual};
use serde_json::Value;
use smart_flows::audit::{
    AuditKind, AuditQuery, AuditSource, FhirAudit, FhirSink, JsonLinesSink, MemorySink, Outcome, Severity, TracingSink,
    Verifier, query_files,
};
use std::sync::{Arc, Mutex};

/// Records a usual event of the kind in all sinks, and looks it up in each.
fn reaches_every_sink(kind: AuditKind, name: &str, severity: Severity, outcome: Outcome, fhir_type: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let (memory, kept) = (MemorySink::new(), Keeping::default());
    let resources = Arc::new(Mutex::new(Vec::new()));
    let taken = resources.clone();
    let fhir = FhirSink::to(FhirAudit::new(AuditSource::new("Intake", "ws-12.clinic.example")), move |resource| {
        taken.lock().unwrap().push(resource);
        Ok(())
    });
    let auditor = builder()
        .sink(TracingSink)
        .sink(memory.clone())
        .sink(JsonLinesSink::options(&path).open().unwrap())
        .sink(fhir)
        .sink(kept.clone())
        .build();
    let log = logged(|| auditor.record(usual(kind)).unwrap());

    let event = kept.events().remove(0);
    assert_eq!((event.kind(), event.severity(), event.outcome()), (kind, severity, outcome));
    assert_eq!(kind.as_str(), name);

    let in_memory = memory.query(&AuditQuery::new().kind(kind).at_least(severity));
    assert_eq!(*in_memory[0], event);

    let level = match severity {
        Severity::Info => " INFO ",
        Severity::Warning => " WARN ",
        _ => "ERROR ",
    };
    let fields = [
        format!("smart::audit: {name}"),
        format!("kind=\"{name}\""),
        format!("severity=\"{}\"", severity.as_str()),
        format!("outcome=\"{}\"", outcome.as_str()),
        format!("id={}", event.id()),
    ];
    assert!(log.contains(level) && fields.iter().all(|field| log.contains(field)), "{log}");

    assert_eq!(Verifier::new().verify_file(&path).unwrap().events, 1);
    let stored = query_files(&path, &AuditQuery::new().kind(kind)).unwrap().remove(0);
    assert_eq!(Value::Object(stored.members().clone()), serde_json::to_value(&event).unwrap());
    assert_eq!((stored.kind(), stored.severity(), stored.outcome()), (Some(kind), Some(severity), Some(outcome)));

    let resource = resources.lock().unwrap()[0].as_json().clone();
    assert_eq!(resource["type"]["code"], fhir_type, "{resource}");
    let subtypes = resource["subtype"].as_array().unwrap();
    assert!(subtypes.iter().any(|subtype| subtype["code"] == name), "{resource}");
    assert_eq!(resource["outcome"] == "0", outcome == Outcome::Success, "{resource}");
    assert_eq!(super::validator::problems(&resource), Vec::<String>::new());
}

macro_rules! each_kind {
    ($($test:ident: $kind:ident, $name:literal, $severity:ident, $outcome:ident, $fhir:literal;)+) => {
        $(
            #[test]
            fn $test() {
                reaches_every_sink(AuditKind::$kind, $name, Severity::$severity, Outcome::$outcome, $fhir);
            }
        )+

        /// Each kind has a test of its own above.
        #[test]
        fn no_kind_is_left_out() {
            assert_eq!(AuditKind::ALL, [$(AuditKind::$kind),+]);
        }
    };
}

// The 30 types of the library that this one takes the place of, and four of its own.
each_kind! {
    launch_begun: LaunchBegun, "launch-begun", Info, Success, "110100";
    authentication_attempt: AuthenticationAttempt, "authentication-attempt", Info, Success, "110114";
    authentication_success: AuthenticationSuccess, "authentication-success", Info, Success, "110114";
    authentication_failure: AuthenticationFailure, "authentication-failure", Warning, Failure, "110114";
    authentication_cancelled: AuthenticationCancelled, "authentication-cancelled", Info, Failure, "110114";
    login_timeout: LoginTimeout, "login-timeout", Warning, Failure, "110114";
    authorization_granted: AuthorizationGranted, "authorization-granted", Info, Success, "110114";
    authorization_denied: AuthorizationDenied, "authorization-denied", Warning, Failure, "110114";
    token_issued: TokenIssued, "token-issued", Info, Success, "110114";
    token_refreshed: TokenRefreshed, "token-refreshed", Info, Success, "110114";
    token_revoked: TokenRevoked, "token-revoked", Info, Success, "110114";
    token_expired: TokenExpired, "token-expired", Info, Success, "110114";
    token_validated: TokenValidated, "token-validated", Info, Success, "110114";
    token_introspected: TokenIntrospected, "token-introspected", Info, Success, "110114";
    session_started: SessionStarted, "session-started", Info, Success, "110114";
    session_ended: SessionEnded, "session-ended", Info, Success, "110114";
    session_timeout: SessionTimeout, "session-timeout", Info, Success, "110114";
    security_violation: SecurityViolation, "security-violation", Critical, Failure, "110113";
    csrf_detected: CsrfDetected, "csrf-detected", Critical, Failure, "110113";
    replay_detected: ReplayDetected, "replay-detected", Critical, Failure, "110113";
    invalid_signature: InvalidSignature, "invalid-signature", Critical, Failure, "110113";
    expired_token: ExpiredToken, "expired-token", Warning, Failure, "110113";
    tampered_token: TamperedToken, "tampered-token", Critical, Failure, "110113";
    validation_failed: ValidationFailed, "validation-failed", Error, Failure, "110113";
    resource_accessed: ResourceAccessed, "resource-accessed", Info, Success, "rest";
    resource_modified: ResourceModified, "resource-modified", Info, Success, "rest";
    resource_created: ResourceCreated, "resource-created", Info, Success, "rest";
    resource_deleted: ResourceDeleted, "resource-deleted", Info, Success, "rest";
    endpoint_discovered: EndpointDiscovered, "endpoint-discovered", Info, Success, "110100";
    capabilities_loaded: CapabilitiesLoaded, "capabilities-loaded", Info, Success, "rest";
    store_opened: StoreOpened, "store-opened", Info, Success, "110100";
    network_error: NetworkError, "network-error", Error, Failure, "110100";
    configuration_error: ConfigurationError, "configuration-error", Error, Failure, "110100";
    unexpected_error: UnexpectedError, "unexpected-error", Error, Failure, "110100";
}

/// An event that tells of a failed request is a failure and a warning, whatever its kind is usually.
#[test]
fn a_failure_raises_the_severity() {
    let event = super::support::recorded(usual(AuditKind::ResourceAccessed).status(404));
    assert_eq!((event.severity(), event.outcome()), (Severity::Warning, Outcome::Failure));
    assert_eq!(event.reason().unwrap().as_str(), "status");
    let event = super::support::recorded(usual(AuditKind::ResourceAccessed).status(304));
    assert_eq!((event.severity(), event.outcome()), (Severity::Info, Outcome::Success));
}

//! Whether a flow can be tried at a server.

use super::fixtures::{backend_only, read, smart_1_0, smart_2_0, with};
use serde_json::{Value, json};
use smart_core::discovery::{
    AuthMethod, Capability, DiscoveryError, Endpoint, Finding, FindingCode as Code, Flow, GatePolicy, NotAnnounced,
    Severity,
};

const FLOWS: [Flow; 3] = [Flow::StandaloneLaunch, Flow::EhrLaunch, Flow::BackendServices];

fn warned(document: &Value, flow: Flow) -> Vec<Finding> {
    read(document).gate(flow, GatePolicy::Warn).unwrap_or_else(|error| panic!("{error}"))
}

/// DI-11 (SMART, conformance; client-js#174): a capability that is not listed is a typed warning, and the flow goes on.
#[test]
fn unlisted_launch_is_a_warning() {
    for (flow, word) in [(Flow::StandaloneLaunch, "launch-standalone"), (Flow::EhrLaunch, "launch-ehr")] {
        let server = read(&with(smart_2_0(), json!({"capabilities": ["permission-v2"]})));
        let findings = server.gate(flow, GatePolicy::default()).unwrap();
        assert_eq!(findings.len(), 1);
        assert_eq!((findings[0].code, findings[0].severity), (Code::CapabilityNotListed, Severity::Warning));
        assert!(findings[0].message.contains(word), "{}", findings[0].message);
        assert!(server.authorization_server().is_ok());
    }
    assert!(FLOWS.iter().all(|flow| warned(&smart_2_0(), *flow).is_empty()));
}

/// DI-11: the caller may refuse instead; the error names the server, the flow and everything that is missing.
#[test]
fn caller_may_refuse_unlisted_flows() {
    let document = with(smart_2_0(), json!({"capabilities": ["launch-ehr"], "grant_types_supported": ["x"]}));
    let error = read(&document).gate(Flow::StandaloneLaunch, GatePolicy::Refuse).unwrap_err();
    let DiscoveryError::CapabilityMissing { base, flow, missing } = &error else { panic!("{error}") };
    assert_eq!((base.as_str(), *flow), ("https://ehr.example/r4", Flow::StandaloneLaunch));
    assert_eq!(
        *missing,
        [NotAnnounced::Capability(Capability::LaunchStandalone), NotAnnounced::Grant("authorization_code")]
    );
    let shown = error.to_string();
    assert!(shown.contains("`launch-standalone`") && shown.contains("`authorization_code`"), "{shown}");
    for flow in FLOWS {
        assert_eq!(read(&smart_2_0()).gate(flow, GatePolicy::Refuse), Ok(vec![]), "{flow}");
    }
}

/// BS-06, CA-12 (SMART, conformance, Metadata; backend services): grant, method and capability of a backend service.
#[test]
fn backend_service_is_warned_of_what_is_not_announced() {
    for (members, code, word) in [
        (json!({"grant_types_supported": ["authorization_code"]}), Code::GrantNotListed, "`client_credentials`"),
        (
            json!({"token_endpoint_auth_methods_supported": ["client_secret_basic"]}),
            Code::AuthMethodNotListed,
            "`private_key_jwt`",
        ),
        (
            json!({"capabilities": ["client-confidential-symmetric"]}),
            Code::CapabilityNotListed,
            "`client-confidential-asymmetric`",
        ),
    ] {
        let document = with(backend_only(), members);
        let findings = warned(&document, Flow::BackendServices);
        assert_eq!(findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), [code]);
        assert!(findings[0].message.contains(word), "{}", findings[0].message);
        let refused = read(&document).gate(Flow::BackendServices, GatePolicy::Refuse).unwrap_err();
        assert!(refused.to_string().contains(word), "{refused}");
    }
    assert!(warned(&backend_only(), Flow::BackendServices).is_empty());
    let method = NotAnnounced::AuthMethod(AuthMethod::PrivateKeyJwt);
    assert_eq!(serde_json::to_value(method).unwrap(), json!({"auth-method": "private_key_jwt"}));
}

/// DI-11, BS-06: what a document does not speak of at all is not held against the server.
#[test]
fn silence_is_no_refusal() {
    let silent = with(
        smart_1_0(),
        json!({"capabilities": null, "token_endpoint_auth_methods": null, "grant_types_supported": null}),
    );
    for flow in FLOWS {
        assert_eq!(read(&silent).gate(flow, GatePolicy::Refuse), Ok(vec![]), "{flow}");
    }
}

/// DI-11, IN-07: without the endpoint there is nothing to try, whatever the policy.
#[test]
fn endpoints_are_needed_in_any_case() {
    for policy in [GatePolicy::Warn, GatePolicy::Refuse] {
        for flow in [Flow::StandaloneLaunch, Flow::EhrLaunch] {
            let error = read(&backend_only()).gate(flow, policy).unwrap_err();
            assert!(matches!(error, DiscoveryError::NotOffered { endpoint: Endpoint::Authorization, .. }), "{error}");
        }
    }
}

/// IN-07 (SMART, conformance; RFC 7662): an endpoint that is not announced is not supported, and none is guessed.
#[test]
fn unannounced_endpoints_are_not_guessed() {
    let server = read(&smart_2_0());
    for endpoint in [Endpoint::Introspection, Endpoint::Revocation, Endpoint::Registration, Endpoint::Management] {
        let error = server.endpoint(endpoint).unwrap_err();
        assert!(matches!(&error, DiscoveryError::NotOffered { endpoint: e, .. } if *e == endpoint), "{error}");
        let shown = error.to_string();
        assert!(shown.contains(endpoint.member()) && shown.contains("https://ehr.example/r4"), "{shown}");
        assert!(!error.is_retryable());
    }
    // One that is announced and may not be used is as good as none.
    let unsafe_one = with(smart_2_0(), json!({"introspection_endpoint": "http://login.ehr.example/introspect"}));
    assert!(read(&unsafe_one).endpoint(Endpoint::Introspection).is_err());
}

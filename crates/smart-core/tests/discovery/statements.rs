//! The way of SMART 1: endpoints in the CapabilityStatement, or the Conformance of DSTU2.

use super::fixtures::base;
use super::support::{Counting, NOW, query, redirect, scopes};
use serde_json::{Value, json};
use smart_core::authorize::AuthorizationBuilder;
use smart_core::discovery::{
    AuthMethod, CAPABILITIES, Capability, CapabilityStatement, Discovered, Discovery, DiscoveryError, DiscoveryOptions,
    DiscoveryPolicy, Endpoint, FindingCode as Code, Flow, GatePolicy, OAUTH_URIS, S256Policy, SmartVersion, Source,
    Step,
};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::json::JsonError;
use smart_core::scope::Syntax;

fn oauth_uris(uris: &[(&str, &str)]) -> Value {
    let children: Vec<_> = uris.iter().map(|(name, uri)| json!({"url": name, "valueUri": uri})).collect();
    json!({"url": OAUTH_URIS, "extension": children})
}

fn all_uris() -> Value {
    oauth_uris(&[
        ("authorize", "https://login.ehr.example/authorize"),
        ("token", "https://login.ehr.example/token"),
        ("register", "https://login.ehr.example/register"),
        ("manage", "https://portal.ehr.example/apps"),
        ("introspect", "https://login.ehr.example/introspect"),
        ("revoke", "https://login.ehr.example/revoke"),
    ])
}

fn statement(resource_type: &str, version: &str, extensions: Value) -> Value {
    json!({
        "resourceType": resource_type, "status": "active", "fhirVersion": version,
        "rest": [{"mode": "server", "security": {
            "extension": extensions,
            "service": [{"coding": [{"code": "SMART-on-FHIR"}]}]
        }, "resource": [{"type": "Patient"}]}]
    })
}

pub(crate) fn r4() -> Value {
    statement("CapabilityStatement", "4.0.1", json!([all_uris()]))
}

fn discover_with(body: &Value, base: FhirBaseUrl, options: DiscoveryOptions) -> Result<Discovered, DiscoveryError> {
    let first = Discovery::new(base, options);
    let Step::Next(second) = first.next_step(http::StatusCode::NOT_FOUND, None, b"").unwrap() else {
        panic!("nothing was found yet")
    };
    match second.next_step(http::StatusCode::OK, Some("application/fhir+json"), body.to_string().as_bytes())? {
        Step::Done(server) => Ok(*server),
        Step::Next(_) => panic!("two requests are enough"),
    }
}

fn discover(body: &Value) -> Result<Discovered, DiscoveryError> {
    discover_with(body, base(), DiscoveryOptions::default())
}

/// DI-14, F-07 (SMART 1.0, conformance): the six endpoints, out of DSTU2's Conformance, STU3 and R4 alike.
#[test]
fn endpoints_come_from_statements_of_each_fhir_version() {
    for (resource_type, version) in
        [("Conformance", "1.0.2"), ("CapabilityStatement", "3.0.2"), ("CapabilityStatement", "4.0.1")]
    {
        let body = statement(resource_type, version, json!([all_uris()]));
        let read = CapabilityStatement::parse(body.to_string().as_bytes()).unwrap();
        assert_eq!((read.fhir_version.as_deref(), read.oauth_uris.len()), (Some(version), 6));
        let server = discover(&body).unwrap();
        assert_eq!((server.source, server.version), (Source::CapabilityStatement, SmartVersion::V1));
        for (endpoint, url) in [
            (Endpoint::Authorization, "https://login.ehr.example/authorize"),
            (Endpoint::Token, "https://login.ehr.example/token"),
            (Endpoint::Registration, "https://login.ehr.example/register"),
            (Endpoint::Management, "https://portal.ehr.example/apps"),
            (Endpoint::Introspection, "https://login.ehr.example/introspect"),
            (Endpoint::Revocation, "https://login.ehr.example/revoke"),
        ] {
            assert_eq!(server.endpoint(endpoint).unwrap().as_str(), url, "{version}");
        }
        assert!(server.endpoint(Endpoint::Jwks).is_err(), "the extension has no name for it");
        assert_eq!(server.configuration.scope_syntax(), Syntax::V1);
        assert!(server.report.has(Code::FromCapabilityStatement), "the fallback is recorded");
        assert!(!server.report.has(Code::CapabilitiesMissing), "a statement need not have them");
        assert_eq!(server.gate(Flow::StandaloneLaunch, GatePolicy::Refuse), Ok(vec![]));
    }
}

/// PK-09, DI-14 (SMART, PKCE): a server known from its statement gets the challenge; who wants S256 listed is obeyed.
#[test]
fn statement_servers_get_the_challenge_too() {
    let server = discover(&r4()).unwrap().authorization_server().unwrap();
    let builder =
        AuthorizationBuilder::standalone(server, "my-app".into(), redirect(), scopes("patient/*.read")).unwrap();
    let sent = query(&builder.build(&Counting::default(), NOW).unwrap().0);
    assert_eq!((sent["code_challenge_method"].as_str(), sent["code_challenge"].len()), ("S256", 43));
    for policy in [DiscoveryPolicy::default().s256(S256Policy::Always), DiscoveryPolicy::strict()] {
        let options = DiscoveryOptions { policy, ..DiscoveryOptions::default() };
        let error = discover_with(&r4(), base(), options).unwrap_err();
        assert!(matches!(&error, DiscoveryError::S256NotSupported { listed, .. } if listed.is_empty()), "{error}");
    }
}

/// DI-14, DI-09 (SMART 1.0, conformance): capabilities of the statement are read as those of the document are.
#[test]
fn capabilities_of_the_statement_are_read() {
    let words = ["launch-ehr", "context-passthrough-banner", "x"];
    let mut extensions: Vec<_> = words.iter().map(|word| json!({"url": CAPABILITIES, "valueCode": word})).collect();
    extensions.push(all_uris());
    extensions.push(json!({"url": "https://other.example/extension", "valueCode": "launch-standalone"}));
    let server = discover(&statement("CapabilityStatement", "3.0.2", extensions.into())).unwrap();
    let read: Vec<_> = server.configuration.capabilities.iter().map(Capability::as_str).collect();
    assert_eq!(read, words);
    assert!(server.configuration.supports(&Capability::ContextBanner));
    let warned = server.gate(Flow::StandaloneLaunch, GatePolicy::Warn).unwrap();
    assert_eq!(warned.iter().map(|finding| finding.code).collect::<Vec<_>>(), [Code::CapabilityNotListed]);
    assert_eq!(server.configuration.token_endpoint_auth_methods_supported, None::<Vec<AuthMethod>>);
}

/// DI-14, DI-08, DI-13: endpoints of a statement are resolved and checked as those of the document are.
#[test]
fn endpoints_of_the_statement_are_checked() {
    let uris = oauth_uris(&[
        ("authorize", "/authorize"),
        ("token", "https://login.ehr.example/token"),
        ("manage", "http://portal.ehr.example/apps"),
    ]);
    let server = discover(&statement("CapabilityStatement", "4.0.1", json!([uris]))).unwrap();
    assert_eq!(server.configuration.authorization_endpoint.as_ref().unwrap().as_str(), "https://ehr.example/authorize");
    assert_eq!(server.configuration.management_endpoint, None);
    assert!(server.report.has(Code::RelativeEndpoint) && server.report.has(Code::EndpointRefused));
    let plain = oauth_uris(&[("authorize", "https://ehr.example/a"), ("token", "http://login.ehr.example/token")]);
    let error = discover(&statement("CapabilityStatement", "4.0.1", json!([plain]))).unwrap_err();
    assert!(matches!(error, DiscoveryError::Endpoint { member: "token_endpoint", .. }), "{error}");
    let no_token = oauth_uris(&[("authorize", "https://ehr.example/a")]);
    let error = discover(&statement("CapabilityStatement", "4.0.1", json!([no_token]))).unwrap_err();
    assert!(matches!(error, DiscoveryError::Missing { member: "token_endpoint", .. }), "{error}");
}

/// DI-14, CB-04: endpoints of two authorization servers are never mixed: one extension counts as a whole.
#[test]
fn endpoints_of_two_extensions_are_not_mixed() {
    let one = |host: &str| {
        let at = |path: &str| format!("https://{host}/{path}");
        oauth_uris(&[("authorize", &at("authorize")), ("token", &at("token"))])
    };
    let introspection = oauth_uris(&[("introspect", "https://c.example/introspect")]);
    for (extensions, host) in [
        (json!([one("a.example"), one("b.example")]), "a.example"),
        (json!([introspection, one("b.example"), one("a.example")]), "b.example"),
    ] {
        let server = discover(&statement("CapabilityStatement", "4.0.1", extensions)).unwrap();
        for endpoint in [Endpoint::Authorization, Endpoint::Token] {
            assert_eq!(server.endpoint(endpoint).unwrap().host_str(), Some(host));
        }
        assert!(server.endpoint(Endpoint::Introspection).is_err());
    }
    let mut two_rests = statement("CapabilityStatement", "4.0.1", json!([one("a.example")]));
    let second = statement("CapabilityStatement", "4.0.1", json!([all_uris()]))["rest"][0].clone();
    let client = json!({"mode": "client", "security": {"extension": [one("client.example")]}});
    two_rests["rest"] = json!([client, two_rests["rest"][0], second]);
    let server = discover(&two_rests).unwrap();
    assert_eq!(server.endpoint(Endpoint::Token).unwrap().host_str(), Some("a.example"));
    assert!(server.endpoint(Endpoint::Introspection).is_err(), "what clients or other servers have is not this one's");
}

/// DI-14: a FHIR server without SMART is told apart from what is no statement at all.
#[test]
fn servers_without_smart_are_told_apart() {
    for body in [
        json!({"resourceType": "CapabilityStatement"}),
        json!({"resourceType": "CapabilityStatement", "rest": []}),
        json!({"resourceType": "CapabilityStatement", "rest": [{"mode": "server"}]}),
        json!({"resourceType": "CapabilityStatement", "rest": "x"}),
        statement("CapabilityStatement", "4.0.1", json!([])),
        statement("CapabilityStatement", "4.0.1", json!([{"url": OAUTH_URIS}])),
        statement(
            "CapabilityStatement",
            "4.0.1",
            json!([{"url": OAUTH_URIS, "extension": [{"url": "token", "valueUri": 7}]}]),
        ),
        statement("CapabilityStatement", "4.0.1", json!([{"url": "https://x.example/oauth-uris", "extension": []}])),
    ] {
        assert!(matches!(discover(&body), Err(DiscoveryError::NoSmart { .. })), "{body}");
    }
    let error = discover(&json!({"resourceType": "OperationOutcome\u{1b}"})).unwrap_err();
    let shown = error.to_string();
    assert!(matches!(error, DiscoveryError::NotCapabilityStatement { .. }), "{shown}");
    assert!(shown.contains("OperationOutcome") && !shown.contains('\u{1b}'), "{shown}");
    assert_eq!(CapabilityStatement::parse(b"[]"), Err(JsonError::NotAnObject));
    assert_eq!(CapabilityStatement::parse(br#"{"resourceType":"Patient"}"#), Err(JsonError::NotAnObject));
    assert!(matches!(CapabilityStatement::parse(b"{"), Err(JsonError::Syntax { .. })));
}

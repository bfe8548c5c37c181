//! One document for each version of SMART.

use super::fixtures::{
    backend_only, base, codes, read, read_by_default, smart_1_0, smart_2_0, smart_2_1, smart_2_2, with,
};
use super::support::{Counting, NOW, query, redirect};
use serde_json::json;
use smart_core::authorize::AuthorizationBuilder;
use smart_core::discovery::{
    AuthMethod, Capability, Endpoint, FindingCode as Code, S256Support, Severity, SmartVersion, Source,
};
use smart_core::scope::{Scopes, Syntax};
use std::collections::BTreeMap;

/// The authorization request of a standalone login at the server of a document.
pub(crate) fn login(document: &serde_json::Value, scopes: &str) -> BTreeMap<String, String> {
    let server = read_by_default(document).authorization_server().unwrap();
    let scopes: Scopes = scopes.parse().unwrap();
    let builder = AuthorizationBuilder::standalone(server, "my-app".into(), redirect(), scopes).unwrap();
    query(&builder.build(&Counting::default(), NOW).unwrap().0)
}

/// DI-04, F-06 (SMART 1.0, conformance): a document of SMART 1 is read; what 2.x requires of it is no error, and noted.
#[test]
fn document_of_smart_1_0_is_read() {
    let server = read_by_default(&smart_1_0());
    assert_eq!((server.version, server.source), (SmartVersion::V1, Source::WellKnown));
    assert_eq!(server.configuration.token_endpoint.as_str(), "https://login.ehr.example/token");
    assert_eq!(server.configuration.grant_types_supported, None);
    assert_eq!(server.configuration.s256(), S256Support::Unknown);
    assert_eq!(server.configuration.scope_syntax(), Syntax::V1);
    let found = codes(&server);
    for noted in [Code::SmartOne, Code::CodeChallengeMethodsMissing, Code::AuthMethodsAlias] {
        assert!(found.contains(&noted), "{found:?}");
    }
    assert!(!found.contains(&Code::GrantTypesMissing) && !found.contains(&Code::CapabilitiesMissing), "{found:?}");
    // SMART 1 had no place for what its single sign-on needs: without it no ID token can be checked.
    let errors: Vec<_> = server.report.at_least(Severity::Error).map(|finding| finding.code).collect();
    assert_eq!(errors, [Code::IssuerMissing, Code::JwksUriMissing]);
    assert!(server.authorization_server().is_ok());
}

/// DI-04 (SMART 1.0, conformance): the endpoint that SMART 1 requires of every server is missed, launches or not.
#[test]
fn smart_1_0_requires_an_authorization_endpoint() {
    let bare = json!({"token_endpoint": "https://login.ehr.example/token", "capabilities": ["client-public"]});
    assert!(read(&bare).report.has(Code::AuthorizationEndpointMissing));
    let whole = with(bare, json!({"authorization_endpoint": "https://login.ehr.example/authorize"}));
    assert!(!read(&whole).report.has(Code::AuthorizationEndpointMissing));
}

/// DI-04, F-06, F-52 (SMART 2.0 to 2.2, conformance): whole documents are clean, their version is told, scopes are v2.
#[test]
fn documents_of_smart_2_are_clean() {
    for (document, version, notes) in [
        (smart_2_0(), SmartVersion::V2_0, vec![]),
        (smart_2_1(), SmartVersion::V2_1, vec![Code::DeprecatedAppStateEndpoint]),
        (smart_2_2(), SmartVersion::V2_2, vec![]),
        (backend_only(), SmartVersion::V2_2, vec![]),
    ] {
        let server = read_by_default(&document);
        assert_eq!(server.version, version);
        assert_eq!(codes(&server), notes, "{version}");
        assert!(server.report.is_clean());
        assert_eq!(server.configuration.scope_syntax(), Syntax::V2);
        assert_eq!(server.fhir_base, base());
    }
}

/// DI-04 (SMART 2.2, conformance, Metadata): each required member that is missing is reported by its own code.
#[test]
fn missing_required_members_are_reported() {
    for (member, code) in [
        ("grant_types_supported", Code::GrantTypesMissing),
        ("code_challenge_methods_supported", Code::CodeChallengeMethodsMissing),
        ("capabilities", Code::CapabilitiesMissing),
    ] {
        let server = read_by_default(&with(smart_2_0(), json!({member: null})));
        assert_eq!(codes(&server), [code], "{member}");
        assert!(server.report.findings[0].message.contains(member));
    }
    let launches_without_code = with(smart_2_0(), json!({"grant_types_supported": ["client_credentials"]}));
    assert_eq!(codes(&read(&launches_without_code)), [Code::AuthorizationCodeNotListed]);
}

/// DI-05 (SMART 2.2, conformance, Metadata; FHIR-44918): an authorization endpoint is due with a launch, else not.
#[test]
fn backend_only_server_needs_no_authorization_endpoint() {
    let server = read_by_default(&backend_only());
    assert_eq!(server.configuration.authorization_endpoint, None);
    assert!(server.report.findings.is_empty());
    let refused = server.authorization_server().unwrap_err().to_string();
    assert!(refused.contains("authorization_endpoint") && refused.contains("https://ehr.example/r4"), "{refused}");
    assert!(server.endpoint(Endpoint::Token).is_ok());
    for launch in ["launch-ehr", "launch-standalone"] {
        let document =
            with(backend_only(), json!({"capabilities": [launch], "grant_types_supported": ["authorization_code"]}));
        assert_eq!(codes(&read(&document)), [Code::AuthorizationEndpointMissing], "{launch}");
    }
}

/// DI-05 (SMART 2.2, conformance, Metadata): issuer and keys are due with single sign-on, under its old name too.
#[test]
fn single_sign_on_needs_issuer_and_keys() {
    let without = with(smart_2_0(), json!({"issuer": null, "jwks_uri": null}));
    let mut found = codes(&read(&without));
    found.sort();
    assert_eq!(found, [Code::IssuerMissing, Code::JwksUriMissing]);
    let no_sso = with(without.clone(), json!({"capabilities": ["launch-standalone", "permission-v2"]}));
    assert!(codes(&read(&no_sso)).is_empty());
    let old_name = with(without, json!({"capabilities": ["single-sign-on", "permission-v2"]}));
    assert!(read(&old_name).report.has(Code::IssuerMissing));
}

/// DI-05, CB-03 (RFC 9207 3): who promises an issuer in each answer has to say which one.
#[test]
fn promised_issuer_has_to_be_named() {
    let promising = json!({"authorization_response_iss_parameter_supported": true, "issuer": null,
        "capabilities": ["launch-standalone"]});
    let found = read(&with(smart_2_0(), promising));
    assert_eq!(codes(&found), [Code::IssuerMissing]);
    assert!(found.report.findings[0].message.contains("authorization_response_iss_parameter_supported"));
    let server = read(&smart_2_2()).authorization_server().unwrap();
    assert!(server.iss_parameter_supported);
}

/// PK-09, DI-12, F-13, F-15, D-10 (RFC 6749 3.1; SMART, PKCE): servers that list no methods get the challenge too.
#[test]
fn smart_1_servers_get_the_challenge_too() {
    for document in [smart_1_0(), smart_2_0(), with(smart_2_0(), json!({"code_challenge_methods_supported": null}))] {
        let sent = login(&document, "launch/patient patient/*.read");
        assert_eq!(sent["code_challenge_method"], "S256");
        assert_eq!(sent["code_challenge"].len(), 43);
    }
}

/// SC-29, F-52 (SMART, conformance, permissions): the documents decide about the syntax of scopes.
#[test]
fn syntax_of_scopes_follows_the_document() {
    for (permissions, syntax) in [
        (vec!["permission-v1"], Syntax::V1),
        (vec!["permission-v2"], Syntax::V2),
        (vec!["permission-v1", "permission-v2"], Syntax::V2),
        (vec!["permission-patient"], Syntax::V1),
        (vec![], Syntax::V1),
    ] {
        let document = with(smart_2_0(), json!({"capabilities": permissions}));
        assert_eq!(read(&document).configuration.scope_syntax(), syntax, "{permissions:?}");
    }
}

/// SC-33 (SMART, conformance, scopes_supported): a scope that the document does not list is sent all the same.
#[test]
fn unlisted_scopes_are_sent() {
    let scopes = "launch/patient launch/encounter patient/FutureThing.rs __vendor";
    assert_eq!(login(&smart_2_0(), scopes)["scope"], scopes);
}

/// DI-17 (SMART, app launch, conformance, client-confidential-asymmetric): three identities on three hosts stay apart.
#[test]
fn three_identities_stay_apart() {
    let document = with(smart_2_2(), json!({"issuer": "https://issuer.example/t1"}));
    let server = read_by_default(&document).authorization_server().unwrap();
    assert_eq!(server.fhir_base.as_str(), "https://ehr.example/r4");
    assert_eq!(server.issuer.as_ref().unwrap().as_str(), "https://issuer.example/t1");
    let sent = login(&document, "openid");
    assert_eq!((sent["aud"].as_str(), sent["client_id"].as_str()), ("https://ehr.example/r4", "my-app"));
    assert!(!sent.values().any(|value| value.contains("issuer.example")), "the issuer is compared, not sent");
    // An issuer is compared letter by letter, a base by the server that it names.
    let issuer = |text: &str| smart_core::issuer::Issuer::parse(text).unwrap();
    let base = |text: &str| smart_core::fhir_base::FhirBaseUrl::parse(text).unwrap();
    assert_ne!(issuer("https://ehr.example/r4"), issuer("https://ehr.example/r4/"));
    assert_eq!(base("https://ehr.example/r4"), base("https://ehr.example/r4/"));
}

/// DI-07 (SMART, conformance; RFC 7591 2): known names are typed, others kept as they are.
#[test]
fn authentication_methods_are_an_open_list() {
    let names = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none", "tls_client_auth"];
    let document = with(smart_2_0(), json!({"token_endpoint_auth_methods_supported": names}));
    let methods = read(&document).configuration.token_endpoint_auth_methods_supported.unwrap();
    assert_eq!(
        methods,
        [
            AuthMethod::ClientSecretBasic,
            AuthMethod::ClientSecretPost,
            AuthMethod::PrivateKeyJwt,
            AuthMethod::None,
            AuthMethod::Other("tls_client_auth".into())
        ]
    );
    assert_eq!(serde_json::to_value(&methods).unwrap(), json!(names));
}

/// DI-07 (SMART 1.0, conformance): the member's name in the text of SMART 1 is read, and gives way to the real one.
#[test]
fn authentication_methods_under_their_old_name_are_read() {
    let server = read(&smart_1_0());
    assert_eq!(server.configuration.token_endpoint_auth_methods_supported, Some(vec![AuthMethod::ClientSecretBasic]));
    assert!(server.report.has(Code::AuthMethodsAlias));
    assert!(!server.configuration.other.contains_key("token_endpoint_auth_methods"));
    let both = with(smart_2_0(), json!({"token_endpoint_auth_methods": ["x"]}));
    let server = read(&both);
    assert!(!server.report.has(Code::AuthMethodsAlias));
    assert_eq!(server.configuration.token_endpoint_auth_methods_supported.unwrap().len(), 3);
    assert_eq!(server.configuration.other["token_endpoint_auth_methods"], json!(["x"]));
}

/// DI-07, CA-12 (SMART, client-confidential-asymmetric): a promise of clients with keys that the lists do not keep.
#[test]
fn asymmetric_clients_need_method_and_algorithm() {
    for members in [
        json!({"token_endpoint_auth_methods_supported": ["client_secret_basic"]}),
        json!({"token_endpoint_auth_signing_alg_values_supported": ["RS256", "PS384"]}),
    ] {
        assert_eq!(codes(&read(&with(smart_2_0(), members))), [Code::AsymmetricNotListed]);
    }
    let silent = json!({"token_endpoint_auth_methods_supported": null,
        "token_endpoint_auth_signing_alg_values_supported": null});
    assert!(codes(&read(&with(smart_2_0(), silent))).is_empty(), "lists that are not there say nothing");
    let one = json!({"token_endpoint_auth_signing_alg_values_supported": ["ES384"]});
    assert!(codes(&read(&with(smart_2_0(), one))).is_empty());
    assert!(read(&smart_2_0()).configuration.supports(&Capability::ClientConfidentialAsymmetric));
}

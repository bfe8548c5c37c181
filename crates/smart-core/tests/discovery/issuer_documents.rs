//! OpenID configurations and OAuth metadata: read for one issuer, refused for another.

use super::fixtures::with;
use proptest::prelude::*;
use serde_json::{Value, json};
use smart_core::discovery::{
    AuthMethod, DiscoveredIssuer, DiscoveryError, FindingCode as Code, IssuerDocument, IssuerMetadata,
};
use smart_core::issuer::Issuer;
use smart_core::url_policy::{UrlError, UrlPolicy};

const DOCUMENTS: [IssuerDocument; 2] = [IssuerDocument::OpenIdConfiguration, IssuerDocument::OAuthMetadata];

fn issuer() -> Issuer {
    Issuer::parse("https://login.ehr.example/t1").unwrap()
}

fn document() -> Value {
    json!({
        "issuer": "https://login.ehr.example/t1",
        "jwks_uri": "https://login.ehr.example/t1/jwks",
        "authorization_endpoint": "https://login.ehr.example/t1/authorize",
        "token_endpoint": "https://login.ehr.example/t1/token",
        "userinfo_endpoint": "https://login.ehr.example/t1/userinfo",
        "registration_endpoint": "https://login.ehr.example/t1/register",
        "introspection_endpoint": "https://login.ehr.example/t1/introspect",
        "revocation_endpoint": "https://login.ehr.example/t1/revoke",
        "end_session_endpoint": "https://login.ehr.example/t1/logout",
        "scopes_supported": ["openid", "fhirUser"],
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES384"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt", "tls_client_auth"],
        "token_endpoint_auth_signing_alg_values_supported": ["ES384"],
        "code_challenge_methods_supported": ["S256"],
        "claims_supported": ["sub", "fhirUser"],
        "authorization_response_iss_parameter_supported": true
    })
}

fn try_read(kind: IssuerDocument, document: &Value) -> Result<DiscoveredIssuer, DiscoveryError> {
    kind.parse(document.to_string().as_bytes(), &issuer(), UrlPolicy::HttpsOnly)
}

fn read(kind: IssuerDocument, document: &Value) -> DiscoveredIssuer {
    try_read(kind, document).unwrap_or_else(|error| panic!("{error}"))
}

/// DI-21 (OpenID Connect Discovery 3; RFC 8414 2): every member is typed, in both documents.
#[test]
fn every_member_of_an_issuer_is_read() {
    for kind in DOCUMENTS {
        let found = read(kind, &document());
        assert_eq!(found.document, kind);
        assert!(found.report.findings.is_empty(), "{:?}", found.report);
        let metadata = found.metadata;
        assert!(metadata.other.is_empty(), "{:?}", metadata.other);
        assert_eq!(metadata.issuer, issuer());
        for (url, path) in [
            (&metadata.jwks_uri, "jwks"),
            (&metadata.authorization_endpoint, "authorize"),
            (&metadata.token_endpoint, "token"),
            (&metadata.userinfo_endpoint, "userinfo"),
            (&metadata.registration_endpoint, "register"),
            (&metadata.introspection_endpoint, "introspect"),
            (&metadata.revocation_endpoint, "revoke"),
            (&metadata.end_session_endpoint, "logout"),
        ] {
            assert_eq!(url.as_ref().unwrap().as_str(), format!("https://login.ehr.example/t1/{path}"));
        }
        let lists = [
            &metadata.scopes_supported,
            &metadata.response_types_supported,
            &metadata.grant_types_supported,
            &metadata.subject_types_supported,
            &metadata.id_token_signing_alg_values_supported,
            &metadata.token_endpoint_auth_signing_alg_values_supported,
            &metadata.code_challenge_methods_supported,
            &metadata.claims_supported,
        ];
        assert_eq!(lists.map(|list| list.as_ref().unwrap().len()), [2, 1, 2, 1, 2, 1, 1, 2]);
        assert_eq!(
            metadata.token_endpoint_auth_methods_supported,
            Some(vec![AuthMethod::PrivateKeyJwt, AuthMethod::Other("tls_client_auth".into())])
        );
        assert_eq!(metadata.authorization_response_iss_parameter_supported, Some(true));
    }
}

/// DI-21 (OpenID Connect Discovery 4; RFC 8414 3): where each document of an issuer lies, and the request for it.
#[test]
fn documents_lie_where_their_specifications_say() {
    for (given, openid, oauth) in [
        (
            "https://a.example",
            "https://a.example/.well-known/openid-configuration",
            "https://a.example/.well-known/oauth-authorization-server",
        ),
        (
            "https://a.example:8443/t/1/",
            "https://a.example:8443/t/1/.well-known/openid-configuration",
            "https://a.example:8443/.well-known/oauth-authorization-server/t/1",
        ),
        (
            "https://a.example/t//",
            "https://a.example/t//.well-known/openid-configuration",
            "https://a.example/.well-known/oauth-authorization-server/t/",
        ),
    ] {
        let issuer = Issuer::parse(given).unwrap();
        for (kind, url) in DOCUMENTS.into_iter().zip([openid, oauth]) {
            assert_eq!(kind.url(&issuer).unwrap().as_str(), url);
            let request = kind.request(&issuer).unwrap();
            assert_eq!((request.uri().to_string().as_str(), request.headers().len()), (url, 1));
        }
    }
}

/// DI-22, ID-04 (OpenID Connect Discovery 4.3; RFC 8414 3.3): only a document that names the very issuer asked is read.
#[test]
fn metadata_of_another_issuer_is_refused() {
    for kind in DOCUMENTS {
        for found in [
            json!("https://login.ehr.example/t1/"),
            json!("https://login.ehr.example/T1"),
            json!("https://LOGIN.ehr.example/t1"),
            json!("https://login.ehr.example:443/t1"),
            json!("https://login.ehr.example/t2"),
            json!("https://login.ehr.example"),
            json!("http://login.ehr.example/t1"),
            json!("https://login.ehr.example/t1 "),
            json!("https://evil.example/t1"),
            json!(""),
            json!(["https://login.ehr.example/t1"]),
            json!(7),
            json!(null),
        ] {
            let error = try_read(kind, &with(document(), json!({"issuer": found}))).unwrap_err();
            let DiscoveryError::OtherIssuer { document: at, asked, found: named } = &error else { panic!("{error}") };
            assert_eq!(at, kind.url(&issuer()).unwrap().as_str());
            assert_eq!(asked, "https://login.ehr.example/t1");
            assert_eq!(named.as_deref(), found.as_str(), "{error}");
            assert!(!error.is_retryable());
        }
        let hostile = format!("https://x\u{1b}[2J{}", "y".repeat(10_000));
        let shown = try_read(kind, &with(document(), json!({"issuer": hostile}))).unwrap_err().to_string();
        assert!(shown.len() < 600 && !shown.contains('\u{1b}'), "{shown}");
    }
}

/// DI-13, ID-27 (RFC 8725 3.10): keys come by https or not at all; other endpoints that may not be used are left out.
#[test]
fn unsafe_endpoints_of_an_issuer_are_not_used() {
    for url in ["http://login.ehr.example/jwks", "/jwks", "https://u@login.ehr.example/jwks", "file:///jwks", ""] {
        let error =
            try_read(IssuerDocument::OpenIdConfiguration, &with(document(), json!({"jwks_uri": url}))).unwrap_err();
        assert!(matches!(error, DiscoveryError::Endpoint { member: "jwks_uri", .. }), "{url}: {error}");
        let found = read(IssuerDocument::OAuthMetadata, &with(document(), json!({"token_endpoint": url})));
        assert_eq!(found.metadata.token_endpoint, None, "{url}");
        assert_eq!(found.metadata.other["token_endpoint"], url);
        assert!(found.report.has(Code::EndpointRefused));
    }
    let loopback = json!({"issuer": "http://127.0.0.1:9/", "jwks_uri": "http://127.0.0.1:9/jwks"});
    let issuer = Issuer::parse_with("http://127.0.0.1:9/", UrlPolicy::AllowLoopbackHttp).unwrap();
    let read = |policy| IssuerDocument::OpenIdConfiguration.parse(loopback.to_string().as_bytes(), &issuer, policy);
    assert!(read(UrlPolicy::AllowLoopbackHttp).is_ok());
    let refused = read(UrlPolicy::HttpsOnly);
    assert!(matches!(refused, Err(DiscoveryError::Endpoint { reason: UrlError::NotHttps { .. }, .. })));
}

/// DI-21 (OpenID Connect Discovery 3; RFC 8414 2): what is missing or malformed is told; only OpenID requires keys.
#[test]
fn missing_and_malformed_members_are_told() {
    let bare = json!({"issuer": "https://login.ehr.example/t1"});
    let openid = read(IssuerDocument::OpenIdConfiguration, &bare);
    assert_eq!(openid.report.findings.iter().map(|f| f.code).collect::<Vec<_>>(), [Code::JwksUriMissing]);
    assert!(read(IssuerDocument::OAuthMetadata, &bare).report.findings.is_empty());
    for members in [
        json!({"scopes_supported": 7}),
        json!({"id_token_signing_alg_values_supported": "RS256"}),
        json!({"authorization_response_iss_parameter_supported": "yes"}),
    ] {
        let found = read(IssuerDocument::OpenIdConfiguration, &with(document(), members));
        assert_eq!(found.report.findings.iter().map(|f| f.code).collect::<Vec<_>>(), [Code::MemberMalformed]);
    }
    let marked = format!("\u{feff}{}", document());
    let found = IssuerDocument::OpenIdConfiguration.parse(marked.as_bytes(), &issuer(), UrlPolicy::HttpsOnly).unwrap();
    assert!(found.report.has(Code::ByteOrderMark));
}

/// DI-22, DI-15: what is no document, or a broken one, says so.
#[test]
fn broken_documents_of_an_issuer_are_told_apart() {
    for kind in DOCUMENTS {
        let read = |body: &str| kind.parse(body.as_bytes(), &issuer(), UrlPolicy::HttpsOnly).unwrap_err();
        assert!(matches!(read("<html>"), DiscoveryError::NotJson { what: "an HTML page", .. }));
        assert!(matches!(read("[]"), DiscoveryError::NotJson { .. }));
        assert!(matches!(read("{"), DiscoveryError::Json { .. }));
        let doubled = r#"{"issuer":"https://login.ehr.example/t1","issuer":"https://evil.example"}"#;
        assert!(matches!(read(doubled), DiscoveryError::Json { .. }));
    }
}

/// DI-21: unknown members are kept, and a server builds what a client reads.
#[test]
fn servers_build_what_clients_of_an_issuer_read() {
    let vendor = json!({"x_vendor": {"a": [1]}, "ui_locales_supported": ["de"]});
    for kind in DOCUMENTS {
        let whole = with(document(), vendor.clone());
        let metadata = read(kind, &whole).metadata;
        assert_eq!(metadata.other.len(), 2);
        let written = serde_json::to_value(&metadata).unwrap();
        assert_eq!(written, whole, "nothing is lost, nothing invented");
        assert_eq!(serde_json::from_value::<IssuerMetadata>(written).unwrap(), metadata);
    }
    let mut built = IssuerMetadata::new(issuer());
    assert_eq!(serde_json::to_value(&built).unwrap(), json!({"issuer": "https://login.ehr.example/t1"}));
    built.jwks_uri = Some("https://login.ehr.example/t1/jwks".parse().unwrap());
    built.other.insert("issuer".into(), json!("https://evil.example"));
    let body = serde_json::to_value(&built).unwrap();
    assert_eq!(
        read(IssuerDocument::OpenIdConfiguration, &body).metadata.issuer,
        issuer(),
        "no member is written twice"
    );
    for stored in [json!({}), json!({"issuer": "http://a.example"}), with(document(), json!({"jwks_uri": "/jwks"}))] {
        assert!(serde_json::from_value::<IssuerMetadata>(stored).is_err());
    }
}

proptest! {
    /// DI-22: whatever else a document says, it is read for the issuer that it names and for no other.
    #[test]
    fn a_document_speaks_for_its_own_issuer_alone(
        asked in prop::sample::select(vec!["https://a.example", "https://a.example/", "https://a.example/t", "https://b.example"]),
        named in prop::sample::select(vec!["https://a.example", "https://a.example/", "https://a.example/t", "https://b.example"]),
        kind in prop::sample::select(DOCUMENTS.to_vec()),
    ) {
        let body = with(document(), json!({"issuer": named})).to_string();
        let read = kind.parse(body.as_bytes(), &Issuer::parse(asked).unwrap(), UrlPolicy::HttpsOnly);
        prop_assert_eq!(read.is_ok(), asked == named);
    }

    /// DI-22: any octets are read without panic.
    #[test]
    fn any_octets_are_no_issuer(body in prop::collection::vec(any::<u8>(), 0..200)) {
        for kind in DOCUMENTS {
            prop_assert!(kind.parse(&body, &issuer(), UrlPolicy::HttpsOnly).is_err());
        }
    }
}

//! The table of server profiles: what it says, and that a host name weakens nothing.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test reports by panicking, its helpers too")]

mod support;

use proptest::prelude::*;
use smart_core::authorize::Callback;
use smart_core::discovery::{DiscoveryError, DiscoveryOptions, DiscoveryPolicy, Endpoint, SmartConfiguration};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::leniency::Leniency;
use smart_core::profile::{
    BackendAccess, ClinicalScopes, Preferences, ScopeObjection, ServerKind, ServerProfile, ServerSettings,
    entra_endpoints, profiles,
};
use smart_core::scope::{Interaction, Syntax};
use smart_core::token::{
    BasicEncoding, ClientAuthentication, ClientIdInBody, RefreshScope, TokenErrorCode, TokenResponse,
};
use smart_core::url_policy::UrlPolicy;
use std::time::Duration;
use support::{NOW, begun, scopes};

fn base(url: &str) -> FhirBaseUrl {
    FhirBaseUrl::parse(url).unwrap()
}

/// What a base URL is recognised as.
fn recognised(url: &str) -> Option<ServerKind> {
    let found = ServerProfile::recognise(&base(url))?;
    ServerKind::ALL.iter().copied().find(|kind| found.is(*kind))
}

fn answered(asked: &str, status: u16, body: &str) -> Result<TokenResponse, smart_core::token::TokenError> {
    let (sent, pending) = begun(asked);
    let callback = Callback::from_query(&format!("code=c&state={}", sent["state"])).unwrap();
    let exchange = pending.complete(callback, NOW).unwrap();
    let (_, expected) = exchange.into_request(&ClientAuthentication::Public, ClientIdInBody::AsSpecified).unwrap();
    expected.parse(status, body.as_bytes(), NOW)
}

const EXAMPLES: &[(ServerKind, &str)] = &[
    (ServerKind::Epic, "https://fhir.epic.com/interconnect-fhir-oauth/api/FHIR/R4"),
    (ServerKind::Epic, "https://epicproxy.hospital.example/FHIRProxy/api/FHIR/R4/"),
    (ServerKind::OracleHealth, "https://fhir-ehr-code.cerner.com/r4/ec2458f2-1e24-41c8-b71b-0e701af7583d"),
    (ServerKind::OracleHealth, "https://fhir-myrecord.cerner.com/r4/some-tenant/"),
    (ServerKind::SmartHealthIt, "https://launch.smarthealthit.org/v/r4/fhir"),
    (
        ServerKind::GoogleHealthcare,
        "https://healthcare.googleapis.com/v1/projects/p/locations/l/datasets/d/fhirStores/s/fhir",
    ),
    (ServerKind::Athenahealth, "https://api.preview.platform.athenahealth.com/fhir/r4"),
    (ServerKind::Medplum, "https://api.medplum.com/fhir/R4"),
    (ServerKind::Hapi, "https://hapi.fhir.org/baseR4"),
    (ServerKind::HealthLake, "https://healthlake.us-east-1.amazonaws.com/datastore/0123456789abcdef/r4/"),
    (ServerKind::Azure, "https://workspace-service.fhir.azurehealthcareapis.com"),
    (ServerKind::Azure, "https://old.azurehealthcareapis.com/"),
];

/// F-116, F-117, F-118, F-119, F-120: each kind has one profile, in order, and its usual base URLs are recognised.
#[test]
fn usual_bases_are_recognised() {
    let kinds: Vec<ServerKind> = profiles().iter().map(|profile| profile.kind).collect();
    assert_eq!(kinds, ServerKind::ALL);
    for profile in profiles() {
        assert_eq!(ServerProfile::of(profile.kind), profile);
        assert_eq!(profile.kind.name().parse(), Ok(profile.kind));
        let has_example = EXAMPLES.iter().any(|(kind, _)| *kind == profile.kind);
        assert_eq!(has_example, profile.kind != ServerKind::Generic);
    }
    for (kind, url) in EXAMPLES {
        assert_eq!(recognised(url), Some(*kind), "{url}");
    }
    assert!("cerner".parse::<ServerKind>().unwrap_err().to_string().contains("oracle"));
}

/// A name that only looks like a server's, or its name in another place, is not it.
#[test]
fn names_are_compared_by_label() {
    for url in [
        "https://evil-cerner.com/r4/x",
        "https://cerner.com.evil.example/r4/x",
        "https://healthlake.us-east-1.amazonaws.com.evil.example/datastore/x/r4",
        "https://healthcare.googleapis.com/v1/projects/p",
        "https://notazurehealthcareapis.com/",
        "https://evil.example/https://fhir-ehr.cerner.com/r4/x",
        "https://api.medplum.com/fhir/r4",
        "https://ehr.example/r4",
    ] {
        assert_eq!(recognised(url), None, "{url}");
    }
    assert_eq!(recognised("https://FHIR-EHR.CERNER.COM/r4/x"), Some(ServerKind::OracleHealth));
}

/// SE-11: what a URL alone brings is strict whatever the profile asks for; an explicit choice brings its relaxations.
#[test]
fn recognition_weakens_nothing() {
    for (kind, url) in EXAMPLES {
        let settings = ServerProfile::recognise(&base(url)).unwrap().settings();
        let profile = ServerProfile::of(*kind);
        assert!(settings.is_strict() && settings.relaxations().is_none() && settings.overrides().is_empty(), "{url}");
        assert_eq!(settings.discovery_policy(DiscoveryPolicy::default()), DiscoveryPolicy::default());
        assert_eq!(settings.preferences(), &profile.preferences);
        assert_eq!(profile.choose().is_strict(), profile.relaxations.is_none());
    }
    let relaxed: Vec<_> = profiles().iter().filter(|p| !p.choose().is_strict()).map(|p| p.kind).collect();
    assert_eq!(relaxed, [ServerKind::OracleHealth, ServerKind::SmartHealthIt, ServerKind::GoogleHealthcare]);
}

proptest! {
    /// SE-11: no host name and no path that anybody can come up with makes a check less strict.
    #[test]
    fn no_url_weakens_a_check(
        label in "[a-z]{1,8}", kind in 0..EXAMPLES.len(), path in "(/[A-Za-z0-9]{1,6}){0,4}",
    ) {
        let known = base(EXAMPLES[kind].1);
        let host = known.url().host_str().unwrap();
        for url in [format!("https://{host}{path}"), format!("https://{label}.{host}{}{path}", known.url().path())] {
            if let Some(found) = ServerProfile::recognise(&base(&url)) {
                prop_assert!(found.settings().is_strict());
            }
        }
    }
}

/// SE-11: by default settings are strict; each relaxation by hand is a method with `dangerous` in its name, or an endpoint.
#[test]
fn relaxations_by_hand_have_names() {
    let strict = ServerSettings::default();
    assert!(strict.is_strict());
    assert!(!strict.clone().dangerous_unlisted_s256().is_strict());
    assert!(!strict.clone().dangerous_issuer_trailing_slash().is_strict());
    assert!(!strict.clone().with_overrides(entra_endpoints("contoso.example").unwrap()).is_strict());
    assert!(strict.with_preferences(ServerProfile::of(ServerKind::Medplum).preferences).is_strict());
}

/// F-116 (Epic, OAuth 2.0 tutorial, retrieving launch context): the shape of Epic's token answer: the banner as a text, a
/// member of its own, permissions in a spelling that no specification has.
#[test]
fn epics_token_answer_is_read() {
    let body = r#"{
        "access_token": "at", "token_type": "bearer", "expires_in": 3240, "state": "abc123",
        "scope": "patient/Binary.Read patient/Observation.read launch/patient openid",
        "__epic.dstu2.patient": "T1wI", "patient": "eRp.Hu", "need_patient_banner": "false",
        "location": "eweK", "loginDepartment": "e4W4", "encounter": "eUAW"
    }"#;
    let token = answered("launch/patient openid patient/Observation.read", 200, body).unwrap();
    assert_eq!(token.context.patient.as_deref(), Some("eRp.Hu"));
    assert_eq!(token.context.encounter.as_deref(), Some("eUAW"));
    assert_eq!(token.context.need_patient_banner, Some(false));
    assert_eq!(token.context.other["__epic.dstu2.patient"], "T1wI");
    assert_eq!(token.context.other["loginDepartment"], "e4W4");
    assert!(token.scope.permits(Interaction::Read, "Observation") && !token.scope.permits(Interaction::Read, "Binary"));
    for leniency in [Leniency::BannerString, Leniency::ScopeMalformed, Leniency::IdTokenMissing] {
        assert!(token.leniencies.contains(&leniency), "{leniency:?}");
    }
}

/// F-116: Epic grants what is registered; scopes are left as written, and its discovery is told the client.
#[test]
fn epic_profile() {
    let preferences = &ServerProfile::of(ServerKind::Epic).preferences;
    assert_eq!(preferences.client_id_header, Some("Epic-Client-ID"));
    assert_eq!(preferences.backend, BackendAccess::SmartAsRegistered);
    let both = r#"{"token_endpoint": "https://ehr.example/token", "grant_types_supported": [],
        "code_challenge_methods_supported": ["S256"], "capabilities": ["permission-v1", "permission-v2"]}"#;
    let read =
        SmartConfiguration::parse(both.as_bytes(), &base("https://ehr.example/r4"), UrlPolicy::HttpsOnly).unwrap();
    assert_eq!(preferences.scope_syntax(&read.configuration), None);
    assert_eq!(Preferences::SMART.scope_syntax(&read.configuration), Some(Syntax::V2));
}

/// F-117 (fhir.cerner.com, authorization; Oracle Health forum): 570 seconds, members of its own, scopes cut to the
/// registered ones, and the reason of a refusal in `error_uri`.
#[test]
fn oracles_token_answers_are_read() {
    let body = r#"{
        "access_token": "at", "token_type": "Bearer", "expires_in": 570, "scope": "launch/patient openid",
        "patient": "12724066", "need_patient_banner": true, "user": "u1", "username": "portal",
        "tenant": "ec2458f2-1e24-41c8-b71b-0e701af7583d"
    }"#;
    let token = answered("launch/patient openid patient/*.read", 200, body).unwrap();
    assert_eq!(token.expires_in, Some(Duration::from_secs(570)));
    assert_eq!(token.context.tenant.as_deref(), Some("ec2458f2-1e24-41c8-b71b-0e701af7583d"));
    assert_eq!(token.context.other["username"], "portal");
    assert!(!token.scope.permits(Interaction::Read, "Observation"));
    let refused =
        r#"{"error": "invalid_scope", "error_uri": "https://authorization.cerner.com/errors/urn%3Aempty-scopes"}"#;
    let error = answered("launch/patient", 400, refused).unwrap_err();
    assert_eq!(error.oauth_error().unwrap().error, TokenErrorCode::InvalidScope);
    assert!(!error.needs_reauthorization());
}

/// F-117: wildcards are objected to at Oracle Health, before the person is sent anywhere, and nowhere else.
#[test]
fn oracle_profile_objects_to_wildcards() {
    let asked = scopes("launch/patient openid patient/*.rs patient/Observation.rs");
    let objections = ServerProfile::of(ServerKind::OracleHealth).preferences.objections(&asked);
    assert!(matches!(&objections[..], [ScopeObjection::Wildcard { scope }] if scope.as_str() == "patient/*.rs"));
    assert!(ServerProfile::of(ServerKind::Epic).preferences.objections(&asked).is_empty());
}

/// F-117, DI-12, SE-11: a server that lists no PKCE methods passes with Oracle Health chosen, and not when it was only
/// recognised.
#[test]
fn unlisted_s256_needs_an_explicit_choice() {
    let server = base("https://fhir-ehr.cerner.com/r4/tenant");
    let document = r#"{"token_endpoint": "https://authorization.cerner.com/token", "grant_types_supported": ["authorization_code"],
        "code_challenge_methods_supported": [], "capabilities": []}"#;
    let discover = |settings: &ServerSettings| {
        let policy = settings.discovery_policy(DiscoveryPolicy::default());
        let options = DiscoveryOptions { policy, ..DiscoveryOptions::default() };
        SmartConfiguration::parse_with(document.as_bytes(), &server, &options)
    };
    let seen = ServerProfile::recognise(&server).unwrap().settings();
    assert!(discover(&seen).unwrap_err().to_string().contains("S256"));
    assert!(discover(&ServerProfile::of(ServerKind::OracleHealth).choose()).is_ok());
}

/// F-118, F-120: servers that do not decode Basic credentials get them raw; a dead refresh token has another word at Medplum.
#[test]
fn spelling_preferences() {
    for kind in [ServerKind::SmartHealthIt, ServerKind::Medplum] {
        assert_eq!(ServerProfile::of(kind).preferences.basic_encoding, BasicEncoding::Raw);
    }
    assert_eq!(ServerProfile::of(ServerKind::Medplum).preferences.refresh_token_dead, Some("invalid_request"));
    assert_eq!(ServerProfile::of(ServerKind::Medplum).preferences.refresh_scope(), RefreshScope::Omit);
    assert_eq!(ServerProfile::of(ServerKind::Epic).preferences.basic_encoding, BasicEncoding::FormEncoded);
}

/// F-119: Google's endpoints come by choice only; its scopes are its platform's, and SMART's are objected to.
#[test]
fn google_profile() {
    let profile = ServerProfile::of(ServerKind::GoogleHealthcare);
    let store = base("https://healthcare.googleapis.com/v1/projects/p/locations/l/datasets/d/fhirStores/s/fhir");
    assert!(ServerProfile::recognise(&store).unwrap().settings().overrides().get(Endpoint::Token).is_none());
    let token = profile.choose().overrides().get(Endpoint::Token).unwrap().to_string();
    assert_eq!(token, "https://oauth2.googleapis.com/token");
    assert_eq!(profile.preferences.clinical_scopes, ClinicalScopes::Foreign);
    assert_eq!(profile.preferences.objections(&scopes("openid fhirUser patient/Patient.r")).len(), 2);
    let scope = profile.preferences.backend.scope(&store, &scopes("system/*.rs"));
    assert_eq!(scope, "https://www.googleapis.com/auth/cloud-healthcare");
    assert!(!profile.preferences.backend.is_smart());
}

/// F-120: a service's scope at Azure is made of the FHIR base; without the tenant's endpoints Azure names no issuer.
#[test]
fn azure_profile() {
    let service = base("https://w-s.fhir.azurehealthcareapis.com/");
    let profile = ServerProfile::of(ServerKind::Azure);
    let scope = profile.preferences.backend.scope(&service, &scopes("system/*.rs"));
    assert_eq!(scope, "https://w-s.fhir.azurehealthcareapis.com/.default");
    let document = r#"{"authorization_endpoint": "https://login.microsoftonline.com/t/oauth2/v2.0/authorize",
        "token_endpoint": "https://login.microsoftonline.com/t/oauth2/v2.0/token", "capabilities": ["sso-openid-connect"]}"#;
    let discover = |settings: &ServerSettings| {
        let options = DiscoveryOptions { overrides: settings.overrides().clone(), ..DiscoveryOptions::default() };
        SmartConfiguration::parse_with(document.as_bytes(), &service, &options).unwrap().configuration
    };
    assert!(discover(&profile.choose()).issuer.is_none());
    let tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47";
    let with_tenant = profile.choose().with_overrides(entra_endpoints(tenant).unwrap());
    let configuration = discover(&with_tenant);
    assert_eq!(configuration.issuer.unwrap().as_str(), format!("https://login.microsoftonline.com/{tenant}/v2.0"));
    assert!(configuration.jwks_uri.unwrap().as_str().contains(tenant));
}

/// F-120 (HAPI): an open server is no SMART server, and says so in a typed error.
#[test]
fn open_servers_are_told_apart() {
    use http::StatusCode;
    use smart_core::discovery::{Discovery, Step};
    assert_eq!(ServerProfile::of(ServerKind::Hapi).preferences.backend, BackendAccess::Open);
    let discovery = Discovery::new(base("https://hapi.fhir.org/baseR4"), DiscoveryOptions::default());
    let Step::Next(discovery) = discovery.next_step(StatusCode::NOT_FOUND, None, b"").unwrap() else {
        unreachable!("the CapabilityStatement is asked for next")
    };
    let statement = br#"{"resourceType": "CapabilityStatement", "rest": [{"mode": "server"}]}"#;
    let error = discovery.next_step(StatusCode::OK, None, statement).unwrap_err();
    assert!(matches!(error, DiscoveryError::NoSmart { .. }), "{error}");
}

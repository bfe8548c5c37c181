//! Logging in at servers that differ: the sandbox takes on the habits of each, this workspace's client has to cope.
//!
//! What each server does, and where that was read, stands in `docs/src/servers`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

mod support;

use bytes::Bytes;
use http::Request;
use smart_core::authorize::CallbackError;
use smart_core::client_id::ClientId;
use smart_core::discovery::{DiscoveryError, DiscoveryPolicy, Endpoint, EndpointOverrides};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::issuer::Issuer;
use smart_core::launch::{AllowedIssuers, EhrLaunch};
use smart_core::profile::launcher::{EncounterChoice, LaunchType, LauncherSettings};
use smart_core::profile::{ScopeObjection, ServerKind, ServerProfile};
use smart_core::redirect_uri::RedirectUri;
use smart_core::scope::Interaction;
use smart_core::secret::ClientSecret;
use smart_core::token::{TokenErrorCode, TokenErrorResponse};
use smart_core::url_policy::UrlPolicy;
use smart_flows::{App, Error, Session, SmartClient, SmartClientBuilder};
use smart_http::HttpClient;
use smart_jwt::{ClientAssertionBuilder, Jwks, KeyKind, SigningKey};
use smart_sandbox::browser::{AutoBrowser, Person};
use smart_sandbox::{Client, ClientKeys, SandboxConfig};
use std::time::Duration;
use support::{KeyServer, World};

const SCOPES: &str = "launch/patient openid fhirUser offline_access patient/Patient.rs patient/Observation.rs";

async fn like(kind: ServerKind) -> World {
    World::start(SandboxConfig::like(kind)).await
}

fn builder(world: &World, app: App) -> SmartClientBuilder {
    SmartClient::builder(app).allow_loopback_http().clock(world.clock.clone()).http(world.http.clone())
}

fn app(scopes: &str) -> App {
    App::public("demo-app").scopes(scopes).unwrap()
}

fn confidential() -> App {
    App::symmetric("demo-confidential", ClientSecret::new("demo-secret")).scopes(SCOPES).unwrap()
}

/// A standalone launch, with extra parameters.
async fn log_in_with(
    world: &World,
    client: &SmartClient,
    base: &str,
    extra: &[(&str, &str)],
) -> Result<Session, Error> {
    let browser = AutoBrowser::new(world.http.clone(), Person::default());
    let mut launch = client.standalone(base).await?;
    for (name, value) in extra {
        launch = launch.with_extra(name, value);
    }
    let browse = |url| async move { browser.browse(&url).await.map_err(|e| Error::Browser(e.to_string())) };
    launch.with_browser(browse).await
}

async fn log_in(world: &World, app: App) -> Result<Session, Error> {
    log_in_with(world, &builder(world, app).build(), &world.sandbox.fhir_base(), &[]).await
}

async fn status(world: &World, path: &str, token: &str) -> u16 {
    let url = format!("{}/{path}", world.sandbox.fhir_base().trim_end_matches('/'));
    let request = Request::get(url).header("authorization", format!("Bearer {token}")).body(Bytes::new()).unwrap();
    world.answer(request).await.0
}

/// Reads the record with the session's token.
async fn reads(world: &World, session: &Session) -> u16 {
    status(world, "Patient/p1001", session.access_token().await.unwrap().expose_secret()).await
}

/// The OAuth error of a refused token request.
fn refusal(error: &Error) -> &TokenErrorResponse {
    let Error::Token(error) = error else { panic!("{error}") };
    error.oauth_error().unwrap_or_else(|| panic!("{error}"))
}

/// F-116: Epic: the banner as a text, members of its own, scopes as registered whatever was asked, one of them malformed, no
/// refresh token for a public client, and one that stays for a confidential one.
#[tokio::test]
async fn epic() {
    let world = like(ServerKind::Epic).await;
    let session = log_in(&world, app(SCOPES)).await.unwrap();
    let context = session.context().unwrap();
    assert_eq!((context.patient.as_deref(), context.need_patient_banner), (Some("p1001"), Some(true)));
    assert_eq!(context.other["__epic.dstu2.patient"], "p1001");
    assert!(context.other.contains_key("loginDepartment"));
    let granted = session.granted_scopes().unwrap();
    assert!(granted.to_string().contains("patient/Binary.Read"));
    assert!(session.can(Interaction::Read, "Condition") && !session.can(Interaction::Read, "Binary"));
    assert_eq!(session.fhir_user().unwrap().unwrap().reference(), "Practitioner/pr2001");
    assert!(!session.can_refresh());
    assert_eq!(reads(&world, &session).await, 200);

    let session = log_in(&world, confidential()).await.unwrap();
    for _ in 0..2 {
        world.advance(3700);
        assert_eq!(reads(&world, &session).await, 200);
    }
    assert!(matches!(session.introspect().await, Err(Error::NotSupported { .. })));
}

/// F-116: Epic takes the authorization request by POST in an EHR launch only.
#[tokio::test]
async fn epic_takes_posts_in_ehr_launches_only() {
    let world = like(ServerKind::Epic).await;
    let launch = world.sandbox.new_launch(Some("p1003"), None);
    for (scope, more, expected) in [("launch/patient", vec![], 405), ("launch", vec![("launch", launch.as_str())], 303)]
    {
        let url = world.authorization_url("demo-app", scope, &more);
        let request = Request::post(world.sandbox.endpoints().authorize)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(url.query().unwrap().to_owned()))
            .unwrap();
        assert_eq!(world.answer(request).await.0, expected, "{scope}");
    }
}

/// F-116: a backend service at Epic publishes its keys at a URL, and is granted what is registered without asking.
#[tokio::test]
async fn epic_backend() {
    let key = SigningKey::generate(KeyKind::Rsa2048).unwrap().with_kid("k1").unwrap();
    let published = Jwks::from_keys(vec![key.public_jwk().clone()]).unwrap().to_json().to_string();
    let server = KeyServer::start(published.clone()).await;
    for (keys, expected) in [
        (ClientKeys::Url(server.url()), "system/Observation.read system/Patient.read"),
        (ClientKeys::Document(published), ""),
    ] {
        let clients = vec![Client::asymmetric("svc", keys)];
        let world = World::start(SandboxConfig { clients, ..SandboxConfig::like(ServerKind::Epic) }).await;
        let assertions = ClientAssertionBuilder::new(ClientId::new("svc"), world.sandbox.endpoints().token);
        let assertion = assertions.sign(&key, world.now(), &support::Random).await.unwrap();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion.expose_secret()),
        ];
        let (_, body) = world.post("token", &form, None).await;
        assert_eq!(body["scope"].as_str().unwrap_or_default(), expected, "{body}");
    }
}

/// F-117, DI-12, SE-11: Oracle Health lists no PKCE methods: that takes an explicit choice. Wildcards are cut without a word,
/// a token lives for 570 seconds, and a refresh brings no new refresh token.
#[tokio::test]
async fn oracle_health() {
    let world = like(ServerKind::OracleHealth).await;
    let refused = log_in(&world, app(SCOPES)).await.unwrap_err();
    assert!(matches!(refused, Error::Discovery(_)) && refused.to_string().contains("S256"), "{refused}");

    let policy = ServerProfile::of(ServerKind::OracleHealth).choose().discovery_policy(DiscoveryPolicy::default());
    let scopes = format!("{SCOPES} patient/*.r");
    let client = builder(&world, app(&scopes)).discovery_policy(policy.clone()).build();
    let session = log_in_with(&world, &client, &world.sandbox.fhir_base(), &[]).await.unwrap();
    assert!(session.can(Interaction::Read, "Observation") && !session.can(Interaction::Read, "Condition"));
    let objections = ServerProfile::of(ServerKind::OracleHealth).preferences.objections(&scopes.parse().unwrap());
    assert!(matches!(objections[..], [ScopeObjection::Wildcard { .. }]));
    let context = session.context().unwrap();
    assert!(context.tenant.is_some_and(|tenant| session.fhir_base().as_str().ends_with(&tenant)));
    assert_eq!((&context.other["username"], &context.other["user"]), (&"portal".into(), &"pr2001".into()));
    assert_eq!(session.expires_at().unwrap().unwrap().since(world.now()), Duration::from_secs(570));

    let first = session.access_token().await.unwrap();
    world.advance(425);
    assert_eq!(session.access_token().await.unwrap(), first);
    for _ in 0..3 {
        world.advance(570);
        assert_eq!(reads(&world, &session).await, 200);
    }
    // An access token lives on for its few minutes: the server cannot take it back.
    let token = session.access_token().await.unwrap();
    session.revoke().await.unwrap();
    assert_eq!(status(&world, "Patient/p1001", token.expose_secret()).await, 200);
}

/// F-117: with everything cut, Oracle Health says `invalid_scope`, and why in an `error_uri`.
#[tokio::test]
async fn oracle_health_refuses_an_empty_grant() {
    let world = like(ServerKind::OracleHealth).await;
    let policy = ServerProfile::of(ServerKind::OracleHealth).choose().discovery_policy(DiscoveryPolicy::default());
    // A `patient/` scope would bring `launch/patient` along, which is granted.
    let client = builder(&world, app("user/*.rs")).discovery_policy(policy).build();
    let error = log_in_with(&world, &client, &world.sandbox.fhir_base(), &[]).await.unwrap_err();
    let refused = refusal(&error);
    assert_eq!(refused.error, TokenErrorCode::InvalidScope);
    assert!(refused.uri.as_ref().is_some_and(|uri| uri.contains("invalid-scope")), "{refused:?}");
}

/// F-118: the SMART Health IT launcher: its settings stand in the FHIR base, a refresh brings another refresh token while the old
/// one stays good, the user is named relative to the base, and there is no revocation.
#[tokio::test]
async fn smart_health_it() {
    let world = like(ServerKind::SmartHealthIt).await;
    let base = FhirBaseUrl::parse_with(&world.sandbox.fhir_base(), UrlPolicy::AllowLoopbackHttp).unwrap();
    let settings = LauncherSettings::from_fhir_base(&base).unwrap().unwrap();
    assert_eq!(settings, LauncherSettings::new(LaunchType::ProviderStandalone));
    let chosen = ServerProfile::of(ServerKind::SmartHealthIt).choose();
    let client = builder(&world, app(SCOPES)).server(&base, chosen).build();
    let session = log_in_with(&world, &client, &world.sandbox.fhir_base(), &[]).await.unwrap();
    assert_eq!(session.fhir_user().unwrap().unwrap().reference(), "Practitioner/pr2001");
    for _ in 0..2 {
        world.advance(4000);
        assert_eq!(reads(&world, &session).await, 200);
    }
    assert!(session.introspect().await.unwrap().is_active());
    assert!(matches!(session.revoke().await, Err(Error::NotSupported { .. })));
}

/// F-118: an EHR launch at the SMART Health IT launcher, by a code that names patient and encounter.
#[tokio::test]
async fn smart_health_it_launches_by_code() {
    let world = like(ServerKind::SmartHealthIt).await;
    let mut settings = LauncherSettings::new(LaunchType::ProviderEhr);
    settings.patients = vec!["p1003".to_owned()];
    settings.encounter = EncounterChoice::Id("e1".to_owned());
    let base = FhirBaseUrl::parse_with(&world.sandbox.fhir_base(), UrlPolicy::AllowLoopbackHttp).unwrap();
    let query = format!("iss={}&launch={}", world.sandbox.fhir_base(), settings.to_code().unwrap());
    let launch = EhrLaunch::from_query(&query, &AllowedIssuers::only([base])).unwrap();
    let client = builder(&world, app("openid fhirUser patient/*.rs")).build();
    let (request, pending) = client.ehr(&launch, &RedirectUri::parse(support::REDIRECT).unwrap()).await.unwrap();
    let browser = AutoBrowser::new(world.http.clone(), Person::default());
    let callback = browser.authorize(&request.url()).await.unwrap();
    let session = client.complete(pending, callback.query().unwrap()).await.unwrap();
    assert_eq!(session.patient().unwrap(), "p1003");
    assert_eq!(session.context().unwrap().encounter.as_deref(), Some("e1"));
}

/// F-118, CS-02: a server that does not decode Basic credentials refuses the encoded ones and takes them raw.
#[tokio::test]
async fn raw_basic_where_it_is_not_decoded() {
    for kind in [ServerKind::SmartHealthIt, ServerKind::Medplum, ServerKind::Epic] {
        let clients = vec![Client::symmetric("odd", "50% +more/")];
        let world = World::start(SandboxConfig { clients, ..SandboxConfig::like(kind) }).await;
        let odd = App::symmetric("odd", ClientSecret::new("50% +more/")).scopes(SCOPES).unwrap();
        let encoded = log_in(&world, odd.clone()).await;
        let raw = log_in(&world, odd.with_raw_basic()).await;
        let wants_raw = kind != ServerKind::Epic;
        assert_eq!((encoded.is_ok(), raw.is_ok()), (!wants_raw, wants_raw), "{kind}");
    }
}

/// F-119: Google Cloud Healthcare publishes no SMART endpoints: given by hand, a person signs in at the platform, with the
/// platform's scopes, and gets a refresh token for a parameter.
#[tokio::test]
async fn google_healthcare() {
    let world = like(ServerKind::GoogleHealthcare).await;
    let scopes = "openid https://www.googleapis.com/auth/cloud-healthcare";
    let error = log_in(&world, app(scopes)).await.unwrap_err();
    assert!(matches!(error, Error::Discovery(DiscoveryError::NoSmart { .. })), "{error}");

    let client = builder(&world, app(scopes)).endpoint_overrides(overrides(&world)).build();
    let base = world.sandbox.fhir_base();
    assert!(!log_in_with(&world, &client, &base, &[]).await.unwrap().can_refresh());
    let extra = ServerProfile::of(ServerKind::GoogleHealthcare).preferences.authorize_extra;
    let session = log_in_with(&world, &client, &base, extra).await.unwrap();
    assert!(session.can_refresh() && session.fhir_user().unwrap().is_none());
    assert!(session.user().unwrap().is_some());
    assert!(matches!(session.patient(), Err(Error::NoPatient { .. })));
    world.advance(4000);
    assert_eq!(reads(&world, &session).await, 200);
}

/// The sandbox's endpoints, as a person who knows them would give them.
fn overrides(world: &World) -> EndpointOverrides {
    let endpoints = world.sandbox.endpoints();
    EndpointOverrides::new()
        .endpoint(Endpoint::Authorization, endpoints.authorize.parse().unwrap())
        .endpoint(Endpoint::Token, endpoints.token.parse().unwrap())
        .endpoint(Endpoint::Jwks, endpoints.keys.parse().unwrap())
        .issuer(Issuer::parse_with(&world.sandbox.issuer(), UrlPolicy::AllowLoopbackHttp).unwrap())
}

/// F-120, AZ-02: athenahealth compares `aud` letter by letter: the base is sent as it was given, so the documented spelling works
/// and another does not. Its issuer is not where its endpoints are; its token endpoint has no CORS headers.
#[tokio::test]
async fn athenahealth() {
    let world = like(ServerKind::Athenahealth).await;
    let client = builder(&world, app(SCOPES)).build();
    let base = world.sandbox.fhir_base();
    let error = log_in_with(&world, &client, &format!("{base}/"), &[]).await.unwrap_err();
    assert!(matches!(&error, Error::Callback(CallbackError::Refused { .. })), "{error}");
    let session = log_in_with(&world, &client, &base, &[]).await.unwrap();
    assert_eq!(reads(&world, &session).await, 200);
    session.refresh().await.unwrap();
    assert!(session.introspect().await.unwrap().is_active());
    let preflight = async |url: String| {
        let request = Request::options(url).header("origin", "https://app.example").body(Bytes::new()).unwrap();
        world.http.fetch(request).await.unwrap().headers().contains_key("access-control-allow-origin")
    };
    assert!(!preflight(world.sandbox.endpoints().token).await);
    assert!(preflight(format!("{base}/metadata")).await);
}

/// F-120: Medplum rotates refresh tokens, and answers a dead one with the word that its profile knows.
#[tokio::test]
async fn medplum() {
    let world = like(ServerKind::Medplum).await;
    let session = log_in(&world, app(SCOPES)).await.unwrap();
    assert_eq!(session.context().unwrap().other["profile"]["reference"], "Practitioner/pr2001");
    session.refresh().await.unwrap();
    assert_eq!(reads(&world, &session).await, 200);
    assert!(matches!(session.introspect().await, Err(Error::NotSupported { .. })));

    let dead = ServerProfile::of(ServerKind::Medplum).preferences.refresh_token_dead;
    let (status, body) = world.refresh("made-up", &[]).await;
    assert_eq!((status, body["error"].as_str()), (400, dead));
    let guess = App::symmetric("demo-confidential", ClientSecret::new("guess")).scopes(SCOPES).unwrap();
    let error = log_in(&world, guess).await.unwrap_err();
    assert_eq!(refusal(&error).error, TokenErrorCode::InvalidRequest);
}

/// F-120: HAPI's public server needs no session: discovery says that it is no SMART server, and reading works without a token.
#[tokio::test]
async fn hapi() {
    let world = like(ServerKind::Hapi).await;
    let error = log_in(&world, app(SCOPES)).await.unwrap_err();
    assert!(matches!(error, Error::Discovery(DiscoveryError::NoSmart { .. })), "{error}");
    let url = format!("{}/Patient/p1001", world.sandbox.fhir_base()).parse().unwrap();
    let request = HttpClient::get_request(&url, "application/fhir+json").unwrap();
    assert_eq!(world.answer(request).await.0, 200);
}

/// F-120: AWS HealthLake with Amazon Cognito: the base ends in a slash, the token answer has no `scope`, the operator's
/// document has slips in it, and the user is no FHIR resource.
#[tokio::test]
async fn health_lake() {
    let world = like(ServerKind::HealthLake).await;
    assert!(world.sandbox.fhir_base().ends_with("/r4/"));
    let session = log_in(&world, app(SCOPES)).await.unwrap();
    assert!(session.granted_scopes().unwrap().is_equivalent(&SCOPES.parse().unwrap()));
    assert!(session.user().unwrap().is_some() && session.fhir_user().unwrap().is_none());
    world.advance(3700);
    assert_eq!(reads(&world, &session).await, 200);
}

/// F-120: a FHIR service of Azure names no issuer: an ID token cannot be checked until a tenant is given, and is not skipped. Its
/// scopes begin with the FHIR base; those of SMART are refused.
#[tokio::test]
async fn azure() {
    let world = like(ServerKind::Azure).await;
    let base = world.sandbox.fhir_base();
    let scopes = format!("openid offline_access {base}/user_impersonation");
    let error = log_in(&world, app(&scopes)).await.unwrap_err();
    assert!(matches!(error, Error::IssuerDocuments { .. }), "{error}");

    let client = |scopes: &str| builder(&world, app(scopes)).endpoint_overrides(overrides(&world)).build();
    let session = log_in_with(&world, &client(&scopes), &base, &[]).await.unwrap();
    assert!(session.user().unwrap().is_some());
    assert_eq!(session.context().unwrap().other["ext_expires_in"], 3599);
    world.advance(4000);
    assert_eq!(reads(&world, &session).await, 200);

    let error = log_in_with(&world, &client("openid patient/Patient.rs"), &base, &[]).await.unwrap_err();
    assert!(matches!(&error, Error::Callback(CallbackError::Refused { .. })), "{error}");
}

/// A sandbox like no server in particular is the strict one.
#[tokio::test]
async fn generic() {
    let world = like(ServerKind::Generic).await;
    let session = log_in(&world, app(SCOPES)).await.unwrap();
    assert!(world.sandbox.fhir_base().ends_with("/fhir") && session.can_refresh());
}

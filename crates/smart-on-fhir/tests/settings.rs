//! Settings as JSON: without secrets, and checked as a whole.

use smart_core::secret::ClientSecret;
use smart_on_fhir::core as smart_core;
use smart_on_fhir::jwt::{KeyKind, SigningKey};
use smart_on_fhir::settings::{ClientType, Credential, SessionSettings, Settings, SettingsError};

const WEB_APP: &str = r#"{
    "client_id": "web-app",
    "client_type": "confidential-symmetric",
    "scopes": "launch openid fhirUser patient/*.rs",
    "fhir_base": "https://ehr.example/fhir",
    "redirect_uri": "https://app.example/callback",
    "allowed_issuers": ["https://ehr.example/fhir"],
    "server_profile": "epic",
    "session": { "idle_seconds": 900, "absolute_seconds": 14400, "on_idle": "lock" },
    "permissions": "enforce",
    "login_timeout_seconds": 120
}"#;

fn members(error: &SettingsError) -> Vec<&str> {
    error.problems().iter().map(|problem| problem.member.as_str()).collect()
}

/// F-123 (SMART, register app): settings are a JSON document and come back the same; the secret is not in it, nor in the client's Debug.
#[test]
fn settings_are_json_without_secrets() {
    let settings = Settings::from_json(WEB_APP.as_bytes()).unwrap();
    assert_eq!(Settings::from_json(settings.to_json().as_bytes()).unwrap(), settings);
    let credential = Credential::Secret(ClientSecret::new("hush-hush"));
    assert!(!format!("{credential:?}").contains("hush"));
    let client = settings.builder(credential).unwrap().build();
    assert!(!format!("{client:?} {:?} {}", client.app(), settings.to_json()).contains("hush"));
    assert_eq!(client.app().client_id().as_str(), "web-app");
    assert_eq!(client.app().requested_scopes().to_string(), "launch openid fhirUser patient/*.rs");
}

/// F-123: a document with a secret in it is refused, without showing it, whatever the member is called or wherever it stands.
#[test]
fn a_secret_in_settings_is_refused_and_not_shown() {
    for document in [
        r#"{"client_id": "a", "scopes": "openid", "client_secret": "hush-hush"}"#,
        r#"{"client_id": "a", "scopes": "openid", "private_key_pem": "hush-hush"}"#,
        r#"{"client_id": "a", "scopes": "openid", "client_type": "hush-hush"}"#,
        r#"{"client_id": "a", "scopes": "openid", "login_timeout_seconds": "hush-hush"}"#,
        r#"{"client_id": "a", "scopes": "openid", "session": {"hush-hush": "hush-hush"}}"#,
        r#"{"client_id": "a", "scopes": "openid", "permissions": "hush-hush"}"#,
        r#"{"client_id": "a", "scopes": "openid", "x": "hush-hush""#,
    ] {
        let error = Settings::from_json(document.as_bytes()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
    }
    let error = Settings::from_json(br#"{"client_id": "a", "scopes": "openid", "client_secret": "x"}"#).unwrap_err();
    assert_eq!(members(&error), ["client_secret"]);
    assert!(error.to_string().contains("give them to `builder`"), "{error}");
}

/// F-124: everything that is wrong is told at once, each thing by the name of its member.
#[test]
fn every_problem_is_told_at_once() {
    let error = Settings::from_json(
        br#"{
            "client_id": " ",
            "scopes": "fhirUser patient/*.rs",
            "fhir_base": "http://ehr.example/fhir",
            "redirect_uri": "http://app.example/callback",
            "allowed_issuers": ["https://ehr.example/fhir", "ehr.example"],
            "server_profile": "epik",
            "session": {"idle_seconds": 900, "absolute_seconds": 600, "warning_seconds": 700},
            "login_timeout_seconds": 5,
            "assertion_lifetime_seconds": 301,
            "key_set_url": "http://app.example/jwks"
        }"#,
    )
    .unwrap_err();
    assert_eq!(
        members(&error),
        [
            "client_id",
            "scopes",
            "fhir_base",
            "redirect_uri",
            "allowed_issuers[1]",
            "server_profile",
            "assertion_lifetime_seconds",
            "key_set_url",
            "login_timeout_seconds",
            "session.idle_seconds",
            "session.warning_seconds",
        ]
    );
    let shape = Settings::from_json(br#"{"scopes": 7, "client_type": "secret", "tenant": "x"}"#).unwrap_err();
    assert_eq!(members(&shape), ["scopes", "client_type", "tenant", "client_id"]);
    assert!(matches!(Settings::from_json(b"[]").unwrap_err(), SettingsError::Json(_)));
    assert!(matches!(
        Settings::from_json(br#"{"client_id": "a", "client_id": "b", "scopes": "openid"}"#).unwrap_err(),
        SettingsError::Json(_)
    ));
}

/// F-124, CS-04 (SMART, backend services): what does not go together with the type of the client is told, and the credential has to be of its kind.
#[test]
fn settings_fit_the_type_of_the_client() {
    let key = || SigningKey::generate(KeyKind::EcP384).unwrap().with_kid("k1").unwrap();
    let mut service = Settings::new("svc", ClientType::Backend, "system/Patient.rs");
    service.assertion_lifetime_seconds = Some(60);
    service.builder(Credential::key(key())).unwrap();
    for wrong in [Credential::None, Credential::Secret(ClientSecret::new("s"))] {
        let error = service.builder(wrong).unwrap_err();
        assert_eq!(members(&error), ["client_type"]);
        assert!(error.to_string().contains("a key to sign with"), "{error}");
    }
    service.scopes = "launch/patient openid".to_owned();
    service.redirect_uri = Some("https://app.example/callback".to_owned());
    service.session = Some(SessionSettings::new(Some(60), None));
    assert_eq!(members(&service.check().unwrap_err()), ["scopes", "redirect_uri", "session"]);

    let public = Settings::new("app", ClientType::Public, "openid");
    public.builder(Credential::None).unwrap();
    assert_eq!(members(&public.builder(Credential::key(key())).unwrap_err()), ["client_type"]);
}

/// F-124, LA-03 (SMART, App protection): only the servers that are listed may launch the app; none is the default.
#[test]
fn listed_issuers_alone_may_launch() {
    use smart_on_fhir::prelude::EhrLaunch;
    let allowed = Settings::from_json(WEB_APP.as_bytes()).unwrap().allowed_issuers().unwrap();
    let launch = |iss: &str| EhrLaunch::from_query(&format!("iss={iss}&launch=x"), &allowed).map(drop);
    launch("https://ehr.example/fhir").unwrap();
    launch("https://other.example/fhir").unwrap_err();
    let none = Settings::new("app", ClientType::Public, "openid").allowed_issuers().unwrap();
    EhrLaunch::from_query("iss=https://ehr.example/fhir&launch=x", &none).map(drop).unwrap_err();
}

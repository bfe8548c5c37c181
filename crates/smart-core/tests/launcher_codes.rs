//! The settings code of the SMART Health IT launcher.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test reports by panicking, its helpers too")]

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::profile::launcher::{
    EncounterChoice, LaunchType, LauncherClientType, LauncherCodeError, LauncherPkce, LauncherSettings, SimulatedError,
};
use smart_core::secret::ClientSecret;

fn decoded(code: &str) -> serde_json::Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(code).unwrap()).unwrap()
}

fn of(json: &str) -> Result<LauncherSettings, LauncherCodeError> {
    LauncherSettings::from_code(&URL_SAFE_NO_PAD.encode(json))
}

/// F-118 (smart-launcher-v2, codec.ts): seventeen settings, in this order and coding.
#[test]
fn every_setting_has_its_place() {
    let settings = LauncherSettings {
        patients: vec!["p1".into(), "p2".into()],
        providers: vec!["d1".into()],
        encounter: EncounterChoice::Id("e1".into()),
        skip_login: true,
        skip_consent: true,
        simulated_ehr: true,
        scopes: "openid patient/*.rs".into(),
        redirect_uris: vec!["https://app.example/a".into(), "https://app.example/b".into()],
        client_id: "my-app".into(),
        client_secret: Some(ClientSecret::new("s3cret")),
        error: Some(SimulatedError::TokenInvalidJti),
        jwks_url: "https://app.example/jwks".into(),
        jwks: "{\"keys\":[]}".into(),
        client_type: LauncherClientType::ConfidentialAsymmetric,
        pkce: LauncherPkce::Always,
        fhir_server: "https://fhir.example".into(),
        ..LauncherSettings::new(LaunchType::PatientPortal)
    };
    let code = settings.to_code().unwrap();
    assert_eq!(
        decoded(&code),
        serde_json::json!([
            1,
            "p1,p2",
            "d1",
            "e1",
            1,
            1,
            1,
            "openid patient/*.rs",
            "https://app.example/a,https://app.example/b",
            "my-app",
            "s3cret",
            "token_invalid_jti",
            "https://app.example/jwks",
            "{\"keys\":[]}",
            2,
            2,
            "https://fhir.example"
        ])
    );
    assert!(!format!("{settings:?}").contains("s3cret"));
    assert_eq!(LauncherSettings::from_code(&code).unwrap(), settings);
}

/// F-118 (smart-launcher-v2#22): a code of the launcher's own making is read, with padding and without, though it is shorter
/// than today's.
#[test]
fn codes_of_the_launcher_are_read() {
    let code = "WzMsIiIsIiIsIkFVVE8iLDAsMCwwLCIiLCIiLCIiLCIiLCIiLCIiLCIiLDAsMV0";
    let settings = LauncherSettings::from_code(code).unwrap();
    assert_eq!(settings, LauncherSettings::new(LaunchType::PatientStandalone));
    let padded = URL_SAFE.encode("[0,\"p\"]");
    assert!(padded.ends_with('='));
    assert_eq!(LauncherSettings::from_code(&padded).unwrap().patients, ["p"]);
}

/// F-118 (smart-launcher-v2, codec.ts; SMART's examples): the code of the first launcher is read: here that of the examples in
/// SMART App Launch, a patient's app with PKCE demanded.
#[test]
fn codes_of_the_first_launcher_are_read() {
    let code = "eyJtIjoiMSIsImsiOiIxIiwiaSI6IjEiLCJqIjoiMSIsImIiOiI4N2EzMzlkMC04Y2FlLTQxOGUtODljNy04NjUxZTZhYWIzYzYifQ";
    let settings = LauncherSettings::from_code(code).unwrap();
    assert_eq!(settings.launch_type, LaunchType::PatientStandalone);
    assert_eq!(settings.patients, ["87a339d0-8cae-418e-89c7-8651e6aab3c6"]);
    assert_eq!(settings.pkce, LauncherPkce::Always);
    assert!(settings.skip_login && settings.skip_consent);
    for (json, launch_type) in [
        ("{\"h\":\"1\"}", LaunchType::ProviderStandalone),
        ("{\"a\":\"1\"}", LaunchType::ProviderEhr),
        ("{\"a\":\"1\",\"k\":\"1\"}", LaunchType::PatientPortal),
        ("{\"a\":\"1\",\"k\":\"1\",\"h\":\"1\"}", LaunchType::ProviderStandalone),
    ] {
        assert_eq!(of(json).unwrap().launch_type, launch_type, "{json}");
    }
    let more =
        of(r#"{"g":"1","d":"5","n":"cc-sym","o":["https://a.example"],"p":"s","q":"https://a.example/jwks"}"#).unwrap();
    assert_eq!(more.encounter, EncounterChoice::Manual);
    assert_eq!(more.error, Some(SimulatedError::TokenExpiredRefreshToken));
    assert_eq!(more.client_type, LauncherClientType::ConfidentialSymmetric);
    assert_eq!(more.redirect_uris, ["https://a.example"]);
}

/// F-118: what is no code is refused with its reason.
#[test]
fn what_is_no_code_is_refused() {
    for json in [
        "3",
        "\"x\"",
        "[9]",
        "[]",
        "[\"0\"]",
        "[0,5]",
        "[0,\"\",\"\",\"\",0,0,0,\"\",\"\",\"\",\"\",\"\",\"\",\"\",7]",
        "[0",
        "{\"a\":1,\"a\":2}",
        "{\"l\":\"1\"}",
    ] {
        assert!(of(json).is_err(), "{json}");
    }
    assert_eq!(LauncherSettings::from_code("no code!"), Err(LauncherCodeError::Base64));
    let long = "A".repeat(70_000);
    assert!(matches!(LauncherSettings::from_code(&long), Err(LauncherCodeError::TooLong { .. })));
    let comma = LauncherSettings { patients: vec!["a,b".into()], ..LauncherSettings::new(LaunchType::ProviderEhr) };
    assert_eq!(comma.to_code(), Err(LauncherCodeError::Comma("patient")));
}

/// F-118: the code is a segment of the FHIR base.
#[test]
fn the_code_stands_in_the_fhir_base() {
    let plain = FhirBaseUrl::parse("https://launch.smarthealthit.org/v/r4/fhir").unwrap();
    assert!(LauncherSettings::from_fhir_base(&plain).is_none());
    let broken = FhirBaseUrl::parse("https://launch.smarthealthit.org/v/r4/sim/x/fhir").unwrap();
    assert!(LauncherSettings::from_fhir_base(&broken).unwrap().is_err());
}

fn words() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec("[A-Za-z0-9:/._-]{1,12}", 0..4)
}

prop_compose! {
    fn any_settings()(
        launch in 0..5_usize, patients in words(), providers in words(), encounter in 0..4_usize,
        flags in proptest::array::uniform3(any::<bool>()), scopes in "\\PC{0,40}", redirect_uris in words(),
        client_id in "\\PC{0,12}", secret in proptest::option::of("\\PC{1,12}"), error in proptest::option::of("[a-z_]{1,24}"),
        keys in "\\PC{0,40}", client in 0..4_usize, pkce in 0..3_usize,
    ) -> LauncherSettings {
        use LaunchType as L;
        LauncherSettings {
            launch_type: [L::ProviderEhr, L::PatientPortal, L::ProviderStandalone, L::PatientStandalone, L::BackendService][launch],
            patients, providers, redirect_uris, scopes, client_id,
            encounter: [
                EncounterChoice::Auto, EncounterChoice::Manual, EncounterChoice::None, EncounterChoice::Id("e7".into()),
            ][encounter].clone(),
            skip_login: flags[0], skip_consent: flags[1], simulated_ehr: flags[2],
            client_secret: secret.map(ClientSecret::new),
            error: error.as_deref().map(SimulatedError::from),
            jwks_url: keys.clone(), jwks: keys.clone(), fhir_server: keys,
            client_type: [
                LauncherClientType::Public, LauncherClientType::ConfidentialSymmetric,
                LauncherClientType::ConfidentialAsymmetric, LauncherClientType::BackendService,
            ][client],
            pkce: [LauncherPkce::None, LauncherPkce::Auto, LauncherPkce::Always][pkce],
        }
    }
}

proptest! {
    /// F-118: what is written is read back; what does not bear on the launch type is left out, and nothing else.
    #[test]
    fn codes_round_trip(settings in any_settings()) {
        let code = settings.to_code().unwrap();
        prop_assert!(code.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'));
        let read = LauncherSettings::from_code(&code).unwrap();
        let mut expected = settings.clone();
        let kept = LauncherSettings::new(settings.launch_type);
        match settings.launch_type {
            LaunchType::ProviderStandalone | LaunchType::PatientStandalone => expected.simulated_ehr = false,
            LaunchType::BackendService => {
                expected.patients = kept.patients;
                expected.providers = kept.providers;
                expected.redirect_uris = kept.redirect_uris;
                expected.client_secret = kept.client_secret;
                expected.encounter = kept.encounter;
                (expected.skip_login, expected.skip_consent, expected.simulated_ehr) = (false, false, false);
            }
            _ => {}
        }
        prop_assert_eq!(&read, &expected);
        prop_assert_eq!(read.to_code().unwrap(), code);
        let base = settings.fhir_base("https://launch.example/", "r4").unwrap();
        prop_assert_eq!(LauncherSettings::from_fhir_base(&base).unwrap().unwrap(), expected);
    }

    /// F-118: no input makes the reader panic, and what it reads can be written again.
    #[test]
    fn any_code_is_read_or_refused(json in "\\[[0-9\",a-z ]{0,60}\\]", text in "\\PC{0,60}") {
        for code in [URL_SAFE_NO_PAD.encode(&json), text] {
            if let Ok(settings) = LauncherSettings::from_code(&code) {
                prop_assert!(settings.to_code().is_ok());
            }
        }
    }
}

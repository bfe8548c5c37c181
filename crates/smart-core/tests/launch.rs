//! Launches and logins through the public API: what an EHR sends comes back, what a login needs is kept, nothing shows.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

mod support;

use proptest::prelude::*;
use smart_core::authorize::{AuthorizationBuilder, AuthorizationRequest, Callback, PendingAuthorization};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::launch::{AllowedIssuers, EhrLaunch, LaunchError};
use smart_core::redirect_uri::RedirectUri;
use smart_core::token::{ClientAuthentication, ClientIdInBody};
use support::{Counting, NOW, form, query, redirect, scopes, server};
use url::form_urlencoded::Serializer;

fn allowed() -> AllowedIssuers {
    AllowedIssuers::only([FhirBaseUrl::parse("https://ehr.example/r4").unwrap()])
}

fn launch_query(pairs: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn ehr(launch: &EhrLaunch) -> (AuthorizationRequest, PendingAuthorization) {
    let builder =
        AuthorizationBuilder::ehr(server(), launch, "my-app".into(), redirect(), scopes("openid patient/*.rs"));
    builder.unwrap().build(&Counting::default(), NOW).unwrap()
}

/// PK-01, PK-02, AZ-01 (SMART, PKCE; RFC 9700 2.1.1): no way of asking is without the challenge.
#[test]
fn every_request_has_the_challenge() {
    let launch = EhrLaunch::from_query("iss=https://ehr.example/r4&launch=x", &allowed()).unwrap();
    let standalone =
        |scope: &str| AuthorizationBuilder::standalone(server(), "my-app".into(), redirect(), scopes(scope)).unwrap();
    let with_extra = standalone("openid").with_resource().with_extra("prompt", "login").unwrap();
    for (request, _) in [
        ehr(&launch),
        standalone("user/*.rs").build(&Counting::default(), NOW).unwrap(),
        with_extra.build(&Counting::default(), NOW).unwrap(),
    ] {
        let sent = query(&request);
        assert_eq!((sent["code_challenge_method"].as_str(), sent["code_challenge"].len()), ("S256", 43));
        let page = request.form_post_page();
        assert!(page.contains("name=\"code_challenge_method\" value=\"S256\""), "{page}");
        assert!(page.contains(&format!("value=\"{}\"", sent["code_challenge"])), "{page}");
    }
}

/// ST-05, F-24, D-27 (RFC 9700 4.4): the stored login has all that its answer is checked against, launch id included.
#[test]
fn stored_login_is_whole() {
    let launch = EhrLaunch::from_query("iss=https://ehr.example/r4/&launch=a%2Fb", &allowed()).unwrap();
    let (request, pending) = ehr(&launch);
    let sent = query(&request);
    let stored = serde_json::to_value(&pending).unwrap();
    for (pointer, value) in [
        ("/server/fhir_base", "https://ehr.example/r4/"),
        ("/server/issuer", "https://login.ehr.example"),
        ("/server/authorization_endpoint", "https://login.ehr.example/authorize"),
        ("/server/token_endpoint", "https://login.ehr.example/token"),
        ("/client_id", "my-app"),
        ("/redirect_uri", "https://app.example/callback"),
        ("/scopes", "openid patient/*.rs launch"),
        ("/launch", "a/b"),
        ("/state", &sent["state"]),
        ("/nonce", &sent["nonce"]),
    ] {
        assert_eq!(stored.pointer(pointer).and_then(serde_json::Value::as_str), Some(value), "{pointer}");
    }
    assert_eq!(stored["created_at"], NOW.as_unix_seconds());
    let verifier = smart_core::pkce::CodeVerifier::parse(stored["verifier"].as_str().unwrap()).unwrap();
    assert_eq!(verifier.challenge().as_str(), sent["code_challenge"]);
    for missing in ["state", "verifier", "server", "expires_at", "redirect_uri"] {
        let mut damaged = stored.clone();
        damaged.as_object_mut().unwrap().remove(missing);
        assert!(serde_json::from_value::<PendingAuthorization>(damaged).is_err(), "{missing}");
    }
}

/// AZ-08 (RFC 6749 3.1.2, 4.1.3): however the redirect URI is spelt, both requests have it byte for byte.
#[test]
fn redirect_uri_is_sent_as_it_was_registered() {
    for given in [
        "https://app.example/callback",
        "HTTPS://App.Example:443/a/../callback?x=%7e&y=a b",
        "https://app.example",
        "http://127.0.0.1:8080/",
        "com.example.app:/callback",
    ] {
        let redirect = RedirectUri::parse(given).unwrap();
        let builder = AuthorizationBuilder::standalone(server(), "my-app".into(), redirect, scopes("openid")).unwrap();
        let (request, pending) = builder.build(&Counting::default(), NOW).unwrap();
        let sent = query(&request);
        assert_eq!(sent["redirect_uri"], given);
        let callback = Callback::from_query(&format!("code=c&state={}", sent["state"])).unwrap();
        let exchange = pending.complete(callback, NOW).unwrap();
        let (token, _) = exchange.into_request(&ClientAuthentication::Public, ClientIdInBody::AsSpecified).unwrap();
        assert_eq!(form(token.body())["redirect_uri"], given);
    }
}

/// CB-10, SE-05, PK-07 (RFC 9700 4.2.4, 4.3.1): no error of a callback repeats a code or a state.
#[test]
fn errors_of_a_callback_hold_no_secret() {
    let launch = EhrLaunch::from_query("iss=https://ehr.example/r4&launch=launch-s3cret", &allowed()).unwrap();
    let long = format!("code=code-s3cret&state=state-s3cret&x={}", "y".repeat(70_000));
    for text in [
        "code=code-s3cret&state=state-s3cret",
        "code=code-s3cret&state=state-s3cret&state=state-s3cret",
        "code=code-s3cret",
        "state=state-s3cret",
        "error=access_denied&code=code-s3cret&state=state-s3cret",
        "code=code-s3cret&state=state-s3cret&iss=https://evil.example",
        &long,
    ] {
        let (_, pending) = ehr(&launch);
        let error = Callback::from_query(text).and_then(|callback| pending.complete(callback, NOW).map(|_| ()));
        let error = error.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("s3cret"), "{shown}");
    }
    let (request, pending) = ehr(&launch);
    let sent = query(&request);
    for iss in ["", "&iss=https://evil.example"] {
        let text = format!("code=code-s3cret&state={}{iss}", sent["state"]);
        let restored: PendingAuthorization = serde_json::from_value(serde_json::to_value(&pending).unwrap()).unwrap();
        let late = NOW.saturating_add(std::time::Duration::from_secs(3600));
        let error = restored.complete(Callback::from_query(&text).unwrap(), late).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("s3cret") && !shown.contains(&sent["state"]), "{shown}");
    }
}

proptest! {
    /// LA-02, AZ-04 (SMART, scopes and launch context): whatever the launch value, it comes back letter for letter.
    #[test]
    fn launch_value_comes_back(value in "\\PC{1,60}", order in any::<bool>(), extra in "[a-z]{1,5}") {
        prop_assume!(extra != "iss");
        let mut pairs = vec![("iss", "https://ehr.example/r4"), ("launch", value.as_str()), (extra.as_str(), "1")];
        prop_assume!(extra != "launch");
        if order {
            pairs.reverse();
        }
        let launch = EhrLaunch::from_query(&launch_query(&pairs), &allowed()).unwrap();
        let (request, _) = ehr(&launch);
        let sent = query(&request);
        prop_assert_eq!(&sent["launch"], &value);
        prop_assert_eq!(launch.other_parameters(), [(extra.clone(), "1".to_owned())]);
        // By GET and by POST alike.
        let posted = request.parameters().iter().find(|(name, _)| name == "launch").map(|(_, v)| v.clone());
        prop_assert_eq!(posted, Some(value));
    }

    /// LA-01, LA-03 (SMART, EHR launch): any query is a launch by an allowed server, or a typed error.
    #[test]
    fn any_launch_query_is_read(query in "\\PC{0,80}", tail in prop::sample::select(vec!["", "&iss=https://ehr.example/r4", "&launch=x"])) {
        if let Ok(launch) = EhrLaunch::from_query(&format!("{query}{tail}"), &allowed()) {
            prop_assert_eq!(launch.iss().normalised(), "https://ehr.example/r4");
            prop_assert!(!launch.launch().expose_secret().is_empty());
        }
    }

    /// LA-01, LA-06 (SMART, EHR launch): both parameters once, in any order; one of them twice is refused, others are not.
    #[test]
    fn launch_parameters_come_once(
        names in prop::collection::vec(prop::sample::select(vec!["iss", "launch", "patient", "x"]), 0..6),
    ) {
        let pairs: Vec<_> = names
            .iter()
            .map(|name| (*name, if *name == "iss" { "https://ehr.example/r4" } else { "v" }))
            .collect();
        let count = |name: &str| names.iter().filter(|n| **n == name).count();
        let read = EhrLaunch::from_query(&launch_query(&pairs), &allowed());
        match (count("iss"), count("launch")) {
            (1, 1) => prop_assert_eq!(read.unwrap().other_parameters().len(), names.len() - 2),
            (2.., _) | (_, 2..) => {
                let is_repeated = matches!(read, Err(LaunchError::Repeated { .. }));
                prop_assert!(is_repeated);
            }
            _ => {
                let is_missing = matches!(read, Err(LaunchError::Missing { .. }));
                prop_assert!(is_missing);
            }
        }
    }
}

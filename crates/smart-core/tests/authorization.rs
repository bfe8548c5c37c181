//! The authorization request and its callback, through the public API.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

mod support;

use smart_core::authorize::{
    AuthorizationBuilder, AuthorizationError, AuthorizationErrorCode, AuthorizationServer, Callback, CallbackError,
    PendingAuthorization,
};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::launch::{AllowedIssuers, EhrLaunch};
use std::time::Duration;
use support::{Counting, NOW, begun, query, redirect, scopes, server, standalone};

/// AZ-01, PK-01, LA-04, F-22 (SMART, app launch step 4): the parameters of a standalone launch, and no others.
#[test]
fn standalone_request_has_exactly_the_required_parameters() {
    let (sent, _) = begun("launch/patient patient/*.rs");
    assert_eq!(
        sent.keys().map(String::as_str).collect::<Vec<_>>(),
        [
            "aud",
            "client_id",
            "code_challenge",
            "code_challenge_method",
            "redirect_uri",
            "response_type",
            "scope",
            "state"
        ]
    );
    assert_eq!(sent["response_type"], "code");
    assert_eq!(sent["client_id"], "my-app");
    assert_eq!(sent["redirect_uri"], "https://app.example/callback");
    assert_eq!(sent["scope"], "launch/patient patient/*.rs");
    assert_eq!(sent["aud"], "https://ehr.example/r4");
    assert_eq!(sent["code_challenge_method"], "S256");
    assert_eq!(sent["code_challenge"].len(), 43);
    assert_eq!(sent["state"].len(), 43);
}

/// AZ-10, AZ-09 (OpenID Connect Core 3.1.2.1; SMART, identity): a nonce goes with openid, max_age and claims never.
#[test]
fn nonce_is_sent_if_and_only_if_openid_is_asked() {
    let names = |scope| begun(scope).0.into_keys().collect::<Vec<_>>();
    let (with, without) = (names("openid"), names("user/*.rs"));
    assert!(!without.contains(&"nonce".to_owned()));
    assert_eq!(with.iter().filter(|name| *name != "nonce").collect::<Vec<_>>(), without.iter().collect::<Vec<_>>());
    assert_eq!(begun("fhirUser openid").0["nonce"].len(), 43);
    for never in ["max_age", "claims", "acr_values", "response_mode"] {
        assert!(!with.contains(&never.to_owned()), "{never}");
    }
}

/// AZ-01, SC-24, SC-25, F-54 (SMART, standalone apps, identity data): the request has the scopes that others need.
#[test]
fn request_asks_for_the_scopes_that_others_need() {
    for (asked, sent) in [
        ("patient/*.rs", "patient/*.rs launch/patient"),
        ("patient/Patient.read launch/patient", "patient/Patient.read launch/patient"),
        ("user/*.rs", "user/*.rs"),
        ("launch/encounter", "launch/encounter"),
        ("fhirUser", "fhirUser openid"),
        ("openid fhirUser", "openid fhirUser"),
    ] {
        let (query, pending) = begun(asked);
        assert_eq!(query["scope"], sent);
        assert_eq!(pending.requested_scopes().to_string(), sent, "the answer is compared with what was sent");
        assert_eq!(query.contains_key("nonce"), sent.contains("openid"));
    }
    let allowed = AllowedIssuers::only([server().fhir_base]);
    let launch = EhrLaunch::from_query("iss=https://ehr.example/r4&launch=x", &allowed).unwrap();
    let ehr = AuthorizationBuilder::ehr(server(), &launch, "my-app".into(), redirect(), scopes("fhirUser patient/*.r"));
    let (request, _) = ehr.unwrap().build(&Counting::default(), NOW).unwrap();
    assert_eq!(query(&request)["scope"], "fhirUser patient/*.r launch openid", "the EHR brings its own patient");
    let none = AuthorizationBuilder::standalone(server(), "my-app".into(), redirect(), scopes(""));
    assert!(matches!(none, Err(AuthorizationError::Scopes(_))), "SMART requires the parameter");
}

/// AZ-02, LA-02, SC-23, F-02 (SMART, EHR launch): iss comes back as aud byte for byte, launch unchanged, scope launch added.
#[test]
fn ehr_launch_echoes_iss_and_launch() {
    for iss in ["https://ehr.example/r4", "https://ehr.example/r4/", "https://EHR.example:443/r4"] {
        let allowed = AllowedIssuers::only([server().fhir_base]);
        let launch = EhrLaunch::from_query(&format!("iss={iss}&launch=a%2Bb%2F%3D"), &allowed).unwrap();
        let builder =
            AuthorizationBuilder::ehr(server(), &launch, "my-app".into(), redirect(), scopes("openid")).unwrap();
        let (request, pending) = builder.build(&Counting::default(), NOW).unwrap();
        let sent = query(&request);
        assert_eq!(sent["aud"], iss);
        assert_eq!(sent["launch"], "a+b/=");
        assert_eq!(sent["scope"], "openid launch");
        assert_eq!(pending.server().fhir_base.as_str(), iss);
    }
}

/// LA-03, RFC 9700 4.4: a launch by one server does not become a login at another.
#[test]
fn launch_of_another_server_is_refused() {
    let allowed = AllowedIssuers::only([FhirBaseUrl::parse("https://other.example/r4").unwrap()]);
    let launch = EhrLaunch::from_query("iss=https://other.example/r4&launch=x", &allowed).unwrap();
    let error =
        AuthorizationBuilder::ehr(server(), &launch, "my-app".into(), redirect(), scopes("openid")).unwrap_err();
    assert!(matches!(error, AuthorizationError::OtherServer { .. }));
}

/// SC-24 (SMART, standalone apps): the bare scope launch does not belong to a standalone launch.
#[test]
fn standalone_refuses_bare_launch_scope() {
    let result = AuthorizationBuilder::standalone(server(), "my-app".into(), redirect(), scopes("launch openid"));
    assert!(matches!(result, Err(AuthorizationError::Scopes(_))));
}

/// LA-05, PK-06, ST-01, F-14, D-11 (RFC 7636 4.1; RFC 9700 2.1.1): each request has its own state, verifier and nonce.
#[test]
fn two_requests_share_nothing() {
    let (builder, random) = (standalone("openid"), Counting::default());
    let (a, b) = (builder.build(&random, NOW).unwrap(), builder.build(&random, NOW).unwrap());
    for parameter in ["state", "nonce", "code_challenge"] {
        assert_ne!(query(&a.0)[parameter], query(&b.0)[parameter], "{parameter}");
    }
}

/// AZ-03 (RFC 8707): resource may be added and never replaces aud.
#[test]
fn resource_is_an_addition() {
    let (request, _) = standalone("openid").with_resource().build(&Counting::default(), NOW).unwrap();
    let sent = query(&request);
    assert_eq!(sent["aud"], sent["resource"]);
}

/// AZ-07, AZ-13, AZ-11, F-21 (RFC 6749 3.1, 8.2): extra parameters never replace or repeat one of the protocol's.
#[test]
fn reserved_parameters_cannot_be_overridden() {
    for name in [
        "state",
        "aud",
        "scope",
        "code_challenge",
        "code_challenge_method",
        "redirect_uri",
        "response_type",
        "client_id",
        "launch",
        "nonce",
        "response_mode",
        "request",
    ] {
        assert!(
            matches!(standalone("openid").with_extra(name, "x"), Err(AuthorizationError::ReservedParameter { .. })),
            "{name}"
        );
    }
    let builder = standalone("openid").with_extra("prompt", "login").unwrap();
    assert!(matches!(builder.clone().with_extra("prompt", "none"), Err(AuthorizationError::RepeatedParameter { .. })));
    assert_eq!(query(&builder.build(&Counting::default(), NOW).unwrap().0)["prompt"], "login");
    let with_empty = standalone("openid").with_extra("ui_locales", "").unwrap();
    assert!(!query(&with_empty.build(&Counting::default(), NOW).unwrap().0).contains_key("ui_locales"));
}

/// AZ-07, AZ-04 (RFC 6749 3.1): an endpoint whose own query would repeat a parameter is refused.
#[test]
fn endpoint_query_cannot_repeat_a_parameter() {
    let server = AuthorizationServer {
        authorization_endpoint: "https://login.ehr.example/authorize?aud=x".parse().unwrap(),
        ..server()
    };
    let builder = AuthorizationBuilder::standalone(server, "my-app".into(), redirect(), scopes("openid")).unwrap();
    assert!(matches!(builder.build(&Counting::default(), NOW), Err(AuthorizationError::RepeatedParameter { .. })));
}

fn complete(pending: PendingAuthorization, query: &str) -> Result<smart_core::token::CodeExchange, CallbackError> {
    pending.complete(Callback::from_query(query)?, NOW)
}

/// CB-01 (RFC 6749 4.1.2): code and state, unknown parameters passed over, from query, URL and form.
#[test]
fn callback_with_code_and_state_is_accepted() {
    let (sent, pending) = begun("openid");
    let text = format!("x=1&state={}&code=abc&x=2", sent["state"]);
    assert!(complete(pending, &text).is_ok());
    let (sent, pending) = begun("openid");
    let url = format!("https://app.example/callback?code=abc&state={}", sent["state"]).parse().unwrap();
    assert!(pending.complete(Callback::from_url(&url).unwrap(), NOW).is_ok());
    let (sent, pending) = begun("openid");
    let form = format!("code=abc&state={}", sent["state"]);
    assert!(pending.complete(Callback::from_form(form.as_bytes()).unwrap(), NOW).is_ok());
}

/// ST-02, F-17, D-08 (SMART, App protection; RFC 6749 10.12): state is checked first, on success and on error alike.
#[test]
fn callback_with_another_state_is_refused() {
    for text in [
        "code=abc&state=forged",
        "error=access_denied&state=forged",
        "code=abc&state=forged&iss=https://login.ehr.example",
    ] {
        assert_eq!(complete(begun("openid").1, text).unwrap_err(), CallbackError::StateMismatch, "{text}");
    }
    for text in ["code=abc", "error=access_denied", "code=abc&state="] {
        assert_eq!(complete(begun("openid").1, text).unwrap_err(), CallbackError::StateMissing, "{text}");
    }
}

/// ST-04, F-17, D-08 (RFC 9700 4.7.1): a state expires; using it twice does not compile, since `complete` consumes it.
#[test]
fn state_expires() {
    let (sent, pending) = begun("openid");
    let expires = pending.expires_at();
    assert_eq!(expires.since(NOW), Duration::from_secs(600));
    let callback = || Callback::from_query(&format!("code=abc&state={}", sent["state"])).unwrap();
    assert!(matches!(pending.complete(callback(), expires), Err(CallbackError::Expired { .. })));
    let (_, pending) = begun("openid");
    assert!(pending.complete(callback(), expires.saturating_sub(Duration::from_secs(1))).is_ok());
}

/// ST-05, F-24, D-27 (RFC 9700 4.4): the pending login survives a restart, complete.
#[test]
fn pending_login_round_trips_through_json() {
    let (sent, pending) = begun("openid patient/*.rs");
    let stored = serde_json::to_string(&pending).unwrap();
    let restored: PendingAuthorization = serde_json::from_str(&stored).unwrap();
    assert_eq!(restored.lookup_key(), pending.lookup_key());
    assert_eq!(serde_json::to_string(&restored).unwrap(), stored);
    assert!(complete(restored, &format!("code=abc&state={}", sent["state"])).is_ok());
}

/// ST-07 (SMART, state per request): several logins may wait at once; each callback finds its own.
#[test]
fn interleaved_logins_find_their_own_pending_half() {
    let (builder, random) = (standalone("openid"), Counting::default());
    let (first, second) = (builder.build(&random, NOW).unwrap(), builder.build(&random, NOW).unwrap());
    let callback = Callback::from_query(&format!("code=b&state={}", query(&second.0)["state"])).unwrap();
    let key = callback.lookup_key().unwrap();
    assert_ne!(key, first.1.lookup_key());
    assert_eq!(key, second.1.lookup_key());
    assert!(second.1.complete(callback, NOW).is_ok());
    assert!(complete(first.1, &format!("code=a&state={}", query(&first.0)["state"])).is_ok());
}

/// SE-05, PK-07, CB-10: no secret of a login shows in Debug.
#[test]
fn nothing_of_a_login_shows_in_debug() {
    let (request, pending) = standalone("openid").build(&Counting::default(), NOW).unwrap();
    let sent = query(&request);
    let callback = Callback::from_query(&format!("code=verysecretcode&state={}", sent["state"])).unwrap();
    let stored: serde_json::Value = serde_json::to_value(&pending).unwrap();
    let mut shown = format!("{request:?} {pending:?} {callback:?}");
    let exchange = format!("{:?}", pending.complete(callback, NOW).unwrap());
    shown += &exchange;
    for secret in [&sent["state"], &sent["nonce"], stored["verifier"].as_str().unwrap(), "verysecretcode"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

/// CB-06, CB-08 (RFC 6749 3.1): repeated parameters are refused, an error beats a code, text from outside is cleaned.
#[test]
fn repeated_parameters_are_refused() {
    for text in [
        "code=a&code=b&state=s",
        "code=a&state=s&state=s",
        "error=a&error=b&state=s",
        "code=a&state=s&iss=i&iss=i",
        "code=&code=a&state=s",
    ] {
        assert!(matches!(Callback::from_query(text), Err(CallbackError::Repeated { .. })), "{text}");
    }
    let (sent, pending) = begun("openid");
    let text = format!("code=a&error=access_denied&error_description=no%1b%5b2J%0ano&state={}", sent["state"]);
    match complete(pending, &text).unwrap_err() {
        CallbackError::Refused { error, description, .. } => {
            assert_eq!(error, AuthorizationErrorCode::AccessDenied);
            assert_eq!(description.unwrap(), "no\u{fffd}[2J\u{fffd}no");
        }
        other => panic!("{other}"),
    }
    assert_eq!(Callback::from_query("state=s").unwrap_err(), CallbackError::Empty);
    assert!(matches!(Callback::from_query(&"a".repeat(100_000)), Err(CallbackError::TooLong { .. })));
    assert_eq!(Callback::from_form(&[0xff]).unwrap_err(), CallbackError::NotText);
}

/// CB-03, F-19 (RFC 9207 2.4): the issuer of the answer is compared letter by letter; promised and absent is refused.
#[test]
fn issuer_of_the_answer_must_be_the_one_asked() {
    let answer = |server: AuthorizationServer, iss: &str| {
        let builder = AuthorizationBuilder::standalone(server, "my-app".into(), redirect(), scopes("openid")).unwrap();
        let (request, pending) = builder.build(&Counting::default(), NOW).unwrap();
        complete(pending, &format!("code=a&state={}{iss}", query(&request)["state"]))
    };
    let promising = AuthorizationServer { iss_parameter_supported: true, ..server() };
    assert!(answer(server(), "").is_ok());
    assert!(answer(server(), "&iss=https%3A%2F%2Flogin.ehr.example").is_ok());
    assert!(answer(promising.clone(), "&iss=https://login.ehr.example").is_ok());
    assert!(matches!(answer(promising, ""), Err(CallbackError::IssuerMissing { .. })));
    for wrong in ["&iss=https://login.ehr.example/", "&iss=https://evil.example", "&iss=HTTPS://login.ehr.example"] {
        assert!(matches!(answer(server(), wrong), Err(CallbackError::IssuerMismatch { .. })), "{wrong}");
    }
    let without_issuer = AuthorizationServer { issuer: None, ..server() };
    let error = answer(without_issuer.clone(), "&iss=https://evil.example").unwrap_err();
    assert!(matches!(error, CallbackError::IssuerMismatch { expected: None, .. }));
    assert!(error.to_string().contains("EndpointOverrides::issuer"), "{error}");
    assert!(answer(without_issuer, "").is_ok(), "no issuer, and none was promised");
}

/// CB-04, CB-05 (RFC 9700 2.1, 4.4): the code goes to the token endpoint of the login, whatever the callback says.
#[test]
fn code_goes_only_to_the_stored_token_endpoint() {
    let (sent, pending) = begun("openid");
    let text = format!(
        "code=a&state={}&token_endpoint=https://evil.example/token&redirect_uri=https://evil.example",
        sent["state"]
    );
    let exchange = complete(pending, &text).unwrap();
    assert_eq!(exchange.token_endpoint().as_str(), "https://login.ehr.example/token");
}

/// CX-12 (SMART, launch context): context in the callback is passed over.
#[test]
fn patient_in_the_callback_is_ignored() {
    let (sent, pending) = begun("launch/patient");
    let exchange = complete(pending, &format!("code=a&state={}&patient=evil", sent["state"])).unwrap();
    let (_, expected) = exchange
        .into_request(&smart_core::token::ClientAuthentication::Public, smart_core::token::ClientIdInBody::default())
        .unwrap();
    let body = br#"{"access_token":"t","token_type":"Bearer","scope":"launch/patient"}"#;
    assert_eq!(expected.parse(200, body, NOW).unwrap().context.patient, None);
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// CB-01, CB-06: the order of parameters makes no difference.
        #[test]
        fn order_of_parameters_makes_no_difference(order in Just(vec!["code=a", "state=STATE", "iss=https://login.ehr.example", "x=1"]).prop_shuffle()) {
            let (sent, pending) = begun("openid");
            let text = order.join("&").replace("STATE", &sent["state"]);
            prop_assert!(complete(pending, &text).is_ok());
        }

        /// CB-06: whatever comes, reading a callback gives an error or a callback, and a repeated parameter an error.
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,200}", name in prop::sample::select(vec!["code", "state", "iss", "error"])) {
            let _ = Callback::from_query(&text);
            let repeated = format!("{name}=a&{name}=b&code=c&state=s");
            let is_repeated = matches!(Callback::from_query(&repeated), Err(CallbackError::Repeated { .. }));
            prop_assert!(is_repeated);
        }
    }
}

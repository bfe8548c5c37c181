//! What a server writes with this crate's types, a client reads with them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

mod support;

use serde_json::{Value, json};
use smart_core::authorize::{AuthorizationErrorCode, AuthorizationResponse, Callback, CallbackError, CallbackOutcome};
use smart_core::context::LaunchContext;
use smart_core::introspection::{ActiveToken, Introspection, parse_introspection};
use smart_core::issuer::Issuer;
use smart_core::redirect_uri::RedirectUri;
use smart_core::secret::{AccessToken, AuthorizationCode, RawIdToken, RefreshToken};
use smart_core::state::State;
use smart_core::time::Timestamp;
use smart_core::token::{
    ClientAuthentication, ClientIdInBody, ExpectedToken, TokenErrorCode, TokenErrorResponse, TokenResponse,
};
use smart_core::url_policy::UrlPolicy;
use std::time::Duration;
use support::{NOW, begun, redirect, scopes};
use url::Url;

fn expected(scope: &str) -> ExpectedToken {
    let (query, pending) = begun(scope);
    let callback = Callback::from_query(&format!("code=c&state={}", query["state"])).unwrap();
    let exchange = pending.complete(callback, NOW).unwrap();
    exchange.into_request(&ClientAuthentication::Public, ClientIdInBody::AsSpecified).unwrap().1
}

fn context() -> LaunchContext {
    let value = json!({
        "patient": "p-1", "encounter": "e-1", "fhirContext": [{"reference": "ImagingStudy/1", "role": "launch"}],
        "need_patient_banner": false, "intent": "chart", "smart_style_url": "https://ehr.example/style.json",
        "tenant": "t", "other": {"__x": 1, "access_token": "not this one", "patient": "nor this patient"},
    });
    serde_json::from_value(value).unwrap()
}

/// TK-06, CX-01, CX-07 (SMART, token response): a written token response is read as it was meant, is kept by no cache,
/// and no extra member takes the place of a known one.
#[test]
fn written_token_response_is_read_again() {
    let mut response = TokenResponse::new(AccessToken::new("tok"), scopes("openid patient/*.rs"), NOW);
    response.expires_in = Some(Duration::from_secs(3600));
    response.refresh_token = Some(RefreshToken::new("ref"));
    response.id_token = Some(RawIdToken::new("a.b.c"));
    response.context = context();
    let written = response.to_response();
    for (name, value) in [("content-type", "application/json"), ("cache-control", "no-store"), ("pragma", "no-cache")] {
        assert_eq!(written.headers()[name], value);
    }
    let read = expected("openid patient/*.rs").parse(written.status().as_u16(), written.body(), NOW).unwrap();
    response.context.other.remove("access_token");
    response.context.other.remove("patient");
    assert_eq!(read, response);
}

/// TK-06 (SMART, token response, `authorization_details`): further locations are written as they are read.
#[test]
fn written_authorization_details_are_read_again() {
    let body = json!({
        "access_token": "tok", "token_type": "Bearer", "scope": "patient/*.rs", "patient": "1",
        "authorization_details": [{
            "type": "smart_on_fhir", "locations": ["https://img.example/fhir"], "fhirVersions": ["4.0.1"],
            "scope": "patient/ImagingStudy.rs", "patient": "77",
        }],
    });
    let read = |body: &[u8]| expected("patient/*.rs").parse(200, body, NOW).unwrap();
    let first = read(body.to_string().as_bytes());
    assert_eq!(first.authorization_details.len(), 1);
    assert_eq!(read(first.to_response().body()), first);
}

/// TK-11 (RFC 6749 5.2): a written refusal is read with its code; the status fits the code, the text is legal.
#[test]
fn written_refusal_is_read_again() {
    for (code, status) in [
        (TokenErrorCode::InvalidGrant, 400),
        (TokenErrorCode::InvalidClient, 401),
        (TokenErrorCode::InvalidToken, 401),
        (TokenErrorCode::ServerError, 500),
        (TokenErrorCode::TemporarilyUnavailable, 503),
    ] {
        let written = TokenErrorResponse::new(code.clone(), "not \"this\" way\n–").to_response();
        assert_eq!(written.status().as_u16(), status);
        let error = expected("openid").parse(status, written.body(), NOW).unwrap_err();
        let response = error.oauth_error().unwrap();
        assert_eq!((&response.error, response.description.as_deref()), (&code, Some("not 'this' way??")));
    }
}

/// IN-03, IN-04 (RFC 7662 2.2; SMART, token introspection): written introspections are read again; of a bad token nothing
/// is said.
#[test]
fn written_introspection_is_read_again() {
    let endpoint: Url = "https://login.ehr.example/introspect".parse().unwrap();
    let read = |introspection: &Introspection| {
        let written = introspection.to_response();
        assert_eq!(written.headers()["cache-control"], "no-store");
        parse_introspection(&endpoint, written.status().as_u16(), written.body(), UrlPolicy::HttpsOnly).unwrap()
    };
    let mut context = context();
    context.other = serde_json::Map::new();
    let active = Introspection::Active(Box::new(ActiveToken {
        scope: Some(scopes("patient/*.rs")),
        client_id: Some("app".into()),
        expires_at: Some(Timestamp::from_unix_seconds(1_800_003_600)),
        issued_at: Some(NOW),
        not_before: Some(NOW),
        token_type: Some("Bearer".into()),
        token_id: Some("t-1".into()),
        audience: vec!["https://ehr.example/r4".into(), "svc".into()],
        username: Some("jlee".into()),
        iss: Some("https://login.ehr.example".into()),
        sub: Some("u-1".into()),
        fhir_user: Some("Practitioner/1".into()),
        context,
        leniencies: Vec::new(),
    }));
    assert_eq!(read(&active), active);
    assert_eq!(read(&Introspection::Inactive), Introspection::Inactive);
    assert_eq!(Value::from(Introspection::Inactive.to_object()), json!({"active": false}));
}

/// CB-01, CB-02 (RFC 6749 4.1.2, 4.1.2.1; RFC 9207): a written answer is read as a callback; the redirect URI's own
/// query stays, and an extra character in state or description arrives as it should.
#[test]
fn written_callback_is_read_again() {
    let answer = |outcome, state: &str| AuthorizationResponse {
        outcome,
        state: Some(State::new(state)),
        iss: Some(Issuer::parse("https://login.ehr.example").unwrap()),
    };
    let (query, pending) = begun("patient/*.rs");
    let url = answer(CallbackOutcome::Code(AuthorizationCode::new("c&d=+")), &query["state"])
        .redirect_url(&redirect())
        .unwrap();
    assert!(redirect().is_target_of(&url));
    let exchange = pending.complete(Callback::from_url(&url).unwrap(), NOW).unwrap();
    let (request, _) = exchange.into_request(&ClientAuthentication::Public, ClientIdInBody::AsSpecified).unwrap();
    assert_eq!(support::form(request.body())["code"], "c&d=+");

    let (query, pending) = begun("patient/*.rs");
    let refused = CallbackOutcome::Error {
        error: AuthorizationErrorCode::AccessDenied,
        description: Some("said \"no\"\r\n".into()),
        uri: Some("https://ehr.example/help".into()),
    };
    let url = answer(refused, &query["state"]).redirect_url(&redirect()).unwrap();
    let error = pending.complete(Callback::from_url(&url).unwrap(), NOW).unwrap_err();
    let CallbackError::Refused { error, description, uri, .. } = error else { panic!("{error}") };
    assert_eq!(error, AuthorizationErrorCode::AccessDenied);
    assert_eq!((description.as_deref(), uri.as_deref()), (Some("said 'no'??"), Some("https://ehr.example/help")));

    let native = RedirectUri::parse("com.example.app:/callback?tenant=1").unwrap();
    let code = CallbackOutcome::Code(AuthorizationCode::new("c"));
    let url = AuthorizationResponse { outcome: code, state: None, iss: None }.redirect_url(&native).unwrap();
    assert_eq!(url.as_str(), "com.example.app:/callback?tenant=1&code=c");
}

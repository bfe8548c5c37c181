//! Introspection and revocation messages, through the public API.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

mod support;

use smart_core::client_id::ClientId;
use smart_core::introspection::{
    Introspection, IntrospectionCaller, TokenTypeHint, introspection_request, parse_introspection,
};
use smart_core::leniency::Leniency;
use smart_core::revocation::{Revocable, parse_revocation, revocation_request};
use smart_core::secret::{AccessToken, ClientAssertion, ClientSecret, RefreshToken};
use smart_core::token::{BasicEncoding, ClientAuthentication, RequestingClient, TokenError, TokenErrorCode};
use smart_core::url_policy::UrlPolicy;
use support::form;
use url::Url;

fn endpoint() -> Url {
    "https://login.ehr.example/x".parse().unwrap()
}

fn read(status: u16, body: &str) -> Result<Introspection, TokenError> {
    parse_introspection(&endpoint(), status, body.as_bytes(), UrlPolicy::HttpsOnly)
}

/// IN-01, IN-02, F-76 (SMART, token introspection; RFC 7662 2.1): a form POST, by bearer token or by client authentication.
#[test]
fn introspection_is_a_form_post_by_bearer_or_client() {
    let bearer = AccessToken::new("app-token");
    let request = introspection_request(
        &endpoint(),
        "tok",
        Some(TokenTypeHint::AccessToken),
        IntrospectionCaller::Bearer(&bearer),
    )
    .unwrap();
    assert_eq!(request.method(), "POST");
    assert_eq!(request.headers()["accept"], "application/json");
    assert_eq!(request.headers()["authorization"], "Bearer app-token");
    assert!(request.headers()["authorization"].is_sensitive());
    assert_eq!(
        form(request.body()).into_iter().collect::<Vec<_>>(),
        [("token".to_owned(), "tok".to_owned()), ("token_type_hint".into(), "access_token".into())]
    );
    let id = ClientId::new("app");
    for auth in client_kinds() {
        let caller = IntrospectionCaller::Client(RequestingClient::new(&id, &auth));
        let request = introspection_request(&endpoint(), "tok", None, caller).unwrap();
        assert!(!form(request.body()).contains_key("token_type_hint"));
        assert_client(&request, &auth);
    }
}

/// IN-03 (RFC 7662 2.2): inactive is no error, and what stands beside it is not read.
#[test]
fn inactive_token_is_no_error() {
    assert_eq!(read(200, r#"{"active":false,"scope":"patient/*.rs","patient":7}"#).unwrap(), Introspection::Inactive);
    assert!(matches!(read(200, r#"{"scope":"x"}"#), Err(TokenError::Missing { member: "active", .. })));
    assert!(matches!(read(200, r#"{"active":"true"}"#), Err(TokenError::Invalid { member: "active", .. })));
}

/// IN-04, F-76 (SMART, token introspection, required fields): scope, client, end, user and launch context.
#[test]
fn active_token_has_its_smart_fields() {
    let Introspection::Active(token) = read(
        200,
        r#"{"active":true,"scope":"patient/*.rs","client_id":"app","exp":1800000000,"iat":1799990000,
        "iss":"https://ehr.example","sub":"u1","fhirUser":"Practitioner/1","patient":"456","encounter":"e","x":1}"#,
    )
    .unwrap() else {
        panic!("active")
    };
    assert_eq!(token.scope.unwrap().to_string(), "patient/*.rs");
    assert_eq!(token.client_id.unwrap().as_str(), "app");
    assert_eq!(token.expires_at.unwrap().as_unix_seconds(), 1_800_000_000);
    assert_eq!((token.iss.as_deref(), token.sub.as_deref()), (Some("https://ehr.example"), Some("u1")));
    assert_eq!(token.fhir_user.as_deref(), Some("Practitioner/1"));
    assert_eq!((token.context.patient.as_deref(), token.context.encounter.as_deref()), (Some("456"), Some("e")));
    assert_eq!(token.context.other.len(), 1);
}

/// IN-04, F-76 (RFC 7662 2.2): every member of the RFC is typed, and `other` holds none of them.
#[test]
fn every_member_of_rfc_7662_is_typed() {
    let body = r#"{"active":true,"scope":"user/*.rs","client_id":"app","username":"jlee","token_type":"Bearer","exp":1800000000,
        "iat":1799990000,"nbf":1799990001,"sub":"u1","aud":["https://ehr.example/r4","x"],"iss":"https://ehr.example","jti":"t-1"}"#;
    let Introspection::Active(token) = read(200, body).unwrap() else { panic!("active") };
    assert_eq!((token.username.as_deref(), token.token_type.as_deref()), (Some("jlee"), Some("Bearer")));
    assert_eq!((token.token_id.as_deref(), token.audience.len()), (Some("t-1"), 2));
    assert_eq!(token.issued_at.unwrap().as_unix_seconds(), 1_799_990_000);
    assert_eq!(token.not_before.unwrap().as_unix_seconds(), 1_799_990_001);
    assert!(token.context.other.is_empty() && token.leniencies.is_empty());
    let one = r#"{"active":true,"aud":"https://ehr.example/r4"}"#;
    let Introspection::Active(token) = read(200, one).unwrap() else { panic!("active") };
    assert_eq!(token.audience, ["https://ehr.example/r4"]);
}

/// IN-04, CX-13: a member of the wrong kind is left out and told; absent and null are the same and no fault.
#[test]
fn members_of_the_wrong_kind_are_told() {
    for member in
        ["scope", "client_id", "username", "token_type", "exp", "iat", "nbf", "sub", "aud", "iss", "jti", "fhirUser"]
    {
        let body = |value: &str| format!(r#"{{"active":true,"{member}":{value}}}"#);
        for wrong in ["{}", "true", "[7]", "1.5"] {
            let Introspection::Active(token) = read(200, &body(wrong)).unwrap() else { panic!("active") };
            assert_eq!(token.leniencies, [Leniency::IntrospectionMemberUnreadable], "{member} {wrong}");
            assert!(token.context.other.is_empty(), "{member}");
        }
        let Introspection::Active(token) = read(200, &body("null")).unwrap() else { panic!("active") };
        assert_eq!((token.leniencies.len(), token.expires_at, token.scope), (0, None, None), "{member}");
    }
}

/// SE-05, FR-23: what a server says of a token does not show in Debug: neither the user nor the patient.
#[test]
fn introspected_user_does_not_show() {
    let body =
        r#"{"active":true,"username":"jlee77","sub":"sub77","fhirUser":"Practitioner/77","patient":"p77","jti":"t77"}"#;
    let shown = format!("{:?}", read(200, body).unwrap());
    assert!(shown.contains("ActiveToken") && !shown.contains("77"), "{shown}");
}

/// IN-05 (FHIR-37805): the patient of SMART 2.0 came with its type.
#[test]
fn patient_with_its_type_is_normalised() {
    let Introspection::Active(token) = read(200, r#"{"active":true,"patient":"Patient/456"}"#).unwrap() else {
        panic!("active")
    };
    assert_eq!(token.context.patient.as_deref(), Some("456"));
    assert_eq!(token.leniencies, [Leniency::ContextIdReference]);
}

/// IN-06 (RFC 7662 2.3): refusals are typed.
#[test]
fn refused_introspection_is_typed() {
    assert_eq!(
        read(401, r#"{"error":"invalid_token"}"#).unwrap_err().oauth_error().unwrap().error,
        TokenErrorCode::InvalidToken
    );
    assert!(matches!(read(403, "no"), Err(TokenError::Status { status: 403, .. })));
    assert!(matches!(read(302, ""), Err(TokenError::Redirect { .. })));
}

/// RV-01, RV-02, F-74 (RFC 7009 2, 2.1; SMART): a form POST with a hint, authenticated as at the token endpoint.
#[test]
fn revocation_request_for_each_kind_of_client() {
    let id = ClientId::new("app");
    let (refresh, access) = (RefreshToken::new("r"), AccessToken::new("a"));
    for auth in client_kinds() {
        for (token, text, hint) in
            [(Revocable::Refresh(&refresh), "r", "refresh_token"), (Revocable::Access(&access), "a", "access_token")]
        {
            let request = revocation_request(&endpoint(), token, RequestingClient::new(&id, &auth)).unwrap();
            let body = form(request.body());
            assert_eq!((body["token"].as_str(), body["token_type_hint"].as_str()), (text, hint));
            assert_client(&request, &auth);
        }
    }
}

/// RV-03, RV-04, TK-12, D-19 (RFC 7009 2.2): 200 is done whatever the body; anything else leaves the token alive.
#[test]
fn revocation_answers() {
    let read = |status, body: &str| parse_revocation(&endpoint(), status, body.as_bytes());
    for body in ["", "<html>ok</html>", "{}"] {
        assert!(read(200, body).is_ok(), "{body}");
    }
    assert!(read(503, "").unwrap_err().is_retryable());
    let refused = read(400, r#"{"error":"unsupported_token_type"}"#).unwrap_err();
    assert_eq!(refused.oauth_error().unwrap().error, TokenErrorCode::UnsupportedTokenType);
    assert!(matches!(read(307, ""), Err(TokenError::Redirect { .. })));
    assert!(read(404, "").is_err());
}

fn client_kinds() -> [ClientAuthentication; 3] {
    [
        ClientAuthentication::Public,
        ClientAuthentication::SecretBasic { secret: ClientSecret::new("s"), encoding: BasicEncoding::FormEncoded },
        ClientAuthentication::Assertion { assertion: ClientAssertion::new("a.b.c") },
    ]
}

fn assert_client(request: &http::Request<bytes::Bytes>, auth: &ClientAuthentication) {
    let body = form(request.body());
    let (id, basic, assertion) = (
        body.contains_key("client_id"),
        request.headers().contains_key("authorization"),
        body.contains_key("client_assertion"),
    );
    let expected = match auth {
        ClientAuthentication::Public => (true, false, false),
        ClientAuthentication::SecretBasic { .. } => (false, true, false),
        _ => (false, false, true),
    };
    assert_eq!((id, basic, assertion), expected);
}

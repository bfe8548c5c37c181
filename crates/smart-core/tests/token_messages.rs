//! Token requests and responses, through the public API.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

mod support;

use base64::Engine as _;
use smart_core::authorize::Callback;
use smart_core::client_id::ClientId;
use smart_core::context::LaunchContext;
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::leniency::Leniency;
use smart_core::scope::Scopes;
use smart_core::secret::{ClientAssertion, ClientSecret, RefreshToken};
use smart_core::token::{
    BackendScopes, BasicEncoding, ClientAuthentication, ClientCredentialsExchange, ClientIdInBody, CodeExchange,
    ExpectedToken, RefreshError, RefreshExchange, RefreshScope, RequestingClient, TokenError, TokenErrorCode,
    TokenResponse,
};
use smart_core::url_policy::UrlPolicy;
use std::time::Duration;
use support::{NOW, begun, form, scopes};

fn exchange(scope: &str) -> CodeExchange {
    let (sent, pending) = begun(scope);
    let callback = Callback::from_query(&format!("code=the-code&state={}", sent["state"])).unwrap();
    pending.complete(callback, NOW).unwrap()
}

fn expected(scope: &str) -> ExpectedToken {
    exchange(scope).into_request(&ClientAuthentication::Public, ClientIdInBody::AsSpecified).unwrap().1
}

fn parse(scope: &str, body: &str) -> Result<TokenResponse, TokenError> {
    expected(scope).parse(200, body.as_bytes(), NOW)
}

fn secret(encoding: BasicEncoding) -> ClientAuthentication {
    ClientAuthentication::SecretBasic { secret: ClientSecret::new("s:%+ é"), encoding }
}

fn assertion() -> ClientAuthentication {
    ClientAuthentication::Assertion { assertion: ClientAssertion::new("a.b.c") }
}

/// TK-01, TK-02, TK-03, PK-07, F-27, F-28 (SMART, app launch step 5): the code exchange of a public client.
#[test]
fn public_code_exchange_request() {
    let (request, _) =
        exchange("openid").into_request(&ClientAuthentication::Public, ClientIdInBody::AsSpecified).unwrap();
    assert_eq!(
        (request.method().as_str(), request.uri().to_string().as_str()),
        ("POST", "https://login.ehr.example/token")
    );
    assert_eq!(request.headers()["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(request.headers()["accept"], "application/json");
    assert!(!request.headers().contains_key("authorization"));
    let body = form(request.body());
    assert_eq!(
        body.keys().map(String::as_str).collect::<Vec<_>>(),
        ["client_id", "code", "code_verifier", "grant_type", "redirect_uri"]
    );
    assert_eq!(body["grant_type"], "authorization_code");
    assert_eq!(body["code"], "the-code");
    assert_eq!(body["redirect_uri"], "https://app.example/callback");
    assert_eq!(body["client_id"], "my-app");
    assert_eq!(body["code_verifier"].len(), 43);
}

/// AZ-08 (RFC 6749 4.1.3), PK-05: the redirect URI is the same string in both requests, and the verifier meets the challenge.
#[test]
fn redirect_uri_and_verifier_belong_to_the_authorization() {
    let (sent, pending) = begun("openid");
    let callback = Callback::from_query(&format!("code=c&state={}", sent["state"])).unwrap();
    let (request, _) = pending
        .complete(callback, NOW)
        .unwrap()
        .into_request(&ClientAuthentication::Public, ClientIdInBody::AsSpecified)
        .unwrap();
    let body = form(request.body());
    assert_eq!(body["redirect_uri"], sent["redirect_uri"]);
    let verifier = smart_core::pkce::CodeVerifier::parse(&body["code_verifier"]).unwrap();
    assert_eq!(verifier.challenge().as_str(), sent["code_challenge"]);
}

/// TK-04, TK-05, CS-01, CS-02, F-29, D-23 (RFC 6749 2.3.1; SMART, symmetric): Basic, form-encoded first, no client_id in the body.
#[test]
fn basic_authentication_encodes_id_and_secret() {
    for (encoding, joined) in
        [(BasicEncoding::FormEncoded, "my-app:s%3A%25%2B+%C3%A9"), (BasicEncoding::Raw, "my-app:s:%+ é")]
    {
        let (request, _) = exchange("openid").into_request(&secret(encoding), ClientIdInBody::AsSpecified).unwrap();
        let header = &request.headers()["authorization"];
        assert!(header.is_sensitive());
        assert_eq!(
            header.to_str().unwrap(),
            format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(joined))
        );
        let body = form(request.body());
        assert!(
            !body.contains_key("client_id")
                && !body.contains_key("client_secret")
                && !body.contains_key("client_assertion")
        );
    }
    let (request, _) =
        exchange("openid").into_request(&secret(BasicEncoding::FormEncoded), ClientIdInBody::Always).unwrap();
    assert_eq!(form(request.body())["client_id"], "my-app");
}

/// TK-04, RF-03 (RFC 6749 3.2.1): where a server wants the id in the body, each kind of client sends it, once.
#[test]
fn id_in_the_body_can_be_asked_for() {
    let held = Held::new("openid");
    let id = ClientId::new("my-app");
    for auth in [secret(BasicEncoding::FormEncoded), assertion(), ClientAuthentication::Public] {
        let (code, _) = exchange("openid").into_request(&auth, ClientIdInBody::Always).unwrap();
        let client = RequestingClient { id: &id, authentication: &auth, id_in_body: ClientIdInBody::Always };
        let refresh = held.exchange().request(client, &RefreshScope::Omit).unwrap();
        for request in [code, refresh] {
            let body = form(request.body());
            assert_eq!(body["client_id"], "my-app", "{auth:?}");
            let ways = [
                request.headers().contains_key("authorization"),
                body.contains_key("client_assertion"),
                body.contains_key("client_secret"),
            ];
            let expected = match auth {
                ClientAuthentication::Public => [false, false, false],
                ClientAuthentication::Assertion { .. } => [false, true, false],
                _ => [true, false, false],
            };
            assert_eq!(ways, expected, "one way of authentication a request");
        }
    }
}

/// CS-01 (SMART, client-confidential-symmetric): a plain id and secret make the header that a plain join makes.
#[test]
fn basic_of_plain_characters_is_a_plain_join() {
    let auth = ClientAuthentication::SecretBasic {
        secret: ClientSecret::new("my-app-secret-123"),
        encoding: BasicEncoding::FormEncoded,
    };
    let (request, _) = exchange("openid").into_request(&auth, ClientIdInBody::AsSpecified).unwrap();
    let joined = base64::engine::general_purpose::STANDARD.encode("my-app:my-app-secret-123");
    assert_eq!(request.headers()["authorization"], format!("Basic {joined}"));
}

/// CS-03, F-30 (RFC 6749 2.3.1): the secret in the body, never in the URL, never beside a header.
#[test]
fn secret_post_stays_in_the_body() {
    let auth = ClientAuthentication::SecretPost { secret: ClientSecret::new("s3cret") };
    let (request, _) = exchange("openid").into_request(&auth, ClientIdInBody::AsSpecified).unwrap();
    let body = form(request.body());
    assert_eq!((body["client_id"].as_str(), body["client_secret"].as_str()), ("my-app", "s3cret"));
    assert!(!request.headers().contains_key("authorization"));
    assert_eq!(request.uri().query(), None);
}

/// CA-08, CA-09, TK-04, F-31, D-12 (RFC 7523 2.2; SMART, asymmetric): the assertion at code exchange, refresh and client credentials.
#[test]
fn client_assertion_authenticates_every_token_request() {
    let id = ClientId::new("my-app");
    let auth = assertion();
    let refresh_token = RefreshToken::new("r1");
    let (base, granted, context) =
        (FhirBaseUrl::parse("https://ehr.example/r4").unwrap(), scopes("openid"), LaunchContext::default());
    let endpoint = "https://login.ehr.example/token".parse().unwrap();
    let refresh = RefreshExchange {
        fhir_base: &base,
        token_endpoint: &endpoint,
        refresh_token: &refresh_token,
        granted: &granted,
        context: &context,
    };
    let backend_scopes = BackendScopes::new(scopes("system/*.rs")).unwrap();
    let backend = ClientCredentialsExchange {
        token_endpoint: &endpoint,
        client_id: &id,
        scopes: &backend_scopes,
        url_policy: UrlPolicy::HttpsOnly,
    };
    for request in [
        exchange("openid").into_request(&auth, ClientIdInBody::AsSpecified).unwrap().0,
        refresh.request(RequestingClient::new(&id, &auth), &RefreshScope::Omit).unwrap(),
        backend.request(ClientAssertion::new("a.b.c"), ClientIdInBody::AsSpecified).unwrap(),
    ] {
        let body = form(request.body());
        assert_eq!(body["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        assert_eq!(body["client_assertion"], "a.b.c");
        assert!(!body.contains_key("client_id") && !request.headers().contains_key("authorization"));
    }
}

/// BS-01, RF-12, PK-10 (SMART, backend services; RFC 6749 4.4): grant, scope and assertion, no PKCE; a refresh token is thrown away.
#[test]
fn backend_request_and_response() {
    let (id, endpoint) = (ClientId::new("svc"), "https://login.ehr.example/token".parse().unwrap());
    let backend_scopes = BackendScopes::new(scopes("system/Patient.rs system/Group.rs")).unwrap();
    let exchange = ClientCredentialsExchange {
        token_endpoint: &endpoint,
        client_id: &id,
        scopes: &backend_scopes,
        url_policy: UrlPolicy::HttpsOnly,
    };
    let request = exchange.request(ClientAssertion::new("a.b.c"), ClientIdInBody::AsSpecified).unwrap();
    let body = form(request.body());
    assert_eq!(
        body.keys().map(String::as_str).collect::<Vec<_>>(),
        ["client_assertion", "client_assertion_type", "grant_type", "scope"]
    );
    assert_eq!(
        (body["grant_type"].as_str(), body["scope"].as_str()),
        ("client_credentials", "system/Patient.rs system/Group.rs")
    );
    let answer = br#"{"access_token":"t","token_type":"bearer","expires_in":300,"scope":"system/Patient.rs","refresh_token":"r"}"#;
    let token = exchange.parse(200, answer, NOW).unwrap();
    assert_eq!(token.refresh_token, None);
    assert_eq!(token.leniencies, [Leniency::RefreshTokenUnexpected]);
    assert_eq!(token.expires_at().unwrap().since(NOW), Duration::from_secs(300));
    assert!(!token.scope.covers_all(backend_scopes.scopes()), "BS-07: a narrower grant is visible");
}

/// BS-03, CS-04 (SMART, backend services, scopes): a service asks for no context and no identity; user/ scopes are pointed out.
#[test]
fn backend_scopes_need_no_person() {
    for text in ["", "launch", "openid system/*.rs", "launch/patient", "offline_access"] {
        assert!(BackendScopes::new(Scopes::parse_granted(text)).is_err(), "{text}");
    }
    let scopes = BackendScopes::new(scopes("system/*.rs user/Patient.rs")).unwrap();
    assert_eq!(scopes.outside_system().map(ToString::to_string).collect::<Vec<_>>(), ["user/Patient.rs"]);
}

/// TK-06, TK-08, TK-10, CX-01 (SMART, token response): every member, unknown ones kept.
#[test]
fn full_token_response_is_read() {
    let token = parse(
        "launch/patient openid patient/*.rs",
        r#"{
        "access_token":"at","token_type":"Bearer","expires_in":3600,"scope":"launch/patient openid patient/*.rs",
        "refresh_token":"rt","id_token":"a.b.c","patient":"123","encounter":"e1","vendor":{"x":1}}"#,
    )
    .unwrap();
    assert_eq!(token.access_token.expose_secret(), "at");
    assert_eq!(token.refresh_token.as_ref().unwrap().expose_secret(), "rt");
    assert_eq!(token.id_token.as_ref().unwrap().expose_secret(), "a.b.c");
    assert_eq!(token.context.patient.as_deref(), Some("123"));
    assert_eq!(token.context.other["vendor"]["x"], 1);
    assert_eq!(token.expires_at().unwrap().since(NOW), Duration::from_secs(3600));
    assert!(token.leniencies.is_empty(), "{:?}", token.leniencies);
    let shown = format!("{token:?}");
    assert!(!shown.contains("\"at\"") && !shown.contains("123"), "{shown}");
}

/// TK-07, F-40 (RFC 6749 5.1, 7.1): Bearer in any case; a token of another type is not used.
#[test]
fn token_type_is_bearer_in_any_case() {
    for ok in ["bearer", "Bearer", "BEARER"] {
        assert!(parse("openid", &format!(r#"{{"access_token":"t","token_type":"{ok}","scope":"x"}}"#)).is_ok(), "{ok}");
    }
    for wrong in ["mac", "DPoP", "Bearer "] {
        let error =
            parse("openid", &format!(r#"{{"access_token":"t","token_type":"{wrong}","scope":"x"}}"#)).unwrap_err();
        assert!(matches!(error, TokenError::TokenType { .. }), "{wrong}");
    }
    assert!(matches!(
        parse("openid", r#"{"access_token":"t"}"#),
        Err(TokenError::Missing { member: "token_type", .. })
    ));
}

/// TK-10, F-39, D-24 (RFC 6749 5.1): number, string, fraction, zero, absent; garbage is a typed error.
#[test]
fn expires_in_is_read_leniently() {
    let read = |value: &str| {
        parse("x", &format!(r#"{{"access_token":"t","token_type":"bearer","scope":"x","expires_in":{value}}}"#))
    };
    for (value, seconds, note) in [
        ("300", Some(300), None),
        ("0", Some(0), None),
        ("null", None, None),
        ("\"3599\"", Some(3599), Some(Leniency::ExpiresInString)),
        ("59.9", Some(59), Some(Leniency::ExpiresInFraction)),
        ("-1", Some(0), Some(Leniency::ExpiresInNegative)),
        ("1e300", Some(3_155_760_000), None),
    ] {
        let token = read(value).unwrap();
        assert_eq!(token.expires_in, seconds.map(Duration::from_secs), "{value}");
        assert_eq!(token.leniencies, note.into_iter().collect::<Vec<_>>(), "{value}");
    }
    for value in ["\"soon\"", "true", "[]", "\"NaN\"", "\"\""] {
        assert!(matches!(read(value), Err(TokenError::Invalid { member: "expires_in", .. })), "{value}");
    }
    let absent = parse("x", r#"{"access_token":"t","token_type":"bearer","scope":"x"}"#).unwrap();
    assert_eq!((absent.expires_in, absent.expires_at()), (None, None));
}

/// SC-18, SC-09, F-49 (RFC 6749 5.1): silence about scope means what was asked for, an empty string means nothing.
#[test]
fn absent_and_empty_scope_differ() {
    let silent =
        parse("openid offline_access", r#"{"access_token":"t","token_type":"bearer","id_token":"a.b.c"}"#).unwrap();
    assert_eq!(silent.scope.to_string(), "openid offline_access");
    assert_eq!(silent.leniencies, [Leniency::ScopeMissing]);
    let nothing = parse("openid", r#"{"access_token":"t","token_type":"bearer","scope":""}"#).unwrap();
    assert!(nothing.scope.is_empty());
    for odd in ["system/Patient.sr", "launch/Patient", "OpenID", "caf\u{e9}"] {
        let token =
            parse("x", &format!(r#"{{"access_token":"t","token_type":"bearer","scope":"{odd} __x"}}"#)).unwrap();
        assert_eq!(token.leniencies, [Leniency::ScopeMalformed], "{odd}");
        assert_eq!(token.scope.to_string(), format!("{odd} __x"), "kept, and grants nothing");
        assert_eq!(token.scope.resources().count(), 0);
    }
}

/// TK-16 (SMART, patient scopes): patient scopes without a patient are a protocol error.
#[test]
fn patient_scope_without_patient_is_refused() {
    let without = r#"{"access_token":"t","token_type":"bearer","scope":"patient/*.rs"}"#;
    assert!(matches!(parse("patient/*.rs", without), Err(TokenError::PatientMissing { .. })));
    assert!(parse("user/*.rs", &without.replace("patient/", "user/")).is_ok());
}

/// ID-24 (SMART, identity): openid granted without an ID token is reported, not granted is fine.
#[test]
fn missing_id_token_is_reported_where_openid_was_granted() {
    let with = |scope: &str| {
        parse("openid", &format!(r#"{{"access_token":"t","token_type":"bearer","scope":"{scope}"}}"#))
            .unwrap()
            .leniencies
    };
    assert_eq!(with("openid"), [Leniency::IdTokenMissing]);
    assert!(with("offline_access").is_empty());
}

/// TK-09 (RFC 6749 1.4): an access token is opaque and may be long; what a header cannot carry is refused.
#[test]
fn access_token_is_opaque() {
    let long = "x".repeat(8192);
    let body = |token: &str| format!(r#"{{"access_token":"{token}","token_type":"bearer","scope":"x"}}"#);
    assert_eq!(parse("x", &body(&long)).unwrap().access_token.expose_secret(), long);
    for wrong in ["a b", "a\\r\\nX: y", "é"] {
        assert!(matches!(parse("x", &body(wrong)), Err(TokenError::Invalid { member: "access_token", .. })), "{wrong}");
    }
    for body in [
        r#"{"token_type":"bearer"}"#,
        r#"{"access_token":"","token_type":"bearer"}"#,
        r#"{"access_token":null,"token_type":"bearer"}"#,
    ] {
        assert!(matches!(parse("x", body), Err(TokenError::Missing { member: "access_token", .. })), "{body}");
    }
}

/// TK-11, RF-09, CA-19, F-72 (RFC 6749 5.2): errors by code, whatever the status; which are final, which may be tried again.
#[test]
fn token_errors_are_typed() {
    for (status, body, code, retry, login) in [
        (400, r#"{"error":"invalid_grant"}"#, TokenErrorCode::InvalidGrant, false, true),
        (401, r#"{"error":"invalid_client"}"#, TokenErrorCode::InvalidClient, false, false),
        (400, r#"{"error":"invalid_client","error_description":"no"}"#, TokenErrorCode::InvalidClient, false, false),
        (400, r#"{"error":"invalid_scope"}"#, TokenErrorCode::InvalidScope, false, false),
        (400, r#"{"error":"unauthorized_client"}"#, TokenErrorCode::UnauthorizedClient, false, false),
        (400, r#"{"error":"unsupported_grant_type"}"#, TokenErrorCode::UnsupportedGrantType, false, false),
        (400, r#"{"error":"invalid_request"}"#, TokenErrorCode::InvalidRequest, false, false),
        (200, r#"{"error":"invalid_grant"}"#, TokenErrorCode::InvalidGrant, false, true),
        (503, r#"{"error":"temporarily_unavailable"}"#, TokenErrorCode::TemporarilyUnavailable, true, false),
        (400, r#"{"error":"vendor_9"}"#, TokenErrorCode::Other("vendor_9".into()), false, false),
    ] {
        let error = expected("x").parse(status, body.as_bytes(), NOW).unwrap_err();
        assert_eq!(error.oauth_error().map(|e| &e.error), Some(&code), "{body}");
        assert_eq!((error.is_retryable(), error.needs_reauthorization()), (retry, login), "{body}");
        assert!(error.to_string().contains("https://login.ehr.example/token"), "{error}");
    }
    for (status, body, retry) in [
        (500, "", true),
        (502, "<html>bad gateway</html>", true),
        (429, "", true),
        (400, "<html>", false),
        (404, "", false),
    ] {
        let error = expected("x").parse(status, body.as_bytes(), NOW).unwrap_err();
        assert!(matches!(error, TokenError::Status { .. }), "{status}");
        assert_eq!(error.is_retryable(), retry, "{status}");
    }
    assert!(matches!(expected("x").parse(200, b"<html>", NOW), Err(TokenError::Json { .. })));
    assert!(matches!(expected("x").parse(200, b"", NOW), Err(TokenError::Json { .. })));
}

/// TK-12 (RFC 9700 4.12): a redirect from the token endpoint is an error.
#[test]
fn redirect_from_the_token_endpoint_is_an_error() {
    for status in [301, 302, 303, 307, 308] {
        assert!(matches!(expected("x").parse(status, b"", NOW), Err(TokenError::Redirect { .. })), "{status}");
    }
}

/// SE-05, TK-06: errors never repeat a token, and a document with a member twice is refused.
#[test]
fn errors_do_not_repeat_the_body() {
    let error = parse("x", r#"{"access_token":"leaky-token","token_type":7}"#).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("leaky-token"));
    let error = parse("x", r#"{"access_token":"leaky-token","access_token":"b","token_type":"bearer"}"#).unwrap_err();
    assert!(matches!(error, TokenError::Json { .. }));
    assert!(!format!("{error} {error:?}").contains("leaky-token"));
}

/// TK-15 (SMART 2.2, authorization_details, experimental): per-location scope and context, falling back to the token's.
#[test]
fn authorization_details_resolve_per_location() {
    let token = parse("x", r#"{"access_token":"t","token_type":"bearer","scope":"x","patient":"1","encounter":"e","tenant":"t",
        "authorization_details":[
          {"type":"smart_on_fhir","locations":["https://ehr.example/r4"],"fhirVersions":["4.0.1"]},
          {"type":"smart_on_fhir","locations":["https://ehr.example/r2/"],"fhirVersions":["1.0.2"],"scope":"y","patient":"2"},
          {"type":"other"}, {"type":"smart_on_fhir","locations":["http://ehr.example/r2"],"fhirVersions":["1.0.2"]},
          {"type":"smart_on_fhir","locations":[],"fhirVersions":["1.0.2"]}, {"type":"smart_on_fhir","locations":["https://a.example"]},
          7]}"#).unwrap();
    assert_eq!(token.authorization_details.len(), 2);
    assert_eq!(token.leniencies, [Leniency::AuthorizationDetailUnreadable; 5]);
    let at = |base: &str| token.details_for(&FhirBaseUrl::parse(base).unwrap());
    let r4 = at("https://EHR.example/r4/").unwrap();
    assert_eq!(r4.context(&token.context), token.context);
    assert_eq!(r4.scopes(&token.scope).to_string(), "x");
    let r2 = at("https://ehr.example/r2").unwrap();
    assert_eq!((r2.scopes(&token.scope).to_string().as_str(), r2.fhir_versions.len()), ("y", 1));
    let context = r2.context(&token.context);
    assert_eq!((context.patient.as_deref(), context.encounter.as_deref()), (Some("2"), Some("e")));
    assert_eq!(context.tenant.as_deref(), Some("t"), "what the details do not speak of is the token's");
    assert!(at("https://ehr.example/r5").is_none());
    assert!(!format!("{:?}", token.authorization_details).contains("\"2\""));
}

struct Held {
    base: FhirBaseUrl,
    endpoint: url::Url,
    token: RefreshToken,
    granted: Scopes,
    context: LaunchContext,
}

impl Held {
    fn new(granted: &str) -> Self {
        Self {
            base: FhirBaseUrl::parse("https://ehr.example/r4").unwrap(),
            endpoint: "https://login.ehr.example/token".parse().unwrap(),
            token: RefreshToken::new("old"),
            granted: scopes(granted),
            context: LaunchContext { patient: Some("1".into()), ..LaunchContext::default() },
        }
    }

    fn exchange(&self) -> RefreshExchange<'_> {
        RefreshExchange {
            fhir_base: &self.base,
            token_endpoint: &self.endpoint,
            refresh_token: &self.token,
            granted: &self.granted,
            context: &self.context,
        }
    }
}

/// RF-01, RF-02, RF-03, PK-10, F-71, D-16 (SMART, refresh; RFC 6749 6): scope is left out, or within the grant; no PKCE.
#[test]
fn refresh_request() {
    let held = Held::new("patient/*.rs offline_access");
    let id = ClientId::new("my-app");
    let public = ClientAuthentication::Public;
    let client = RequestingClient::new(&id, &public);
    let body = |scope: &RefreshScope| held.exchange().request(client, scope).map(|r| form(r.body()));
    let plain = body(&RefreshScope::Omit).unwrap();
    assert_eq!(plain.keys().map(String::as_str).collect::<Vec<_>>(), ["client_id", "grant_type", "refresh_token"]);
    assert_eq!((plain["grant_type"].as_str(), plain["refresh_token"].as_str()), ("refresh_token", "old"));
    assert_eq!(body(&RefreshScope::Granted).unwrap()["scope"], "patient/*.rs offline_access");
    assert_eq!(
        body(&RefreshScope::Narrower(scopes("patient/Observation.r"))).unwrap()["scope"],
        "patient/Observation.r"
    );
    let beyond = body(&RefreshScope::Narrower(scopes("patient/*.cruds"))).unwrap_err();
    assert!(
        matches!(&beyond, RefreshError::BeyondGrant { excess } if excess.to_string() == "patient/*.cruds"),
        "{beyond}"
    );
    let basic = secret(BasicEncoding::FormEncoded);
    let request = held.exchange().request(RequestingClient::new(&id, &basic), &RefreshScope::Omit).unwrap();
    assert!(request.headers().contains_key("authorization") && !form(request.body()).contains_key("client_id"));
}

/// RF-04, RF-07, RF-08, F-69, F-70, D-16 (RFC 6749 6): rotation, omission, and what silence keeps.
#[test]
fn refresh_response_is_merged() {
    let held = Held::new("patient/*.rs openid");
    let read = |body: &str| held.exchange().parse(200, body.as_bytes(), NOW).unwrap();
    let kept = read(r#"{"access_token":"n","token_type":"Bearer","expires_in":60}"#);
    assert_eq!(kept.refresh_token.as_ref().unwrap().expose_secret(), "old");
    assert_eq!(kept.scope.to_string(), "patient/*.rs openid");
    assert_eq!(kept.context.patient.as_deref(), Some("1"));
    assert!(kept.leniencies.is_empty());
    let rotated = read(
        r#"{"access_token":"n","token_type":"Bearer","refresh_token":"new","scope":"patient/Observation.rs","patient":"1"}"#,
    );
    assert_eq!(rotated.refresh_token.as_ref().unwrap().expose_secret(), "new");
    assert_eq!(rotated.scope.to_string(), "patient/Observation.rs");
}

/// RF-11 (client practice): whether a refresh is possible is decided by the token that is held, not by a scope.
#[test]
fn refresh_token_without_offline_access_scope_is_kept() {
    let token =
        parse("user/*.rs", r#"{"access_token":"t","token_type":"bearer","scope":"user/*.rs","refresh_token":"r"}"#)
            .unwrap();
    assert!(token.refresh_token.is_some());
}

/// RF-09, D-17 (RFC 6749 5.2): invalid_grant is final, a failing server is not.
#[test]
fn refused_refresh_is_told_apart_from_a_failing_server() {
    let held = Held::new("openid");
    let fail = |status, body: &str| held.exchange().parse(status, body.as_bytes(), NOW).unwrap_err();
    assert!(fail(400, r#"{"error":"invalid_grant"}"#).needs_reauthorization());
    for (status, body) in [(503, ""), (500, "<html>"), (429, "")] {
        let error = fail(status, body);
        assert!(error.is_retryable() && !error.needs_reauthorization(), "{status}");
    }
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// TK-11: whatever comes, the answer is a token or a typed error.
        #[test]
        fn any_body_is_read_without_panic(status in 100_u16..600, body in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = expected("openid").parse(status, &body, NOW);
        }

        /// TK-06, TK-08: members of any kind never panic, and unknown members are kept.
        #[test]
        fn any_member_is_read_without_panic(
            name in prop::sample::select(vec!["access_token", "token_type", "expires_in", "scope", "refresh_token", "id_token", "patient",
                "encounter", "fhirContext", "need_patient_banner", "smart_style_url", "authorization_details", "intent", "tenant", "x"]),
            value in prop::sample::select(vec!["null", "true", "-1", "1e400", "1.5", "\"\"", "\"x\"", "[]", "[null]", "[{}]", "{}", "[[1]]", "{\"a\":{}}"]),
        ) {
            let mut object = serde_json::Map::new();
            object.insert("access_token".into(), "t".into());
            object.insert("token_type".into(), "bearer".into());
            object.insert("scope".into(), "openid".into());
            if let Ok(value) = serde_json::from_str::<serde_json::Value>(value) {
                object.insert(name.into(), value.clone());
                let result = parse("openid", &serde_json::Value::Object(object).to_string());
                if name == "x" {
                    let token = result.unwrap();
                    prop_assert_eq!(token.context.other.get("x"), Some(&value));
                }
            }
        }
    }
}

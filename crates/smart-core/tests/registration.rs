//! Registration messages and their answers, through the public API.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

use serde_json::{Value, json};
use smart_core::client_id::ClientId;
use smart_core::discovery::AuthMethod;
use smart_core::leniency::Leniency;
use smart_core::redirect_uri::RedirectUri;
use smart_core::registration::{
    ClientConfiguration, ClientInformation, ClientKeys, ClientKind, ClientManagement, ClientMetadata,
    ConfigurationError, DifferenceKind, GrantType, IssuedSecret, JwksUrl, MetadataError, PublicKeySet,
    RegistrationError, RegistrationErrorCode, RegistrationRequest, SecretExpiry, SecretMethod,
};
use smart_core::secret::{ClientSecret, RegistrationToken};
use smart_core::time::Timestamp;
use smart_core::url_policy::UrlPolicy;
use url::Url;

fn endpoint() -> Url {
    "https://login.ehr.example/register?tenant=1".parse().unwrap()
}

fn redirect(text: &str) -> RedirectUri {
    RedirectUri::parse(text).unwrap()
}

fn callback() -> RedirectUri {
    redirect("https://app.example/callback")
}

fn set() -> PublicKeySet {
    PublicKeySet::from_value(json!({"keys": [{"kty": "EC", "crv": "P-384", "x": "eA", "y": "eQ", "kid": "k1"}]}))
        .unwrap()
}

fn keys() -> ClientKeys {
    ClientKeys::Url(JwksUrl::parse("https://app.example/jwks.json").unwrap())
}

fn secret() -> ClientKind {
    ClientKind::ConfidentialSymmetric { secret: ClientSecret::new("hunter2"), method: SecretMethod::Basic }
}

fn public() -> RegistrationRequest {
    RegistrationRequest::public_app([callback()]).unwrap()
}

fn read(request: &RegistrationRequest, status: u16, body: &Value) -> Result<ClientInformation, RegistrationError> {
    request.parse(&endpoint(), status, body.to_string().as_bytes(), UrlPolicy::HttpsOnly)
}

/// RG-05 (RFC 7591 2, 3.1): the message has every member that was set, once, and the initial access token as a bearer.
#[test]
fn registration_request_has_every_member() {
    let page = |path: &str| Url::parse(&format!("https://app.example/{path}")).unwrap();
    let request = RegistrationRequest::asymmetric_app([callback()], keys())
        .unwrap()
        .name("Growth Charts")
        .client_uri(page("about"))
        .logo_uri(page("logo.png"))
        .scopes("launch openid offline_access patient/*.rs".parse().unwrap())
        .contact("ops@app.example")
        .tos_uri(page("terms"))
        .policy_uri(page("privacy"))
        .software("growth-charts", "1.4")
        .software_statement("e30.e30.c2ln")
        .initiate_login_uri(page("login"))
        .other("client_name#de", json!("Wachstumskurven"))
        .unwrap()
        .initial_access_token(RegistrationToken::new("init"));
    let message = request.request(&endpoint()).unwrap();
    assert_eq!((message.method().as_str(), message.uri().query()), ("POST", Some("tenant=1")));
    for (name, value) in
        [("content-type", "application/json"), ("accept", "application/json"), ("authorization", "Bearer init")]
    {
        assert_eq!(message.headers()[name], value);
    }
    assert!(message.headers()["authorization"].is_sensitive());
    assert!(!format!("{request:?}").contains("init\""));
    let body: Value = serde_json::from_slice(message.body()).unwrap();
    assert_eq!(
        body,
        json!({
            "redirect_uris": ["https://app.example/callback"], "token_endpoint_auth_method": "private_key_jwt",
            "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
            "client_name": "Growth Charts", "client_uri": "https://app.example/about",
            "logo_uri": "https://app.example/logo.png", "scope": "launch openid offline_access patient/*.rs",
            "contacts": ["ops@app.example"], "tos_uri": "https://app.example/terms",
            "policy_uri": "https://app.example/privacy", "jwks_uri": "https://app.example/jwks.json",
            "software_id": "growth-charts", "software_version": "1.4", "software_statement": "e30.e30.c2ln",
            "initiate_login_uri": "https://app.example/login", "client_name#de": "Wachstumskurven",
        })
    );
}

/// RG-02, RG-05 (RFC 7591 2): each kind asks for its own method, and only one with a key sends one.
#[test]
fn each_kind_is_registered_by_its_method() {
    let body = |request: &RegistrationRequest| -> Value {
        let message = request.request(&endpoint()).unwrap();
        assert!(!message.headers().contains_key("authorization"));
        serde_json::from_slice(message.body()).unwrap()
    };
    let public = body(&public());
    assert_eq!(public["token_endpoint_auth_method"], "none");
    let symmetric = body(&RegistrationRequest::symmetric_app([callback()]).unwrap());
    assert_eq!(symmetric["token_endpoint_auth_method"], "client_secret_basic");
    for body in [public, symmetric] {
        assert!(body.get("jwks").is_none() && body.get("jwks_uri").is_none() && body.get("client_secret").is_none());
    }
    let document = RegistrationRequest::asymmetric_app([callback()], ClientKeys::Document(set())).unwrap();
    assert_eq!((&body(&document)["jwks"], body(&document).get("jwks_uri")), (&json!(set()), None));
    let service = body(&RegistrationRequest::backend_service(keys()).scopes("system/*.rs".parse().unwrap()));
    assert_eq!(service["grant_types"], json!(["client_credentials"]));
    assert_eq!((&service["response_types"], service.get("redirect_uris")), (&json!([]), None));
}

/// RG-05, RG-06 (OpenID Connect Dynamic Client Registration 2): a native app says that it is one, since servers of
/// OpenID Connect take no loopback redirect URI of an app of the web.
#[test]
fn native_apps_say_so() {
    let kind = |uris: &[&str]| {
        let request = RegistrationRequest::public_app(uris.iter().map(|uri| redirect(uri))).unwrap();
        request.metadata().application_type.clone()
    };
    assert_eq!(kind(&["http://127.0.0.1:8000/callback", "com.example.app:/callback"]).as_deref(), Some("native"));
    assert_eq!(kind(&["https://app.example/callback"]), None);
    assert_eq!(kind(&["https://app.example/callback", "http://127.0.0.1:8000/callback"]), None);
}

/// RG-05 (RFC 7591 2, 2.1): members that do not fit together are refused before anything is sent.
#[test]
fn members_have_to_fit_together() {
    let check = |change: fn(&mut ClientMetadata)| {
        let mut metadata = public().metadata().clone();
        change(&mut metadata);
        RegistrationRequest::from_metadata(metadata).map_err(|e: MetadataError| e.member)
    };
    assert!(check(|_| {}).is_ok());
    assert_eq!(check(|m| m.redirect_uris.clear()).unwrap_err(), "redirect_uris");
    assert_eq!(check(|m| m.response_types = Some(vec![])).unwrap_err(), "response_types");
    assert_eq!(check(|m| m.grant_types = Some(vec![GrantType::RefreshToken])).unwrap_err(), "response_types");
    assert_eq!(check(|m| m.token_endpoint_auth_method = Some(AuthMethod::PrivateKeyJwt)).unwrap_err(), "jwks_uri");
    let service = |m: &mut ClientMetadata| m.grant_types.as_mut().unwrap().push(GrantType::ClientCredentials);
    assert_eq!(check(service).unwrap_err(), "token_endpoint_auth_method");
    assert!(check(|m| drop(m.other.insert("client_id".into(), json!("mine")))).is_err());
    let by_statement = |m: &mut ClientMetadata| {
        m.redirect_uris.clear();
        m.software_statement = Some("e30.e30.c2ln".into());
    };
    assert!(check(by_statement).is_ok());
    for member in ["redirect_uris", "client_secret", "jwks"] {
        assert!(public().other(member, json!("x")).is_err(), "{member}");
    }
}

/// RG-05, RG-02 (RFC 7591 3.2.1): the answer gives id, secret and its end, and makes a configuration of the kind that
/// is registered.
#[test]
fn registered_client_is_read() {
    let request = RegistrationRequest::symmetric_app([callback()]).unwrap();
    let client = read(
        &request,
        201,
        &json!({
            "client_id": "c-17", "client_secret": "hunter2", "client_secret_expires_at": 1_900_000_000,
            "client_id_issued_at": 1_800_000_000, "token_endpoint_auth_method": "client_secret_basic",
            "redirect_uris": ["https://app.example/callback"], "grant_types": ["authorization_code"],
            "response_types": ["code"], "registration_access_token": "reg-token",
            "registration_client_uri": "https://login.ehr.example/register/c-17",
        }),
    )
    .unwrap();
    assert_eq!((client.differences.as_slice(), client.leniencies.as_slice()), (&[][..], &[][..]));
    assert_eq!(client.issued_at, Some(Timestamp::from_unix_seconds(1_800_000_000)));
    let issued = client.secret.as_ref().unwrap();
    let end = Timestamp::from_unix_seconds(1_900_000_000);
    assert_eq!(issued, &IssuedSecret { secret: ClientSecret::new("hunter2"), expires: SecretExpiry::At(end) });
    assert!(issued.is_expired(end) && !issued.is_expired(Timestamp::from_unix_seconds(1_899_999_999)));
    assert_eq!(client.management.as_ref().unwrap().uri().path(), "/register/c-17");
    let shown = format!("{client:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("reg-token"), "{shown}");
    let configured = client.configuration().unwrap();
    assert_eq!((configured.id(), configured.kind()), (&ClientId::new("c-17"), &secret()));
    assert_eq!(configured.redirect_uris(), [callback()]);
}

/// RG-05 (RFC 7591 3.2.1): the server may register other values than were asked for; each is reported, and those that a
/// login depends on stand out.
#[test]
fn differences_are_reported() {
    let request = public().name("Growth Charts").scopes("openid patient/*.rs".parse().unwrap());
    let client = read(
        &request,
        201,
        &json!({
            "client_id": "c", "redirect_uris": ["https://app.example/other"], "scope": "patient/*.rs  openid",
            "token_endpoint_auth_method": "none", "grant_types": ["authorization_code", "refresh_token"],
            "client_uri": "https://ehr.example/apps/c", "x_tier": 3, "response_types": ["code"],
        }),
    )
    .unwrap();
    let found: Vec<_> = client.differences.iter().map(|d| (d.member.as_str(), d.kind(), d.is_grave())).collect();
    assert_eq!(
        found,
        [
            ("redirect_uris", DifferenceKind::Replaced, true),
            ("grant_types", DifferenceKind::Replaced, true),
            ("client_name", DifferenceKind::NotRepeated, false),
            ("client_uri", DifferenceKind::Added, false),
        ]
    );
    assert_eq!(client.metadata.redirect_uris, [redirect("https://app.example/other")]);
    assert_eq!(client.metadata.client_name.as_deref(), Some("Growth Charts"), "silence means as asked");
    assert_eq!(client.metadata.other["x_tier"], 3);
}

/// RG-05, RG-02: the registered method counts, not the one that was asked for.
#[test]
fn kind_is_the_one_that_is_registered() {
    let of = |body: Value| read(&public(), 201, &body).unwrap().configuration();
    let kind = of(
        json!({"client_id": "c", "token_endpoint_auth_method": "client_secret_post", "client_secret": "s", "client_secret_expires_at": 0}),
    );
    assert_eq!(kind.unwrap().kind().auth_method(), AuthMethod::ClientSecretPost);
    assert_eq!(of(json!({"client_id": "c", "client_secret": "s"})).unwrap().kind(), &ClientKind::Public);
    let without = json!({"client_id": "c", "token_endpoint_auth_method": "client_secret_basic"});
    assert_eq!(of(without), Err(ConfigurationError::SecretMissing));
    let unknown = json!({"client_id": "c", "token_endpoint_auth_method": "tls_client_auth"});
    assert!(matches!(of(unknown), Err(ConfigurationError::Method { .. })));
    let service = RegistrationRequest::backend_service(keys());
    let service = read(&service, 201, &json!({"client_id": "svc"})).unwrap().configuration().unwrap();
    assert_eq!(service, ClientConfiguration::backend_service("svc".into(), keys()).unwrap());
}

/// RG-05: what a server errs in without harm is read and reported.
#[test]
fn answers_are_read_leniently() {
    let of = |status, body: Value| {
        let client = read(&public(), status, &body).unwrap();
        (client.secret.map(|s| s.expires), client.management.is_some(), client.leniencies)
    };
    assert_eq!(of(200, json!({"client_id": "c"})), (None, false, vec![Leniency::RegistrationStatus]));
    assert_eq!(
        of(201, json!({"client_id": "c", "client_secret": "s"})),
        (Some(SecretExpiry::Unstated), false, vec![Leniency::SecretExpiryMissing])
    );
    let never = json!({"client_id": "c", "client_secret": "s", "client_secret_expires_at": 0});
    assert_eq!(of(201, never), (Some(SecretExpiry::Never), false, vec![]));
    for management in [
        json!({"client_id": "c", "registration_access_token": "t"}),
        json!({"client_id": "c", "registration_client_uri": "https://ehr.example/r/c"}),
        json!({"client_id": "c", "registration_access_token": "t", "registration_client_uri": "http://ehr.example/r/c"}),
    ] {
        assert_eq!(of(201, management), (None, false, vec![Leniency::RegistrationManagementUnusable]));
    }
    let odd =
        json!({"client_id": "c", "redirect_uris": "https://app.example/callback", "client_name": null, "logo_uri": ""});
    let client = read(&public(), 201, &odd).unwrap();
    assert_eq!(client.leniencies, [Leniency::RegistrationMetadataUnreadable]);
    assert_eq!(client.metadata.redirect_uris, [callback()]);
    assert!(client.differences.iter().any(|d| d.member == "redirect_uris" && d.is_grave()));
}

/// RG-05 (RFC 7591 3.2.2): refusals are typed, the codes are open, and no error shows what was sent or received.
#[test]
fn refused_registration_is_typed() {
    for (code, known) in [
        ("invalid_redirect_uri", RegistrationErrorCode::InvalidRedirectUri),
        ("invalid_client_metadata", RegistrationErrorCode::InvalidClientMetadata),
        ("invalid_software_statement", RegistrationErrorCode::InvalidSoftwareStatement),
        ("unapproved_software_statement", RegistrationErrorCode::UnapprovedSoftwareStatement),
        ("x_vendor", RegistrationErrorCode::Other("x_vendor".into())),
    ] {
        let error = read(&public(), 400, &json!({"error": code, "error_description": "no\u{1b}[31m"})).unwrap_err();
        let response = error.response().unwrap();
        assert_eq!((&response.error, response.error.as_str()), (&known, code));
        assert_eq!(response.description.as_deref(), Some("no\u{fffd}[31m"));
        assert!(!error.is_retryable() && error.to_string().starts_with("https://login.ehr.example/register refused"));
    }
    let parse =
        |status, body: &str| public().parse(&endpoint(), status, body.as_bytes(), UrlPolicy::HttpsOnly).unwrap_err();
    assert!(matches!(parse(200, r#"{"error":"invalid_client_metadata"}"#), RegistrationError::Refused { .. }));
    assert!(matches!(parse(302, ""), RegistrationError::Redirect { status: 302, .. }));
    assert!(matches!(parse(403, "<html>"), RegistrationError::Status { status: 403, .. }));
    assert!(parse(503, "").is_retryable() && parse(429, "{}").is_retryable() && !parse(500, "").is_retryable());
    assert!(matches!(parse(201, "<html>"), RegistrationError::Json { .. }));
    for body in [r"{}", r#"{"client_id":7}"#, r#"{"client_id":""}"#] {
        assert!(matches!(parse(201, body), RegistrationError::Invalid { member: "client_id", .. }), "{body}");
    }
    let hidden = parse(201, r#"{"client_id":"c","client_secret":{"hunter2":1}}"#);
    assert!(matches!(hidden, RegistrationError::Invalid { member: "client_secret", .. }));
    let time = parse(201, r#"{"client_id":"c","client_secret":"hunter2","client_secret_expires_at":"soon"}"#);
    assert!(matches!(&time, RegistrationError::Invalid { member: "client_secret_expires_at", .. }));
    assert!(!format!("{hidden} {hidden:?} {time} {time:?}").contains("hunter2"));
}

/// RG-05 (RFC 7592 2): a registration is read, changed and deleted at its own URL with its own token; a change never
/// sends what only the server sets.
#[test]
fn registration_is_managed_at_its_own_url() {
    let management = ClientManagement::new("https://ehr.example/r/c".parse().unwrap(), RegistrationToken::new("t1"));
    let mut before = ClientInformation::new("c".into(), public().metadata().clone());
    before.secret = Some(IssuedSecret { secret: ClientSecret::new("s1"), expires: SecretExpiry::Never });
    before.management = Some(management.clone());
    let mut metadata = before.metadata.clone();
    metadata.client_name = Some("New Name".into());
    metadata.other.insert("client_id_issued_at".into(), json!(1));
    let update = management.update_request(&before, &metadata).unwrap();
    let requests = [management.read_request().unwrap(), update.clone(), management.delete_request().unwrap()];
    for (request, method) in requests.iter().zip(["GET", "PUT", "DELETE"]) {
        assert_eq!((request.method().as_str(), request.uri().path()), (method, "/r/c"));
        assert_eq!(request.headers()["authorization"], "Bearer t1");
        assert!(request.headers()["authorization"].is_sensitive());
    }
    let body: Value = serde_json::from_slice(update.body()).unwrap();
    assert_eq!((&body["client_id"], &body["client_secret"]), (&json!("c"), &json!("s1")));
    assert!(body.get("client_id_issued_at").is_none() && body.get("registration_access_token").is_none());

    let parse = |status, body: Value| {
        management.parse(&before, &metadata, status, body.to_string().as_bytes(), UrlPolicy::HttpsOnly)
    };
    let rotated = json!({"client_id": "c", "client_name": "New Name", "registration_access_token": "t2", "registration_client_uri": "https://ehr.example/r/c2"});
    let after = parse(200, rotated).unwrap();
    assert_eq!(after.management.as_ref().unwrap().token().expose_secret(), "t2");
    assert_eq!((after.secret, after.metadata.client_name.as_deref()), (before.secret.clone(), Some("New Name")));
    assert_eq!(parse(200, json!({"client_id": "c"})).unwrap().management, Some(management.clone()));
    let other = parse(200, json!({"client_id": "d"}));
    assert!(matches!(other, Err(RegistrationError::Invalid { member: "client_id", .. })), "{other:?}");
    let lost = parse(401, json!({"error": "invalid_token"})).unwrap_err();
    assert_eq!(lost.response().unwrap().error, RegistrationErrorCode::InvalidToken);
    assert!(management.parse_deleted(204, b"").is_ok());
    assert!(matches!(management.parse_deleted(405, b""), Err(RegistrationError::Status { status: 405, .. })));
}

/// Members that the specification does not name are kept as they are, long numbers to the last place (RFC 7591, 2).
#[test]
fn long_numbers_of_other_members_are_kept() {
    let body = br#"{"redirect_uris":["https://app.example/callback"],"x_quota":110000066666666666666666666666666000}"#;
    let read =
        |body: &[u8]| ClientMetadata::from_request(Some("application/json"), body, UrlPolicy::HttpsOnly).unwrap();
    let metadata = read(body);
    let written = serde_json::to_vec(&metadata.to_object()).unwrap();
    assert_eq!(read(&written), metadata);
    assert_eq!(metadata.other["x_quota"].as_f64(), Some(110_000_066_666_666_666_666_666_666_666_666_000.0));
}

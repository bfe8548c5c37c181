//! What the sandbox asks of clients that show who they are, and how long it keeps what it gave: over real HTTP.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

mod support;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::Value;
use smart_core::client_id::ClientId;
use smart_core::secret::{ClientAssertion, ClientSecret};
use smart_core::token::{BackendScopes, ClientCredentialsExchange, ClientIdInBody};
use smart_core::url_policy::UrlPolicy;
use smart_http::HttpClient;
use smart_jwt::{ClientAssertionBuilder, Jwks, KeyKind, SigningKey};
use smart_sandbox::browser::Person;
use smart_sandbox::{Client, ClientKeys, ClientKind, SandboxConfig, SecretMethod};
use std::time::Duration;
use support::{KeyServer, REDIRECT, VERIFIER, World, callback_value, query};

const BASIC_OF_DEMO: &str = "Basic ZGVtby1jb25maWRlbnRpYWw6ZGVtby1zZWNyZXQ=";

fn key(kind: KeyKind, id: &str) -> SigningKey {
    SigningKey::generate(kind).unwrap().with_kid(id).unwrap()
}

fn published(keys: &[&SigningKey]) -> String {
    Jwks::from_keys(keys.iter().map(|key| key.public_jwk().clone()).collect()).unwrap().to_json().to_string()
}

fn with_keys(keys: ClientKeys) -> SandboxConfig {
    SandboxConfig {
        clients: vec![Client::asymmetric("svc", keys), Client::public("demo-app")],
        ..SandboxConfig::default()
    }
}

async fn assertion(world: &World, key: &SigningKey) -> ClientAssertion {
    let builder = ClientAssertionBuilder::new(ClientId::new("svc"), world.sandbox.endpoints().token);
    builder.sign(key, world.now(), &support::Random).await.unwrap()
}

/// The client-credentials request that this workspace's client makes, and its answer.
async fn backend(world: &World, assertion: ClientAssertion, scopes: &str) -> (u16, Value) {
    let endpoint = world.sandbox.endpoints().token.parse().unwrap();
    let (id, scopes) = (ClientId::new("svc"), BackendScopes::new(scopes.parse().unwrap()).unwrap());
    let exchange = ClientCredentialsExchange {
        token_endpoint: &endpoint,
        client_id: &id,
        scopes: &scopes,
        url_policy: UrlPolicy::AllowLoopbackHttp,
    };
    world.answer(exchange.request(assertion, ClientIdInBody::AsSpecified).unwrap()).await
}

async fn fhir(world: &World, path: &str, token: &str) -> Response<Bytes> {
    let url = format!("{}/{path}", world.sandbox.fhir_base()).parse().unwrap();
    let mut request = HttpClient::get_request(&url, "application/fhir+json").unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    world.http.fetch(request).await.unwrap()
}

fn text<'v>(body: &'v Value, name: &str) -> &'v str {
    body[name].as_str().unwrap_or_else(|| panic!("no {name} in {body}"))
}

/// F-32, CA-01, CA-04, CA-08, BS-01 (SMART, backend services): a service gets in with RS384 and with ES384, reads all records
/// within its scopes, and gets no refresh token; its token lives five minutes.
#[tokio::test]
async fn backend_service_gets_in_by_its_key() {
    for kind in [KeyKind::Rsa2048, KeyKind::EcP384] {
        let key = key(kind, "k1");
        let world = World::start(with_keys(ClientKeys::Document(published(&[&key])))).await;
        let (status, body) =
            backend(&world, assertion(&world, &key).await, "system/Patient.rs system/Observation.r").await;
        assert_eq!(status, 200, "{body}");
        assert_eq!(
            (body["expires_in"].as_u64(), body.get("refresh_token"), body.get("patient")),
            (Some(300), None, None)
        );
        let token = text(&body, "access_token");
        for path in ["Patient/p1001", "Patient/p1002"] {
            assert_eq!(fhir(&world, path, token).await.status(), 200);
        }
        assert_eq!(fhir(&world, "Condition?patient=p1001", token).await.status(), 403);
        world.advance(300);
        assert_eq!(fhir(&world, "Patient/p1001", token).await.status(), 401);
    }
}

/// An assertion is good for one request, whatever its end (RFC 7523, section 3).
#[tokio::test]
async fn assertion_is_good_once() {
    let key = key(KeyKind::EcP384, "k1");
    let world = World::start(with_keys(ClientKeys::Document(published(&[&key])))).await;
    let once = assertion(&world, &key).await;
    assert_eq!(backend(&world, once.clone(), "system/*.rs").await.0, 200);
    let (status, body) = backend(&world, once.clone(), "system/*.rs").await;
    assert_eq!((status, text(&body, "error")), (401, "invalid_client"));
    world.advance(600);
    assert_eq!(backend(&world, once, "system/*.rs").await.0, 401, "it has expired as well");
    assert_eq!(backend(&world, assertion(&world, &key).await, "system/*.rs").await.0, 200);
}

/// Another key, audience or client is refused as
/// `invalid_client`.
#[tokio::test]
async fn wrong_assertions_are_refused() {
    let (key, other) = (key(KeyKind::EcP384, "k1"), key(KeyKind::EcP384, "k1"));
    let world = World::start(with_keys(ClientKeys::Document(published(&[&key])))).await;
    let make = async |client: &str, audience: &str, key: &SigningKey| {
        let builder = ClientAssertionBuilder::new(ClientId::new(client), audience);
        builder.sign(key, world.now(), &support::Random).await.unwrap()
    };
    let token = world.sandbox.endpoints().token;
    for wrong in [
        make("svc", &token, &other).await,
        make("svc", &world.sandbox.issuer(), &key).await,
        make("svc", "https://other.example/token", &key).await,
        make("demo-app", &token, &key).await,
        make("nobody", &token, &key).await,
        ClientAssertion::new("no.jwt.here"),
    ] {
        let (status, body) = backend(&world, wrong, "system/*.rs").await;
        assert_eq!((status, text(&body, "error")), (401, "invalid_client"));
    }
}

/// Keys at a URL are fetched when they are needed, and again for a key
/// id that is new; then the old one is of no use.
#[tokio::test]
async fn keys_are_fetched_and_rotate() {
    let (old, new) = (key(KeyKind::EcP384, "old"), key(KeyKind::EcP384, "new"));
    let server = KeyServer::start(published(&[&old])).await;
    let world = World::start(with_keys(ClientKeys::Url(server.url()))).await;
    for _ in 0..2 {
        assert_eq!(backend(&world, assertion(&world, &old).await, "system/*.rs").await.0, 200);
    }
    assert_eq!(server.requests(), 1);
    server.publish(published(&[&new]));
    world.advance(61);
    assert_eq!(backend(&world, assertion(&world, &new).await, "system/*.rs").await.0, 200);
    assert_eq!(server.requests(), 2);
    assert_eq!(backend(&world, assertion(&world, &old).await, "system/*.rs").await.0, 401);
    assert_eq!(server.requests(), 2, "a flood of unknown ids is no flood of fetches");
}

/// System scopes only, of those what is registered; nothing left is an error.
#[tokio::test]
async fn backend_scopes_are_cut() {
    let key = key(KeyKind::EcP384, "k1");
    let mut config = with_keys(ClientKeys::Document(published(&[&key])));
    config.clients[0] = config.clients[0].clone().with_scopes("system/Observation.rs");
    let world = World::start(config).await;
    let (status, body) = backend(&world, assertion(&world, &key).await, "system/Observation.r system/Patient.r").await;
    assert_eq!((status, text(&body, "scope")), (200, "system/Observation.r"));
    for scopes in ["system/Patient.r", "user/Observation.r", "system/Observation.r patient/Observation.r"] {
        let (status, body) = backend(&world, assertion(&world, &key).await, scopes).await;
        assert_eq!((status, text(&body, "error")), (400, "invalid_scope"), "{scopes}");
    }
}

/// A shared secret is not enough for a system, and none is enough neither (SMART, backend services).
#[tokio::test]
async fn backend_needs_a_key() {
    let world = World::start(SandboxConfig::default()).await;
    let form = [("grant_type", "client_credentials"), ("scope", "system/*.rs")];
    let (status, body) = world.post("token", &form, Some(BASIC_OF_DEMO)).await;
    assert_eq!((status, text(&body, "error")), (400, "unauthorized_client"));
    let form = [("grant_type", "client_credentials"), ("scope", "system/*.rs"), ("client_id", "demo-app")];
    assert_eq!(text(&world.post("token", &form, None).await.1, "error"), "unauthorized_client");
}

/// A client authenticates by the one way that it is registered for.
#[tokio::test]
async fn one_way_of_authentication() {
    let secret = ClientSecret::new("post-secret");
    let by_post = Client::new("poster", ClientKind::Symmetric { secret, method: SecretMethod::Post });
    let mut config = SandboxConfig::default();
    config.clients.push(by_post);
    let world = World::start(config).await;
    let refresh = |more: &[(&'static str, &'static str)]| {
        let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", "made-up")];
        form.extend_from_slice(more);
        form
    };
    // Who is believed gets as far as the made-up token.
    let known = refresh(&[("client_id", "poster"), ("client_secret", "post-secret")]);
    assert_eq!(text(&world.post("token", &known, None).await.1, "error"), "invalid_grant");
    assert_eq!(text(&world.post("token", &refresh(&[]), Some(BASIC_OF_DEMO)).await.1, "error"), "invalid_grant");
    let demo_by_post = refresh(&[("client_id", "demo-confidential"), ("client_secret", "demo-secret")]);
    let both = refresh(&[("client_id", "demo-confidential"), ("client_secret", "demo-secret")]);
    let other_name = refresh(&[("client_id", "poster")]);
    let public_with_secret = refresh(&[("client_id", "demo-app"), ("client_secret", "x")]);
    let poster_by_basic = "Basic cG9zdGVyOnBvc3Qtc2VjcmV0";
    for (form, header, error) in [
        (demo_by_post, None, "invalid_client"),
        (both, Some(BASIC_OF_DEMO), "invalid_request"),
        (other_name, Some(BASIC_OF_DEMO), "invalid_client"),
        (public_with_secret, None, "invalid_client"),
        (refresh(&[]), Some(poster_by_basic), "invalid_client"),
        (refresh(&[("client_id", "poster")]), None, "invalid_client"),
    ] {
        let (_, body) = world.post("token", &form, header).await;
        assert_eq!(text(&body, "error"), error, "{form:?}");
    }
}

/// An app with a key shows it at code exchange, refresh, introspection and revocation,
/// with a new assertion each time.
#[tokio::test]
async fn app_with_a_key_goes_the_whole_way() {
    let key = key(KeyKind::EcP384, "k1");
    let world = World::start(with_keys(ClientKeys::Document(published(&[&key])))).await;
    let scope = "launch/patient patient/Patient.r offline_access";
    let code = world.code("svc", scope, Person::default()).await;
    let signed = async |mut form: Vec<(&'static str, String)>| {
        form.push(("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".to_owned()));
        form.push(("client_assertion", assertion(&world, &key).await.expose_secret().to_owned()));
        form
    };
    let exchange = |code: &str| {
        vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", code.to_owned()),
            ("redirect_uri", REDIRECT.to_owned()),
            ("code_verifier", VERIFIER.to_owned()),
        ]
    };
    let mut without = exchange(&code);
    without.push(("client_id", "svc".to_owned()));
    assert_eq!(text(&world.post("token", &without, None).await.1, "error"), "invalid_client");
    let (status, first) = world.post("token", &signed(exchange(&code)).await, None).await;
    assert_eq!(status, 200, "{first}");
    let form =
        vec![("grant_type", "refresh_token".to_owned()), ("refresh_token", text(&first, "refresh_token").to_owned())];
    let (status, second) = world.post("token", &signed(form).await, None).await;
    assert_eq!(status, 200, "{second}");
    let form = vec![("token", text(&second, "access_token").to_owned())];
    assert_eq!(world.post("introspect", &signed(form.clone()).await, None).await.1["active"], true);
    assert_eq!(world.post("revoke", &signed(form.clone()).await, None).await.0, 200);
    assert_eq!(world.post("introspect", &signed(form).await, None).await.1["active"], false);
}

/// What an app is registered for bounds what it is granted, and this is no error.
#[tokio::test]
async fn registered_scopes_bound_the_grant() {
    let client = Client::public("demo-app").with_scopes("launch/patient openid patient/Patient.rs");
    let world = World::start(SandboxConfig { clients: vec![client], ..SandboxConfig::default() }).await;
    let asked = "launch/patient openid fhirUser offline_access patient/Patient.r patient/*.rs user/Patient.r";
    let body = world.tokens("demo-app", asked, Person::default()).await;
    assert_eq!(text(&body, "scope"), "launch/patient openid patient/Patient.r");
    assert!(body.get("refresh_token").is_none());
}

/// A refresh that asks for less gets a token that can do less; the next may have it all again.
#[tokio::test]
async fn narrower_refresh_narrows_its_token() {
    let world = World::start(SandboxConfig::default()).await;
    let body = world.tokens("demo-app", "launch/patient patient/*.rs offline_access", Person::default()).await;
    let (_, narrow) = world.refresh(text(&body, "refresh_token"), &[("scope", "patient/Patient.r")]).await;
    assert_eq!(text(&narrow, "scope"), "patient/Patient.r");
    assert_eq!(fhir(&world, "Patient/p1001", text(&narrow, "access_token")).await.status(), 200);
    assert_eq!(fhir(&world, "Condition?patient=p1001", text(&narrow, "access_token")).await.status(), 403);
    let (_, wide) = world.refresh(text(&body, "refresh_token"), &[("scope", "patient/*.cruds")]).await;
    assert_eq!(text(&wide, "error"), "invalid_grant", "the refresh token was used");
}

/// A refresh token that lay unused too long is dead; a code lives as long as it was set to.
#[tokio::test]
async fn lifetimes_are_settings() {
    let config = SandboxConfig {
        refresh_token_lifetime: Some(Duration::from_secs(1000)),
        code_lifetime: Duration::from_secs(5),
        access_token_lifetime: Duration::from_secs(30),
        ..SandboxConfig::default()
    };
    let world = World::start(config).await;
    let body = world.tokens("demo-app", "launch/patient patient/*.rs offline_access", Person::default()).await;
    assert_eq!(body["expires_in"], 30);
    world.advance(900);
    let (status, second) = world.refresh(text(&body, "refresh_token"), &[]).await;
    assert_eq!(status, 200);
    world.advance(1000);
    assert_eq!(text(&world.refresh(text(&second, "refresh_token"), &[]).await.1, "error"), "invalid_grant");
    let code = world.code("demo-app", "launch/patient patient/*.rs", Person::default()).await;
    world.advance(5);
    assert_eq!(text(&world.redeem("demo-app", &code).await.1, "error"), "invalid_grant");
}

/// `online_access` comes with an EHR launch only, and ends with the person's session;
/// `offline_access` goes on.
#[tokio::test]
async fn online_access_ends_with_the_session() {
    let world = World::start(SandboxConfig::default()).await;
    let standalone = world.tokens("demo-app", "launch/patient patient/*.rs online_access", Person::default()).await;
    assert!(standalone.get("refresh_token").is_none() && !text(&standalone, "scope").contains("online_access"));
    let launched = async |scope: &str| {
        let launch = world.sandbox.new_launch(Some("p1003"), None);
        world.tokens_with("demo-app", scope, Person::default(), &[("launch", &launch)]).await
    };
    let online = launched("launch patient/*.rs online_access").await;
    let offline = launched("launch patient/*.rs offline_access").await;
    let (status, online) = world.refresh(text(&online, "refresh_token"), &[]).await;
    assert_eq!(status, 200);
    world.sandbox.sign_everybody_out();
    assert_eq!(fhir(&world, "Patient/p1003", text(&online, "access_token")).await.status(), 200);
    assert_eq!(text(&world.refresh(text(&online, "refresh_token"), &[]).await.1, "error"), "invalid_grant");
    assert_eq!(world.refresh(text(&offline, "refresh_token"), &[]).await.0, 200);
}

/// Who logged in, for a token with `openid`, and for no other.
#[tokio::test]
async fn userinfo_tells_who_logged_in() {
    let world = World::start(SandboxConfig::default()).await;
    let userinfo = async |token: &str| {
        let request = Request::get(world.sandbox.endpoints().userinfo.unwrap())
            .header("authorization", format!("Bearer {token}"))
            .body(Bytes::new())
            .unwrap();
        world.answer(request).await
    };
    let body = world.tokens("demo-app", "openid fhirUser launch/patient", Person::default()).await;
    let (status, claims) = userinfo(text(&body, "access_token")).await;
    assert_eq!((status, text(&claims, "sub")), (200, "practitioner-pr2001"));
    assert!(text(&claims, "fhirUser").ends_with("/Practitioner/pr2001"));
    let without = world.tokens("demo-app", "launch/patient patient/*.rs", Person::default()).await;
    assert_eq!(userinfo(text(&without, "access_token")).await.0, 403);
    assert_eq!(userinfo("made-up").await.0, 401);
}

/// A revoked refresh token takes the grant's access tokens along, an access token only itself; another client's is let be
/// (RFC 7009, 2.1).
#[tokio::test]
async fn revocation_cascades() {
    let world = World::start(SandboxConfig::default()).await;
    let scope = "launch/patient patient/*.rs offline_access";
    let revoke = async |token: &str, header: Option<&str>| {
        let mut form = vec![("token", token.to_owned())];
        if header.is_none() {
            form.push(("client_id", "demo-app".to_owned()));
        }
        assert_eq!(world.post("revoke", &form, header).await.0, 200);
    };
    let body = world.tokens("demo-app", scope, Person::default()).await;
    let (access, refresh) = (text(&body, "access_token"), text(&body, "refresh_token"));
    revoke(refresh, Some(BASIC_OF_DEMO)).await;
    assert_eq!(fhir(&world, "Patient/p1001", access).await.status(), 200, "it belongs to another client");
    revoke(access, None).await;
    assert_eq!(fhir(&world, "Patient/p1001", access).await.status(), 401);
    let (status, second) = world.refresh(refresh, &[]).await;
    assert_eq!(status, 200);
    revoke(text(&second, "refresh_token"), None).await;
    assert_eq!(fhir(&world, "Patient/p1001", text(&second, "access_token")).await.status(), 401);
    assert_eq!(text(&world.refresh(text(&second, "refresh_token"), &[]).await.1, "error"), "invalid_grant");
}

/// The launcher page sends the browser to the app, with a launch that is good once.
#[tokio::test]
async fn launcher_page_starts_an_app() {
    let world = World::start(SandboxConfig::default()).await;
    let launcher = world.sandbox.endpoints().launcher;
    let page = world.http.fetch(Request::get(&launcher).body(Bytes::new()).unwrap()).await.unwrap();
    assert!(String::from_utf8_lossy(page.body()).contains("Patient/p1003"));
    assert_eq!(page.headers()["x-frame-options"], "DENY");
    assert!(!page.headers().contains_key("access-control-allow-origin"));
    let start = async |form: &[(&str, &str)]| {
        let request = Request::post(&launcher)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(query(form)))
            .unwrap();
        world.http.fetch(request).await.unwrap()
    };
    let answer = start(&[("launch_url", "https://app.example/launch?x=1"), ("patient", "Patient/p1003")]).await;
    let target: url::Url = answer.headers()["location"].to_str().unwrap().parse().unwrap();
    assert_eq!(answer.status(), 303);
    assert_eq!(callback_value(&target, "iss"), world.sandbox.fhir_base());
    let launch = callback_value(&target, "launch");
    let body = world.tokens_with("demo-app", "launch patient/*.rs", Person::default(), &[("launch", &launch)]).await;
    assert_eq!(text(&body, "patient"), "p1003");
    for form in [
        [("launch_url", "javascript:alert(1)"), ("patient", "Patient/p1003")],
        [("launch_url", "https://app.example/launch"), ("patient", "Patient/nobody")],
    ] {
        assert_eq!(start(&form).await.status(), 400, "{form:?}");
    }
}

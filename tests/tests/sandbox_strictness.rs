//! What the sandbox refuses, over real HTTP: a client that passes here passes at a strict server.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

use bytes::Bytes;
use http::{Request, Response};
use serde_json::Value;
use smart_core::pkce::CodeVerifier;
use smart_core::time::{Clock, Timestamp};
use smart_http::{HttpClient, HyperTransport};
use smart_sandbox::browser::{AutoBrowser, Person};
use smart_sandbox::{Sandbox, SandboxConfig};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use url::form_urlencoded::Serializer;

const REDIRECT: &str = "https://app.example/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

struct Moved(AtomicI64);

impl Clock for Moved {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.0.load(Ordering::SeqCst))
    }
}

struct World {
    sandbox: Sandbox,
    clock: Arc<Moved>,
    http: HttpClient,
}

impl World {
    async fn new() -> Self {
        let clock = Arc::new(Moved(AtomicI64::new(1_800_000_000)));
        let sandbox = Sandbox::start(SandboxConfig { clock: clock.clone(), ..SandboxConfig::default() }).await.unwrap();
        Self { sandbox, clock, http: HttpClient::new(HyperTransport::new()) }
    }

    fn parameters(&self) -> Vec<(String, String)> {
        let challenge = CodeVerifier::parse(VERIFIER).unwrap().challenge();
        [
            ("response_type", "code"),
            ("client_id", "demo-app"),
            ("redirect_uri", REDIRECT),
            ("scope", "launch/patient patient/Observation.rs patient/Patient.r offline_access"),
            ("state", "s1"),
            ("aud", &self.sandbox.fhir_base()),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ]
        .map(|(n, v)| (n.to_owned(), v.to_owned()))
        .to_vec()
    }

    async fn get(&self, url: &str, token: Option<&str>) -> Response<Bytes> {
        let mut request = Request::get(url);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.http.fetch(request.body(Bytes::new()).unwrap()).await.unwrap()
    }

    /// The authorization endpoint's answer to parameters of which some are changed; an empty value leaves one out.
    async fn authorize(&self, changes: &[(&str, &str)]) -> Response<Bytes> {
        let query = query(&changed(self.parameters(), changes));
        self.get(&format!("{}/authorize?{query}", self.sandbox.issuer()), None).await
    }

    async fn code(&self) -> String {
        let url = format!("{}/authorize?{}", self.sandbox.issuer(), query(&self.parameters())).parse().unwrap();
        let callback = AutoBrowser::new(self.http.clone(), Person::default()).authorize(&url).await.unwrap();
        callback.query_pairs().find(|(n, _)| n == "code").unwrap().1.into_owned()
    }

    async fn post(&self, path: &str, form: &[(String, String)]) -> (u16, Value) {
        let request = Request::post(format!("{}{path}", self.sandbox.issuer()))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(query(form)))
            .unwrap();
        let response = self.http.fetch(request).await.unwrap();
        if path == "/token" {
            assert_eq!(response.headers()["cache-control"], "no-store");
        }
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap_or_default())
    }

    async fn redeem(&self, code: &str, changes: &[(&str, &str)]) -> (u16, Value) {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("client_id", "demo-app"),
            ("code_verifier", VERIFIER),
        ];
        let form = form.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec();
        self.post("/token", &changed(form, changes)).await
    }

    async fn refresh(&self, token: &str) -> (u16, Value) {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", "demo-app")];
        self.post("/token", &form.map(|(n, v)| (n.to_owned(), v.to_owned()))).await
    }

    async fn fhir(&self, path: &str, token: &str) -> Response<Bytes> {
        self.get(&format!("{}/{path}", self.sandbox.fhir_base()), Some(token)).await
    }
}

fn changed(mut parameters: Vec<(String, String)>, changes: &[(&str, &str)]) -> Vec<(String, String)> {
    for (name, value) in changes {
        parameters.retain(|(n, _)| n != name);
        if !value.is_empty() {
            parameters.push(((*name).to_owned(), (*value).to_owned()));
        }
    }
    parameters
}

fn query(parameters: &[(String, String)]) -> String {
    Serializer::new(String::new()).extend_pairs(parameters).finish()
}

fn text<'v>(body: &'v Value, name: &str) -> &'v str {
    body[name].as_str().unwrap_or_else(|| panic!("no {name} in {body}"))
}

/// Unknown clients and unregistered redirect URIs get a page, and nobody is sent anywhere (RFC 6749, 4.1.2.1).
#[tokio::test]
async fn wrong_redirect_uri_gets_a_page_and_no_redirect() {
    let world = World::new().await;
    for change in [
        ("client_id", "nobody"),
        ("client_id", ""),
        ("redirect_uri", "https://evil.example/callback"),
        ("redirect_uri", ""),
        ("redirect_uri", "https://app.example/callback/"),
    ] {
        let response = world.authorize(&[change]).await;
        assert_eq!(response.status(), 400, "{change:?}");
        assert!(!response.headers().contains_key("location"));
        assert_eq!(response.headers()["x-frame-options"], "DENY");
    }
}

/// PK-02 (SMART, PKCE): a missing or plain challenge, a wrong aud and a wrong response type come back as OAuth errors.
#[tokio::test]
async fn wrong_requests_come_back_with_their_error() {
    let world = World::new().await;
    for (changes, error) in [
        (vec![("code_challenge", "")], "invalid_request"),
        (vec![("code_challenge_method", "plain")], "invalid_request"),
        (vec![("code_challenge_method", "")], "invalid_request"),
        (vec![("aud", "https://other.example/fhir")], "invalid_request"),
        (vec![("aud", "")], "invalid_request"),
        (vec![("response_type", "token")], "unsupported_response_type"),
        (vec![("scope", "patient/*.sr")], "invalid_scope"),
        (vec![("scope", "launch")], "invalid_request"),
        (vec![("launch", "made-up"), ("scope", "launch")], "invalid_request"),
    ] {
        let response = world.authorize(&changes).await;
        let location = response.headers()["location"].to_str().unwrap();
        assert!(
            location.starts_with(REDIRECT)
                && location.contains(&format!("error={error}"))
                && location.contains("state=s1"),
            "{changes:?}: {location}"
        );
        assert!(location.contains("iss="), "the answer names its issuer (RFC 9207)");
    }
}

/// TK-02, PK-07 (RFC 7636 4.6): a missing or wrong verifier, redirect URI or client gives no token, and the code stays good.
#[tokio::test]
async fn wrong_code_exchanges_are_refused() {
    let world = World::new().await;
    let code = world.code().await;
    for (change, status, error) in [
        (("code_verifier", ""), 400, "invalid_request"),
        (("code_verifier", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"), 400, "invalid_grant"),
        (("redirect_uri", "https://app.example/other"), 400, "invalid_grant"),
        (("client_id", "nobody"), 401, "invalid_client"),
        (("client_id", "demo-confidential"), 401, "invalid_client"),
        (("code", "made-up"), 400, "invalid_grant"),
        (("grant_type", "password"), 400, "unsupported_grant_type"),
    ] {
        let (got, body) = world.redeem(&code, &[change]).await;
        assert_eq!((got, text(&body, "error")), (status, error), "{change:?}");
    }
    assert_eq!(world.redeem(&code, &[]).await.0, 200);
}

/// CB-09 (RFC 6749 4.1.2): a code works once; its second use takes back what the first one got. It lives a minute.
#[tokio::test]
async fn reused_code_takes_back_its_tokens() {
    let world = World::new().await;
    let code = world.code().await;
    let (_, body) = world.redeem(&code, &[]).await;
    let token = text(&body, "access_token");
    assert_eq!(world.fhir("Patient/p1001", token).await.status(), 200);
    let (status, again) = world.redeem(&code, &[]).await;
    assert_eq!((status, text(&again, "error")), (400, "invalid_grant"));
    assert_eq!(world.fhir("Patient/p1001", token).await.status(), 401);
    let late = world.code().await;
    world.clock.0.fetch_add(61, Ordering::SeqCst);
    assert_eq!(text(&world.redeem(&late, &[]).await.1, "error"), "invalid_grant");
}

/// FR-18 (RFC 6750 3.1): an expired, unknown or absent token is 401 with its challenge and an OperationOutcome.
#[tokio::test]
async fn expired_token_is_refused() {
    let world = World::new().await;
    let (_, body) = world.redeem(&world.code().await, &[]).await;
    let token = text(&body, "access_token");
    world.clock.0.fetch_add(3600, Ordering::SeqCst);
    for token in [token, "made-up"] {
        let response = world.fhir("Patient/p1001", token).await;
        assert_eq!(response.status(), 401);
        assert!(response.headers()["www-authenticate"].to_str().unwrap().contains("invalid_token"));
        let outcome: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(outcome["resourceType"], "OperationOutcome");
    }
    let without = world.get(&format!("{}/Patient/p1001", world.sandbox.fhir_base()), None).await;
    assert_eq!(without.status(), 401);
    assert!(!without.headers()["www-authenticate"].to_str().unwrap().contains("error"));
}

/// RF-04, RF-05 (RFC 9700 4.14.2): refresh tokens rotate, and the use of an old one revokes the grant.
#[tokio::test]
async fn replayed_refresh_token_revokes_the_grant() {
    let world = World::new().await;
    let (_, body) = world.redeem(&world.code().await, &[]).await;
    let (status, renewed) = world.refresh(text(&body, "refresh_token")).await;
    assert_eq!(status, 200);
    assert_ne!(text(&renewed, "refresh_token"), text(&body, "refresh_token"));
    assert_eq!(world.fhir("Patient/p1001", text(&renewed, "access_token")).await.status(), 200);
    assert_eq!(text(&world.refresh(text(&body, "refresh_token")).await.1, "error"), "invalid_grant");
    assert_eq!(world.fhir("Patient/p1001", text(&renewed, "access_token")).await.status(), 401);
    assert_eq!(text(&world.refresh(text(&renewed, "refresh_token")).await.1, "error"), "invalid_grant");
}

/// SC-07, SC-16 (SMART, scopes): what no scope permits is 403 with the needed scope; another patient's record is not there.
#[tokio::test]
async fn scopes_are_enforced() {
    let world = World::new().await;
    let (_, body) = world.redeem(&world.code().await, &[]).await;
    let token = text(&body, "access_token");
    for (path, status) in [
        ("Patient/p1001", 200),
        ("Patient/p1002", 404),
        ("Patient?name=okafor", 403),
        ("Condition?patient=p1001", 403),
        ("Observation?patient=p1001", 200),
        ("Nonsense/1", 403),
    ] {
        let response = world.fhir(path, token).await;
        assert_eq!(response.status(), status, "{path}");
        if status == 403 {
            assert!(response.headers()["www-authenticate"].to_str().unwrap().contains("insufficient_scope"), "{path}");
        }
    }
    let others: Value = serde_json::from_slice(world.fhir("Observation?patient=p1002", token).await.body()).unwrap();
    assert_eq!(others["total"], 0);
}

/// FR-05, FR-06 (FHIR R4, paging): the next links lead through all matches, each once; unknown parameters are ignored or refused.
#[tokio::test]
async fn paging_covers_everything_once() {
    let world = World::new().await;
    let (_, body) = world.redeem(&world.code().await, &[]).await;
    let token = text(&body, "access_token");
    let mut next = Some(format!("{}/Observation?patient=p1001&_count=13&nonsense=1", world.sandbox.fhir_base()));
    let (mut ids, mut total) = (Vec::new(), 0);
    while let Some(url) = next {
        let page: Value = serde_json::from_slice(world.get(&url, Some(token)).await.body()).unwrap();
        total = page["total"].as_u64().unwrap();
        let entries = page["entry"].as_array().unwrap();
        let matches = entries.iter().filter(|e| e["search"]["mode"] == "match");
        ids.extend(matches.map(|e| e["resource"]["id"].as_str().unwrap().to_owned()));
        let remarks: Vec<_> = entries.iter().filter(|e| e["search"]["mode"] == "outcome").collect();
        let told = ids.len() > 13 || remarks[0].to_string().contains("nonsense");
        assert!(told, "what is ignored is said: {remarks:?}");
        let link = |relation: &str| {
            page["link"]
                .as_array()
                .unwrap()
                .iter()
                .find(|l| l["relation"] == relation)
                .map(|l| text(l, "url").to_owned())
        };
        assert!(link("self").unwrap().contains("_count=13") && !link("self").unwrap().contains("nonsense"));
        next = link("next");
        assert!(ids.len() < 1000, "paging ends");
    }
    assert_eq!(ids.len() as u64, total);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len() as u64, total);
    let strict = Request::get(format!("{}/Observation?nonsense=1", world.sandbox.fhir_base()))
        .header("authorization", format!("Bearer {token}"))
        .header("prefer", "handling=strict")
        .body(Bytes::new())
        .unwrap();
    assert_eq!(world.http.fetch(strict).await.unwrap().status(), 400);
}

/// A login that was begun in one browser cannot be gone on with in another.
#[tokio::test]
async fn login_is_bound_to_its_browser() {
    let world = World::new().await;
    let response = world.authorize(&[]).await;
    let location = response.headers()["location"].to_str().unwrap();
    let page = world.get(&world.sandbox.issuer().replace("/auth", location), None).await;
    assert_eq!(page.status(), 400);
    assert!(String::from_utf8_lossy(page.body()).contains("another browser"));
}

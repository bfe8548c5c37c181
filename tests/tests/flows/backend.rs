//! Backend services and clients with keys.

use crate::world::World;
use smart_core::secret::ClientSecret;
use smart_flows::{App, AssertionAudience, Error, Session, SmartClient};
use smart_jwt::{Jwks, KeyKind, KeySet, SignatureFuture, Signer, SignerError, SigningAlgorithm, SigningKey};
use smart_on_fhir::FhirSession as _;
use smart_sandbox::browser::Person;
use smart_sandbox::{Client, ClientKeys, SandboxConfig};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

const SYSTEM: &str = "system/Patient.rs system/Observation.rs";

fn key(id: &str) -> SigningKey {
    SigningKey::generate(KeyKind::EcP384).unwrap().with_kid(id).unwrap()
}

fn document(keys: &[&dyn Signer]) -> ClientKeys {
    let keys = keys.iter().map(|key| key.public_jwk().clone()).collect();
    ClientKeys::Document(Jwks::from_keys(keys).unwrap().to_json().to_string())
}

/// A sandbox that knows `svc` by this key, with the signer.
async fn world_of(key: &SigningKey) -> World {
    let clients = vec![Client::asymmetric("svc", document(&[key])), Client::public("demo-app")];
    World::with(|config| SandboxConfig { clients, ..config }).await
}

async fn service() -> (World, SmartClient) {
    let key = key("k1");
    let world = world_of(&key).await;
    let client = world.client_of(App::backend("svc", key));
    (world, client)
}

async fn begin(world: &World, client: &SmartClient) -> Result<Session, Error> {
    client.backend(&world.sandbox.fhir_base(), SYSTEM).await
}

/// F-03, F-32, F-37, BS-01, BS-02, CA-04 (SMART, backend services): discovery, an assertion, a token, and data.
#[tokio::test]
async fn backend_service_reads_with_a_key() {
    let (world, client) = service().await;
    let session = begin(&world, &client).await.unwrap();
    assert_eq!(world.fhir_status(&session, "Patient/p1001").await, 200);
    assert_eq!(world.fhir_status(&session, "Patient/p1002").await, 200);
    assert!(session.user().unwrap().is_none() && session.patient().is_err());
    assert_eq!(session.expires_at().unwrap().unwrap().since(world.now()), Duration::from_secs(300));
}

/// F-05, D-14 (SMART, backend services): a backend service authenticates by its key with the scopes of its app; no browser is opened.
#[tokio::test]
async fn authenticate_of_a_backend_service_opens_no_browser() {
    let key = key("k1");
    let world = world_of(&key).await;
    let client = world.client_of(App::backend("svc", key).scopes(SYSTEM).unwrap());
    let session = client
        .authenticate_with(&world.sandbox.fhir_base(), |url| async move { panic!("opened {url}") })
        .await
        .unwrap();
    let patient = session.fhir().read::<serde_json::Value>("Patient", "p1002").await.unwrap();
    assert_eq!(patient["id"], "p1002");
    assert_eq!((world.sandbox.counts().authorize, world.sandbox.counts().token), (0, 1));
}

/// F-38, D-01, BS-04, RF-12, CA-06 (SMART, backend services): tokens of any life are used for most of it, and renewed by a new
/// assertion, without a refresh token.
#[tokio::test]
async fn backend_tokens_of_any_life_are_renewed() {
    for life in [30, 60, 300, 3600] {
        let key = key("k1");
        let clients = vec![Client::asymmetric("svc", document(&[&key]))];
        let backend_token_lifetime = Duration::from_secs(life);
        let world = World::with(|config| SandboxConfig { clients, backend_token_lifetime, ..config }).await;
        let client = world.client_of(App::backend("svc", key));
        let session = begin(&world, &client).await.unwrap();
        for round in 1..=3 {
            world.clock.advance(i64::try_from(life * 7 / 10).unwrap());
            assert_eq!(world.fhir_status(&session, "Patient/p1001").await, 200);
            assert_eq!(world.sandbox.counts().token, round, "{life}: still fresh");
            world.clock.advance(i64::try_from(life * 3 / 10).unwrap());
            assert_eq!(world.fhir_status(&session, "Patient/p1001").await, 200);
            assert_eq!(world.sandbox.counts().token, round + 1, "{life}: renewed");
        }
    }
}

/// BS-05, F-38 (SMART, backend services): however many tasks and processes ask for the same scopes, there is one token request.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_token_for_all_who_ask() {
    let (world, client) = service().await;
    let world = Arc::new(world);
    let tasks: Vec<_> = (0..200)
        .map(|n| {
            let (world, client) = (world.clone(), client.clone());
            let scopes = if n % 2 == 0 { SYSTEM } else { "system/Observation.rs system/Patient.rs" };
            tokio::spawn(async move { client.backend(&world.sandbox.fhir_base(), scopes).await.unwrap() })
        })
        .collect();
    let mut tokens = Vec::new();
    for task in tasks {
        tokens.push(task.await.unwrap().access_token().await.unwrap());
    }
    assert!(tokens.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(world.sandbox.counts().token, 1);
    client.backend(&world.sandbox.fhir_base(), "system/Patient.r").await.unwrap();
    assert_eq!(world.sandbox.counts().token, 2, "other scopes, another token");
    assert_eq!(client.sessions(Some(&world.sandbox.fhir_base())).await.unwrap().len(), 2);
}

/// BS-07, SC-17 (SMART, backend services): what was granted is seen before any request is made.
#[tokio::test]
async fn smaller_grant_is_seen_first() {
    let key = key("k1");
    let clients = vec![Client::asymmetric("svc", document(&[&key])).with_scopes("system/Patient.rs")];
    let world = World::with(|config| SandboxConfig { clients, ..config }).await;
    let session = begin(&world, &world.client_of(App::backend("svc", key))).await.unwrap();
    let comparison = session.scope_comparison().unwrap();
    assert!(!comparison.is_complete());
    let missing: Vec<String> = comparison.missing_access().map(ToString::to_string).collect();
    assert_eq!(missing, ["system/Observation.rs"]);
}

/// CS-04, RG-02, D-14 (SMART, backend services): a service has a key; a public app or one with a secret gets a clear error before
/// any request, and a service has no login.
#[tokio::test]
async fn kinds_of_app_are_not_mixed_up() {
    let (world, service) = service().await;
    let secret = App::symmetric("svc", ClientSecret::new("s"));
    for app in [App::public("svc"), secret] {
        let error = begin(&world, &world.client_of(app)).await.unwrap_err();
        assert!(matches!(error, Error::NoKey { .. }), "{error}");
    }
    let error = service.standalone(&world.sandbox.fhir_base()).await.unwrap_err();
    assert!(matches!(error, Error::BackendApp { .. }), "{error}");
    for scopes in ["", "openid system/*.rs", "launch/patient", "offline_access system/*.rs"] {
        let error = service.backend(&world.sandbox.fhir_base(), scopes).await.unwrap_err();
        assert!(matches!(error, Error::Core(smart_core::error::Error::BackendScope(_))), "{scopes}: {error}");
    }
    assert_eq!((world.sandbox.counts().discovery, world.sandbox.counts().token), (0, 0));
}

/// CA-19 (SMART, client authentication): a client that the server refuses is told so, and not tried in a loop.
#[tokio::test]
async fn unknown_key_is_told_and_not_repeated() {
    let world = world_of(&key("k1")).await;
    let client = world.client_of(App::backend("svc", key("k2")));
    let error = begin(&world, &client).await.unwrap_err();
    assert!(!error.is_retryable() && error.to_string().contains("registered"), "{error}");
    assert_eq!(world.sandbox.counts().token, 1);
}

/// F-31, D-12, CA-09 (SMART, client-confidential-asymmetric): an app with a key logs in, refreshes, introspects and revokes by
/// assertions, each a new one.
#[tokio::test]
async fn app_with_a_key_logs_in() {
    let key = key("k1");
    let world = world_of(&key).await;
    let client = world.client_of(App::asymmetric("svc", key).scopes(crate::world::SCOPES).unwrap());
    let session = world.login_of(&client, Person::default()).await.unwrap();
    session.refresh().await.unwrap();
    assert!(session.introspect().await.unwrap().is_active());
    assert!(session.introspect_refresh_token().await.unwrap().unwrap().is_active());
    let report = session.logout().await;
    assert!(report.revoked.is_ok() && report.wiped.is_ok(), "{report:?}");
    assert_eq!(world.sandbox.counts().revoke, 2);
}

/// CA-21 (SMART, app launch step 5): registered for both, an app shows its key where the server takes one.
#[tokio::test]
async fn key_is_preferred_to_a_secret() {
    let key = key("k1");
    let clients = vec![Client::asymmetric("svc", document(&[&key]))];
    let world = World::with(|config| SandboxConfig { clients, ..config }).await;
    let app = App::symmetric("svc", ClientSecret::new("never sent")).prefer_key(key);
    let client = world.client_of(app.scopes("launch/patient patient/*.rs").unwrap());
    world.login_of(&client, Person::default()).await.unwrap();
}

/// CA-12, F-36 (SMART, client authentication): of several keys the first that the server accepts signs; none that fits is an
/// error of configuration.
#[tokio::test]
async fn fitting_key_signs() {
    let p256 = SigningKey::generate(KeyKind::EcP256).unwrap().with_kid("p256").unwrap();
    let p384 = key("p384");
    let world = world_of(&p384).await;
    let keys = TwoKeys(vec![Arc::new(p256), Arc::new(p384)]);
    begin(&world, &world.client_of(App::backend_with_keys("svc", keys))).await.unwrap();
    let only = SigningKey::generate(KeyKind::EcP256).unwrap().with_kid("p256").unwrap();
    let elsewhere = Arc::new(smart_store::MemoryStore::with_clock(world.clock.clone()));
    let client = world.builder(App::backend("svc", only)).store(elsewhere).build();
    let error = begin(&world, &client).await.unwrap_err();
    assert!(matches!(error, Error::Assertion(_)) && !error.is_retryable(), "{error}");
    assert_eq!(world.sandbox.counts().token, 1);
}

struct TwoKeys(Vec<Arc<dyn Signer>>);

impl smart_flows::ClientKeys for TwoKeys {
    fn signers(&self) -> Vec<Arc<dyn Signer>> {
        self.0.clone()
    }
}

/// CA-16 (SMART, JWK set): keys rotate while the service runs.
#[tokio::test]
async fn keys_rotate_while_the_service_runs() {
    let (old, new) = (key("old"), key("new"));
    let clients = vec![Client::asymmetric("svc", document(&[&old, &new]))];
    let world = World::with(|config| SandboxConfig { clients, ..config }).await;
    let mut set = KeySet::new(old).unwrap().with_overlap(Duration::from_secs(60));
    set.publish_next(new, world.now()).unwrap();
    let keys = Arc::new(RwLock::new(set));
    let client = world.client_of(App::backend_with_keys("svc", keys.clone()));
    let session = begin(&world, &client).await.unwrap();
    world.clock.advance(120);
    keys.write().unwrap().rotate(world.now()).unwrap();
    session.refresh().await.unwrap();
    assert_eq!(world.sandbox.counts().token, 2);
}

/// CA-18: the audience of assertions can be the issuer, for servers that want it; SMART's is the token endpoint.
#[tokio::test]
async fn audience_of_assertions_can_be_set() {
    let key1 = key("k1");
    let world = world_of(&key1).await;
    let app =
        App::backend("svc", key1).with_assertion_audience(AssertionAudience::Other("https://other.example".into()));
    let error = begin(&world, &world.client_of(app)).await.unwrap_err();
    assert!(matches!(&error, Error::Token(e) if e.oauth_error().is_some()), "{error}");
    assert!(App::public("x").with_assertion_lifetime(Duration::from_secs(301)).is_err());
}

/// A signing service that is away at first.
struct Remote {
    key: SigningKey,
    failures: AtomicUsize,
}

impl Signer for Remote {
    fn algorithm(&self) -> SigningAlgorithm {
        self.key.algorithm()
    }

    fn key_id(&self) -> &str {
        self.key.key_id()
    }

    fn public_jwk(&self) -> &smart_jwt::Jwk {
        self.key.public_jwk()
    }

    fn sign<'a>(&'a self, input: &'a [u8]) -> SignatureFuture<'a> {
        Box::pin(async move {
            let left = self.failures.load(Ordering::SeqCst);
            if left > 0 {
                self.failures.store(left - 1, Ordering::SeqCst);
                return Err(SignerError::Unavailable { reason: "maintenance".into() });
            }
            Ok(self.key.sign(input)?)
        })
    }
}

/// CA-17, TK-17 (SMART, client authentication): the key may lie in a service; one that is away for a moment is asked again.
#[tokio::test]
async fn signing_service_may_be_away_for_a_moment() {
    let key = key("k1");
    let world = world_of(&key).await;
    let retries = smart_http::RetryPolicy::default().with_backoff(Duration::from_millis(5), Duration::from_millis(10));
    let signer = |failures| Remote { key: copy(&key), failures: AtomicUsize::new(failures) };
    let client = world.builder(App::backend("svc", signer(2))).token_retries(retries.clone()).build();
    begin(&world, &client).await.unwrap();
    let world = world_of(&key).await;
    let client = world.builder(App::backend("svc", signer(50))).token_retries(retries).build();
    let error = begin(&world, &client).await.unwrap_err();
    assert!(matches!(error, Error::Assertion(_)) && error.is_retryable(), "{error}");
    assert_eq!(world.sandbox.counts().token, 0);
}

fn copy(key: &SigningKey) -> SigningKey {
    let pem = key.to_pem();
    SigningKey::from_pem(pem.expose_secret()).unwrap().with_kid(key.key_id()).unwrap()
}

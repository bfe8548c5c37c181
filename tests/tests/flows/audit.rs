//! What the flows record.

use crate::world::{SCOPES, World};
use http::Method;
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::launch::{AllowedIssuers, EhrLaunch};
use smart_core::redirect_uri::RedirectUri;
use smart_core::url_policy::UrlPolicy;
use smart_flows::audit::{
    AuditError, AuditEvent, AuditKind, AuditPolicy, AuditQuery, AuditSink, AuditSource, Auditor, FhirAudit, FhirSink,
    JsonLinesSink, MemorySink, Outcome, verify,
};
use smart_flows::{App, BrowserId, Error, Session, SessionPolicy, SmartClientBuilder, SystemRandom};
use smart_http::Authorize as _;
use smart_jwt::{KeyKind, SigningKey};
use smart_sandbox::browser::{AutoBrowser, Person};
use smart_sandbox::{Client, Misbehaviour, SandboxConfig};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use AuditKind as K;

impl World {
    fn auditor(&self, sink: impl AuditSink + 'static) -> Auditor {
        Auditor::builder(self.clock.clone(), Arc::new(SystemRandom::new())).sink(sink).build()
    }

    fn recorded(&self, kept: &MemorySink, app: App) -> SmartClientBuilder {
        self.builder(app).audit(self.auditor(kept.clone()))
    }

    fn url(&self, path: &str) -> url::Url {
        format!("{}/{path}", self.sandbox.fhir_base()).parse().unwrap()
    }
}

fn kinds(kept: &MemorySink) -> Vec<AuditKind> {
    kept.query(&AuditQuery::new()).iter().map(|event| event.kind()).collect()
}

async fn give_up(session: &Session, world: &World) {
    let _ = session.authorization(&world.url("Patient/p1001")).await;
}

/// F-92 (audit): a login, its use and its end leave these events in this order, with client, session and user.
#[tokio::test]
async fn a_session_leaves_its_trail() {
    let (world, kept) = (World::new(None).await, MemorySink::new());
    let client = world.recorded(&kept, World::app()).build();
    let session = world.login_of(&client, Person::default()).await.unwrap();
    session.authorization(&world.url("Patient/p1001")).await.unwrap();
    session.sending(&Method::GET, &world.url("Patient/p1001")).unwrap();
    session.refresh().await.unwrap();
    session.introspect().await.unwrap();
    session.logout().await;
    assert_eq!(
        kinds(&kept),
        [
            K::StoreOpened,
            K::EndpointDiscovered,
            K::CapabilitiesLoaded,
            K::LaunchBegun,
            K::AuthenticationAttempt,
            K::TokenValidated,
            K::AuthorizationGranted,
            K::TokenIssued,
            K::AuthenticationSuccess,
            K::SessionStarted,
            K::ResourceAccessed,
            K::TokenRefreshed,
            K::TokenIntrospected,
            K::SessionEnded,
            K::TokenRevoked,
            K::TokenRevoked,
        ]
    );
    let events = kept.query(&AuditQuery::new());
    for event in events.iter().filter(|event| event.session().is_some()) {
        assert_eq!(event.client_id(), Some("demo-app"));
        assert!(event.user().is_some_and(|user| user.issuer() == world.sandbox.issuer()));
        assert_eq!(event.outcome(), Outcome::Success);
    }
    let used = &events[10];
    let line = format!("{:?}", used.request().unwrap());
    assert!(!line.contains("p1001"), "{line}");
    assert!(used.token().is_some());
}

/// F-92 (audit): every kind of event is recorded by the flow that it is for.
#[tokio::test]
async fn every_kind_is_recorded() {
    let mut seen = BTreeSet::new();
    let mut note = |kept: &MemorySink| seen.extend(kinds(kept));

    // A login, uses of its token, its renewal, introspection, expiry and end.
    let (world, kept) = (World::new(None).await, MemorySink::new());
    let client = world.recorded(&kept, World::app()).session_policy(SessionPolicy::standard()).build();
    let session = world.login_of(&client, Person::default()).await.unwrap();
    for method in [Method::GET, Method::PUT, Method::POST, Method::DELETE] {
        let path = if method == Method::POST { "Observation" } else { "Observation/o1" };
        session.sending(&method, &world.url(path)).unwrap();
    }
    session.refresh().await.unwrap();
    session.introspect().await.unwrap();
    let timed_out = world.login_of(&client, Person::default()).await.unwrap();
    session.logout().await;
    world.clock.advance(3600);
    give_up(&timed_out, &world).await;
    let short = world.recorded(&kept, App::public("demo-app").scopes("launch/patient patient/*.rs").unwrap()).build();
    let expiring = world.login_of(&short, Person::default()).await.unwrap();
    world.clock.advance(400);
    give_up(&expiring, &world).await;

    // A person who says no, one who gives up, one who does not come back, a forged callback.
    let _ = world.login_of(&client, Person { allows: false, ..Person::default() }).await;
    let launch = client.standalone(&world.sandbox.fhir_base()).await.unwrap();
    let cancel = launch.cancel_handle();
    let waiting = launch.with_browser(|_| async move {
        cancel.cancel();
        Ok(())
    });
    assert!(matches!(waiting.await, Err(Error::LoginCancelled)));
    let impatient = world.recorded(&kept, World::app()).login_timeout(Duration::from_millis(50)).build();
    let launch = impatient.standalone(&world.sandbox.fhir_base()).await.unwrap();
    assert!(launch.with_browser(|_| async { Ok(()) }).await.is_err());
    let redirect = RedirectUri::parse("https://app.example/callback").unwrap();
    let (request, pending) = client.standalone(&world.sandbox.fhir_base()).await.unwrap().authorize(&redirect).unwrap();
    let state = request.url().query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let failed = format!("error=login_required&state={state}&iss={}", world.sandbox.issuer());
    assert!(client.complete(pending, &failed).await.is_err());
    let forged = smart_core::authorize::Callback::from_query("code=x&state=y").unwrap();
    assert!(client.complete_kept(&BrowserId::single_user(), forged).await.is_err());
    note(&kept);

    // Servers that err or lie.
    for lie in [
        Misbehaviour::WrongIssuer,
        Misbehaviour::ForeignKey,
        Misbehaviour::WrongNonce,
        Misbehaviour::AlgNone,
        Misbehaviour::HtmlToken,
        Misbehaviour::NoS256,
        Misbehaviour::RedirectToken,
    ] {
        let (world, kept) = (World::new(Some(lie)).await, MemorySink::new());
        let client = world.recorded(&kept, World::app()).build();
        assert!(world.login_of(&client, Person::default()).await.is_err(), "{lie:?}");
        note(&kept);
    }

    // A clock that is off, a server that is gone, a store that is damaged.
    let (world, kept) = (World::new(None).await, MemorySink::new());
    let ahead = crate::world::Moved::new();
    ahead.advance(600);
    let client = world.recorded(&kept, World::app()).clock(ahead).build();
    assert!(world.login_of(&client, Person::default()).await.is_err());
    let client = world.recorded(&kept, World::app()).build();
    let key = world.login_of(&client, Person::default()).await.unwrap().key().clone();
    {
        use smart_store::{Expected, SecretBytes, Store as _};
        world.store.put(&key, SecretBytes::new(b"{}".to_vec()), Expected::Any).await.unwrap();
    }
    assert!(world.recorded(&kept, World::app()).build().restore(&key).await.is_err());
    let address = world.sandbox.address();
    let failing = smart_store::testing::FaultyStore::new(smart_store::MemoryStore::new());
    failing.break_down(smart_store::testing::Operation::Put, smart_store::testing::Fault::FailBefore);
    let failing = world.recorded(&kept, World::app()).store(Arc::new(failing)).build();
    assert!(world.login_of(&failing, Person::default()).await.is_err());
    world.sandbox.shutdown().await;
    let gone = client.discover_anew(&format!("http://{address}/fhir")).await;
    assert!(gone.is_err());
    note(&kept);

    let missing: Vec<_> = AuditKind::ALL.iter().filter(|kind| !seen.contains(kind)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// SE-05, FR-23, F-126, F-85 (SMART, App protection): a full run of all three launches, with every sink, all logs at the finest
/// level and every error and value shown: no token, code, verifier, state, secret, assertion, key or name of a patient in any of it.
#[test]
fn no_secret_in_any_output_of_a_full_run() {
    let logs = Arc::new(std::sync::Mutex::new(Vec::new()));
    let writer = {
        let logs = logs.clone();
        move || Log(logs.clone())
    };
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false).with_writer(writer).finish();
    let folder = tempfile::tempdir().unwrap();
    let trail = folder.path().join("audit.jsonl");
    let (shown, secrets) = tracing::subscriber::with_default(subscriber, || {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(full_run(&trail))
    });
    let logs = String::from_utf8(logs.lock().unwrap().clone()).unwrap();
    let trail_text = std::fs::read_to_string(&trail).unwrap();
    assert!(
        logs.len() > 10_000 && trail_text.lines().count() > 60 && shown.len() > 10_000,
        "there is something to search"
    );
    assert!(secrets.len() > 20);
    for (place, text) in [("logs", &logs), ("audit trail", &trail_text), ("values, errors and FHIR audit", &shown)] {
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{place}: {secret}");
        }
    }
    let report = verify(std::io::BufReader::new(std::fs::File::open(&trail).unwrap()), None).unwrap();
    assert!(report.events > 60 && report.torn == 0, "{report:?}");
}

#[derive(Clone)]
struct Log(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Everything there is to do, once well and once badly. Gives all that was shown, and all that must not be in it.
async fn full_run(trail: &std::path::Path) -> (String, Vec<String>) {
    let key = SigningKey::generate(KeyKind::EcP384).unwrap().with_kid("k1").unwrap();
    let pem = key.to_pem().expose_secret().lines().nth(1).unwrap().to_owned();
    let keys = smart_jwt::Jwks::from_keys(vec![key.public_jwk().clone()]).unwrap().to_json().to_string();
    let clients = vec![
        Client::public("demo-app"),
        Client::symmetric("demo-confidential", "very-secret-of-the-client"),
        Client::asymmetric("svc", smart_sandbox::ClientKeys::Document(keys)),
    ];
    let world = World::with(|config| SandboxConfig { clients, ..config }).await;
    let (fhir, mut resources) = FhirSink::channel(FhirAudit::new(AuditSource::new("app", "host.example")), 1000);
    let auditor = Auditor::builder(world.clock.clone(), Arc::new(SystemRandom::new()))
        .sink(JsonLinesSink::options(trail).open().unwrap())
        .sink(smart_flows::audit::TracingSink)
        .sink(fhir)
        .build();
    let build = |app: App| world.builder(app).audit(auditor.clone()).session_policy(SessionPolicy::standard()).build();
    let mut shown = String::new();
    let mut hidden = vec![pem, "very-secret-of-the-client".to_owned(), "Ada".to_owned()];
    let mut show = |what: &dyn std::fmt::Debug| shown.extend([format!("{what:?}"), "\n".to_owned()]);

    let secret = smart_core::secret::ClientSecret::new("very-secret-of-the-client");
    for app in [
        App::public("demo-app").scopes(SCOPES).unwrap(),
        App::symmetric("demo-confidential", secret).scopes(SCOPES).unwrap(),
    ] {
        show(&app);
        let client = build(app);
        let session = world.login_of(&client, Person::default()).await.unwrap();
        session.sending(&Method::GET, &world.url("Observation?patient=p1001&code=85354-9")).unwrap();
        session.refresh().await.unwrap();
        show(&session.introspect().await);
        show(&session.userinfo().await);
        show(&(session.context(), session.user(), session.granted_scopes(), session.events()));
        show(&client);
        let again = world.login_of(&client, Person::default()).await.unwrap();
        show(&again.revoke().await);
        show(&(again.access_token().await, again.introspect().await, again.refresh().await));
        show(&session.logout().await);
        show(&(session.access_token().await, session));
    }

    // An EHR launch, by hand, so that its verifier, state, nonce, code and launch value are known.
    let client = build(App::public("demo-app").scopes("openid fhirUser patient/*.rs").unwrap());
    let base = FhirBaseUrl::parse_with(&world.sandbox.fhir_base(), UrlPolicy::AllowLoopbackHttp).unwrap();
    let value = world.sandbox.new_launch(Some("p1003"), None);
    let launch =
        EhrLaunch::from_query(&format!("iss={}&launch={value}", base.as_str()), &AllowedIssuers::only([base])).unwrap();
    let redirect = RedirectUri::parse("https://app.example/callback").unwrap();
    let (request, pending) = client.ehr(&launch, &redirect).await.unwrap();
    let inside: serde_json::Value = serde_json::to_value(&pending).unwrap();
    for name in ["state", "verifier", "nonce"] {
        hidden.push(inside[name].as_str().unwrap().to_owned());
    }
    hidden.push(value);
    show(&(&launch, &request, &pending));
    let callback = AutoBrowser::new(world.http.clone(), Person::default()).authorize(&request.url()).await.unwrap();
    let code = callback.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let wrong = format!("code={code}&state=wrong&iss={}", world.sandbox.issuer());
    let twin: smart_core::authorize::PendingAuthorization = serde_json::from_value(inside).unwrap();
    show(&client.complete(twin, &wrong).await);
    show(&client.complete(pending, callback.query().unwrap()).await);
    hidden.push(code);

    // A backend service.
    let client = build(App::backend("svc", key));
    let session = client.backend(&world.sandbox.fhir_base(), "system/*.rs").await.unwrap();
    session.sending(&Method::GET, &world.url("Patient?name=Ada")).unwrap();
    world.clock.advance(400);
    show(&(session.access_token().await, &session, client));

    // Servers that err and lie.
    for lie in [
        Misbehaviour::ForeignKey,
        Misbehaviour::WrongNonce,
        Misbehaviour::AlgNone,
        Misbehaviour::HtmlToken,
        Misbehaviour::WrongState,
    ] {
        let bad = World::new(Some(lie)).await;
        let client = bad.builder(World::app()).audit(auditor.clone()).build();
        show(&bad.login_of(&client, Person::default()).await);
        hidden.extend(bad.sandbox.issued_secrets());
    }
    while let Some(resource) = resources.try_recv() {
        show(resource.as_json());
    }
    hidden.extend(world.sandbox.issued_secrets());
    (shown, hidden)
}

/// A sink that fails when told to.
#[derive(Clone, Default)]
struct Broken(Arc<AtomicBool>);

impl AuditSink for Broken {
    fn record(&self, _: &AuditEvent) -> Result<(), AuditError> {
        if self.0.load(Ordering::SeqCst) { Err(AuditError::Full { sink: "broken" }) } else { Ok(()) }
    }

    fn name(&self) -> &'static str {
        "broken"
    }
}

/// F-92, D 4.2 (audit store errors swallowed): with a strict audit, what cannot be recorded is not done: no token is used, no
/// login completed, and a renewed token is not lost for it.
#[tokio::test]
async fn strict_audit_stops_what_it_cannot_record() {
    let world = World::new(None).await;
    let broken = Broken::default();
    let strict = Auditor::builder(world.clock.clone(), Arc::new(SystemRandom::new()))
        .sink(broken.clone())
        .policy(AuditPolicy::Strict)
        .build();
    let client = world.builder(World::app()).audit(strict.clone()).build();
    let session = world.login_of(&client, Person::default()).await.unwrap();
    broken.0.store(true, Ordering::SeqCst);
    assert!(session.sending(&Method::GET, &world.url("Patient/p1001")).is_err());
    assert!(matches!(world.login_of(&client, Person::default()).await, Err(Error::Audit(_))));
    world.clock.advance(400);
    assert!(matches!(session.access_token().await, Err(Error::Audit(_))));
    assert_eq!(world.sandbox.counts().token, 2);
    broken.0.store(false, Ordering::SeqCst);
    session.access_token().await.unwrap();
    assert_eq!(world.sandbox.counts().token, 2, "the token that was renewed before is there");
    assert!(strict.lost() >= 3);
}

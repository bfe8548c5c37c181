//! Renewals that something comes in between of: another process, a restart, a store that fails, a caller who gives up.

use crate::hooked::{changed, field, hooked, is_refresh, json, unreachable};
use crate::world::{Moved, World};
use smart_core::profile::ServerKind;
use smart_core::time::{Clock, Timestamp};
use smart_flows::{EndReason, Error, SessionPolicy, SmartClient, Timeout};
use smart_http::HttpClient;
use smart_sandbox::SandboxConfig;
use smart_sandbox::browser::Person;
use smart_store::testing::{Fault, FaultyStore, Gate, Operation};
use smart_store::{Key, MemoryStore, Store as _};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A store of one process with faults of its own, on what all processes share.
type Faulty = Arc<FaultyStore<Arc<MemoryStore>>>;

impl World {
    /// A server that gives an ID token with each renewal.
    async fn with_id_tokens() -> Self {
        Self::with(|config| SandboxConfig { kind: ServerKind::Medplum, ..config }).await
    }

    fn faulty(&self) -> Faulty {
        Arc::new(FaultyStore::new(self.store.clone()))
    }

    fn client_on(&self, store: &Faulty, http: HttpClient, policy: SessionPolicy) -> SmartClient {
        self.builder(Self::app()).store(store.clone()).http(http).session_policy(policy).build()
    }

    /// The stored refresh token.
    async fn stored_refresh_token(&self, key: &Key) -> String {
        let record = self.store.get(key).await.unwrap().unwrap();
        let record: serde_json::Value = serde_json::from_slice(record.value.expose_secret()).unwrap();
        record["refresh_token"].as_str().unwrap().to_owned()
    }

    /// Waits until the server was asked for so many revocations.
    async fn revocations(&self, count: usize) {
        let soon = async {
            while self.sandbox.counts().revoke < count as u64 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), soon).await.expect("tokens that nobody uses are revoked");
    }
}

/// RF-13, RF-06, F-75 (OpenID Connect Core, 12.2): the ID token of a renewal is judged as of when it came. Read after a restart,
/// or by another process, when it is long over, it does not cost the person the session.
#[tokio::test]
async fn old_id_token_of_a_renewal_ends_no_session() {
    let world = World::with_id_tokens().await;
    let session = world.login().await.unwrap();
    let other = world.client().restore(session.key()).await.unwrap().unwrap();
    session.refresh().await.unwrap();
    let key = session.key().clone();
    drop(session);
    world.clock.advance(2 * 3600);
    let restored = world.client().restore(&key).await.unwrap().expect("the session is stored");
    assert_eq!(world.fhir_status(&restored, "Patient/p1001").await, 200);
    assert_eq!(world.fhir_status(&other, "Patient/p1001").await, 200);
}

/// RF-13, RF-06: nor does it when the key that signed it is gone by then, once it was found to be good.
#[tokio::test]
async fn id_token_that_was_judged_is_not_judged_again() {
    let world = World::with_id_tokens().await;
    let session = world.login().await.unwrap();
    session.refresh().await.unwrap();
    world.sandbox.rotate_key().unwrap();
    let restored = world.client().restore(session.key()).await.unwrap().expect("the session is stored");
    assert_eq!(world.fhir_status(&restored, "Patient/p1001").await, 200);
}

/// RF-06, F-68: a sign of the person whose caller gives up while a renewal of another process is looked at does not bring the
/// used-up refresh token back.
#[tokio::test]
async fn sign_of_the_person_that_is_given_up_loses_no_refresh_token() {
    let world = World::with_id_tokens().await;
    let policy = SessionPolicy::standard();
    // The process that renews is stopped before it can say that the ID token is good.
    let store = world.faulty();
    let client = world.client_on(&store, world.http.clone(), policy);
    let session = world.login_of(&client, Person::default()).await.unwrap();
    let held = Arc::new(AtomicBool::new(false));
    let holding = held.clone();
    let http = hooked(move |request| {
        let waits = holding.load(Ordering::SeqCst) && request.uri().path().contains(".well-known");
        async move { if waits { std::future::pending().await } else { None } }
    });
    let there = world.builder(World::app()).http(http).session_policy(policy).build();
    let there = there.restore(session.key()).await.unwrap().unwrap();

    let puts = store.calls(Operation::Put);
    let stopped = Gate::closed();
    store.break_down(Operation::Put, Fault::HoldAfter(stopped.clone()));
    let renewing = tokio::spawn({
        let session = session.clone();
        async move { session.refresh().await }
    });
    while store.calls(Operation::Put) == puts {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    held.store(true, Ordering::SeqCst);
    world.clock.advance(120);
    let given_up = tokio::time::timeout(Duration::from_millis(200), there.touch()).await;
    assert!(given_up.is_err(), "the issuer's keys do not come");
    let _ = tokio::time::timeout(Duration::from_millis(200), there.touch()).await;
    let stored = world.stored_refresh_token(session.key()).await;
    assert!(world.sandbox.is_newest_refresh_token(&stored), "the old refresh token lies over the new one");
    renewing.abort();
}

/// What a process finds that was suspended while its lease ran out: another one has renewed, and its own refresh token is refused.
async fn overtaken(world: &World, store: &Faulty, stale: i64) -> (smart_flows::Session, Arc<AtomicUsize>) {
    let login = world.login().await.unwrap();
    let other = world.client().restore(login.key()).await.unwrap().unwrap();
    let (clock, tries) = (world.clock.clone(), Arc::new(AtomicUsize::new(0)));
    let counted = tries.clone();
    let http = hooked(move |request| {
        let first = is_refresh(&request) && counted.fetch_add(1, Ordering::SeqCst) == 0;
        let (clock, other) = (clock.clone(), other.clone());
        async move {
            if !first {
                return None;
            }
            clock.advance(60);
            other.refresh().await.unwrap();
            clock.advance(stale);
            Some(Ok(json(400, &serde_json::json!({"error": "invalid_grant"}))))
        }
    });
    let client = world.client_on(store, http, SessionPolicy::none());
    (client.restore(login.key()).await.unwrap().unwrap(), tries)
}

/// RF-05, RF-09 (RFC 6749, 5.2): what the server refuses is the refresh token that was presented. One that another process has
/// stored since is not thrown away with it, also where its access token is over already.
#[tokio::test]
async fn refused_refresh_token_does_not_take_its_successor_along() {
    let world = World::new(None).await;
    let store = world.faulty();
    let (session, tries) = overtaken(&world, &store, 290).await;
    world.clock.advance(250);
    session.access_token().await.unwrap();
    assert_eq!(world.fhir_status(&session, "Patient/p1001").await, 200);
    assert_eq!(tries.load(Ordering::SeqCst), 2, "the successor was presented");
    assert!(world.sandbox.is_newest_refresh_token(&world.stored_refresh_token(session.key()).await));
}

/// RF-05, RF-09: while the store cannot say whether there is a successor, nothing is ended and nothing is wiped.
#[tokio::test]
async fn refused_refresh_token_ends_nothing_while_the_store_is_away() {
    let world = World::new(None).await;
    // Restoring reads once, and the renewal before it presents the refresh token; then the store is away for a moment.
    let store = Arc::new(FaultyStore::new(world.store.clone()).with_fault(Operation::Get, 3, Fault::FailBefore));
    let (session, _) = overtaken(&world, &store, 0).await;
    world.clock.advance(310);
    let error = session.access_token().await.unwrap_err();
    assert!(matches!(error, Error::Store(_)) && error.is_retryable(), "{error}");
    assert_eq!(session.end_reason(), None);
    world.clock.advance(5);
    assert_eq!(world.fhir_status(&session, "Patient/p1001").await, 200);
}

/// RF-05, F-68, TK-17 (RFC 9700, 4.14.2): a process that slept between two tries of a refresh looks again whether another one has
/// renewed meanwhile, and does not present the used-up refresh token.
#[tokio::test]
async fn process_that_slept_between_two_tries_replays_nothing() {
    let world = World::new(None).await;
    let other = world.login().await.unwrap();
    let (clock, tries, renewing) = (world.clock.clone(), Arc::new(AtomicUsize::new(0)), other.clone());
    let counted = tries.clone();
    let http = hooked(move |request| {
        let first = is_refresh(&request) && counted.fetch_add(1, Ordering::SeqCst) == 0;
        let (clock, renewing) = (clock.clone(), renewing.clone());
        async move {
            if !first {
                return None;
            }
            // The network is gone and the lid is shut; when it is opened, the other process is quicker.
            clock.advance(60);
            renewing.refresh().await.unwrap();
            Some(Err(unreachable(&request)))
        }
    });
    let client = world.client_on(&world.faulty(), http, SessionPolicy::none());
    let session = client.restore(other.key()).await.unwrap().unwrap();
    session.refresh().await.unwrap();
    assert_eq!(tries.load(Ordering::SeqCst), 1, "nothing is presented again");
    for session in [&session, &other] {
        assert_eq!(world.fhir_status(session, "Patient/p1001").await, 200);
    }
}

/// RF-05, RF-06: a renewal that could not be stored in time does not come over one that another process got later, from a server
/// that takes a refresh token again for a while: the earlier successor is of no use there any more.
#[tokio::test]
async fn late_renewal_does_not_come_over_a_later_one() {
    let leeway = Some(Duration::from_secs(120));
    let world = World::with(|config| SandboxConfig { refresh_reuse_leeway: leeway, ..config }).await;
    let other = world.login().await.unwrap();
    let store = world.faulty();
    let client = world.client_on(&store, world.http.clone(), SessionPolicy::none());
    let session = client.restore(other.key()).await.unwrap().unwrap();
    store.break_down(Operation::Put, Fault::FailBefore);
    assert!(matches!(session.refresh().await, Err(Error::Store(_))));
    store.break_down(Operation::Lease, Fault::FailBefore);
    world.clock.advance(60);
    other.refresh().await.unwrap();
    let puts = store.calls(Operation::Put);
    store.mend();
    let soon = async {
        while store.calls(Operation::Put) == puts {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), soon).await.expect("the late one is brought to the store");
    world.clock.advance(400);
    session.access_token().await.unwrap();
    other.access_token().await.unwrap();
    assert!(world.sandbox.is_newest_refresh_token(&world.stored_refresh_token(session.key()).await));
}

/// A clock of another machine, which is ahead.
struct Ahead(Arc<Moved>);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        self.0.now().saturating_add(Duration::from_secs(30))
    }
}

/// RF-05, RF-06: a sign of the person that another machine, whose clock is ahead, stores during a renewal does not make its
/// used-up refresh token the newer one.
#[tokio::test]
async fn clock_that_is_ahead_makes_no_token_newer() {
    let world = World::new(None).await;
    let ahead = world.builder(World::app()).clock(Arc::new(Ahead(world.clock.clone())));
    let ahead = ahead.session_policy(SessionPolicy::standard()).build();
    let there = world.login_of(&ahead, Person::default()).await.unwrap();
    let gate = Gate::closed();
    let store = FaultyStore::new(world.store.clone()).with_fault(Operation::Put, 1, Fault::HoldBefore(gate.clone()));
    let store = Arc::new(store);
    let client = world.client_on(&store, world.http.clone(), SessionPolicy::standard());
    let here = client.restore(there.key()).await.unwrap().unwrap();
    let renewing = tokio::spawn({
        let here = here.clone();
        async move { here.refresh().await }
    });
    while store.calls(Operation::Put) == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    world.clock.advance(120);
    there.touch().await.unwrap();
    gate.open();
    renewing.await.unwrap().unwrap();
    assert!(world.sandbox.is_newest_refresh_token(&world.stored_refresh_token(there.key()).await));
    assert_eq!(here.last_active_at(), there.last_active_at(), "the person was seen");
}

/// RF-10, TK-10: a token whose end passes while its renewal fails is not given out as one that is still good.
#[tokio::test]
async fn token_that_ends_during_a_failed_renewal_is_not_given_out() {
    let world = World::new(None).await;
    let clock = world.clock.clone();
    let http = hooked(move |request| {
        let slow = is_refresh(&request);
        if slow {
            clock.advance(100);
        }
        std::future::ready(slow.then(|| Ok(json(500, &serde_json::json!({})))))
    });
    let client = world.builder(World::app()).http(http).build();
    let session = world.login_of(&client, Person::default()).await.unwrap();
    world.clock.advance(250);
    let error = session.access_token().await.unwrap_err();
    assert!(matches!(error, Error::Token(_)) && error.is_retryable(), "{error}");
}

/// RV-05, RV-06 (RFC 7009, 2.1): it is the newest tokens that are revoked, whichever process got them.
#[tokio::test]
async fn newest_tokens_are_revoked() {
    let world = World::new(None).await;
    let other = world.login().await.unwrap();
    let revoked: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = revoked.clone();
    let http = hooked(move |request| {
        if request.uri().path().contains("revo") {
            seen.lock().unwrap().extend(field(&request, "token"));
        }
        std::future::ready(None)
    });
    let client = world.builder(World::app()).http(http).build();
    let session = client.restore(other.key()).await.unwrap().unwrap();
    other.refresh().await.unwrap();
    let newest = world.stored_refresh_token(other.key()).await;
    session.revoke().await.unwrap();
    let revoked = revoked.lock().unwrap().clone();
    assert!(revoked.contains(&newest), "an older refresh token was revoked");
    assert!(revoked.contains(&other.held_access_token().unwrap().expose_secret().to_owned()));
    assert!(matches!(other.refresh().await, Err(Error::SessionOver { .. })));
}

/// F-86, RV-05: a time-out revokes tokens that wait to be stored, not those that they took the place of.
#[tokio::test]
async fn time_out_revokes_what_waits_to_be_stored() {
    let world = World::new(None).await;
    let store = world.faulty();
    let given: Arc<Mutex<Vec<String>>> = Arc::default();
    let revoked: Arc<Mutex<Vec<String>>> = Arc::default();
    let (to, seen) = (given.clone(), revoked.clone());
    let http = hooked(move |request| {
        let (to, seen) = (to.clone(), seen.clone());
        async move {
            if request.uri().path().contains("revo") {
                seen.lock().unwrap().extend(field(&request, "token"));
                return None;
            }
            if !is_refresh(&request) {
                return None;
            }
            changed(request, |body| {
                to.lock().unwrap().push(body["refresh_token"].as_str().unwrap().to_owned());
            })
            .await
        }
    });
    let client = world.client_on(&store, http, SessionPolicy::standard());
    let session = world.login_of(&client, Person::default()).await.unwrap();
    store.break_down(Operation::Put, Fault::FailBefore);
    assert!(matches!(session.refresh().await, Err(Error::Store(_))));
    world.clock.advance(31 * 60);
    let over = session.access_token().await.unwrap_err();
    assert!(matches!(over, Error::SessionOver { reason: EndReason::TimedOut(Timeout::Idle), .. }), "{over}");
    world.revocations(2).await;
    assert!(revoked.lock().unwrap().contains(&given.lock().unwrap()[0]), "the newest refresh token lives on");
}

/// LA-05, LA-07 (a wrong patient): a session is of one patient. A renewal that comes with another one ends it; nothing is shown
/// or read in a record that nobody opened.
#[tokio::test]
async fn renewal_for_another_patient_ends_the_session() {
    let world = World::new(None).await;
    let http = hooked(|request| async move {
        if !is_refresh(&request) {
            return None;
        }
        changed(request, |body| drop(body.insert("patient".into(), "p1002".into()))).await
    });
    let client = world.builder(World::app()).http(http).build();
    let session = world.login_of(&client, Person::default()).await.unwrap();
    assert_eq!(session.patient().unwrap(), "p1001");
    world.clock.advance(400);
    let error = session.access_token().await.unwrap_err();
    assert!(error.needs_reauthorization(), "{error}");
    assert_eq!(session.end_reason(), Some(EndReason::OtherPatient));
    assert!(session.patient().is_err() && session.access_token().await.is_err());
    assert!(client.sessions(None).await.unwrap().is_empty(), "it is wiped");
    world.revocations(2).await;
}

/// Tokens of a login that cannot be stored are revoked: nobody has them, and nobody could.
#[tokio::test]
async fn login_that_cannot_be_stored_is_revoked() {
    let world = World::new(None).await;
    let store = world.faulty();
    store.break_down(Operation::Put, Fault::FailBefore);
    let client = world.client_on(&store, world.http.clone(), SessionPolicy::none());
    let error = world.login_of(&client, Person::default()).await.unwrap_err();
    assert!(matches!(error, Error::Store(_)), "{error}");
    world.revocations(2).await;
}

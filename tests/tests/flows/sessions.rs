//! Time-outs, locks, events and watches.

use crate::world::World;
use futures_util::StreamExt as _;
use smart_core::time::{Clock, Timestamp};
use smart_flows::{EndReason, Error, Session, SessionEvent, SessionPolicy, SmartClient, Timeout};
use smart_http::{Authorize as _, BoxFuture, HttpClient, HyperTransport, Timer};
use smart_sandbox::browser::Person;
use smart_store::Filter;
use std::sync::Arc;
use std::time::Duration;

impl World {
    fn with_policy(&self, policy: SessionPolicy) -> SmartClient {
        self.builder(Self::app()).session_policy(policy).build()
    }

    async fn login_with(&self, policy: SessionPolicy) -> (SmartClient, Session) {
        let client = self.with_policy(policy);
        let session = self.login_of(&client, Person::default()).await.unwrap();
        (client, session)
    }

    async fn records(&self) -> usize {
        use smart_store::Store as _;
        self.store.list(&Filter::default()).await.unwrap().len()
    }
}

/// F-86, F-89, D-03 (SMART, App protection): after the idle time-out no token goes out, here or after a restart, and the tokens
/// are gone from the store and revoked at the server.
#[tokio::test]
async fn idle_timeout_blocks_and_purges() {
    let world = World::new(None).await;
    let (client, session) = world.login_with(SessionPolicy::standard()).await;
    world.clock.advance(29 * 60);
    assert_eq!(world.fhir_status(&session, "Patient/p1001").await, 200);
    world.clock.advance(60);
    assert!(matches!(session.patient(), Err(Error::SessionTimeout { timeout: Timeout::Idle, .. })));
    let error = session.access_token().await.unwrap_err();
    assert!(
        matches!(error, Error::SessionOver { reason: EndReason::TimedOut(Timeout::Idle), .. })
            && error.needs_reauthorization(),
        "{error}"
    );
    let url = format!("{}/Patient/p1001", world.sandbox.fhir_base()).parse().unwrap();
    assert!(session.authorization(&url).await.unwrap_err().needs_reauthorization());
    assert_eq!(world.records().await, 0);
    assert!(client.restore(session.key()).await.unwrap().is_none());
    for _ in 0..100 {
        if world.sandbox.counts().revoke == 2 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the tokens were not revoked");
}

/// F-91, D-04: requests of the program keep nobody's session alive; the person's input does, up to the absolute limit.
#[tokio::test]
async fn only_the_person_keeps_a_session_alive() {
    let world = World::new(None).await;
    let (_, polled) = world.login_with(SessionPolicy::standard()).await;
    let (_, used) = world.login_with(SessionPolicy::standard()).await;
    for _ in 0..3 {
        world.clock.advance(9 * 60);
        polled.access_token().await.unwrap();
        used.touch().await.unwrap();
    }
    world.clock.advance(5 * 60);
    assert!(polled.access_token().await.is_err());
    for _ in 0..45 {
        used.access_token().await.unwrap();
        used.touch().await.unwrap();
        world.clock.advance(10 * 60);
    }
    let error = used.touch().await.unwrap_err();
    assert!(matches!(error, Error::SessionOver { reason: EndReason::TimedOut(Timeout::Absolute), .. }), "{error}");
}

/// F-90, D-04: a restart makes no session younger, and is no sign of the person.
#[tokio::test]
async fn restart_makes_no_session_younger() {
    let world = World::new(None).await;
    let (_, session) = world.login_with(SessionPolicy::standard()).await;
    let key = session.key().clone();
    world.clock.advance(20 * 60);
    session.touch().await.unwrap();
    drop(session);
    world.clock.advance(29 * 60);
    let restored = world.with_policy(SessionPolicy::standard()).restore(&key).await.unwrap().unwrap();
    assert_eq!(restored.patient().unwrap(), "p1001", "touched 29 minutes ago");
    assert_eq!(restored.idle_remaining().unwrap(), Duration::from_secs(60));
    drop(restored);
    world.clock.advance(60);
    let restored = world.with_policy(SessionPolicy::standard()).restore(&key).await.unwrap().unwrap();
    assert!(matches!(restored.access_token().await, Err(Error::SessionOver { .. })));
    assert_eq!(world.records().await, 0);
}

/// F-86, F-91: a sign of the person at one process counts at the others.
#[tokio::test]
async fn the_person_is_seen_by_all_processes() {
    let world = World::new(None).await;
    let (_, here) = world.login_with(SessionPolicy::standard()).await;
    let there = world.with_policy(SessionPolicy::standard()).restore(here.key()).await.unwrap().unwrap();
    for _ in 0..4 {
        world.clock.advance(20 * 60);
        here.touch().await.unwrap();
    }
    assert_eq!(world.fhir_status(&there, "Patient/p1001").await, 200);
    world.clock.advance(31 * 60);
    assert!(there.access_token().await.is_err());
}

/// F-86 (SMART, App protection): a locked session shows and gives out nothing, in no process, until it is unlocked.
#[tokio::test]
async fn locked_session_gives_out_nothing() {
    let world = World::new(None).await;
    let (_, session) = world.login_with(SessionPolicy::standard()).await;
    session.lock().await.unwrap();
    assert!(session.is_locked());
    for error in [
        session.access_token().await.unwrap_err(),
        session.refresh().await.unwrap_err(),
        session.touch().await.unwrap_err(),
        session.context().unwrap_err(),
        session.user().unwrap_err(),
    ] {
        assert!(matches!(error, Error::SessionLocked { .. }) && !error.needs_reauthorization(), "{error}");
    }
    let other = world.with_policy(SessionPolicy::standard()).restore(session.key()).await.unwrap().unwrap();
    assert!(matches!(other.access_token().await, Err(Error::SessionLocked { .. })));
    world.clock.advance(5);
    other.unlock().await.unwrap();
    assert_eq!(world.fhir_status(&other, "Patient/p1001").await, 200);
    session.unlock().await.unwrap();
    assert_eq!(world.fhir_status(&session, "Patient/p1001").await, 200);
}

/// F-86: a policy may lock in place of ending; the absolute limit ends a locked session too.
#[tokio::test]
async fn idle_session_may_be_locked_and_ends_at_its_limit() {
    let world = World::new(None).await;
    let (_, session) = world.login_with(SessionPolicy::standard().locking()).await;
    world.clock.advance(31 * 60);
    assert!(matches!(session.access_token().await, Err(Error::SessionLocked { .. })));
    assert_eq!(world.records().await, 1, "its tokens stay");
    session.unlock().await.unwrap();
    assert_eq!(world.fhir_status(&session, "Patient/p1001").await, 200);
    world.clock.advance(31 * 60);
    assert!(matches!(session.access_token().await, Err(Error::SessionLocked { .. })));
    world.clock.advance(7 * 3600);
    let over = session.unlock().await.unwrap_err();
    assert!(matches!(over, Error::SessionOver { reason: EndReason::TimedOut(Timeout::Absolute), .. }), "{over}");
    assert_eq!(world.records().await, 0);
}

/// A timer that goes by the moved clock: each sleep looks again soon.
struct Soon(Arc<crate::world::Moved>);

impl Timer for Soon {
    fn sleep(&self, _: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(Duration::from_millis(5)))
    }

    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

async fn next(events: &mut smart_flows::Events) -> SessionEvent {
    tokio::time::timeout(Duration::from_secs(10), events.next()).await.expect("an event in time").expect("an event")
}

/// F-88 (session warnings): a watched session warns once a step, ahead of each limit, and ends on time by itself.
#[tokio::test]
async fn watched_session_warns_once_and_ends() {
    let world = World::new(None).await;
    let http = HttpClient::with_timer(HyperTransport::new(), Soon(world.clock.clone()));
    let client = world.builder(World::app()).http(http).session_policy(SessionPolicy::standard()).build();
    let session = world.login_of(&client, Person::default()).await.unwrap();
    let mut events = session.events();
    let _watch = session.watch();
    world.clock.advance(26 * 60);
    let remaining = Duration::from_secs(4 * 60);
    assert_eq!(next(&mut events).await, SessionEvent::IdleWarning { remaining });
    session.touch().await.unwrap();
    tokio::time::sleep(Duration::from_millis(60)).await;
    world.clock.advance(27 * 60);
    let remaining = Duration::from_secs(3 * 60);
    assert_eq!(next(&mut events).await, SessionEvent::IdleWarning { remaining }, "one warning for each step");
    tokio::time::sleep(Duration::from_millis(60)).await;
    world.clock.advance(3 * 60);
    assert_eq!(next(&mut events).await, SessionEvent::Over(EndReason::TimedOut(Timeout::Idle)));
    assert!(matches!(session.access_token().await, Err(Error::SessionOver { .. })));
    assert_eq!(world.sandbox.counts().token, 1, "watching alone renews nothing");
}

/// F-66, RF-10: a watched session renews its token before anybody asks, and says so; that is no sign of the person.
#[tokio::test]
async fn watched_session_renews_by_itself() {
    let world = World::new(None).await;
    let http = HttpClient::with_timer(HyperTransport::new(), Soon(world.clock.clone()));
    let client = world.builder(World::app()).http(http).session_policy(SessionPolicy::standard()).build();
    let session = world.login_of(&client, Person::default()).await.unwrap();
    let before = session.idle_remaining().unwrap();
    let mut events = session.events();
    let watch = session.watch_and_renew();
    world.clock.advance(250);
    assert!(matches!(next(&mut events).await, SessionEvent::Renewed { expires_at: Some(_) }));
    assert_eq!(world.sandbox.counts().token, 2);
    assert_eq!(session.idle_remaining().unwrap() + Duration::from_secs(250), before);
    drop(watch);
    world.clock.advance(250);
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(world.sandbox.counts().token, 2, "a watch that was dropped does nothing");
}

/// F-66, RF-11: a session without a refresh token says ahead of its end that a login is needed.
#[tokio::test]
async fn session_that_cannot_renew_tells_of_its_end() {
    let world = World::new(None).await;
    let http = HttpClient::with_timer(HyperTransport::new(), Soon(world.clock.clone()));
    let app = smart_flows::App::public("demo-app").scopes("launch/patient patient/*.rs").unwrap();
    let client = world.builder(app).http(http).build();
    let session = world.login_of(&client, Person::default()).await.unwrap();
    assert!(!session.can_refresh());
    let expires_at = session.expires_at().unwrap().unwrap();
    let mut events = session.events();
    let _watch = session.watch();
    world.clock.advance(270);
    assert_eq!(next(&mut events).await, SessionEvent::Expiring { expires_at });
    assert_eq!(world.fhir_status(&session, "Patient/p1001").await, 200, "it is still good");
    world.clock.advance(40);
    assert_eq!(next(&mut events).await, SessionEvent::Expired);
    let error = session.access_token().await.unwrap_err();
    assert!(matches!(error, Error::Expired { .. }) && error.needs_reauthorization(), "{error}");
}

/// RF-14 (SMART, refresh scopes): when the EHR's session ends with its `online_access` grant, a new launch is asked for.
#[tokio::test]
async fn end_of_an_online_grant_asks_for_a_launch() {
    let world = World::new(None).await;
    let scopes = "launch openid fhirUser online_access patient/*.rs";
    let client = world.client_of(smart_flows::App::public("demo-app").scopes(scopes).unwrap());
    let session = world.ehr_launch(&client, "p1003").await.unwrap();
    assert!(session.can_refresh());
    world.sandbox.sign_everybody_out();
    world.clock.advance(400);
    let error = session.access_token().await.unwrap_err();
    assert!(error.needs_reauthorization());
    assert_eq!(session.end_reason(), Some(EndReason::EhrSessionEnded));
    let over = session.access_token().await.unwrap_err();
    assert!(over.to_string().contains("launch again"), "{over}");
}

/// F-72: events come as a stream too; who is too slow is told how many were missed.
#[tokio::test]
async fn slow_reader_is_told_what_it_missed() {
    let world = World::new(None).await;
    let (_, session) = world.login_with(SessionPolicy::none()).await;
    let events = session.events();
    for _ in 0..10 {
        session.lock().await.unwrap();
        session.unlock().await.unwrap();
    }
    session.logout().await;
    let key = session.key().clone();
    drop(session);
    drop(key);
    let all: Vec<SessionEvent> = events.into_stream().collect().await;
    assert_eq!(all.first(), Some(&SessionEvent::Missed { count: 5 }));
    assert_eq!(all.last(), Some(&SessionEvent::Over(EndReason::LoggedOut)));
    assert_eq!(all.len(), 17);
}

//! Locks of a session that several processes have, and what may not get round them.

use crate::world::World;
use smart_flows::{EndReason, Error, Session, SessionPolicy, Timeout};
use smart_sandbox::browser::Person;
use smart_store::testing::{Fault, FaultyStore, Gate, Operation};
use std::sync::Arc;
use std::time::Duration;

impl World {
    async fn stored(&self, session: &Session) -> Session {
        let client = self.builder(Self::app()).session_policy(SessionPolicy::standard()).build();
        client.restore(session.key()).await.unwrap().unwrap()
    }

    async fn person(&self) -> Session {
        let client = self.builder(Self::app()).session_policy(SessionPolicy::standard()).build();
        self.login_of(&client, Person::default()).await.unwrap()
    }
}

/// F-86 (SMART, App protection): what another process that does not know of the lock yet says of the person does not unlock.
#[tokio::test]
async fn sign_of_the_person_elsewhere_does_not_unlock() {
    let world = World::new(None).await;
    let here = world.person().await;
    let there = world.stored(&here).await;
    here.lock().await.unwrap();
    world.clock.advance(120);
    let _ = there.touch().await;
    assert!(world.stored(&here).await.is_locked(), "the store says that it is unlocked");
    assert!(there.is_locked());
    assert!(matches!(there.access_token().await, Err(Error::SessionLocked { .. })));
}

/// F-86: nor does a renewal of another process that was under way.
#[tokio::test]
async fn renewal_elsewhere_does_not_unlock() {
    let world = World::new(None).await;
    let here = world.person().await;
    let gate = Gate::closed();
    let store = FaultyStore::new(world.store.clone()).with_fault(Operation::Put, 1, Fault::HoldBefore(gate.clone()));
    let store = Arc::new(store);
    let client = world.builder(World::app()).store(store.clone()).session_policy(SessionPolicy::standard()).build();
    let there = client.restore(here.key()).await.unwrap().unwrap();
    let renewing = tokio::spawn({
        let there = there.clone();
        async move { there.refresh().await }
    });
    while store.calls(Operation::Put) == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    here.lock().await.unwrap();
    gate.open();
    renewing.await.unwrap().unwrap();
    assert!(world.stored(&here).await.is_locked(), "the store says that it is unlocked");
    assert!(matches!(there.access_token().await, Err(Error::SessionLocked { .. })));
    world.clock.advance(5);
    here.unlock().await.unwrap();
    assert_eq!(world.fhir_status(&here, "Patient/p1001").await, 200, "the renewed token is not lost");
}

/// F-86, D-04: to unlock what is not locked gives no more time to a session that is past its limit.
#[tokio::test]
async fn unlocking_gives_no_time_to_what_is_not_locked() {
    let world = World::new(None).await;
    let session = world.person().await;
    world.clock.advance(31 * 60);
    let over = session.unlock().await.unwrap_err();
    assert!(matches!(over, Error::SessionOver { reason: EndReason::TimedOut(Timeout::Idle), .. }), "{over}");
}

/// F-86: the server's word on a token tells whose record it opens; a locked session does not ask for it.
#[tokio::test]
async fn locked_session_is_not_introspected() {
    let world = World::new(None).await;
    let session = world.person().await;
    assert!(session.introspect().await.is_ok());
    session.lock().await.unwrap();
    for asked in [session.introspect().await.map(drop), session.introspect_refresh_token().await.map(drop)] {
        assert!(matches!(asked, Err(Error::SessionLocked { .. })));
    }
}

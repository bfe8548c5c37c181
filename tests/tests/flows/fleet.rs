//! Several servers, each with a store of its own, and one PostgreSQL.

use super::world::World;
use smart_sandbox::browser::Person;
use smart_store::{DataKey, RawKey};
use std::sync::Arc;

#[path = "../../../crates/smart-store/tests/postgres/cluster.rs"]
#[allow(dead_code, reason = "the tests of the store use all of it")]
pub(crate) mod cluster;

fn raw_key() -> RawKey {
    RawKey::new(DataKey::from_octets(&[7; 32]))
}

/// RF-05, RF-06, F-68, F-77 (RFC 9700 4.14.2): of three servers that share a PostgreSQL one renews the token at each expiry, the
/// others get what it has stored, and no rotating refresh token is presented twice; a logout on one ends it for all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fleet_renews_once() {
    let Some(cluster) = cluster::Cluster::start() else { return };
    let world = World::new(None).await;
    let server = || world.builder(World::app()).store(Arc::new(cluster.store())).build();
    let first = server();
    let session = world.login_of(&first, Person::default()).await.unwrap();
    let second = server().restore(session.key()).await.unwrap().unwrap();
    let third = server().restore(session.key()).await.unwrap().unwrap();
    for _ in 0..10 {
        world.clock.advance(400);
        let (a, b, c) = tokio::join!(session.access_token(), second.access_token(), third.access_token());
        let token = a.unwrap();
        assert!(b.unwrap() == token && c.unwrap() == token);
    }
    assert_eq!(world.sandbox.counts().token, 11);
    assert_eq!(world.fhir_status(&third, "Patient/p1001").await, 200);
    let report = second.logout().await;
    assert!(report.revoked.is_ok() && report.wiped.is_ok());
    world.clock.advance(400);
    assert!(session.access_token().await.is_err());
    assert!(server().restore(third.key()).await.unwrap().is_none());
}

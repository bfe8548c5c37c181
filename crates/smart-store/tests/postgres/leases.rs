//! Leases by the server's clock.

use super::cluster::Cluster;
use super::key;
use smart_core::time::Timestamp;
use smart_store::{Holder, LeaseOutcome, Store as _};
use std::time::{Duration, SystemTime};

fn now() -> Timestamp {
    SystemTime::now().into()
}

/// RF-05, F-68 (RFC 9700 4.14.2): a lease lasts its time by the server's clock and not longer, is prolonged for its holder
/// alone, and is told in this machine's time.
#[tokio::test]
async fn a_lease_goes_by_the_servers_clock() {
    let Some(cluster) = Cluster::start() else { return };
    let (one, two) = (cluster.store(), cluster.store());
    let (a, b) = (Holder::new("a"), Holder::new("b"));
    one.open().await.unwrap();
    two.open().await.unwrap();
    let LeaseOutcome::Held { until } = one.lease(&key("k"), &a, Duration::from_millis(1_500)).await.unwrap() else {
        panic!("it is free");
    };
    assert!((1..=2).contains(&until.since(now()).as_secs()), "{until:?}");
    let begun = std::time::Instant::now();
    assert!(matches!(two.lease(&key("k"), &b, Duration::from_secs(60)).await.unwrap(), LeaseOutcome::Taken { .. }));
    let LeaseOutcome::Held { .. } = one.lease(&key("k"), &a, Duration::from_millis(100)).await.unwrap() else {
        panic!("it is its own");
    };
    loop {
        match two.lease(&key("k"), &b, Duration::from_secs(60)).await.unwrap() {
            LeaseOutcome::Held { until } => {
                assert!((58..=60).contains(&until.since(now()).as_secs()), "{until:?}");
                break;
            }
            LeaseOutcome::Taken { until } => assert!(until <= now().saturating_add(Duration::from_secs(2))),
        }
        assert!(begun.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(begun.elapsed() > Duration::from_millis(900), "a lease of less than a second is one of a second");
    // A life of a hundred years is long enough; more does not overflow the server's times.
    assert!(matches!(one.lease(&key("l"), &a, Duration::MAX).await.unwrap(), LeaseOutcome::Held { .. }));
}

/// F-77: leases that ended long ago are removed when a store is opened, others are not.
#[tokio::test]
async fn old_leases_are_swept() {
    let Some(cluster) = Cluster::start() else { return };
    cluster.store().open().await.unwrap();
    let admin = cluster.admin().await;
    let insert = "INSERT INTO smart_store.smart_store_leases SELECT sha256(n::text::bytea), '\\x00', \
                  now() - n * interval '1 hour', now() - n * interval '59 minutes' FROM generate_series(1, 48) n";
    admin.execute(insert, &[]).await.unwrap();
    let count = async || -> i64 {
        admin.query_one("SELECT count(*) FROM smart_store.smart_store_leases", &[]).await.unwrap().get(0)
    };
    assert_eq!(count().await, 48);
    cluster.store().open().await.unwrap();
    assert_eq!(count().await, 24);
}

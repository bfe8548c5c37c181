//! The contract of all stores.

use super::cluster::Cluster;
use smart_store::contract::{self, ManualClock};
use smart_store::testing::FaultyStore;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// F-77: the PostgreSQL store passes the contract of all stores, each part in a schema of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_holds() {
    let Some(cluster) = Cluster::start() else { return };
    let count = AtomicUsize::new(0);
    contract::holds(async |clock: Arc<ManualClock>| {
        let schema = format!("part_{}", count.fetch_add(1, Ordering::SeqCst));
        Box::new(cluster.store_in(&schema).with_clock_in_place_of_the_servers(clock))
    })
    .await;
    assert_eq!(count.load(Ordering::SeqCst), 10);
}

/// F-77: and so it does behind the wrapper that tests put faults in.
#[tokio::test]
async fn the_contract_holds_behind_the_wrapper_for_faults() {
    let Some(cluster) = Cluster::start() else { return };
    let count = AtomicUsize::new(0);
    contract::holds(async |clock: Arc<ManualClock>| {
        let schema = format!("part_{}", count.fetch_add(1, Ordering::SeqCst));
        Box::new(FaultyStore::new(cluster.store_in(&schema).with_clock_in_place_of_the_servers(clock)))
    })
    .await;
}

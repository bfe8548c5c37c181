//! The contract suite against the memory store.

use smart_store::MemoryStore;
use smart_store::contract::ManualClock;
use std::future::{Ready, ready};
use std::sync::Arc;

fn memory(clock: Arc<ManualClock>) -> Ready<Box<MemoryStore>> {
    ready(Box::new(MemoryStore::with_clock(clock)))
}

// Each part on its own, so that a failure says which it is.
smart_store::store_contract!(memory);

/// F-77, F-80: the memory store passes the contract of all stores.
#[tokio::test]
async fn the_contract_holds() {
    smart_store::contract::holds(async |clock| memory(clock).await).await;
}

/// SE-05, SE-06, F-80: a record's content does not show in Debug, of the store or of the record.
#[tokio::test]
async fn content_does_not_show_in_debug() {
    use smart_store::{Expected, Key, Kind, SecretBytes, Store as _};
    let store = MemoryStore::new();
    let key = Key::new(Kind::Session, "i", "u", "1");
    store.put(&key, SecretBytes::new(b"topsecret".to_vec()), Expected::Absent).await.unwrap();
    let record = store.get(&key).await.unwrap().unwrap();
    assert!(!format!("{store:?} {record:?}").contains("topsecret"));
}

//! The contract of all stores against an app's store behind the adapter.

mod support;

use smart_ffi::{AppStore, StoreAdapter, StoreFailure};
use smart_on_fhir::store::{Expected, Filter, Key, Kind, SecretBytes, Store as _, StoreError};
use smart_store::contract::ManualClock;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use support::Blobs;

fn adapter(clock: Arc<ManualClock>) -> Ready<Box<StoreAdapter>> {
    ready(Box::new(StoreAdapter::new(Arc::new(Blobs::default()), clock)))
}

// Each part on its own, so that a failure says which it is.
smart_store::store_contract!(adapter);

/// F-77: a store that an app brings passes the contract of all stores.
#[tokio::test]
async fn the_contract_holds() {
    smart_store::contract::holds(async |clock| adapter(clock).await).await;
}

fn key(id: &str) -> Key {
    Key::new(Kind::Session, "https://ehr.example app", "smith", id)
}

/// Names that the app sees tell neither server nor user.
#[tokio::test]
async fn names_say_nothing() {
    let blobs = Arc::new(Blobs::default());
    let store = StoreAdapter::new(blobs.clone(), ManualClock::in_2027());
    store.put(&key("1"), SecretBytes::new(b"x".to_vec()), Expected::Absent).await.unwrap();
    let names: Vec<String> = blobs.blobs.lock().unwrap().keys().cloned().collect();
    let [name] = names.as_slice() else { panic!("{names:?}") };
    assert_eq!(name.len(), "session-".len() + 64);
    assert!(name.starts_with("session-") && !name.contains("smith") && !name.contains("ehr"), "{name}");
}

/// A damaged blob harms its own record alone, is told as such, and can be replaced or removed.
#[tokio::test]
async fn damage_is_told_and_can_be_replaced() {
    let blobs = Arc::new(Blobs::default());
    let store = StoreAdapter::new(blobs.clone(), ManualClock::in_2027());
    let value = || SecretBytes::new(b"x".to_vec());
    let version = store.put(&key("1"), value(), Expected::Absent).await.unwrap();
    store.put(&key("2"), value(), Expected::Absent).await.unwrap();
    let good: Vec<Vec<u8>> = blobs.blobs.lock().unwrap().values().cloned().collect();
    // Each has the other's octets: well-formed, and not what the name says.
    for (blob, other) in blobs.blobs.lock().unwrap().values_mut().zip(good.iter().rev()) {
        blob.clone_from(other);
    }
    assert!(matches!(store.get(&key("1")).await, Err(StoreError::Unreadable { .. })));
    assert!(store.list(&Filter::default()).await.unwrap().is_empty());
    let stale = store.put(&key("1"), value(), Expected::Version(version)).await;
    assert!(matches!(stale, Err(StoreError::Unreadable { .. })), "{stale:?}");
    store.put(&key("1"), value(), Expected::Absent).await.unwrap();
    assert!(store.remove(&key("2"), Expected::Any).await.unwrap());
    assert_eq!(store.list(&Filter::default()).await.unwrap(), [key("1")]);
}

/// What the app says of a failure reaches the caller; it is no sign that there is no record.
#[tokio::test]
async fn failures_are_passed_on() {
    let blobs = Arc::new(Blobs::default());
    let store = StoreAdapter::new(blobs.clone(), ManualClock::in_2027());
    blobs.is_away.store(true, Ordering::SeqCst);
    let error = store.get(&key("1")).await.unwrap_err();
    assert!(error.is_retryable() && error.to_string().contains("the device is locked"), "{error}");
}

/// What `check_store` says of stores: nothing of one that keeps its promises, and a sentence for each that another breaks.
#[tokio::test]
async fn check_finds_broken_promises() {
    let blobs = Arc::new(Blobs::default());
    blobs.blobs.lock().unwrap().insert("session-1".to_owned(), b"the app's".to_vec());
    assert_eq!(smart_ffi::check_store(blobs.clone()).await, Vec::<String>::new());
    let left: Vec<String> = blobs.blobs.lock().unwrap().keys().cloned().collect();
    assert_eq!(left, ["session-1"]);
    let said = smart_ffi::check_store(Arc::new(Careless(blobs))).await.join("; ");
    for promise in ["a wrong belief: it was created", "writers at the same time: 20 of 20", "names: one that is there"]
    {
        assert!(said.contains(promise), "{promise}: {said}");
    }
}

/// It writes without looking, and lists nothing.
struct Careless(Arc<Blobs>);

#[async_trait::async_trait]
impl AppStore for Careless {
    async fn get(&self, name: String) -> Result<Option<Vec<u8>>, StoreFailure> {
        self.0.get(name).await
    }

    async fn compare_and_swap(
        &self,
        name: String,
        _expected: Option<Vec<u8>>,
        new: Option<Vec<u8>>,
    ) -> Result<bool, StoreFailure> {
        while !self.0.compare_and_swap(name.clone(), self.0.get(name.clone()).await?, new.clone()).await? {}
        Ok(true)
    }

    async fn names(&self) -> Result<Vec<String>, StoreFailure> {
        Ok(Vec::new())
    }
}

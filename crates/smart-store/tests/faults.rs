//! The store with faults, for tests of what is built on a store.

use smart_store::testing::{Fault, FaultyStore, Gate, Operation};
use smart_store::{Expected, Filter, Holder, Key, Kind, MemoryStore, SecretBytes, Store as _, StoreError};
use std::sync::Arc;
use std::time::Duration;

fn key() -> Key {
    Key::new(Kind::Session, "https://ehr.example/r4", "dr-lee", "1")
}

fn value(text: &str) -> SecretBytes {
    SecretBytes::new(text.as_bytes().to_vec())
}

/// RF-06 (RFC 6749 6): a test can make the nth write fail before or after its effect, and only that one.
#[tokio::test]
async fn the_nth_call_fails_before_or_after_its_effect() {
    let store = FaultyStore::new(MemoryStore::new()).with_fault(Operation::Put, 2, Fault::FailBefore).with_fault(
        Operation::Put,
        3,
        Fault::FailAfter,
    );
    let first = store.put(&key(), value("1"), Expected::Absent).await.unwrap();
    let error = store.put(&key(), value("2"), Expected::Version(first)).await.unwrap_err();
    assert!(error.is_retryable() && error.to_string().contains("before"), "{error}");
    assert_eq!(store.get(&key()).await.unwrap().unwrap().value, value("1"));
    let error = store.put(&key(), value("3"), Expected::Version(first)).await.unwrap_err();
    assert!(error.is_retryable() && error.to_string().contains("after"), "{error}");
    assert_eq!(store.get(&key()).await.unwrap().unwrap().value, value("3"));
    let conflict = store.put(&key(), value("4"), Expected::Version(first)).await;
    assert!(matches!(conflict, Err(StoreError::Conflict { .. })));
    assert_eq!((store.calls(Operation::Put), store.calls(Operation::Get)), (4, 2));
}

/// RF-06 (RFC 6749 6): a store can be down for a while, for each call on its own, and come back.
#[tokio::test]
async fn a_store_breaks_down_and_is_mended() {
    let store = FaultyStore::new(MemoryStore::new());
    for operation in [Operation::Get, Operation::Remove, Operation::List, Operation::Lease, Operation::Release] {
        store.break_down(operation, Fault::FailBefore);
    }
    let holder = Holder::new("h");
    store.put(&key(), value("1"), Expected::Absent).await.unwrap();
    for _ in 0..2 {
        assert!(store.get(&key()).await.is_err());
        assert!(store.remove(&key(), Expected::Any).await.is_err());
        assert!(store.list(&Filter::default()).await.is_err());
        assert!(store.lease(&key(), &holder, Duration::from_secs(1)).await.is_err());
        assert!(store.release(&key(), &holder).await.is_err());
    }
    store.mend();
    assert_eq!(store.list(&Filter::default()).await.unwrap(), [key()]);
    assert!(store.inner().get(&key()).await.unwrap().is_some());
}

/// RF-05 (RFC 9700 4.14.2): a test can hold a call back before or after its effect, for as long as it wants.
#[tokio::test]
async fn calls_wait_at_a_gate() {
    let (before, after) = (Gate::closed(), Gate::closed());
    let store = FaultyStore::new(MemoryStore::new())
        .with_fault(Operation::Put, 1, Fault::HoldBefore(before.clone()))
        .with_fault(Operation::Put, 2, Fault::HoldAfter(after.clone()));
    let store = Arc::new(store);
    for (gate, text, seen) in [(&before, "1", None), (&after, "2", Some(value("2")))] {
        let writer = tokio::spawn({
            let (store, value) = (store.clone(), value(text));
            async move { store.put(&key(), value, Expected::Any).await }
        });
        tokio::task::yield_now().await;
        assert_eq!(store.get(&key()).await.unwrap().map(|record| record.value), seen);
        assert!(!writer.is_finished());
        gate.open();
        writer.await.unwrap().unwrap();
        assert_eq!(store.get(&key()).await.unwrap().unwrap().value, value(text));
    }
}

/// RF-05 (RFC 9700 4.14.2): a call can be slow.
#[tokio::test]
async fn calls_are_delayed() {
    let store =
        FaultyStore::new(MemoryStore::new()).with_fault(Operation::Get, 1, Fault::Delay(Duration::from_secs(3_600)));
    let wait = Duration::from_millis(5);
    assert!(tokio::time::timeout(wait, store.get(&key())).await.is_err());
    assert_eq!(store.get(&key()).await.unwrap(), None);
}

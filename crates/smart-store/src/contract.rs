//! What every backend has to do, as functions that panic when it does not.
//!
//! [`store_contract!`](crate::store_contract) makes one test of each. The backend under test starts empty and takes
//! the time from a [`ManualClock`].
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "the suite is a test: it reports by panicking"
)]

use crate::{Expected, Filter, Holder, Key, Kind, LeaseOutcome, SecretBytes, Store, StoreError};
use smart_core::time::{Clock, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// A clock that is moved by hand.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at `start`.
    pub fn at(start: Timestamp) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(start.as_unix_seconds())))
    }

    /// Moves it on.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_secs()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.0.load(Ordering::SeqCst))
    }
}

fn key(id: &str) -> Key {
    Key::new(Kind::Session, "https://ehr.example/r4", "user-1", id)
}

fn value(text: &str) -> SecretBytes {
    SecretBytes::new(text.as_bytes().to_vec())
}

/// What is put is got, and a key that was never put is absent.
pub async fn put_then_get(store: &dyn Store) {
    assert_eq!(store.get(&key("a")).await.unwrap(), None);
    let version = store.put(&key("a"), value("one"), Expected::Absent).await.unwrap();
    let record = store.get(&key("a")).await.unwrap().unwrap();
    assert_eq!((record.version, record.value.expose_secret()), (version, b"one".as_slice()));
    let big: Vec<u8> = (0..100_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    store.put(&key("big"), SecretBytes::new(big.clone()), Expected::Any).await.unwrap();
    assert_eq!(store.get(&key("big")).await.unwrap().unwrap().value.expose_secret(), big);
    store.put(&key("empty"), value(""), Expected::Any).await.unwrap();
    assert_eq!(store.get(&key("empty")).await.unwrap().unwrap().value.expose_secret(), b"");
}

/// A write with a wrong belief is a conflict and changes nothing.
pub async fn compare_and_swap(store: &dyn Store) {
    let first = store.put(&key("a"), value("one"), Expected::Absent).await.unwrap();
    let again = store.put(&key("a"), value("two"), Expected::Absent).await;
    assert!(matches!(again, Err(StoreError::Conflict { .. })), "{again:?}");
    let second = store.put(&key("a"), value("two"), Expected::Version(first)).await.unwrap();
    assert_ne!(first, second);
    let late = store.put(&key("a"), value("late"), Expected::Version(first)).await;
    assert!(matches!(late, Err(StoreError::Conflict { .. })), "{late:?}");
    let missing = store.put(&key("b"), value("x"), Expected::Version(second)).await;
    assert!(matches!(missing, Err(StoreError::Conflict { .. })), "{missing:?}");
    assert_eq!(store.get(&key("a")).await.unwrap().unwrap().value.expose_secret(), b"two");
    assert_eq!(store.get(&key("b")).await.unwrap(), None);
}

/// A version is not used again after removal, so an old belief cannot come true by accident.
pub async fn versions_are_not_reused(store: &dyn Store) {
    let first = store.put(&key("a"), value("one"), Expected::Absent).await.unwrap();
    assert!(store.remove(&key("a"), Expected::Version(first)).await.unwrap());
    let second = store.put(&key("a"), value("two"), Expected::Absent).await.unwrap();
    assert_ne!(first, second);
    assert!(store.put(&key("a"), value("late"), Expected::Version(first)).await.is_err());
}

/// Removal: once, and not on a wrong belief.
pub async fn remove_once(store: &dyn Store) {
    let version = store.put(&key("a"), value("one"), Expected::Absent).await.unwrap();
    let newer = store.put(&key("a"), value("two"), Expected::Version(version)).await.unwrap();
    assert!(matches!(store.remove(&key("a"), Expected::Version(version)).await, Err(StoreError::Conflict { .. })));
    assert!(store.remove(&key("a"), Expected::Version(newer)).await.unwrap());
    assert!(!store.remove(&key("a"), Expected::Version(newer)).await.unwrap());
    assert!(!store.remove(&key("a"), Expected::Any).await.unwrap());
    assert_eq!(store.get(&key("a")).await.unwrap(), None);
}

/// Listing goes by kind, server and user, and is sorted.
pub async fn list_by_issuer_and_user(store: &dyn Store) {
    let keys = [
        Key::new(Kind::Session, "https://a.example", "u1", "1"),
        Key::new(Kind::Session, "https://a.example", "u2", "1"),
        Key::new(Kind::Session, "https://b.example", "u1", "1"),
        Key::new(Kind::Pending, "https://a.example", "u1", "1"),
    ];
    for key in &keys {
        store.put(key, value("x"), Expected::Absent).await.unwrap();
    }
    let all = store.list(&Filter::default()).await.unwrap();
    assert_eq!(all.iter().collect::<BTreeSet<_>>(), keys.iter().collect());
    assert!(all.is_sorted());
    let by = |kind, issuer: Option<&str>, user: Option<&str>| Filter {
        kind,
        issuer: issuer.map(str::to_owned),
        user: user.map(str::to_owned),
    };
    assert_eq!(store.list(&by(Some(Kind::Session), Some("https://a.example"), None)).await.unwrap(), keys[..2]);
    assert_eq!(store.list(&by(Some(Kind::Session), None, Some("u1"))).await.unwrap().len(), 2);
    assert!(store.list(&by(None, Some("https://a.example/"), None)).await.unwrap().is_empty());
}

/// Keys whose parts join to the same text are still different keys.
pub async fn keys_do_not_collide(store: &dyn Store) {
    let pairs = [
        ("ab", "c", "d"),
        ("a", "bc", "d"),
        ("a", "b", "cd"),
        ("a/b", "c", "d"),
        ("a", "b/c", "d"),
        ("a", "", "b"),
        ("", "a", "b"),
    ];
    for (n, (issuer, user, id)) in pairs.iter().enumerate() {
        store
            .put(&Key::new(Kind::Session, *issuer, *user, *id), value(&n.to_string()), Expected::Absent)
            .await
            .unwrap();
    }
    for (n, (issuer, user, id)) in pairs.iter().enumerate() {
        let record = store.get(&Key::new(Kind::Session, *issuer, *user, *id)).await.unwrap().unwrap();
        assert_eq!(record.value.expose_secret(), n.to_string().as_bytes());
    }
}

/// Of many writers with the same belief exactly one succeeds; of many removers likewise.
pub async fn one_of_many_wins(store: &dyn Store) {
    let first = store.put(&key("a"), value("0"), Expected::Absent).await.unwrap();
    let (mut writes, mut removals) = (0, 0);
    for n in 0..20 {
        writes += usize::from(store.put(&key("a"), value(&n.to_string()), Expected::Version(first)).await.is_ok());
    }
    let now = store.get(&key("a")).await.unwrap().unwrap().version;
    for _ in 0..20 {
        removals += usize::from(store.remove(&key("a"), Expected::Version(now)).await.is_ok_and(|removed| removed));
    }
    assert_eq!((writes, removals), (1, 1));
}

/// A lease is one holder's until it ends or is given back, and prolonged for its holder.
pub async fn leases(store: &dyn Store, clock: &ManualClock) {
    let (a, b) = (Holder::new("a"), Holder::new("b"));
    let ten = Duration::from_secs(10);
    let now = clock.now();
    assert_eq!(store.lease(&key("k"), &a, ten).await.unwrap(), LeaseOutcome::Held { until: now.saturating_add(ten) });
    assert_eq!(store.lease(&key("k"), &b, ten).await.unwrap(), LeaseOutcome::Taken { until: now.saturating_add(ten) });
    assert!(matches!(store.lease(&key("other"), &b, ten).await.unwrap(), LeaseOutcome::Held { .. }));
    clock.advance(Duration::from_secs(9));
    assert!(matches!(store.lease(&key("k"), &a, ten).await.unwrap(), LeaseOutcome::Held { .. }));
    clock.advance(Duration::from_secs(9));
    assert!(matches!(store.lease(&key("k"), &b, ten).await.unwrap(), LeaseOutcome::Taken { .. }));
    clock.advance(Duration::from_secs(1));
    assert!(matches!(store.lease(&key("k"), &b, ten).await.unwrap(), LeaseOutcome::Held { .. }));
    store.release(&key("k"), &a).await.unwrap();
    assert!(matches!(store.lease(&key("k"), &a, ten).await.unwrap(), LeaseOutcome::Taken { .. }));
    store.release(&key("k"), &b).await.unwrap();
    assert!(matches!(store.lease(&key("k"), &a, ten).await.unwrap(), LeaseOutcome::Held { .. }));
}

/// Makes a test of each function of [`contract`](crate::contract) for a backend. `$make` is a function from
/// `Arc<ManualClock>` to a future of a store.
#[macro_export]
macro_rules! store_contract {
    ($make:path) => {
        $crate::store_contract!(@each $make,
            put_then_get compare_and_swap versions_are_not_reused remove_once list_by_issuer_and_user
            keys_do_not_collide one_of_many_wins);

        #[tokio::test]
        async fn leases() {
            let clock = $crate::contract::ManualClock::at(smart_core::time::Timestamp::from_unix_seconds(1_800_000_000));
            let store = $make(clock.clone()).await;
            $crate::contract::leases(&store, &clock).await;
        }
    };
    (@each $make:path, $($name:ident)+) => {$(
        #[tokio::test]
        async fn $name() {
            let clock = $crate::contract::ManualClock::at(smart_core::time::Timestamp::from_unix_seconds(1_800_000_000));
            let store = $make(clock).await;
            $crate::contract::$name(&store).await;
        }
    )+};
}

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

use crate::{Expected, Filter, Holder, Key, Kind, LeaseOutcome, SecretBytes, Store, StoreError, Version};
use smart_core::time::{Clock, Timestamp};
use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::Poll;
use std::time::Duration;

/// A clock that is moved by hand.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at `start`.
    pub fn at(start: Timestamp) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(start.as_unix_seconds())))
    }

    /// A clock that stands early in the year 2027.
    pub fn in_2027() -> Arc<Self> {
        Self::at(Timestamp::from_unix_seconds(1_800_000_000))
    }

    /// Moves it on.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_secs()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }

    /// Sets it back, as a machine's clock is when it was wrong.
    pub fn set_back(&self, by: Duration) {
        self.0.fetch_sub(i64::try_from(by.as_secs()).unwrap_or(i64::MAX), Ordering::SeqCst);
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
        Key::new(Kind::App, "https://a.example", "u1", "1"),
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

/// Of many writers at once with the same belief exactly one succeeds; of many removers likewise.
pub async fn one_of_many_wins(store: &dyn Store) {
    let key = key("a");
    let first = store.put(&key, value("0"), Expected::Absent).await.unwrap();
    let writes = (0..20).map(|n| store.put(&key, value(&n.to_string()), Expected::Version(first)));
    let written: Vec<Version> = all_at_once(writes).await.into_iter().filter_map(only_conflicts).collect();
    let now = store.get(&key).await.unwrap().unwrap().version;
    assert_eq!(written, [now]);
    let removals = all_at_once((0..20).map(|_| store.remove(&key, Expected::Version(now)))).await;
    assert_eq!(removals.into_iter().filter_map(only_conflicts).filter(|removed| *removed).count(), 1);
}

/// Of many who ask for a lease at once exactly one gets it.
pub async fn one_lease_of_many(store: &dyn Store) {
    let holders: Vec<Holder> = (0..20).map(|n| Holder::new(n.to_string())).collect();
    let key = key("k");
    let asked = all_at_once(holders.iter().map(|holder| store.lease(&key, holder, Duration::from_secs(60)))).await;
    assert_eq!(asked.into_iter().filter(|got| matches!(got, Ok(LeaseOutcome::Held { .. }))).count(), 1);
}

fn only_conflicts<T>(result: Result<T, StoreError>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(StoreError::Conflict { .. }) => None,
        Err(other) => panic!("{other}"),
    }
}

/// Polls all until all are done, in the order given.
async fn all_at_once<T>(futures: impl Iterator<Item = crate::BoxFuture<'_, T>>) -> Vec<T> {
    let mut running: Vec<_> = futures.map(|future| (Some(future), None)).collect();
    poll_fn(move |context| {
        for (future, output) in &mut running {
            if let Some(Poll::Ready(value)) = future.as_mut().map(|future| Pin::new(future).poll(context)) {
                (*future, *output) = (None, Some(value));
            }
        }
        if running.iter().any(|(future, _)| future.is_some()) {
            return Poll::Pending;
        }
        Poll::Ready(running.iter_mut().filter_map(|(_, output)| output.take()).collect())
    })
    .await
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

/// A lease shorter than a second is still one, and a clock that is set back does not make one last for ever.
pub async fn leases_by_odd_clocks(store: &dyn Store, clock: &ManualClock) {
    let (a, b) = (Holder::new("a"), Holder::new("b"));
    assert!(matches!(
        store.lease(&key("k"), &a, Duration::from_millis(1)).await.unwrap(),
        LeaseOutcome::Held { until } if until > clock.now()
    ));
    assert!(matches!(store.lease(&key("k"), &b, Duration::from_secs(9)).await.unwrap(), LeaseOutcome::Taken { .. }));
    clock.advance(Duration::from_secs(1));
    assert!(matches!(store.lease(&key("k"), &b, Duration::from_secs(9)).await.unwrap(), LeaseOutcome::Held { .. }));
    clock.set_back(Duration::from_secs(3_600));
    let until = clock.now().saturating_add(Duration::from_secs(9));
    for _ in 0..2 {
        let asked = store.lease(&key("k"), &a, Duration::from_secs(9)).await.unwrap();
        assert_eq!(asked, LeaseOutcome::Taken { until });
    }
    clock.advance(Duration::from_secs(9));
    assert!(matches!(store.lease(&key("k"), &a, Duration::from_secs(9)).await.unwrap(), LeaseOutcome::Held { .. }));
}

/// The whole contract, for a test that is to carry a requirement's id: each function with a store of its own from `make`.
/// What a failure is about is in its backtrace; [`store_contract!`](crate::store_contract) makes a test of each.
pub async fn holds<P>(make: impl AsyncFn(Arc<ManualClock>) -> P)
where
    P: std::ops::Deref<Target: Store + Sized>,
{
    let clock = ManualClock::in_2027;
    put_then_get(&*make(clock()).await).await;
    compare_and_swap(&*make(clock()).await).await;
    versions_are_not_reused(&*make(clock()).await).await;
    remove_once(&*make(clock()).await).await;
    list_by_issuer_and_user(&*make(clock()).await).await;
    keys_do_not_collide(&*make(clock()).await).await;
    one_of_many_wins(&*make(clock()).await).await;
    one_lease_of_many(&*make(clock()).await).await;
    for timed in 0..2 {
        let clock = clock();
        let store = make(clock.clone()).await;
        if timed == 0 { leases(&*store, &clock).await } else { leases_by_odd_clocks(&*store, &clock).await }
    }
}

/// Makes a test of each function of [`contract`](crate::contract) for a backend. `$make` is a function from
/// `Arc<ManualClock>` to a future of a box of a store, or of anything else that dereferences to one.
#[macro_export]
macro_rules! store_contract {
    ($make:path) => {
        $crate::store_contract!(@each $make,
            put_then_get compare_and_swap versions_are_not_reused remove_once list_by_issuer_and_user
            keys_do_not_collide one_of_many_wins one_lease_of_many);
        $crate::store_contract!(@timed $make, leases leases_by_odd_clocks);
    };
    (@each $make:path, $($name:ident)+) => {$(
        #[tokio::test]
        async fn $name() {
            let store = $make($crate::contract::ManualClock::in_2027()).await;
            $crate::contract::$name(&*store).await;
        }
    )+};
    (@timed $make:path, $($name:ident)+) => {$(
        #[tokio::test]
        async fn $name() {
            let clock = $crate::contract::ManualClock::in_2027();
            let store = $make(clock.clone()).await;
            $crate::contract::$name(&*store, &clock).await;
        }
    )+};
}

//! Records in this process's memory: gone with it.

use crate::clock::SystemClock;
use crate::error::StoreError;
use crate::key::{Filter, Key};
use crate::lease::{Holder, Lease, LeaseOutcome};
use crate::record::{Expected, Record, SecretBytes, Version};
use crate::store::{BoxFuture, Store};
use smart_core::time::Clock;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Keeps records in memory. For tests, for servers whose sessions may end with them, and for pending logins of a
/// single process.
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    records: BTreeMap<Key, Record>,
    leases: BTreeMap<Key, Lease<Holder>>,
    last_version: u64,
}

impl MemoryStore {
    /// An empty store that takes the time from the system.
    pub fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock))
    }

    /// An empty store whose leases go by `clock`.
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self { clock, inner: Mutex::default() }
    }

    // A panic elsewhere cannot leave the maps half-changed: each change is one insertion or removal.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put_now(&self, key: &Key, value: SecretBytes, expected: Expected) -> Result<Version, StoreError> {
        let mut inner = self.inner();
        if !expected.holds_for(inner.records.get(key).map(|r| r.version)) {
            return Err(StoreError::Conflict { key: key.to_string() });
        }
        inner.last_version += 1;
        let version = Version::from_number(inner.last_version);
        inner.records.insert(key.clone(), Record { version, value });
        Ok(version)
    }

    fn remove_now(&self, key: &Key, expected: Expected) -> Result<bool, StoreError> {
        let mut inner = self.inner();
        match (inner.records.get(key).map(|r| r.version), expected) {
            (None, _) => Ok(false),
            (stored, expected) if !expected.holds_for(stored) => Err(StoreError::Conflict { key: key.to_string() }),
            _ => Ok(inner.records.remove(key).is_some()),
        }
    }

    fn lease_now(&self, key: &Key, holder: &Holder, duration: Duration) -> LeaseOutcome {
        let now = self.clock.now();
        let mut inner = self.inner();
        let (outcome, store) = Lease::ask(inner.leases.get(key).cloned(), holder.clone(), now, duration);
        if let Some(lease) = store {
            inner.leases.insert(key.clone(), lease);
        }
        outcome
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryStore").field("records", &self.inner().records.len()).finish_non_exhaustive()
    }
}

impl Store for MemoryStore {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(async move { Ok(self.inner().records.get(key).cloned()) })
    }

    fn put<'a>(
        &'a self,
        key: &'a Key,
        value: SecretBytes,
        expected: Expected,
    ) -> BoxFuture<'a, Result<Version, StoreError>> {
        Box::pin(async move { self.put_now(key, value, expected) })
    }

    fn remove<'a>(&'a self, key: &'a Key, expected: Expected) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move { self.remove_now(key, expected) })
    }

    fn list<'a>(&'a self, filter: &'a Filter) -> BoxFuture<'a, Result<Vec<Key>, StoreError>> {
        Box::pin(async move { Ok(self.inner().records.keys().filter(|key| filter.matches(key)).cloned().collect()) })
    }

    fn lease<'a>(
        &'a self,
        key: &'a Key,
        holder: &'a Holder,
        duration: Duration,
    ) -> BoxFuture<'a, Result<LeaseOutcome, StoreError>> {
        Box::pin(async move { Ok(self.lease_now(key, holder, duration)) })
    }

    fn backend(&self) -> &'static str {
        "memory"
    }

    fn release<'a>(&'a self, key: &'a Key, holder: &'a Holder) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let mut inner = self.inner();
            if inner.leases.get(key).is_some_and(|lease| lease.holder == *holder) {
                inner.leases.remove(key);
            }
            Ok(())
        })
    }
}

//! For tests of what is built on a store: a store whose calls fail or wait, and stops between the steps of a write.

use crate::error::StoreError;
use crate::key::{Filter, Key};
use crate::lease::{Holder, LeaseOutcome};
use crate::record::{Expected, Record, SecretBytes, Version};
use crate::store::{BoxFuture, Store};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

#[cfg(feature = "file")]
pub use crate::file::disk::DiskStep;

#[cfg(feature = "file")]
impl crate::EncryptedFileStore {
    /// The same store with `hook` called before each thing that is done to the disk for a record or a lease. An error is
    /// that of the disk; to end the process there is to be killed there.
    pub fn with_disk_hook(self, hook: impl Fn(DiskStep) -> std::io::Result<()> + Send + Sync + 'static) -> Self {
        self.with_hook(Arc::new(hook))
    }
}

#[cfg(feature = "postgres")]
pub use crate::postgres::StatementStep;

#[cfg(feature = "postgres")]
impl crate::PostgresStore {
    /// The same store with leases by `clock` in place of the server's. For the contract of all stores.
    pub fn with_clock_in_place_of_the_servers(self, clock: Arc<dyn smart_core::time::Clock>) -> Self {
        self.with_clock_of_a_test(clock)
    }

    /// The same store with `hook` called before and after each statement, with what the statement is for. To end the
    /// process there is to be killed there. For a store that has not been used yet.
    pub fn with_statement_hook(self, hook: impl Fn(StatementStep, &'static str) + Send + Sync + 'static) -> Self {
        self.with_hook(Arc::new(hook))
    }
}

/// Which call of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// [`Store::get`].
    Get,
    /// [`Store::put`].
    Put,
    /// [`Store::remove`].
    Remove,
    /// [`Store::list`].
    List,
    /// [`Store::lease`].
    Lease,
    /// [`Store::release`].
    Release,
}

/// What happens to a call.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It fails and has no effect.
    FailBefore,
    /// It has its effect and yet fails: the answer got lost.
    FailAfter,
    /// It waits before it has its effect. With tokio's paused clock that takes no time.
    Delay(Duration),
    /// It waits before it has its effect, until the gate is opened.
    HoldBefore(Gate),
    /// It waits after it has had its effect, until the gate is opened.
    HoldAfter(Gate),
}

/// Holds calls back until it is opened.
#[derive(Debug, Clone)]
pub struct Gate(Arc<Semaphore>);

impl Gate {
    /// A closed gate.
    pub fn closed() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    /// Opens it for good.
    pub fn open(&self) {
        self.0.close();
    }

    async fn pass(&self) {
        // The semaphore has no permits: the wait ends when it is closed, with an error that means "open".
        let _ = self.0.acquire().await;
    }
}

/// A store that does what another does, except for the faults that a test puts in.
///
/// ```
/// use smart_store::testing::{Fault, FaultyStore, Operation};
/// use smart_store::{Expected, Key, Kind, MemoryStore, SecretBytes, Store};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let store = FaultyStore::new(MemoryStore::new()).with_fault(Operation::Put, 2, Fault::FailAfter);
/// let key = Key::new(Kind::Session, "https://ehr.example/r4", "dr-lee", "1");
/// let first = store.put(&key, SecretBytes::new(b"one".to_vec()), Expected::Absent).await.unwrap();
/// assert!(store.put(&key, SecretBytes::new(b"two".to_vec()), Expected::Version(first)).await.is_err());
/// assert_eq!(store.get(&key).await.unwrap().unwrap().value.expose_secret(), b"two");
/// # }
/// ```
pub struct FaultyStore<S> {
    inner: S,
    plan: Mutex<Plan>,
}

#[derive(Default)]
struct Plan {
    calls: HashMap<Operation, u64>,
    faults: HashMap<(Operation, u64), Fault>,
    always: HashMap<Operation, Fault>,
}

impl<S: Store> FaultyStore<S> {
    /// A store without faults yet.
    pub fn new(inner: S) -> Self {
        Self { inner, plan: Mutex::default() }
    }

    /// The same with a fault at the `nth` call of this kind, counted from 1.
    pub fn with_fault(self, operation: Operation, nth: u64, fault: Fault) -> Self {
        self.plan().faults.insert((operation, nth), fault);
        self
    }

    /// From now on, until [`mend`](Self::mend), every call of this kind has this fault.
    pub fn break_down(&self, operation: Operation, fault: Fault) {
        self.plan().always.insert(operation, fault);
    }

    /// Takes all faults out.
    pub fn mend(&self) {
        let mut plan = self.plan();
        plan.faults.clear();
        plan.always.clear();
    }

    /// How many calls of this kind have begun.
    pub fn calls(&self, operation: Operation) -> u64 {
        self.plan().calls.get(&operation).copied().unwrap_or(0)
    }

    /// The store behind it, which has no faults.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, operation: Operation) -> Option<Fault> {
        let mut plan = self.plan();
        let calls = plan.calls.entry(operation).or_insert(0);
        *calls = calls.saturating_add(1);
        let nth = *calls;
        plan.faults.remove(&(operation, nth)).or_else(|| plan.always.get(&operation).cloned())
    }

    async fn call<T>(
        &self,
        operation: Operation,
        effect: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let failed = |when: &str| StoreError::Unavailable {
            place: "a store with faults".to_owned(),
            reason: format!("a test made {operation:?} fail {when} its effect"),
            retryable: true,
        };
        match self.begin(operation) {
            None => effect.await,
            Some(Fault::FailBefore) => Err(failed("before")),
            Some(Fault::FailAfter) => effect.await.and_then(|_| Err(failed("after"))),
            Some(Fault::Delay(time)) => {
                tokio::time::sleep(time).await;
                effect.await
            }
            Some(Fault::HoldBefore(gate)) => {
                gate.pass().await;
                effect.await
            }
            Some(Fault::HoldAfter(gate)) => {
                let done = effect.await;
                gate.pass().await;
                done
            }
        }
    }
}

impl<S: Store> Store for FaultyStore<S> {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(self.call(Operation::Get, self.inner.get(key)))
    }

    fn put<'a>(
        &'a self,
        key: &'a Key,
        value: SecretBytes,
        expected: Expected,
    ) -> BoxFuture<'a, Result<Version, StoreError>> {
        Box::pin(self.call(Operation::Put, self.inner.put(key, value, expected)))
    }

    fn remove<'a>(&'a self, key: &'a Key, expected: Expected) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.call(Operation::Remove, self.inner.remove(key, expected)))
    }

    fn list<'a>(&'a self, filter: &'a Filter) -> BoxFuture<'a, Result<Vec<Key>, StoreError>> {
        Box::pin(self.call(Operation::List, self.inner.list(filter)))
    }

    fn lease<'a>(
        &'a self,
        key: &'a Key,
        holder: &'a Holder,
        duration: Duration,
    ) -> BoxFuture<'a, Result<LeaseOutcome, StoreError>> {
        Box::pin(self.call(Operation::Lease, self.inner.lease(key, holder, duration)))
    }

    fn backend(&self) -> &'static str {
        self.inner.backend()
    }

    fn release<'a>(&'a self, key: &'a Key, holder: &'a Holder) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.call(Operation::Release, self.inner.release(key, holder)))
    }
}

impl<S: std::fmt::Debug> std::fmt::Debug for FaultyStore<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FaultyStore").field("inner", &self.inner).finish_non_exhaustive()
    }
}

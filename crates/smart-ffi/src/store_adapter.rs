//! The app's store as one of the library's.

use crate::app_store::{AppStore, StoreFailure};
use crate::envelope::{lease_name, may_be_of_kind, open, record_name, seal};
use crate::lease::Lease;
use ring::rand::SecureRandom as _;
use smart_on_fhir::core::time::Clock;
use smart_on_fhir::store::{
    BoxFuture, Expected, Filter, Holder, Key, LeaseOutcome, Record, SecretBytes, Store, StoreError, Version,
};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// What errors call the app's store.
const PLACE: &str = "the app's own place";
/// How long a call may take.
const LIMIT: Duration = Duration::from_secs(30);
/// How often a write begins anew since another one came before it.
const TRIES: usize = 64;

/// An [`AppStore`] as a [`Store`]: records and leases as blobs.
#[derive(Clone)]
pub struct StoreAdapter {
    app: Arc<dyn AppStore>,
    clock: Arc<dyn Clock>,
    random: ring::rand::SystemRandom,
}

/// What lies under a name.
enum Found {
    Nothing,
    Record(Record),
    Damaged,
}

impl StoreAdapter {
    /// The app's store, with leases by `clock`.
    pub fn new(app: Arc<dyn AppStore>, clock: Arc<dyn Clock>) -> Self {
        Self { app, clock, random: ring::rand::SystemRandom::new() }
    }

    /// A number that was not there before, drawn out of 2^64: the app's store counts nothing.
    fn number(&self) -> Result<u64, StoreError> {
        let mut octets = [0; 8];
        self.random.fill(&mut octets).map_err(|_| unavailable("there is no randomness".to_owned(), true))?;
        Ok(u64::from_le_bytes(octets))
    }

    async fn blob(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let (app, name) = (self.app.clone(), name.to_owned());
        waited_for(async move { app.get(name).await }).await
    }

    async fn swap(&self, name: &str, expected: Option<Vec<u8>>, new: Option<Vec<u8>>) -> Result<bool, StoreError> {
        let (app, name) = (self.app.clone(), name.to_owned());
        waited_for(async move { app.compare_and_swap(name, expected, new).await }).await
    }

    async fn put_record(&self, key: &Key, value: &SecretBytes, expected: Expected) -> Result<Version, StoreError> {
        let name = record_name(key);
        for _ in 0..TRIES {
            let blob = self.blob(&name).await?;
            match (found(key, blob.as_deref()), expected) {
                (Found::Damaged, Expected::Version(_)) => return Err(unreadable(key)),
                (Found::Damaged, Expected::Absent | Expected::Any) => {}
                (found, _) if !expected.holds_for(found.version()) => {
                    return Err(StoreError::Conflict { key: key.to_string() });
                }
                _ => {}
            }
            let version = Version::from_number(self.number()?);
            let new = seal(key, version, value).ok_or_else(|| unavailable("its key is too long".to_owned(), false))?;
            if self.swap(&name, blob, Some(new)).await? {
                return Ok(version);
            }
        }
        Err(contended())
    }

    async fn remove_record(&self, key: &Key, expected: Expected) -> Result<bool, StoreError> {
        let name = record_name(key);
        for _ in 0..TRIES {
            let Some(blob) = self.blob(&name).await? else { return Ok(false) };
            match (found(key, Some(&blob)), expected) {
                (Found::Nothing, _) => return Ok(false),
                (Found::Damaged, Expected::Version(_) | Expected::Absent) => return Err(unreadable(key)),
                (found @ Found::Record(_), _) if !expected.holds_for(found.version()) => {
                    return Err(StoreError::Conflict { key: key.to_string() });
                }
                _ => {}
            }
            if self.swap(&name, Some(blob), None).await? {
                return Ok(true);
            }
        }
        Err(contended())
    }

    async fn keys(&self, filter: &Filter) -> Result<Vec<Key>, StoreError> {
        let app = self.app.clone();
        let names = waited_for(async move { app.names().await }).await?;
        let mut keys = Vec::new();
        for name in names.iter().filter(|name| may_be_of_kind(name, filter.kind)) {
            let Some(blob) = self.blob(name).await? else { continue };
            // A record under another's name is nobody's.
            if let Some((key, _)) = open(&blob).filter(|(key, _)| record_name(key) == **name)
                && filter.matches(&key)
            {
                keys.push(key);
            }
        }
        keys.sort();
        keys.dedup();
        Ok(keys)
    }

    async fn ask_lease(&self, key: &Key, holder: &Holder, duration: Duration) -> Result<LeaseOutcome, StoreError> {
        let name = lease_name(key);
        for _ in 0..TRIES {
            let blob = self.blob(&name).await?;
            let stored = blob.as_deref().and_then(Lease::read);
            let (outcome, lease) = Lease::ask(stored, holder, self.clock.now(), duration, self.number()?);
            let Some(lease) = lease else { return Ok(outcome) };
            if self.swap(&name, blob, lease.to_blob()).await? {
                return Ok(outcome);
            }
        }
        Err(contended())
    }

    async fn end_lease(&self, key: &Key, holder: &Holder) -> Result<(), StoreError> {
        let name = lease_name(key);
        let Some(blob) = self.blob(&name).await? else { return Ok(()) };
        if Lease::read(&blob).is_some_and(|lease| lease.is_held_by(holder)) {
            // When it has changed meanwhile, somebody else has it.
            self.swap(&name, Some(blob), None).await?;
        }
        Ok(())
    }
}

/// Waits for a call of the app's, which goes on when nobody waits any more: a write must not stop half-way.
async fn waited_for<T: Send + 'static>(
    call: impl Future<Output = Result<T, StoreFailure>> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::time::timeout(LIMIT, tokio::spawn(call)).await {
        Ok(Ok(Ok(answer))) => Ok(answer),
        Ok(Ok(Err(StoreFailure::Unavailable { reason, is_retryable }))) => Err(unavailable(reason, is_retryable)),
        Ok(Err(_)) => Err(unavailable("its call was stopped".to_owned(), true)),
        Err(_) => Err(unavailable(format!("it did not answer within {} seconds", LIMIT.as_secs()), true)),
    }
}

fn found(key: &Key, blob: Option<&[u8]>) -> Found {
    match blob.map(open) {
        None => Found::Nothing,
        Some(Some((of, record))) if of == *key => Found::Record(record),
        Some(_) => Found::Damaged,
    }
}

impl Found {
    fn version(&self) -> Option<Version> {
        match self {
            Self::Record(record) => Some(record.version),
            Self::Nothing | Self::Damaged => None,
        }
    }
}

fn unavailable(reason: String, retryable: bool) -> StoreError {
    StoreError::Unavailable { place: PLACE.to_owned(), reason, retryable }
}

fn contended() -> StoreError {
    unavailable("other writes always came first, or it refuses all".to_owned(), true)
}

fn unreadable(key: &Key) -> StoreError {
    let reason = "the blob is none that this version of the library has written under this name".to_owned();
    StoreError::Unreadable { key: key.to_string(), place: PLACE.to_owned(), reason }
}

impl Store for StoreAdapter {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(async move {
            match found(key, self.blob(&record_name(key)).await?.as_deref()) {
                Found::Nothing => Ok(None),
                Found::Record(record) => Ok(Some(record)),
                Found::Damaged => Err(unreadable(key)),
            }
        })
    }

    fn put<'a>(
        &'a self,
        key: &'a Key,
        value: SecretBytes,
        expected: Expected,
    ) -> BoxFuture<'a, Result<Version, StoreError>> {
        Box::pin(async move { self.put_record(key, &value, expected).await })
    }

    fn remove<'a>(&'a self, key: &'a Key, expected: Expected) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.remove_record(key, expected))
    }

    fn list<'a>(&'a self, filter: &'a Filter) -> BoxFuture<'a, Result<Vec<Key>, StoreError>> {
        Box::pin(self.keys(filter))
    }

    fn lease<'a>(
        &'a self,
        key: &'a Key,
        holder: &'a Holder,
        duration: Duration,
    ) -> BoxFuture<'a, Result<LeaseOutcome, StoreError>> {
        Box::pin(self.ask_lease(key, holder, duration))
    }

    fn release<'a>(&'a self, key: &'a Key, holder: &'a Holder) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.end_lease(key, holder))
    }
}

impl std::fmt::Debug for StoreAdapter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreAdapter").finish_non_exhaustive()
    }
}

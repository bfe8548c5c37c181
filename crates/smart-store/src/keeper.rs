//! Keeps the data keys of a sealed store: loads them once, follows other processes, rotates.
//!
//! The order makes a rotation safe to stop anywhere: the new key is kept beside the old ones, then named in the store as
//! the one that seals, then each record is sealed anew on its own, and only when none is left are the old keys dropped. A
//! writer checks the name in the same step in which it writes; one that comes after the rotation has passed sees the new
//! name.

use crate::error::StoreError;
use crate::keys::{DataKey, DataKeyId, KeyError, KeyRing, KeySource};
use std::sync::{Arc, PoisonError, RwLock};

/// How often a call starts over because another process changes the data keys meanwhile.
const MAX_ATTEMPTS: usize = 5;
/// How often a rotation looks at all records until none is left: a listing may miss one that is replaced meanwhile.
const MAX_PASSES: usize = 10;

/// Why an attempt was not carried out.
pub(crate) enum Refused {
    /// For good.
    Failed(StoreError),
    /// The data keys were changed by another process: load them again and try again.
    StaleKeys,
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

/// The lock of the data keys across processes, and what the store says of its keys.
pub(crate) struct Locked<L> {
    pub(crate) lock: L,
    /// The key that seals. `None`: none is named yet, or the name cannot be read.
    pub(crate) named: Option<DataKeyId>,
    pub(crate) has_records: bool,
}

/// What became of one record in a rotation.
pub(crate) enum Outcome {
    Resealed,
    AlreadyCurrent,
    /// It is damaged: no key opens it.
    Unreadable,
    /// What it is could not be seen. It may be whole, and need an older key.
    #[cfg_attr(not(feature = "file"), allow(dead_code, reason = "a database gives a row or an error"))]
    Unseen,
}

/// What a rotation did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resealed {
    /// Records that were sealed anew.
    pub resealed: usize,
    /// Records that cannot be read, and stay as they are. While the disk does not give one of them at all, the older keys
    /// are kept: it may be given again.
    pub unreadable: usize,
}

/// A place with sealed records.
pub(crate) trait Vault: Send + Sync {
    /// Held until it is given back or dropped.
    type Lock: Send + Sync;
    /// Names a record.
    type Name: Send + Sync;

    /// Makes the place ready, tidies it up when it is the `first` time, and takes the lock of the keys.
    fn lock_keys(&self, first: bool) -> impl Future<Output = Result<Locked<Self::Lock>, StoreError>> + Send;

    /// Gives the lock back. To drop it does the same, perhaps a little later.
    fn unlock_keys(&self, lock: Self::Lock) -> impl Future<Output = ()> + Send;

    /// Names the key that seals from now on.
    fn name_key(&self, lock: &Self::Lock, id: DataKeyId) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The names of all records, those too whose write had looked up the current key before the last
    /// [`name_key`](Self::name_key) and has ended since: it waits for such writes. Those that are certainly sealed with
    /// `current` may be left out.
    fn names(&self, current: DataKeyId) -> impl Future<Output = Result<Vec<Self::Name>, StoreError>> + Send;

    /// Seals one record with the current key. Its content and version stay, so that nobody else notices.
    fn reseal(&self, keys: Arc<KeyRing>, name: &Self::Name) -> impl Future<Output = Result<Outcome, Refused>> + Send;

    /// What to call it in errors.
    fn place(&self) -> String;
}

/// The keys of one vault.
pub(crate) struct Keeper {
    source: Arc<dyn KeySource>,
    /// The keys as they were loaded last.
    ring: RwLock<Option<Arc<KeyRing>>>,
    /// Held while keys are loaded, so that many tasks load them once.
    loading: tokio::sync::Mutex<()>,
}

impl Keeper {
    pub(crate) fn new(source: impl KeySource) -> Self {
        Self { source: Arc::new(source), ring: RwLock::default(), loading: tokio::sync::Mutex::default() }
    }

    /// What to call the source in errors.
    pub(crate) fn source_place(&self) -> String {
        self.source.place()
    }

    /// The keys, loaded at first use.
    pub(crate) async fn keys(&self, vault: &impl Vault) -> Result<Arc<KeyRing>, StoreError> {
        match self.known() {
            Some(keys) => Ok(keys),
            None => self.load(vault, None).await,
        }
    }

    /// Calls `attempt` with the keys as they are, again with newer ones where another process has changed them.
    pub(crate) async fn attempt<T, F>(
        &self,
        vault: &impl Vault,
        attempt: impl Fn(Arc<KeyRing>) -> F + Send + Sync,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Refused>> + Send,
    {
        let mut keys = self.keys(vault).await?;
        for _ in 0..MAX_ATTEMPTS {
            match attempt(keys.clone()).await {
                Ok(value) => return Ok(value),
                Err(Refused::Failed(error)) => return Err(error),
                Err(Refused::StaleKeys) => keys = self.load(vault, Some(&keys)).await?,
            }
        }
        Err(restless(vault))
    }

    /// Makes a new key, and seals all records with it.
    pub(crate) async fn rotate(&self, vault: &impl Vault) -> Result<Resealed, StoreError> {
        // What an earlier rotation left undone comes first, so that old keys do not pile up.
        if !self.keys(vault).await?.older().is_empty() {
            self.reseal(vault).await?;
        }
        self.renew(vault).await?;
        self.reseal(vault).await
    }

    /// Seals all records that an older key seals with the current one, then drops the older keys.
    pub(crate) async fn reseal(&self, vault: &impl Vault) -> Result<Resealed, StoreError> {
        let mut done = Resealed::default();
        for _ in 0..MAX_PASSES {
            let keys = self.keys(vault).await?;
            let before = done.resealed;
            done.unreadable = 0;
            let mut all_seen = true;
            for name in vault.names(keys.current().id()).await? {
                match self.attempt(vault, |keys| vault.reseal(keys, &name)).await? {
                    Outcome::Resealed => done.resealed = done.resealed.saturating_add(1),
                    Outcome::Unreadable => done.unreadable = done.unreadable.saturating_add(1),
                    Outcome::Unseen => {
                        done.unreadable = done.unreadable.saturating_add(1);
                        all_seen = false;
                    }
                    Outcome::AlreadyCurrent => {}
                }
            }
            if done.resealed == before && (!all_seen || self.drop_older(vault, &keys).await?) {
                return Ok(done);
            }
        }
        Err(restless(vault))
    }

    fn known(&self) -> Option<Arc<KeyRing>> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn remember(&self, keys: KeyRing) -> Arc<KeyRing> {
        let keys = Arc::new(keys);
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Some(keys.clone());
        keys
    }

    /// Loads the keys, unless another task has since `stale` was found to be so.
    async fn load(&self, vault: &impl Vault, stale: Option<&Arc<KeyRing>>) -> Result<Arc<KeyRing>, StoreError> {
        let _loading = self.loading.lock().await;
        if let Some(keys) = self.known()
            && stale.is_none_or(|stale| !Arc::ptr_eq(stale, &keys))
        {
            return Ok(keys);
        }
        let locked = vault.lock_keys(stale.is_none()).await?;
        let keys = self.load_locked(vault, &locked).await;
        vault.unlock_keys(locked.lock).await;
        Ok(self.remember(keys?))
    }

    async fn load_locked<V: Vault>(&self, vault: &V, locked: &Locked<V::Lock>) -> Result<KeyRing, StoreError> {
        let sealed = |error| sealed(vault, error);
        let missing = |wanted: String| sealed(KeyError::Missing { place: self.source.place(), wanted });
        let keys = match (self.source.load().await.map_err(sealed)?, locked.named) {
            (Some(keys), Some(id)) if !keys.contains(id) => return Err(missing(id.to_string())),
            (Some(keys), _) => keys,
            (None, Some(id)) => return Err(missing(id.to_string())),
            (None, None) if locked.has_records => return Err(missing("(its name is lost)".to_owned())),
            (None, None) => self.first_keys().await.map_err(sealed)?,
        };
        let current = keys.current().id();
        if locked.named != Some(current) {
            vault.name_key(&locked.lock, current).await?;
        }
        Ok(keys)
    }

    /// What was saved is loaded again: when two stores share a source, both get the key that was saved last.
    async fn first_keys(&self) -> Result<KeyRing, KeyError> {
        self.source.save(&KeyRing::of(DataKey::generate()?)).await?;
        self.source.load().await?.ok_or_else(|| KeyError::Unavailable {
            place: self.source.place(),
            reason: "it did not keep the new data key".to_owned(),
            retryable: false,
        })
    }

    /// Makes a new key, keeps it in front of the others and names it as the one that seals.
    async fn renew(&self, vault: &impl Vault) -> Result<(), StoreError> {
        let _loading = self.loading.lock().await;
        let Locked { lock, .. } = vault.lock_keys(false).await?;
        let renewed = self.renew_locked(vault, &lock).await;
        vault.unlock_keys(lock).await;
        self.remember(renewed?);
        Ok(())
    }

    async fn renew_locked<V: Vault>(&self, vault: &V, lock: &V::Lock) -> Result<KeyRing, StoreError> {
        let sealed = |error| sealed(vault, error);
        let renewed = self.kept(vault).await?.renewed(&self.source.place()).map_err(sealed)?;
        self.source.save(&renewed).await.map_err(sealed)?;
        vault.name_key(lock, renewed.current().id()).await?;
        Ok(renewed)
    }

    /// Drops the older keys, if the pass that found nothing to do had the keys as they are kept now. Else another rotation
    /// has begun since, and gives `false`.
    async fn drop_older(&self, vault: &impl Vault, of_pass: &Arc<KeyRing>) -> Result<bool, StoreError> {
        let same = {
            let _loading = self.loading.lock().await;
            let Locked { lock, .. } = vault.lock_keys(false).await?;
            let dropped = self.drop_older_locked(vault, of_pass).await;
            vault.unlock_keys(lock).await;
            dropped?
        };
        if !same {
            self.load(vault, Some(of_pass)).await?;
        }
        Ok(same)
    }

    async fn drop_older_locked(&self, vault: &impl Vault, of_pass: &KeyRing) -> Result<bool, StoreError> {
        let kept = self.kept(vault).await?;
        let same = kept.current().id() == of_pass.current().id();
        if same && !kept.older().is_empty() {
            self.keep_only_current(vault, &kept).await?;
        }
        Ok(same)
    }

    async fn keep_only_current(&self, vault: &impl Vault, kept: &KeyRing) -> Result<(), StoreError> {
        let only = KeyRing::of(kept.current().clone());
        match self.source.save(&only).await {
            Ok(()) => {
                self.remember(only);
                Ok(())
            }
            // The caller holds these keys, and drops the old ones when it likes.
            Err(KeyError::Fixed { .. }) => Ok(()),
            Err(error) => Err(sealed(vault, error)),
        }
    }

    async fn kept(&self, vault: &impl Vault) -> Result<KeyRing, StoreError> {
        let missing = || KeyError::Missing { place: self.source.place(), wanted: "in use".to_owned() };
        let loaded = self.source.load().await.and_then(|keys| keys.ok_or_else(missing));
        loaded.map_err(|error| sealed(vault, error))
    }
}

fn sealed(vault: &impl Vault, source: KeyError) -> StoreError {
    StoreError::Sealed { place: vault.place(), source }
}

fn restless(vault: &impl Vault) -> StoreError {
    StoreError::Unavailable {
        place: vault.place(),
        reason: "its data key is changed again and again".to_owned(),
        retryable: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BoxFuture;
    use std::sync::Mutex;

    /// Keeps a ring in memory.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Option<KeyRing>>>);

    impl KeySource for Kept {
        fn load(&self) -> BoxFuture<'_, Result<Option<KeyRing>, KeyError>> {
            Box::pin(async { Ok(self.0.lock().unwrap().clone()) })
        }

        fn save<'a>(&'a self, keys: &'a KeyRing) -> BoxFuture<'a, Result<(), KeyError>> {
            Box::pin(async {
                *self.0.lock().unwrap() = Some(keys.clone());
                Ok(())
            })
        }

        fn place(&self) -> String {
            "memory".to_owned()
        }
    }

    /// Has one record, with which the same comes out each time.
    struct OneRecord {
        named: Mutex<Option<DataKeyId>>,
        outcome: Mutex<fn() -> Outcome>,
    }

    impl Vault for OneRecord {
        type Lock = ();
        type Name = ();

        async fn lock_keys(&self, _: bool) -> Result<Locked<()>, StoreError> {
            Ok(Locked { lock: (), named: *self.named.lock().unwrap(), has_records: true })
        }

        async fn unlock_keys(&self, (): ()) {}

        async fn name_key(&self, (): &(), id: DataKeyId) -> Result<(), StoreError> {
            *self.named.lock().unwrap() = Some(id);
            Ok(())
        }

        async fn names(&self, _: DataKeyId) -> Result<Vec<()>, StoreError> {
            Ok(vec![()])
        }

        async fn reseal(&self, _: Arc<KeyRing>, (): &()) -> Result<Outcome, Refused> {
            let outcome = *self.outcome.lock().unwrap();
            Ok(outcome())
        }

        fn place(&self) -> String {
            "a test".to_owned()
        }
    }

    /// F-79, F-84 (rotation): while the disk does not give a record at all, no older key is dropped, as the record may be
    /// whole; one that is damaged keeps no key.
    #[tokio::test]
    async fn keys_are_kept_for_a_record_that_was_not_seen() {
        let source = Kept(Arc::new(Mutex::new(Some(KeyRing::of(DataKey::generate().unwrap())))));
        let keeper = Keeper::new(source.clone());
        let vault = OneRecord { named: Mutex::default(), outcome: Mutex::new(|| Outcome::Unseen) };
        let older = || source.0.lock().unwrap().as_ref().unwrap().older().len();
        assert_eq!(keeper.rotate(&vault).await.unwrap().unreadable, 1);
        assert_eq!(older(), 1);
        assert_eq!(keeper.reseal(&vault).await.unwrap().unreadable, 1);
        assert_eq!(older(), 1);
        *vault.outcome.lock().unwrap() = || Outcome::Unreadable;
        assert_eq!(keeper.reseal(&vault).await.unwrap().unreadable, 1);
        assert_eq!(older(), 0);
    }
}

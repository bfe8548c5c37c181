//! Records in files, sealed.

pub(crate) mod disk;
mod folder;
mod leases;
pub(crate) mod lock;
mod records;
mod user_data;

pub(crate) use folder::may_pass;
pub use user_data::user_data_folder;

use crate::blocking::{Stopped, blocking};
use crate::clock::SystemClock;
use crate::error::StoreError;
use crate::keeper::{Keeper, Locked, Outcome, Refused, Resealed, Vault};
use crate::key::{Filter, Key};
use crate::keys::{DataKeyId, KeyRing, KeySource};
use crate::lease::{Holder, LeaseOutcome};
use crate::record::{Expected, Record, SecretBytes, Version};
use crate::store::{BoxFuture, Store};
use crate::stripes::Stripes;
use folder::{FileName, Folder};
use lock::FileLock;
use records::Looked;
use smart_core::time::Clock;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Keeps each record in a file of its own, sealed by AES-256-GCM with its name and version as associated data.
///
/// Any number of processes of one user may use one folder at a time. Files are 0600, folders 0700; a write goes to a
/// temporary file, is forced to the disk and then takes the place of the old one, so that a crash at any point leaves the
/// old record or the new. File names are hashes. Who can guess a server, user and id can find out that there is such a
/// record, and everybody who may see the folder sees how many there are, their sizes and times.
///
/// What it does not protect from: a program of the same user that can also get the data key, and somebody who puts an
/// old copy of a file back in its place (it opens: it was genuine once). A removed file is removed, not overwritten.
///
/// A record that cannot be read is an [`Unreadable`](StoreError::Unreadable) error each time, and harms no other. When it
/// is written anew (see [`Store::put`]) its file moves to the folder `quarantine`, the last one of each record;
/// [`remove`](Store::remove) removes it there as well.
///
/// It needs a tokio runtime. The first call opens the folder and loads the data key, making both if there are none;
/// [`open`](Self::open) does so at a time of the caller's choice. Folders on network file systems work where these
/// support locks (NFS 4, SMB).
///
/// ```
/// use smart_store::{DataKey, EncryptedFileStore, Expected, Key, Kind, KeyFile, SecretBytes, Store};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let here = tempfile::tempdir()?;
/// let store = EncryptedFileStore::new(here.path().join("sessions"), KeyFile::new(here.path().join("sessions.key")));
/// let key = Key::new(Kind::Session, "https://ehr.example/r4", "dr-lee", "session-1");
/// store.put(&key, SecretBytes::new(b"tokens".to_vec()), Expected::Absent).await?;
/// store.rotate_key().await?;
/// assert_eq!(store.get(&key).await?.map(|record| record.value), Some(SecretBytes::new(b"tokens".to_vec())));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct EncryptedFileStore {
    folder: Arc<Folder>,
    keeper: Arc<Keeper>,
    clock: Arc<dyn Clock>,
    stripes: Stripes,
}

/// The state of a store's files.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreHealth {
    /// Records that open.
    pub readable: usize,
    /// Files that do not, and why.
    pub unreadable: Vec<(PathBuf, String)>,
    /// Damaged files that were set aside when their record was written anew.
    pub quarantined: Vec<PathBuf>,
}

impl EncryptedFileStore {
    /// A store in `folder`, made at first use, with the data keys of `keys`.
    pub fn new(folder: impl Into<PathBuf>, keys: impl KeySource) -> Self {
        Self {
            folder: Arc::new(Folder::new(folder.into())),
            keeper: Arc::new(Keeper::new(keys)),
            clock: Arc::new(SystemClock),
            stripes: Stripes::default(),
        }
    }

    /// A store in the user's data folder, with the data key in the platform's credential store. Where there is no
    /// credential store, calls fail: choose another source with [`in_user_data_with`](Self::in_user_data_with).
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when `app` is not a plain file name or the user has no home folder.
    #[cfg(feature = "keyring")]
    pub fn in_user_data(app: &str) -> Result<Self, StoreError> {
        Self::in_user_data_with(app, crate::keys::CredentialStore::new(app, "smart-store data key"))
    }

    /// A store in the user's [data folder](user_data_folder), with the data keys of `keys`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when `app` is not a plain file name or the user has no home folder.
    pub fn in_user_data_with(app: &str, keys: impl KeySource) -> Result<Self, StoreError> {
        Ok(Self::new(user_data_folder(app)?.join("sessions"), keys))
    }

    /// The same store with leases by another clock. All that use the folder must have the same time.
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// The same store, with writes that are not forced to the disk: a killed process loses nothing, but a power cut may
    /// lose the last seconds, a rotated refresh token among them. For tests and for measuring.
    pub fn without_sync(mut self) -> Self {
        Arc::make_mut(&mut self.folder).disk.lazy = true;
        self
    }

    #[cfg(feature = "contract")]
    pub(crate) fn with_hook(mut self, hook: Arc<disk::Hook>) -> Self {
        Arc::make_mut(&mut self.folder).disk.hook = Some(hook);
        self
    }

    /// Opens the folder and loads the data keys, so that what is wrong with them shows now.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] when the data key cannot be had or is not the one that seals the records,
    /// [`StoreError::Unavailable`] when the folder cannot be made or read.
    pub async fn open(&self) -> Result<(), StoreError> {
        self.keeper.keys(self).await.map(drop)
    }

    /// Reads all records and tells which cannot be read.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn check(&self) -> Result<StoreHealth, StoreError> {
        self.read_all(|folder, keys| {
            let quarantine = folder.quarantine();
            let quarantined = folder.names_in(&quarantine)?.iter().map(|name| quarantine.join(name.as_str())).collect();
            let mut health = StoreHealth { readable: 0, unreadable: Vec::new(), quarantined };
            for name in folder.names_in(&folder.records())? {
                match records::look(folder, keys, &name, true)? {
                    Looked::Gone => {}
                    Looked::Name(_) => health.readable = health.readable.saturating_add(1),
                    Looked::Damaged(why) => health.unreadable.push((folder.records().join(name.as_str()), why)),
                }
            }
            Ok(health)
        })
        .await
    }

    /// Makes a new data key and seals all records with it. Other tasks and processes may go on meanwhile.
    ///
    /// It may be stopped at any point: all stays readable, and [`reseal`](Self::reseal) or the next rotation goes on.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] with [`KeyError::Fixed`](crate::KeyError::Fixed) where the source keeps no new key (see
    /// [`RawKey`](crate::RawKey)), or another when it fails; [`StoreError::Unavailable`] when a record cannot be written.
    pub async fn rotate_key(&self) -> Result<Resealed, StoreError> {
        self.keeper.rotate(self).await
    }

    /// Seals all records that an older key seals with the current one, then lets the source drop the older keys.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] or [`StoreError::Unavailable`]. Call it again to go on.
    pub async fn reseal(&self) -> Result<Resealed, StoreError> {
        self.keeper.reseal(self).await
    }

    /// Runs `work` on a thread that may wait.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folder) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let folder = self.folder.clone();
        blocking(move || work(&folder)).await.unwrap_or_else(|Stopped| Err(self.stopped()))
    }

    fn stopped(&self) -> StoreError {
        StoreError::Unavailable { place: self.folder.place(), reason: Stopped::REASON.to_owned(), retryable: false }
    }

    /// Runs `work` on a thread that may wait, holding `guard` to its end.
    async fn run_once<T: Send + 'static>(
        &self,
        guard: impl Send + 'static,
        keys: Arc<KeyRing>,
        work: Arc<impl Fn(&Folder, &KeyRing) -> Result<T, Refused> + Send + Sync + 'static>,
    ) -> Result<T, Refused> {
        let folder = self.folder.clone();
        let done = blocking(move || {
            let done = work(&folder, &keys);
            drop(guard);
            done
        });
        done.await.unwrap_or_else(|Stopped| Err(self.stopped().into()))
    }

    async fn read_one<T: Send + 'static>(
        &self,
        name: &FileName,
        work: impl Fn(&Folder, &KeyRing) -> Result<T, Refused> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        let (stripe, work) = (name.stripe(), Arc::new(work));
        let attempt = |keys| {
            let work = work.clone();
            async move { self.run_once(self.stripes.read(stripe).await, keys, work).await }
        };
        self.keeper.attempt(self, attempt).await
    }

    async fn change_one<T: Send + 'static>(
        &self,
        name: &FileName,
        work: impl Fn(&Folder, &KeyRing) -> Result<T, Refused> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        let (stripe, work) = (name.stripe(), Arc::new(work));
        let attempt = |keys| {
            let work = work.clone();
            async move { self.run_once(self.stripes.write(stripe).await, keys, work).await }
        };
        self.keeper.attempt(self, attempt).await
    }

    async fn read_all<T: Send + 'static>(
        &self,
        work: impl Fn(&Folder, &KeyRing) -> Result<T, Refused> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        let work = Arc::new(work);
        let attempt = |keys| {
            let work = work.clone();
            async move { self.run_once(self.stripes.read_all().await, keys, work).await }
        };
        self.keeper.attempt(self, attempt).await
    }
}

impl Vault for EncryptedFileStore {
    type Lock = FileLock;
    type Name = FileName;

    async fn lock_keys(&self, first: bool) -> Result<Locked<FileLock>, StoreError> {
        let clock = self.clock.clone();
        self.run(move |folder| {
            folder.prepare()?;
            let lock = folder.lock_keys()?;
            if first {
                folder.sweep(clock.now())?;
            }
            let has_records = !folder.names_in(&folder.records())?.is_empty();
            Ok(Locked { lock, named: folder.current_key()?, has_records })
        })
        .await
    }

    async fn unlock_keys(&self, lock: FileLock) {
        drop(lock);
    }

    async fn name_key(&self, _: &FileLock, id: DataKeyId) -> Result<(), StoreError> {
        self.run(move |folder| folder.set_current_key(id)).await
    }

    async fn names(&self, _: DataKeyId) -> Result<Vec<FileName>, StoreError> {
        self.run(|folder| {
            folder.wait_for_writers()?;
            folder.names_in(&folder.records())
        })
        .await
    }

    async fn reseal(&self, keys: Arc<KeyRing>, name: &FileName) -> Result<Outcome, Refused> {
        let guard = self.stripes.write(name.stripe()).await;
        let name = name.clone();
        let work = move |folder: &Folder, keys: &KeyRing| records::reseal(folder, keys, &name);
        self.run_once(guard, keys, Arc::new(work)).await
    }

    fn place(&self) -> String {
        self.folder.place()
    }
}

impl Store for EncryptedFileStore {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        let owned = key.clone();
        Box::pin(async move {
            self.read_one(&FileName::of(key), move |folder, keys| records::get(folder, keys, &owned)).await
        })
    }

    fn put<'a>(
        &'a self,
        key: &'a Key,
        value: SecretBytes,
        expected: Expected,
    ) -> BoxFuture<'a, Result<Version, StoreError>> {
        let owned = key.clone();
        Box::pin(async move {
            let name = FileName::of(key);
            self.change_one(&name, move |folder, keys| records::put(folder, keys, &owned, &value, expected)).await
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, expected: Expected) -> BoxFuture<'a, Result<bool, StoreError>> {
        let owned = key.clone();
        Box::pin(async move {
            let name = FileName::of(key);
            self.change_one(&name, move |folder, keys| records::remove(folder, keys, &owned, expected)).await
        })
    }

    fn list<'a>(&'a self, filter: &'a Filter) -> BoxFuture<'a, Result<Vec<Key>, StoreError>> {
        let filter = filter.clone();
        Box::pin(self.read_all(move |folder, keys| records::list(folder, keys, &filter)))
    }

    fn lease<'a>(
        &'a self,
        key: &'a Key,
        holder: &'a Holder,
        duration: Duration,
    ) -> BoxFuture<'a, Result<LeaseOutcome, StoreError>> {
        let (owned, holder, clock) = (key.clone(), holder.clone(), self.clock.clone());
        Box::pin(async move {
            self.change_one(&FileName::of(key), move |folder, _| {
                Ok(leases::lease(folder, &owned, &holder, duration, || clock.now())?)
            })
            .await
        })
    }

    fn backend(&self) -> &'static str {
        "encrypted-file"
    }

    fn release<'a>(&'a self, key: &'a Key, holder: &'a Holder) -> BoxFuture<'a, Result<(), StoreError>> {
        let (owned, holder) = (key.clone(), holder.clone());
        Box::pin(async move {
            let name = FileName::of(key);
            self.change_one(&name, move |folder, _| Ok(leases::release(folder, &owned, &holder)?)).await
        })
    }
}

impl std::fmt::Debug for EncryptedFileStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EncryptedFileStore")
            .field("folder", &self.folder.root())
            .field("keys", &self.keeper.source_place())
            .finish_non_exhaustive()
    }
}

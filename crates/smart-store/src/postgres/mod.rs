//! Records in PostgreSQL, sealed.

mod call;
mod config;
mod connection;
mod failure;
mod leases;
mod migrations;
mod names;
mod pool;
mod schema;
mod statements;
mod survey;
mod tls;
mod vault;
mod wrapped;

pub use config::PostgresConfig;
#[cfg(feature = "contract")]
pub(crate) use connection::Hook;
#[cfg(feature = "contract")]
pub use connection::StatementStep;
pub use survey::PostgresHealth;

use crate::clock::SystemClock;
use crate::error::StoreError;
use crate::keeper::{Keeper, Refused, Resealed};
use crate::key::{Filter, Key};
use crate::keys::{KeyManagement, KeyRing, KeySource};
use crate::lease::{Holder, LeaseOutcome};
use crate::record::{Expected, Record, SecretBytes, Version};
use crate::store::{BoxFuture, Store};
use crate::stripes::Stripes;
use call::Call;
use failure::Failure;
use leases::Times;
use names::{NameKey, RowName};
use pool::{Lent, Pool};
use smart_core::time::Clock;
use statements::Statements;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use wrapped::WrappedInDatabase;

/// How often leases that ended long ago are removed, beside each opening.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);

/// Keeps records in PostgreSQL, for a fleet of servers: each is sealed by AES-256-GCM before it leaves the process, with
/// its name and version as associated data.
///
/// A write is one statement that compares the version and swaps the record, and returns when the server has committed it
/// to its disk. A [lease](Store::lease) goes by the server's clock, so that of many machines one renews a token. The
/// tables are made, and brought up to date, at first use; a version of them that is newer than this program is refused.
///
/// What the database shows to its administrator and in its backups: how many records there are, their sizes, and which of
/// them belong to the same server or the same user. Not who: names, servers and users are hashes with a key that is itself
/// sealed. What it does not protect from: somebody who has the data key, and somebody who can write to the tables and
/// puts an old row back in its place (it opens: it was genuine once), or removes one.
///
/// A record that cannot be read is an [`Unreadable`](StoreError::Unreadable) error each time, and harms no other. When it
/// is written anew with [`Expected::Absent`] or [`Expected::Any`] its octets are set aside in the table
/// `smart_store_quarantine`. With [`Expected::Version`] only the version is looked at: a record of this version is
/// replaced, also where its content is damaged.
///
/// All processes need the same data keys: those of a key management service
/// ([`with_key_management`](Self::with_key_management)), or a [`RawKey`](crate::RawKey). One data key is for one store.
///
/// It needs a tokio runtime, PostgreSQL 12 or later, and a connection of its own: a pooler such as PgBouncer has to work
/// by session. With asynchronous replication a fail-over may lose the last writes, as always with it.
///
/// ```no_run
/// use smart_store::{DataKey, Expected, Key, Kind, PostgresConfig, PostgresStore, RawKey, SecretBytes, Store};
/// # async fn example(data_key: [u8; 32]) -> Result<(), smart_store::StoreError> {
/// let config = PostgresConfig::parse("postgresql://app@db.example/clinic")?.with_password("from the environment");
/// let store = PostgresStore::new(config, RawKey::new(DataKey::from_octets(&data_key)))?;
/// store.open().await?;
/// let key = Key::new(Kind::Session, "https://ehr.example/r4", "dr-lee", "session-1");
/// store.put(&key, SecretBytes::new(b"tokens".to_vec()), Expected::Absent).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PostgresStore {
    pool: Arc<Pool>,
    statements: Arc<Statements>,
    keeper: Arc<Keeper>,
    names: Arc<RwLock<Option<Arc<NameKey>>>>,
    loading_names: Arc<tokio::sync::Mutex<()>>,
    stripes: Stripes,
    clock: Arc<dyn Clock>,
    clock_instead_of_the_servers: bool,
    swept: Arc<Mutex<Option<Instant>>>,
    place: Arc<str>,
}

impl PostgresStore {
    /// A store in the database of `config`, with the data keys of `keys`. It connects at first use.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when `config` turns TLS off where it has to be on, or TLS cannot be set up.
    pub fn new(config: PostgresConfig, keys: impl KeySource) -> Result<Self, StoreError> {
        let pool = Arc::new(Pool::new(config)?);
        let statements = Arc::new(Statements::new(&pool.config().schema));
        Ok(Self::with_pool(pool, statements, Keeper::new(keys)))
    }

    /// A store whose data keys lie in the database as well, wrapped by a key management service: all machines have the
    /// same, and see a rotation at once.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_key_management(config: PostgresConfig, service: impl KeyManagement) -> Result<Self, StoreError> {
        let pool = Arc::new(Pool::new(config)?);
        let statements = Arc::new(Statements::new(&pool.config().schema));
        let keys = WrappedInDatabase { service, pool: pool.clone(), statements: statements.clone() };
        Ok(Self::with_pool(pool, statements, Keeper::new(keys)))
    }

    fn with_pool(pool: Arc<Pool>, statements: Arc<Statements>, keeper: Keeper) -> Self {
        let place = pool.config().place().into();
        Self {
            pool,
            statements,
            keeper: Arc::new(keeper),
            names: Arc::default(),
            loading_names: Arc::default(),
            stripes: Stripes::default(),
            clock: Arc::new(SystemClock),
            clock_instead_of_the_servers: false,
            swept: Arc::default(),
            place,
        }
    }

    #[cfg(feature = "contract")]
    pub(crate) fn with_clock_of_a_test(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, clock_instead_of_the_servers: true, ..self }
    }

    #[cfg(feature = "contract")]
    pub(crate) fn with_hook(self, hook: Arc<Hook>) -> Self {
        // The first one stays: there is but one in a test.
        let _ = self.pool.hook.set(hook);
        self
    }

    /// Connects, makes the tables if need be, and loads the data keys, so that what is wrong shows now.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] when the data key cannot be had or is not the one that seals the records,
    /// [`StoreError::Unavailable`] when the server cannot be reached or refuses, or its tables are of a newer version.
    pub async fn open(&self) -> Result<(), StoreError> {
        self.keeper.attempt(self, |keys| async move { self.names(&keys).await.map(drop) }).await
    }

    /// Makes the tables, or brings them up to date, and no more: for a user who owns the schema, where the one of the
    /// application may only read and write. The latter needs USAGE on the schema, and SELECT, INSERT, UPDATE and DELETE on
    /// its tables.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let mut connection = self.locked().await?;
        let migrated = self.migrate_with(&mut connection).await;
        self.unlock(connection).await;
        migrated
    }

    /// Reads all records and tells which cannot be read.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn check(&self) -> Result<PostgresHealth, StoreError> {
        self.read_all(|call| async move { survey::check(call).await }).await
    }

    /// Makes a new data key and seals all records with it. Other tasks and machines may go on meanwhile.
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

    /// Runs `work` to its end, also when the caller is dropped: a connection is not left in the middle of a statement, and
    /// `guard` is held until what the call does is done.
    async fn to_the_end<T: Send + 'static>(
        &self,
        guard: impl Send + 'static,
        work: impl Future<Output = Result<T, Refused>> + Send + 'static,
    ) -> Result<T, Refused> {
        let task = tokio::spawn(async move {
            let done = work.await;
            drop(guard);
            done
        });
        task.await.unwrap_or_else(|_| Err(Failure::Stopped.at(&self.place, "waiting for a call").into()))
    }

    async fn connection(&self) -> Result<Lent, StoreError> {
        self.pool.take().await.map_err(|failure| failure.at(&self.place, "connecting"))
    }

    async fn call(&self, keys: Arc<KeyRing>, names: Arc<NameKey>) -> Result<Call, StoreError> {
        let connection = self.connection().await?;
        Ok(Call { connection, statements: self.statements.clone(), keys, names, place: self.place.clone() })
    }

    /// Runs `work` with the keys as they are, again with newer ones where another process has changed them.
    async fn with_names<T, F>(
        &self,
        work: impl Fn(Arc<KeyRing>, Arc<NameKey>) -> F + Send + Sync,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Refused>> + Send,
    {
        let work = &work;
        self.keeper
            .attempt(self, |keys| async move {
                let names = self.names(&keys).await?;
                let done = work(keys, names).await;
                if matches!(done, Err(Refused::StaleKeys)) {
                    self.forget_names();
                }
                done
            })
            .await
    }

    async fn one<T, F>(
        &self,
        key: &Key,
        is_write: bool,
        work: impl Fn(Call, RowName) -> F + Send + Sync,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Refused>> + Send + 'static,
    {
        let work = &work;
        self.with_names(|keys, names| async move {
            let row = names.of_key(key);
            if is_write {
                let guard = self.stripes.write(row.stripe()).await;
                let call = self.call(keys, names).await?;
                self.to_the_end(guard, work(call, row)).await
            } else {
                let guard = self.stripes.read(row.stripe()).await;
                let call = self.call(keys, names).await?;
                self.to_the_end(guard, work(call, row)).await
            }
        })
        .await
    }

    async fn read_all<T, F>(&self, work: impl Fn(Call) -> F + Send + Sync) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Refused>> + Send + 'static,
    {
        let work = &work;
        self.with_names(|keys, names| async move {
            // Writes that were given up before are done; those that come later need not wait until all is read.
            drop(self.stripes.read_all().await);
            let call = self.call(keys, names).await?;
            self.to_the_end((), work(call)).await
        })
        .await
    }

    fn known_names(&self) -> Option<Arc<NameKey>> {
        self.names.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn forget_names(&self) {
        *self.names.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Whether it is time to look for leases that ended long ago.
    fn is_time_to_sweep(&self) -> bool {
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = swept.is_none_or(|last| last.elapsed() >= SWEEP_EVERY);
        if is_time {
            *swept = Some(Instant::now());
        }
        is_time
    }

    /// Removes leases that ended long ago. They do no harm: that it fails is no error.
    async fn sweep(&self, connection: &mut Lent) {
        if self.is_time_to_sweep() {
            let _ = connection.run("removing old leases", &self.statements.sweep_leases, &[]).await;
        }
    }
}

impl Store for PostgresStore {
    fn backend(&self) -> &'static str {
        "database"
    }

    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(self.one(key, false, |mut call, row| {
            let key = key.clone();
            async move { call.get(&row, &key).await }
        }))
    }

    fn put<'a>(
        &'a self,
        key: &'a Key,
        value: SecretBytes,
        expected: Expected,
    ) -> BoxFuture<'a, Result<Version, StoreError>> {
        let value = Arc::new(value);
        Box::pin(async move {
            let work = |mut call: Call, row: RowName| {
                let (key, value) = (key.clone(), value.clone());
                async move { call.put(&row, &key, &value, expected).await }
            };
            self.one(key, true, work).await
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, expected: Expected) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.one(key, true, move |mut call, row| {
            let key = key.clone();
            async move { call.remove(&row, &key, expected).await }
        }))
    }

    fn list<'a>(&'a self, filter: &'a Filter) -> BoxFuture<'a, Result<Vec<Key>, StoreError>> {
        Box::pin(self.read_all(|call| {
            let filter = filter.clone();
            async move { survey::list(call, &filter).await }
        }))
    }

    fn lease<'a>(
        &'a self,
        key: &'a Key,
        holder: &'a Holder,
        duration: Duration,
    ) -> BoxFuture<'a, Result<LeaseOutcome, StoreError>> {
        Box::pin(self.one(key, true, move |mut call, row| {
            let (store, holder) = (self.clone(), holder.clone());
            async move {
                let times = Times { here: &*store.clock, instead_of_the_servers: store.clock_instead_of_the_servers };
                let (statements, place) = (call.statements, call.place);
                let connection = &mut call.connection;
                let leased =
                    leases::lease(connection, &statements, &place, &row.name, &holder, duration, times).await?;
                store.sweep(connection).await;
                Ok(leased)
            }
        }))
    }

    fn release<'a>(&'a self, key: &'a Key, holder: &'a Holder) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.one(key, true, move |mut call, row| {
            let holder = holder.clone();
            async move {
                Ok(leases::release(&mut call.connection, &call.statements, &call.place, &row.name, &holder).await?)
            }
        }))
    }
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresStore")
            .field("place", &self.place)
            .field("keys", &self.keeper.source_place())
            .finish_non_exhaustive()
    }
}

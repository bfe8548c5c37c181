//! The keys of the store: those of the records, and that of the names.

use super::PostgresStore;
use super::connection::Value;
use super::failure::Failure;
use super::migrations::{NotMigrated, migrate};
use super::names::NameKey;
use super::pool::Lent;
use crate::error::StoreError;
use crate::keeper::{Locked, Outcome, Refused, Vault};
use crate::keys::{DataKeyId, KeyRing};
use crate::seal::{Damage, SealFailed, Sealed};
use std::sync::{Arc, PoisonError};
use tokio::sync::Mutex;

/// What a rotation seals anew.
pub(crate) enum Item {
    /// The key of the names.
    Names,
    /// The record of a row.
    Record(Vec<u8>),
}

/// The lock of the keys, across machines: the session of this connection holds it, and ends with it.
pub(crate) struct KeyLock(Mutex<Lent>);

/// A session that holds the lock and says nothing for so long has stopped: the server ends it (PostgreSQL 14 or later).
/// The keys may come from a service meanwhile.
const SILENCE: &str = "120s";

impl PostgresStore {
    /// A connection that holds the lock of the tables and keys. [Give it back](Self::unlock): when it is dropped, the
    /// server gets to know of it only when the runtime gets to close it.
    pub(super) async fn locked(&self) -> Result<Lent, StoreError> {
        let number = self.pool.config().schema.lock_number();
        let mut connection = self.connection().await?;
        connection.keep_out_of_the_pool(true);
        let doing = "waiting for the data keys";
        let statement = format!("SELECT pg_advisory_lock($1), {}", silence(SILENCE));
        self.run(&mut connection, doing, &statement, &[Value::Number(number)]).await?;
        Ok(connection)
    }

    /// Gives the lock back, and the connection.
    pub(super) async fn unlock(&self, mut connection: Lent) {
        let number = self.pool.config().schema.lock_number();
        let doing = "giving the data keys back";
        let statement = format!("SELECT pg_advisory_unlock($1), {}", silence("0"));
        if connection.roll_back().await.is_ok()
            && self.run(&mut connection, doing, &statement, &[Value::Number(number)]).await.is_ok()
        {
            connection.keep_out_of_the_pool(false);
        }
    }

    pub(super) async fn migrate_with(&self, connection: &mut Lent) -> Result<(), StoreError> {
        migrate(connection, &self.pool.config().schema).await.map_err(|reason| match reason {
            NotMigrated::Failed(failure) => failure.at(&self.place, "making the tables"),
            NotMigrated::Newer(version) => StoreError::Unavailable {
                place: self.place.to_string(),
                reason: format!(
                    "its tables have version {version}, of a newer version of this program: run that one, or bring the \
                     tables back from a copy"
                ),
                retryable: false,
            },
        })
    }

    /// The key of the names, loaded or made at first use.
    pub(super) async fn names(&self, keys: &KeyRing) -> Result<Arc<NameKey>, Refused> {
        if let Some(names) = self.known_names() {
            return Ok(names);
        }
        // One task asks for all.
        let _loading = self.loading_names.lock().await;
        if let Some(names) = self.known_names() {
            return Ok(names);
        }
        let mut connection = self.locked().await?;
        let names = self.names_locked(&mut connection, keys).await;
        self.unlock(connection).await;
        let names = Arc::new(names?);
        *self.names.write().unwrap_or_else(PoisonError::into_inner) = Some(names.clone());
        Ok(names)
    }

    async fn names_locked(&self, connection: &mut Lent, keys: &KeyRing) -> Result<NameKey, Refused> {
        let copies = self.copies_of_names(connection).await?;
        let opened: Vec<_> = copies.iter().map(|copy| NameKey::open(copy, keys)).collect();
        let whole = opened.len() == 2 && opened.iter().all(Result::is_ok);
        let damage = opened.iter().find_map(|copy| copy.as_ref().err().copied());
        let names = match (opened.into_iter().find_map(Result::ok), damage) {
            (Some(names), _) => names,
            (None, Some(damage)) => return Err(self.no_names(connection, keys, damage).await),
            (None, None) => {
                let doing = "looking for records";
                if !self.run(connection, doing, &self.statements.has_records, &[]).await?.is_empty() {
                    return Err(self.unreadable_names("it is missing").into());
                }
                NameKey::generate().map_err(|SealFailed| self.no_seal())?
            }
        };
        if !whole {
            self.store_names(connection, &names, keys).await?;
        }
        let doing = "noting the key of the names";
        self.run(connection, doing, &self.statements.note_names, &[Value::Octets(&names.id())]).await?;
        Ok(names)
    }

    /// The key that seals, and whether there are records.
    async fn look(&self, connection: &mut Lent, first: bool) -> Result<(Option<DataKeyId>, bool), StoreError> {
        if first {
            self.migrate_with(connection).await?;
            self.sweep(connection).await;
        }
        let doing = "looking for records";
        let has_records = !self.run(connection, doing, &self.statements.has_records, &[]).await?.is_empty();
        Ok((self.named_key(connection).await?, has_records))
    }

    async fn copies_of_names(&self, connection: &mut Lent) -> Result<Vec<Vec<u8>>, StoreError> {
        let doing = "reading the key of the names";
        let rows = self.run(connection, doing, &self.statements.names, &[]).await?;
        rows.iter().map(|row| row.try_get(0).map_err(|_| Failure::Strange.at(&self.place, doing))).collect()
    }

    async fn store_names(&self, connection: &mut Lent, names: &NameKey, keys: &KeyRing) -> Result<(), Refused> {
        let sealed = names.seal(keys.current()).map_err(|SealFailed| self.no_seal())?;
        let current = keys.current().id().to_checked();
        let values = [Value::Octets(&current), Value::Octets(&sealed)];
        let doing = "writing the key of the names";
        let rows = self.run(connection, doing, &self.statements.store_names, &values).await?;
        if rows.is_empty() { Err(Refused::StaleKeys) } else { Ok(()) }
    }

    async fn no_names(&self, connection: &mut Lent, keys: &KeyRing, damage: Damage) -> Refused {
        match self.named_key(connection).await {
            Ok(named) if named != Some(keys.current().id()) && matches!(damage, Damage::OtherKey(_)) => {
                Refused::StaleKeys
            }
            Ok(_) => self.unreadable_names(&damage.to_string()).into(),
            Err(error) => error.into(),
        }
    }

    fn unreadable_names(&self, reason: &str) -> StoreError {
        StoreError::Unavailable {
            place: self.place.to_string(),
            reason: format!(
                "the key of its names cannot be read: {reason}; bring the table smart_store_names back from a copy"
            ),
            retryable: false,
        }
    }

    fn no_seal(&self) -> StoreError {
        StoreError::Unavailable {
            place: self.place.to_string(),
            reason: SealFailed::REASON.to_owned(),
            retryable: true,
        }
    }

    async fn named_key(&self, connection: &mut Lent) -> Result<Option<DataKeyId>, StoreError> {
        let doing = "reading which data key seals";
        let rows = self.run(connection, doing, &self.statements.state, &[]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let checked: Option<&[u8]> = row.try_get(0).map_err(|_| Failure::Strange.at(&self.place, doing))?;
        Ok(checked.and_then(DataKeyId::from_checked))
    }

    async fn reseal_names(&self, keys: &KeyRing) -> Result<Outcome, Refused> {
        let names = self.names(keys).await?;
        let mut connection = self.connection().await?;
        let copies = self.copies_of_names(&mut connection).await?;
        let current = keys.current().id();
        if copies.iter().all(|copy| Sealed::parse(copy).is_ok_and(|sealed| sealed.key_id() == current)) {
            return Ok(Outcome::AlreadyCurrent);
        }
        self.store_names(&mut connection, &names, keys).await?;
        // It is no record, and is not counted.
        Ok(Outcome::AlreadyCurrent)
    }

    async fn run(
        &self,
        connection: &mut Lent,
        doing: &'static str,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<tokio_postgres::Row>, StoreError> {
        connection.run(doing, statement, values).await.map_err(|failure| failure.at(&self.place, doing))
    }
}

/// Sets the time, where the server knows the setting.
fn silence(time: &str) -> String {
    format!("(SELECT set_config(name, '{time}', false) FROM pg_settings WHERE name = 'idle_session_timeout')")
}

impl Vault for PostgresStore {
    type Lock = KeyLock;
    type Name = Item;

    async fn lock_keys(&self, first: bool) -> Result<Locked<KeyLock>, StoreError> {
        let mut connection = self.locked().await?;
        match self.look(&mut connection, first).await {
            Ok((named, has_records)) => Ok(Locked { lock: KeyLock(Mutex::new(connection)), named, has_records }),
            Err(error) => {
                self.unlock(connection).await;
                Err(error)
            }
        }
    }

    async fn unlock_keys(&self, lock: KeyLock) {
        self.unlock(lock.0.into_inner()).await;
    }

    /// It waits for the writes under way: each holds the row that it looked up the key in.
    async fn name_key(&self, lock: &KeyLock, id: DataKeyId) -> Result<(), StoreError> {
        let mut connection = lock.0.lock().await;
        let values = [Value::Octets(&id.to_checked())];
        self.run(&mut connection, "naming the data key that seals", &self.statements.name_key, &values).await.map(drop)
    }

    async fn names(&self, current: DataKeyId) -> Result<Vec<Item>, StoreError> {
        const DOING: &str = "listing the records to seal anew";
        let mut connection = self.connection().await?;
        let mut items = vec![Item::Names];
        let mut last: Vec<u8> = Vec::new();
        loop {
            let values = [Value::Octets(&last), Value::Octets(current.as_octets())];
            let rows = self.run(&mut connection, DOING, &self.statements.names_of_older, &values).await?;
            let name = |row: &tokio_postgres::Row| -> Result<Vec<u8>, StoreError> {
                row.try_get(0).map_err(|_| Failure::Strange.at(&self.place, DOING))
            };
            let Some(end) = rows.last() else { return Ok(items) };
            let next = name(end)?;
            for row in &rows {
                items.push(Item::Record(name(row)?));
            }
            last = next;
        }
    }

    async fn reseal(&self, keys: Arc<KeyRing>, item: &Item) -> Result<Outcome, Refused> {
        let Item::Record(name) = item else { return self.reseal_names(&keys).await };
        let names = self.names(&keys).await?;
        let stripe = name.first().copied().map_or(0, usize::from);
        let guard = self.stripes.write(stripe).await;
        let mut call = self.call(keys, names).await?;
        let name = name.clone();
        self.to_the_end(guard, async move { call.reseal(&name).await }).await
    }

    fn place(&self) -> String {
        self.place.to_string()
    }
}

//! What is done to one record, by one task of this process at a time.
//!
//! Writes are single statements: done or not, whatever happens to the connection. Each looks up in itself which data key
//! seals.

use super::connection::Value;
use super::failure::Failure;
use super::names::{NameKey, RowName};
use super::pool::Lent;
use super::statements::Statements;
use crate::error::StoreError;
use crate::keeper::{Outcome, Refused};
use crate::key::Key;
use crate::keys::KeyRing;
use crate::record::{Expected, Record, SecretBytes, Version};
use crate::seal::Damage;
use crate::seal::{self, MAX_VALUE, SealFailed, Sealed};
use crate::stored::{Replaced, Stored, open_record};
use std::sync::Arc;
use tokio_postgres::Row;

/// How often a write starts over because somebody else writes the same record.
const MAX_ATTEMPTS: usize = 8;

/// A connection, and what is needed to read and write with it.
pub(super) struct Call {
    pub(super) connection: Lent,
    pub(super) statements: Arc<Statements>,
    pub(super) keys: Arc<KeyRing>,
    pub(super) names: Arc<NameKey>,
    pub(super) place: Arc<str>,
}

/// A row's sealed octets, in one piece.
fn sealed_octets(row: &Row, head: usize) -> Result<Option<Vec<u8>>, Failure> {
    let part = |column| row.try_get::<_, Option<&[u8]>>(column).map_err(|_| Failure::Strange);
    let (head, body) = (part(head)?, part(head.saturating_add(1))?);
    Ok(head.zip(body).map(|(head, body)| [head, body].concat()))
}

fn digest(octets: &[u8]) -> ring::digest::Digest {
    ring::digest::digest(&ring::digest::SHA256, octets)
}

impl Call {
    async fn run(
        &mut self,
        doing: &'static str,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        self.connection.run(doing, statement, values).await.map_err(|failure| failure.at(&self.place, doing))
    }

    fn strange(&self, doing: &str) -> StoreError {
        Failure::Strange.at(&self.place, doing)
    }

    /// Reads a record, with the octets that it has in the table. `to_write`: the data key must be the one that seals, also
    /// where another one opens the record.
    async fn read(&mut self, row: &RowName, key: &Key, to_write: bool) -> Result<(Stored, Vec<u8>), Refused> {
        const DOING: &str = "reading a record";
        let statements = self.statements.clone();
        let rows = self.run(DOING, &statements.get, &[Value::Octets(&row.name)]).await?;
        // Without the row that names the key nothing is to be believed.
        let found = rows.first().ok_or(Refused::StaleKeys)?;
        let is = |column: usize, ours: &[u8]| {
            found.try_get::<_, Option<&[u8]>>(column).is_ok_and(|stored| stored == Some(ours))
        };
        let is_current = is(0, &self.keys.current().id().to_checked());
        if !is(1, &self.names.id()) || to_write && !is_current {
            return Err(Refused::StaleKeys);
        }
        let sealed = sealed_octets(found, 2).map_err(|failure| failure.at(&self.place, DOING))?;
        let Some(sealed) = sealed else { return Ok((Stored::Absent, Vec::new())) };
        let stored = match open_record(&sealed, &self.keys, key) {
            Ok(record) => Stored::Record(record),
            // An unknown data key may be one that another process has made.
            Err(Damage::OtherKey(_)) if !is_current => return Err(Refused::StaleKeys),
            Err(damage) => Stored::Damaged(damage.to_string()),
        };
        Ok((stored, sealed))
    }

    pub(super) async fn get(&mut self, row: &RowName, key: &Key) -> Result<Option<Record>, Refused> {
        let (stored, _) = self.read(row, key, false).await?;
        Ok(stored.for_get(key, &self.place)?)
    }

    pub(super) async fn put(
        &mut self,
        row: &RowName,
        key: &Key,
        value: &SecretBytes,
        expected: Expected,
    ) -> Result<Version, Refused> {
        let value = value.expose_secret();
        if value.len() > MAX_VALUE {
            return Err(StoreError::TooLarge { key: key.to_string(), size: value.len(), limit: MAX_VALUE }.into());
        }
        let version = seal::new_version().map_err(|SealFailed| self.no_seal())?;
        let sealed = seal::seal(self.keys.current(), key, version, value).map_err(|SealFailed| self.no_seal())?;
        let (head, body) = Sealed::parse(&sealed).map_err(|_| self.no_seal())?.split();
        for attempt in 0..MAX_ATTEMPTS {
            // A version and nothing are believed at first, as most beliefs are right: one round trip.
            let written = match expected {
                Expected::Absent if attempt == 0 => self.write(Write::Insert, row, head, body, &[]).await?,
                Expected::Version(version) if attempt == 0 => {
                    let version = version.number().to_be_bytes();
                    self.write(Write::Swap, row, head, body, &version).await?
                }
                _ => {
                    let (stored, octets) = self.read(row, key, true).await?;
                    match (stored.for_put(key, expected, &self.place)?, expected) {
                        (Replaced::Damaged, _) => {
                            let damaged = digest(&octets);
                            self.write(Write::ReplaceDamaged, row, head, body, damaged.as_ref()).await?
                        }
                        (_, Expected::Any) => self.write(Write::Upsert, row, head, body, &[]).await?,
                        (_, Expected::Absent) => self.write(Write::Insert, row, head, body, &[]).await?,
                        (_, Expected::Version(version)) => {
                            let version = version.number().to_be_bytes();
                            self.write(Write::Swap, row, head, body, &version).await?
                        }
                    }
                }
            };
            if written {
                return Ok(version);
            }
        }
        Err(self.restless(key).into())
    }

    /// Sends a write. Gives whether it was done.
    async fn write(
        &mut self,
        write: Write,
        row: &RowName,
        head: &[u8],
        body: &[u8],
        believed: &[u8],
    ) -> Result<bool, StoreError> {
        let statements = self.statements.clone();
        let (doing, statement) = match write {
            Write::Insert => ("inserting a record", &statements.insert),
            Write::Upsert => ("writing a record", &statements.upsert),
            Write::Swap => ("replacing a record", &statements.swap),
            Write::ReplaceDamaged => ("replacing a damaged record", &statements.replace_damaged),
        };
        let (current, names) = (self.keys.current().id().to_checked(), self.names.id());
        let all = [
            Value::Octets(&current),
            Value::Octets(&names),
            Value::Octets(&row.name),
            Value::Octets(&row.issuer),
            Value::Octets(&row.owner),
            Value::Octets(head),
            Value::Octets(body),
            Value::Octets(believed),
        ];
        let count = if believed.is_empty() { all.len() - 1 } else { all.len() };
        let values = all.get(..count).unwrap_or(&all);
        Ok(!self.run(doing, statement, values).await?.is_empty())
    }

    pub(super) async fn remove(&mut self, row: &RowName, key: &Key, expected: Expected) -> Result<bool, Refused> {
        const DOING: &str = "removing a record";
        let statements = self.statements.clone();
        // What was set aside of this record is the user's as well, and goes with it.
        self.run("removing a damaged record", &statements.remove_quarantined, &[Value::Octets(&row.name)]).await?;
        for attempt in 0..MAX_ATTEMPTS {
            let removed = match expected {
                Expected::Any => {
                    return Ok(!self.run(DOING, &statements.remove, &[Value::Octets(&row.name)]).await?.is_empty());
                }
                Expected::Version(version) if attempt == 0 => {
                    let version = version.number().to_be_bytes();
                    let values = [Value::Octets(&row.name), Value::Octets(&version)];
                    !self.run(DOING, &statements.remove_version, &values).await?.is_empty()
                }
                _ => false,
            };
            if removed {
                return Ok(true);
            }
            let (stored, _) = self.read(row, key, false).await?;
            if !stored.for_remove(key, expected, &self.place)? {
                return Ok(false);
            }
        }
        Err(self.restless(key).into())
    }

    /// Seals a record with the current key. Its content and version stay, so that nobody else notices.
    pub(super) async fn reseal(&mut self, name: &[u8]) -> Result<Outcome, Refused> {
        const DOING: &str = "sealing a record anew";
        let statements = self.statements.clone();
        for _ in 0..MAX_ATTEMPTS {
            let rows = self.run(DOING, &statements.get, &[Value::Octets(name)]).await?;
            let sealed = rows.first().map(|row| sealed_octets(row, 2)).transpose();
            let sealed = sealed.map_err(|failure| failure.at(&self.place, DOING))?.flatten();
            // It was removed meanwhile.
            let Some(octets) = sealed else { return Ok(Outcome::AlreadyCurrent) };
            let again = match self.sealed_anew(&octets, name) {
                Ok(again) => again,
                Err(outcome) => return Ok(outcome),
            };
            let again = again.map_err(|SealFailed| self.no_seal())?;
            let (head, body) = Sealed::parse(&again).map_err(|_| self.no_seal())?.split();
            let (current, names) = (self.keys.current().id().to_checked(), self.names.id());
            let was = digest(&octets);
            let values = [&current, names.as_slice(), name, head, body, was.as_ref()].map(Value::Octets);
            if !self.run(DOING, &statements.reseal, &values).await?.is_empty() {
                return Ok(Outcome::Resealed);
            }
            self.refuse_stale_keys().await?;
        }
        Err(StoreError::Unavailable {
            place: self.place.to_string(),
            reason: "a record is written again and again".to_owned(),
            retryable: true,
        }
        .into())
    }

    fn sealed_anew(&self, octets: &[u8], name: &[u8]) -> Result<Result<Vec<u8>, SealFailed>, Outcome> {
        let unreadable = |_: Damage| Outcome::Unreadable;
        let sealed = Sealed::parse(octets).map_err(unreadable)?;
        if sealed.key_id() == self.keys.current().id() {
            return Err(Outcome::AlreadyCurrent);
        }
        let with = self.keys.find(sealed.key_id()).ok_or(Outcome::Unreadable)?;
        let key = sealed.open_name(with).map_err(unreadable)?;
        let value = sealed.open_value(with, &key).map_err(unreadable)?;
        if self.names.of_key(&key).name != name {
            return Err(Outcome::Unreadable);
        }
        Ok(seal::seal(self.keys.current(), &key, sealed.version(), value.expose_secret()))
    }

    /// An unknown data key may be one that another process has made. Then the store names another than ours.
    pub(super) async fn refuse_stale_keys(&mut self) -> Result<(), Refused> {
        self.refuse_other(0, &self.keys.current().id().to_checked()).await
    }

    /// The tables may have been made anew, with another key of the names.
    pub(super) async fn refuse_other_names(&mut self) -> Result<(), Refused> {
        self.refuse_other(1, &self.names.id()).await
    }

    async fn refuse_other(&mut self, column: usize, ours: &[u8]) -> Result<(), Refused> {
        const DOING: &str = "reading which keys are in use";
        let statements = self.statements.clone();
        let rows = self.run(DOING, &statements.state, &[]).await?;
        let row = rows.first().ok_or(Refused::StaleKeys)?;
        let stored: Option<&[u8]> = row.try_get(column).map_err(|_| self.strange(DOING))?;
        if stored == Some(ours) { Ok(()) } else { Err(Refused::StaleKeys) }
    }

    fn no_seal(&self) -> StoreError {
        StoreError::Unavailable {
            place: self.place.to_string(),
            reason: SealFailed::REASON.to_owned(),
            retryable: true,
        }
    }

    fn restless(&self, key: &Key) -> StoreError {
        StoreError::Unavailable {
            place: self.place.to_string(),
            reason: format!("the record {key} is written by others again and again"),
            retryable: true,
        }
    }
}

/// How a record is written.
#[derive(Clone, Copy)]
enum Write {
    Insert,
    Upsert,
    Swap,
    ReplaceDamaged,
}

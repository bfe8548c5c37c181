//! Records in files: what is done on the disk, by one caller at a time for each record.

use super::disk::read_limited;
use super::folder::{FileName, Folder};
use crate::error::StoreError;
use crate::key::{Filter, Key};
use crate::keys::KeyRing;
use crate::record::{Expected, Record, SecretBytes, Version};
use crate::seal::{self, Damage, MAX_SEALED, MAX_VALUE, SealFailed, Sealed};
use std::io;

/// Why an attempt was not carried out.
pub(super) enum Refused {
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

/// What lies under a record's name.
pub(super) enum Stored {
    Absent,
    Record(Record),
    Damaged(String),
}

/// The octets of a record's file, or why it cannot be read at all.
pub(super) fn read_sealed(folder: &Folder, name: &FileName) -> Result<Option<Result<Vec<u8>, String>>, StoreError> {
    match read_limited(&folder.records().join(name.as_str()), MAX_SEALED) {
        Ok(content) => Ok(content.map(Ok)),
        Err(error) if is_damage(&error) => Ok(Some(Err(error.to_string()))),
        Err(error) => Err(folder.failed("reading a record", &error)),
    }
}

/// Whether reading again would give the same: a bad sector, a file over the limit, a folder in the place of a file.
fn is_damage(error: &io::Error) -> bool {
    const INPUT_OUTPUT_ERROR: i32 = 5;
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::IsADirectory)
        || cfg!(unix) && error.raw_os_error() == Some(INPUT_OUTPUT_ERROR)
}

/// An unknown data key may be one that another process has made. Then the folder names another current key than ours.
pub(super) fn refuse_stale_keys(folder: &Folder, keys: &KeyRing) -> Result<(), Refused> {
    if folder.current_key()? == Some(keys.current().id()) { Ok(()) } else { Err(Refused::StaleKeys) }
}

/// Reads a record. It needs no lock: a file is replaced as a whole.
pub(super) fn read(folder: &Folder, keys: &KeyRing, key: &Key) -> Result<Stored, Refused> {
    let sealed = match read_sealed(folder, &FileName::of(key))? {
        None => return Ok(Stored::Absent),
        Some(Err(reason)) => return Ok(Stored::Damaged(reason)),
        Some(Ok(sealed)) => sealed,
    };
    let opened = Sealed::parse(&sealed).and_then(|sealed| {
        let with = keys.find(sealed.key_id()).ok_or(Damage::OtherKey(sealed.key_id()))?;
        Ok(Record { version: sealed.version(), value: sealed.open_value(with, key)? })
    });
    match opened {
        Ok(record) => Ok(Stored::Record(record)),
        Err(damage) => {
            if matches!(damage, Damage::OtherKey(_)) {
                refuse_stale_keys(folder, keys)?;
            }
            Ok(Stored::Damaged(damage.to_string()))
        }
    }
}

pub(super) fn get(folder: &Folder, keys: &KeyRing, key: &Key) -> Result<Option<Record>, Refused> {
    match read(folder, keys, key)? {
        Stored::Absent => Ok(None),
        Stored::Record(record) => Ok(Some(record)),
        Stored::Damaged(reason) => Err(unreadable(folder, key, reason).into()),
    }
}

pub(super) fn put(
    folder: &Folder,
    keys: &KeyRing,
    key: &Key,
    value: &SecretBytes,
    expected: Expected,
) -> Result<Version, Refused> {
    let value = value.expose_secret();
    if value.len() > MAX_VALUE {
        return Err(StoreError::TooLarge { key: key.to_string(), size: value.len(), limit: MAX_VALUE }.into());
    }
    let name = FileName::of(key);
    let _lock = folder.lock(name.stripe())?;
    // Under the lock: a rotation that has passed this stripe has named its key before.
    refuse_stale_keys(folder, keys)?;
    let stored = match (read(folder, keys, key)?, expected) {
        (Stored::Absent, _) => None,
        (Stored::Record(record), _) => Some(record.version),
        (Stored::Damaged(reason), Expected::Version(_)) => return Err(unreadable(folder, key, reason).into()),
        (Stored::Damaged(_), Expected::Absent | Expected::Any) => {
            folder
                .disk
                .set_aside(&folder.records(), &folder.quarantine(), name.as_str())
                .map_err(|error| folder.failed("setting a damaged record aside", &error))?;
            None
        }
    };
    if !expected.holds_for(stored) {
        return Err(StoreError::Conflict { key: key.to_string() }.into());
    }
    let version = seal::new_version().map_err(|SealFailed| no_seal(folder))?;
    let sealed = seal::seal(keys.current(), key, version, value).map_err(|SealFailed| no_seal(folder))?;
    folder
        .disk
        .replace(&folder.records(), name.as_str(), &sealed, true)
        .map_err(|error| folder.failed("writing a record", &error))?;
    Ok(version)
}

pub(super) fn remove(folder: &Folder, keys: &KeyRing, key: &Key, expected: Expected) -> Result<bool, Refused> {
    let name = FileName::of(key);
    let _lock = folder.lock(name.stripe())?;
    // What was set aside of this record is the user's as well, and goes with it.
    let gone = folder.disk.remove(&folder.quarantine(), name.as_str(), true);
    gone.map_err(|error| folder.failed("removing a damaged record", &error))?;
    match (read(folder, keys, key)?, expected) {
        (Stored::Absent, _) => return Ok(false),
        (Stored::Damaged(reason), Expected::Version(_) | Expected::Absent) => {
            return Err(unreadable(folder, key, reason).into());
        }
        (Stored::Record(record), expected) if !expected.holds_for(Some(record.version)) => {
            return Err(StoreError::Conflict { key: key.to_string() }.into());
        }
        (Stored::Record(_) | Stored::Damaged(_), _) => {}
    }
    let removed = folder.disk.remove(&folder.records(), name.as_str(), true);
    Ok(removed.map_err(|error| folder.failed("removing a record", &error))?)
}

/// What a look at one file gave.
pub(super) enum Looked {
    Gone,
    Name(Key),
    Damaged(String),
}

/// Reads a record's name and, where `whole`, its value too.
pub(super) fn look(folder: &Folder, keys: &KeyRing, name: &FileName, whole: bool) -> Result<Looked, Refused> {
    let sealed = match read_sealed(folder, name)? {
        None => return Ok(Looked::Gone),
        Some(Err(reason)) => return Ok(Looked::Damaged(reason)),
        Some(Ok(sealed)) => sealed,
    };
    let opened = Sealed::parse(&sealed).and_then(|sealed| {
        let with = keys.find(sealed.key_id()).ok_or(Damage::OtherKey(sealed.key_id()))?;
        let key = sealed.open_name(with)?;
        if FileName::of(&key) != *name {
            return Err(Damage::Altered);
        }
        if whole {
            sealed.open_value(with, &key)?;
        }
        Ok(key)
    });
    match opened {
        Ok(key) => Ok(Looked::Name(key)),
        Err(damage) => {
            if matches!(damage, Damage::OtherKey(_)) {
                refuse_stale_keys(folder, keys)?;
            }
            Ok(Looked::Damaged(damage.to_string()))
        }
    }
}

pub(super) fn list(folder: &Folder, keys: &KeyRing, filter: &Filter) -> Result<Vec<Key>, Refused> {
    let mut found = Vec::new();
    for name in folder.names_in(&folder.records())? {
        if let Looked::Name(key) = look(folder, keys, &name, false)?
            && filter.matches(&key)
        {
            found.push(key);
        }
    }
    found.sort();
    Ok(found)
}

/// What became of one record in a rotation.
pub(super) enum Outcome {
    Resealed,
    AlreadyCurrent,
    Unreadable,
}

/// Seals a record with the current key. Its content and version stay, so that nobody else notices.
pub(super) fn reseal(folder: &Folder, keys: &KeyRing, name: &FileName) -> Result<Outcome, Refused> {
    let _lock = folder.lock(name.stripe())?;
    refuse_stale_keys(folder, keys)?;
    let Some(Ok(sealed)) = read_sealed(folder, name)? else { return Ok(Outcome::Unreadable) };
    let Ok(sealed) = Sealed::parse(&sealed) else { return Ok(Outcome::Unreadable) };
    if sealed.key_id() == keys.current().id() {
        return Ok(Outcome::AlreadyCurrent);
    }
    let Some(with) = keys.find(sealed.key_id()) else { return Ok(Outcome::Unreadable) };
    let Ok(key) = sealed.open_name(with) else { return Ok(Outcome::Unreadable) };
    let Ok(value) = sealed.open_value(with, &key) else { return Ok(Outcome::Unreadable) };
    if FileName::of(&key) != *name {
        return Ok(Outcome::Unreadable);
    }
    let again = seal::seal(keys.current(), &key, sealed.version(), value.expose_secret())
        .map_err(|SealFailed| no_seal(folder))?;
    folder
        .disk
        .replace(&folder.records(), name.as_str(), &again, true)
        .map_err(|error| folder.failed("writing a re-sealed record", &error))?;
    Ok(Outcome::Resealed)
}

fn unreadable(folder: &Folder, key: &Key, reason: String) -> StoreError {
    StoreError::Unreadable { key: key.to_string(), place: folder.place(), reason }
}

fn no_seal(folder: &Folder) -> StoreError {
    StoreError::Unavailable { place: folder.place(), reason: SealFailed::REASON.to_owned(), retryable: true }
}

//! Records in files: what is done on the disk, by one caller at a time for each record.

use super::disk::{read_beginning, read_limited};
use super::folder::{FileName, Folder};
use crate::error::StoreError;
use crate::keeper::{Outcome, Refused};
use crate::key::{Filter, Key};
use crate::keys::KeyRing;
use crate::record::{Expected, Record, SecretBytes, Version};
use crate::seal::{self, Damage, MAX_SEALED, MAX_VALUE, SealFailed, Sealed, VERSION_WITHIN};
use crate::stored::{Replaced, Stored, open_name, open_owned};
use std::io;

/// Why a record's file gives nothing.
struct Unread {
    reason: String,
    /// Whether what is there is certainly no record. Else a bad sector may be read another time.
    is_lost: bool,
}

/// The octets of a record's file, or why it cannot be read at all.
fn read_sealed(folder: &Folder, name: &FileName) -> Result<Option<Result<Vec<u8>, Unread>>, StoreError> {
    match read_limited(&folder.records().join(name.as_str()), MAX_SEALED) {
        Ok(content) => Ok(content.map(Ok)),
        Err(error) if is_damage(&error) => {
            Ok(Some(Err(Unread { reason: error.to_string(), is_lost: !is_of_the_disk(&error) })))
        }
        Err(error) => Err(folder.failed("reading a record", &error)),
    }
}

/// Whether reading again would give the same: a bad sector, a file over the limit, a folder in the place of a file.
fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::IsADirectory) || is_of_the_disk(error)
}

fn is_of_the_disk(error: &io::Error) -> bool {
    const INPUT_OUTPUT_ERROR: i32 = 5;
    cfg!(unix) && error.raw_os_error() == Some(INPUT_OUTPUT_ERROR)
}

/// An unknown data key may be one that another process has made. Then the folder names another current key than ours.
pub(super) fn refuse_stale_keys(folder: &Folder, keys: &KeyRing) -> Result<(), Refused> {
    if folder.current_key()? == Some(keys.current().id()) { Ok(()) } else { Err(Refused::StaleKeys) }
}

/// Reads a record. It needs no lock: a file is replaced as a whole.
pub(super) fn read(folder: &Folder, keys: &KeyRing, key: &Key) -> Result<Stored, Refused> {
    let sealed = match read_sealed(folder, &FileName::of(key))? {
        None => return Ok(Stored::Absent),
        Some(Err(unread)) => return Ok(Stored::Damaged(unread.reason)),
        Some(Ok(sealed)) => sealed,
    };
    match open_owned(sealed, keys, key) {
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
    Ok(read(folder, keys, key)?.for_get(key, &folder.place())?)
}

/// Whether the version is there that the caller believes in: it then has seen the content, or written it, and what has
/// become of that does not matter any more.
fn is_believed(folder: &Folder, name: &FileName, expected: Expected) -> Result<bool, StoreError> {
    let Expected::Version(version) = expected else { return Ok(false) };
    let head = read_beginning(&folder.records().join(name.as_str()), VERSION_WITHIN)
        .or_else(|error| if is_damage(&error) { Ok(None) } else { Err(error) })
        .map_err(|error| folder.failed("reading a record", &error))?;
    Ok(head.and_then(|head| Sealed::version_at_head(&head)) == Some(version))
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
    if !is_believed(folder, &name, expected)?
        && read(folder, keys, key)?.for_put(key, expected, &folder.place())? == Replaced::Damaged
    {
        folder
            .disk
            .set_aside(&folder.records(), &folder.quarantine(), name.as_str())
            .map_err(|error| folder.failed("setting a damaged record aside", &error))?;
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
    if !read(folder, keys, key)?.for_remove(key, expected, &folder.place())? {
        return Ok(false);
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
        Some(Err(unread)) => return Ok(Looked::Damaged(unread.reason)),
        Some(Ok(sealed)) => sealed,
    };
    let opened = open_name(&sealed, keys, whole);
    let opened = opened.and_then(|key| if FileName::of(&key) == *name { Ok(key) } else { Err(Damage::Altered) });
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

/// Seals a record with the current key. Its content and version stay, so that nobody else notices.
pub(super) fn reseal(folder: &Folder, keys: &KeyRing, name: &FileName) -> Result<Outcome, Refused> {
    let _lock = folder.lock(name.stripe())?;
    refuse_stale_keys(folder, keys)?;
    let sealed = match read_sealed(folder, name)? {
        // It was removed meanwhile.
        None => return Ok(Outcome::AlreadyCurrent),
        Some(Err(unread)) => return Ok(if unread.is_lost { Outcome::Unreadable } else { Outcome::Unseen }),
        Some(Ok(sealed)) => sealed,
    };
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

fn no_seal(folder: &Folder) -> StoreError {
    StoreError::Unavailable { place: folder.place(), reason: SealFailed::REASON.to_owned(), retryable: true }
}

//! What lies under a record's name, and what each call makes of it: the same for all sealed backends.

use crate::error::StoreError;
use crate::key::Key;
use crate::keys::KeyRing;
use crate::record::{Expected, Record, Version};
#[cfg(feature = "file")]
use crate::seal;
use crate::seal::{Damage, Sealed};

/// What lies under a record's name.
pub(crate) enum Stored {
    Absent,
    Record(Record),
    Damaged(String),
}

/// What a write replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replaced {
    Nothing,
    Record,
    /// To be set aside first.
    Damaged,
}

/// Opens a sealed record, in the place of its octets.
#[cfg(feature = "file")]
pub(crate) fn open_owned(octets: Vec<u8>, keys: &KeyRing, key: &Key) -> Result<Record, Damage> {
    let sealed = Sealed::parse(&octets)?;
    let (id, version) = (sealed.key_id(), sealed.version());
    let with = keys.find(id).ok_or(Damage::OtherKey(id))?;
    Ok(Record { version, value: seal::open_in_place(octets, with, key)? })
}

/// Opens a sealed record.
#[cfg(feature = "postgres")]
pub(crate) fn open_record(sealed: &[u8], keys: &KeyRing, key: &Key) -> Result<Record, Damage> {
    let sealed = Sealed::parse(sealed)?;
    let with = keys.find(sealed.key_id()).ok_or(Damage::OtherKey(sealed.key_id()))?;
    Ok(Record { version: sealed.version(), value: sealed.open_value(with, key)? })
}

/// Opens the name of a sealed record and, where `whole`, its value too.
pub(crate) fn open_name(sealed: &[u8], keys: &KeyRing, whole: bool) -> Result<Key, Damage> {
    let sealed = Sealed::parse(sealed)?;
    let with = keys.find(sealed.key_id()).ok_or(Damage::OtherKey(sealed.key_id()))?;
    let key = sealed.open_name(with)?;
    if whole {
        sealed.open_value(with, &key)?;
    }
    Ok(key)
}

/// Opens the name of a record that comes without its value.
#[cfg(feature = "postgres")]
pub(crate) fn open_head(head: &[u8], keys: &KeyRing) -> Result<Key, Damage> {
    let sealed = Sealed::parse_head(head)?;
    let with = keys.find(sealed.key_id()).ok_or(Damage::OtherKey(sealed.key_id()))?;
    sealed.open_name(with)
}

impl Stored {
    fn version(&self) -> Option<Version> {
        match self {
            Self::Record(record) => Some(record.version),
            Self::Absent | Self::Damaged(_) => None,
        }
    }

    /// The answer of a read.
    pub(crate) fn for_get(self, key: &Key, place: &str) -> Result<Option<Record>, StoreError> {
        match self {
            Self::Absent => Ok(None),
            Self::Record(record) => Ok(Some(record)),
            Self::Damaged(reason) => Err(unreadable(key, place, reason)),
        }
    }

    /// What a write replaces, if it may.
    pub(crate) fn for_put(self, key: &Key, expected: Expected, place: &str) -> Result<Replaced, StoreError> {
        let holds = expected.holds_for(self.version());
        match (self, expected) {
            (Self::Damaged(reason), Expected::Version(_)) => Err(unreadable(key, place, reason)),
            (Self::Damaged(_), Expected::Absent | Expected::Any) => Ok(Replaced::Damaged),
            _ if !holds => Err(StoreError::Conflict { key: key.to_string() }),
            (Self::Record(_), _) => Ok(Replaced::Record),
            (Self::Absent, _) => Ok(Replaced::Nothing),
        }
    }

    /// Whether there is something to remove, if it may be.
    pub(crate) fn for_remove(self, key: &Key, expected: Expected, place: &str) -> Result<bool, StoreError> {
        let holds = expected.holds_for(self.version());
        match (self, expected) {
            (Self::Absent, _) => Ok(false),
            (Self::Damaged(reason), Expected::Version(_) | Expected::Absent) => Err(unreadable(key, place, reason)),
            (Self::Record(_), _) if !holds => Err(StoreError::Conflict { key: key.to_string() }),
            (Self::Record(_) | Self::Damaged(_), _) => Ok(true),
        }
    }
}

fn unreadable(key: &Key, place: &str, reason: String) -> StoreError {
    StoreError::Unreadable { key: key.to_string(), place: place.to_owned(), reason }
}

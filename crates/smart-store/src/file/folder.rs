//! What lies where in a store's folder.
//!
//! | path | what |
//! | --- | --- |
//! | `records/<name>` | a sealed record; `<name>` is a hash of its key in hexadecimal |
//! | `leases/<name>` | who may work on the record, until when |
//! | `quarantine/<name>` | a damaged record that was replaced |
//! | `locks/<digit>` | held while a file whose name begins with the digit is changed |
//! | `locks/keys` | held while the data keys are loaded or changed |
//! | `current-key` | the id of the data key that seals, with a checksum |

use super::disk::{Disk, TEMPORARY, create_private_folder, read_limited};
use super::lock::{FileLock, PATIENCE};
use crate::error::StoreError;
use crate::keys::DataKeyId;
use crate::stripes::STRIPES;
use crate::{Key, hex, seal};
use smart_core::time::Timestamp;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

const CURRENT_KEY: &str = "current-key";
const CURRENT_KEY_START: &str = "smart-store current key 1 ";
/// A lease that ended this long ago is of no use to anybody.
const LEASE_IS_LITTER: Duration = Duration::from_hours(24);

/// The name of a record's files: 64 hexadecimal digits in lower case. It says nothing readable, is the same length for
/// all keys, and is safe where upper and lower case are one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileName(String);

impl FileName {
    pub(super) fn of(key: &Key) -> Self {
        Self(hex::encode(&seal::public_name(key)))
    }

    fn parse(name: &str) -> Option<Self> {
        hex::decode::<32>(name).map(|_| Self(name.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Which lock guards it.
    pub(super) fn stripe(&self) -> usize {
        let digit = self.0.chars().next().and_then(|digit| digit.to_digit(16)).unwrap_or(0);
        usize::try_from(digit).unwrap_or(0)
    }
}

/// A store's folder.
#[derive(Clone)]
pub(super) struct Folder {
    root: PathBuf,
    pub(super) disk: Disk,
}

impl Folder {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root, disk: Disk::default() }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn records(&self) -> PathBuf {
        self.root.join("records")
    }

    pub(super) fn leases(&self) -> PathBuf {
        self.root.join("leases")
    }

    pub(super) fn quarantine(&self) -> PathBuf {
        self.root.join("quarantine")
    }

    fn locks(&self) -> PathBuf {
        self.root.join("locks")
    }

    /// What to call the store in errors.
    pub(super) fn place(&self) -> String {
        self.root.display().to_string()
    }

    /// The error of a call that came to nothing, or perhaps to something, because of the disk.
    pub(super) fn failed(&self, doing: &str, error: &io::Error) -> StoreError {
        let hint = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; free some space and try again",
            io::ErrorKind::PermissionDenied => "; the folder must belong to the user that runs this program",
            _ => "",
        };
        let reason = format!("{doing}: {error}{hint}");
        StoreError::Unavailable { place: self.place(), reason, retryable: may_pass(error) }
    }

    /// Makes what is missing, for the owner alone.
    pub(super) fn prepare(&self) -> Result<(), StoreError> {
        [self.root.clone(), self.records(), self.leases(), self.quarantine(), self.locks()]
            .iter()
            .try_for_each(|folder| create_private_folder(folder))
            .map_err(|error| self.failed("making its folders", &error))
    }

    /// The lock of a stripe, across processes. Its file is never removed: that would let in one who waits for the removed
    /// one beside one who makes it anew.
    pub(super) fn lock(&self, stripe: usize) -> Result<FileLock, StoreError> {
        FileLock::take(&self.locks().join(format!("{stripe:x}")), PATIENCE)
            .map_err(|error| self.failed("waiting for a record", &error))
    }

    /// Waits until the writes that were under way at the call have ended, in all processes.
    pub(super) fn wait_for_writers(&self) -> Result<(), StoreError> {
        (0..STRIPES).try_for_each(|stripe| self.lock(stripe).map(drop))
    }

    /// The lock of the data keys, across processes.
    pub(super) fn lock_keys(&self) -> Result<FileLock, StoreError> {
        FileLock::take(&self.locks().join("keys"), PATIENCE)
            .map_err(|error| self.failed("waiting for the data keys", &error))
    }

    /// The data key that seals. `None`: none is named yet, or the name cannot be read.
    pub(super) fn current_key(&self) -> Result<Option<DataKeyId>, StoreError> {
        let content = read_limited(&self.root.join(CURRENT_KEY), 1_024)
            .or_else(|error| if error.kind() == io::ErrorKind::InvalidData { Ok(None) } else { Err(error) })
            .map_err(|error| self.failed("reading which data key seals", &error))?;
        let text = content.and_then(|content| String::from_utf8(content).ok());
        let id = text.as_deref().and_then(|text| text.strip_prefix(CURRENT_KEY_START)).map(str::trim_end);
        let id = id.and_then(hex::decode::<{ DataKeyId::CHECKED_LENGTH }>);
        Ok(id.and_then(|checked| DataKeyId::from_checked(&checked)))
    }

    /// Names the data key that seals from now on. The caller holds the lock of the keys.
    pub(super) fn set_current_key(&self, id: DataKeyId) -> Result<(), StoreError> {
        let id = hex::encode(&id.to_checked());
        self.disk
            .replace(&self.root, CURRENT_KEY, format!("{CURRENT_KEY_START}{id}\n").as_bytes(), true)
            .map_err(|error| self.failed("writing which data key seals", &error))
    }

    /// The names of the files in one of the folders.
    pub(super) fn names_in(&self, folder: &Path) -> Result<Vec<FileName>, StoreError> {
        let names = self.raw_names_in(folder)?;
        Ok(names.iter().filter_map(|name| FileName::parse(name)).collect())
    }

    fn raw_names_in(&self, folder: &Path) -> Result<Vec<String>, StoreError> {
        let list = || -> io::Result<Vec<String>> {
            std::fs::read_dir(folder)?
                .filter_map(|entry| entry.map(|entry| entry.file_name().into_string().ok()).transpose())
                .collect()
        };
        list().map_err(|error| self.failed("listing its files", &error))
    }

    /// Removes what killed processes left: half-written files, and leases that ended long ago. What somebody is just
    /// working on is left alone.
    pub(super) fn sweep(&self, now: Timestamp) -> Result<(), StoreError> {
        for folder in [self.records(), self.leases()] {
            for temporary in self.raw_names_in(&folder)? {
                let Some(name) = temporary.strip_suffix(TEMPORARY).and_then(FileName::parse) else { continue };
                self.if_free(&name, || self.disk.remove(&folder, &temporary, false).map(drop));
            }
        }
        for name in self.names_in(&self.leases())? {
            self.if_free(&name, || super::leases::remove_if_ended(self, &name, now.saturating_sub(LEASE_IS_LITTER)));
        }
        Ok(())
    }

    /// Litter does no harm: that it cannot be removed now is no error.
    fn if_free(&self, name: &FileName, work: impl FnOnce() -> io::Result<()>) {
        let lock = FileLock::take(&self.locks().join(format!("{:x}", name.stripe())), Duration::ZERO);
        if lock.is_ok() {
            let _ = work();
        }
    }
}

/// Whether the same call may work a little later.
pub(crate) fn may_pass(error: &io::Error) -> bool {
    use io::ErrorKind as E;
    /// Too many open files, in the process and in the system.
    const TOO_MANY_FILES: [i32; 2] = [24, 23];
    matches!(
        error.kind(),
        E::WouldBlock | E::Interrupted | E::TimedOut | E::StorageFull | E::QuotaExceeded | E::ResourceBusy
    ) || cfg!(unix) && error.raw_os_error().is_some_and(|code| TOO_MANY_FILES.contains(&code))
}

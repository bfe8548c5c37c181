//! Leases in files. They hold no secret: the holder is kept as a hash.
//!
//! A lease is not forced to the disk: when the machine goes down, so do the holders. A file that cannot be read is no
//! lease.

use super::disk::read_limited;
use super::folder::{FileName, Folder};
use crate::error::StoreError;
use crate::hex;
use crate::key::Key;
use crate::lease::{Holder, Lease, LeaseOutcome};
use smart_core::time::Timestamp;
use std::io;
use std::time::Duration;

const FIRST_LINE: &str = "smart-store lease 1";
const LIMIT: u64 = 1_024;

pub(super) fn lease(
    folder: &Folder,
    key: &Key,
    holder: &Holder,
    duration: Duration,
    now: impl FnOnce() -> Timestamp,
) -> Result<LeaseOutcome, StoreError> {
    let name = FileName::of(key);
    let _lock = folder.lock(name.stripe())?;
    let failed = |error: io::Error| folder.failed("taking a lease", &error);
    let stored = read(folder, &name).map_err(failed)?;
    // The time is taken after the wait for the lock, so that the lease is not shorter by it.
    let (outcome, store) = Lease::ask(stored, hashed(holder), now(), duration);
    if let Some(lease) = store {
        folder.disk.replace(&folder.leases(), name.as_str(), to_text(&lease).as_bytes(), false).map_err(failed)?;
    }
    Ok(outcome)
}

pub(super) fn release(folder: &Folder, key: &Key, holder: &Holder) -> Result<(), StoreError> {
    let name = FileName::of(key);
    let _lock = folder.lock(name.stripe())?;
    let failed = |error: io::Error| folder.failed("giving a lease back", &error);
    if read(folder, &name).map_err(failed)?.is_some_and(|lease| lease.holder == hashed(holder)) {
        folder.disk.remove(&folder.leases(), name.as_str(), false).map_err(failed)?;
    }
    Ok(())
}

/// The caller holds the lock.
pub(super) fn remove_if_ended(folder: &Folder, name: &FileName, before: Timestamp) -> io::Result<()> {
    if read(folder, name)?.is_none_or(|lease| lease.until < before) {
        folder.disk.remove(&folder.leases(), name.as_str(), false)?;
    }
    Ok(())
}

fn read(folder: &Folder, name: &FileName) -> io::Result<Option<Lease<String>>> {
    match read_limited(&folder.leases().join(name.as_str()), LIMIT) {
        Ok(content) => Ok(content.and_then(|content| from_text(&String::from_utf8(content).ok()?))),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
        Err(error) => Err(error),
    }
}

fn hashed(holder: &Holder) -> String {
    hex::encode(ring::digest::digest(&ring::digest::SHA256, holder.as_str().as_bytes()).as_ref())
}

fn to_text(lease: &Lease<String>) -> String {
    let (granted, until) = (lease.granted.as_unix_seconds(), lease.until.as_unix_seconds());
    format!("{FIRST_LINE}\n{}\n{granted}\n{until}\nend\n", lease.holder)
}

fn from_text(text: &str) -> Option<Lease<String>> {
    let lines: Vec<&str> = text.lines().collect();
    let [FIRST_LINE, holder, granted, until, "end"] = *lines.as_slice() else { return None };
    let time = |text: &str| text.parse().ok().map(Timestamp::from_unix_seconds);
    Some(Lease { holder: holder.to_owned(), granted: time(granted)?, until: time(until)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F-84: a lease comes back from its file, and a cut one is none.
    #[test]
    fn lease_files_there_and_back() {
        let time = Timestamp::from_unix_seconds;
        let lease = Lease { holder: hashed(&Holder::new("a")), granted: time(-5), until: time(i64::MAX) };
        let text = to_text(&lease);
        assert_eq!(from_text(&text), Some(lease));
        for at in 0..text.len() - 1 {
            assert_eq!(from_text(&text[..at]), None, "cut at {at}");
        }
    }
}

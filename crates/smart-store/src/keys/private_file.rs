//! Small private files that keep keys, open or wrapped.

use super::KeyError;
use crate::blocking::{Stopped, blocking};
use crate::file::disk::{Disk, create_private_folder, read_limited};
use crate::file::lock::{FileLock, PATIENCE};
use crate::record::SecretBytes;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// More than any key file has.
const LIMIT: u64 = 64 << 10;

/// A file of the owner's alone.
#[derive(Debug, Clone)]
pub(super) struct PrivateFile(PathBuf);

impl PrivateFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub(super) fn place(&self) -> String {
        self.0.display().to_string()
    }

    /// Its content, or `None` where there is no file. With `strict`, one that others may read is refused.
    pub(super) async fn read(&self, strict: bool) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
        let path = self.0.clone();
        blocking(move || {
            if strict {
                refuse_if_shared(&path)?;
            }
            Ok(read_limited(&path, LIMIT).map_err(|error| unavailable(&path, &error))?.map(Zeroizing::new))
        })
        .await
        .unwrap_or_else(|stopped| Err(self.stopped(stopped)))
    }

    /// Replaces it, whole or not at all.
    pub(super) async fn write(&self, content: SecretBytes) -> Result<(), KeyError> {
        let path = self.0.clone();
        blocking(move || write_now(&path, content.expose_secret()).map_err(|error| unavailable(&path, &error)))
            .await
            .unwrap_or_else(|stopped| Err(self.stopped(stopped)))
    }

    /// Held by one, of all processes, that reads it and writes what follows from that.
    pub(super) async fn lock(&self) -> Result<FileLock, KeyError> {
        let path = self.0.clone();
        blocking(move || {
            let failed = |error| unavailable(&path, &error);
            make_folder(&path).map_err(failed)?;
            FileLock::take(&path.with_extension("lock"), PATIENCE).map_err(failed)
        })
        .await
        .unwrap_or_else(|stopped| Err(self.stopped(stopped)))
    }

    pub(super) fn stopped(&self, _: Stopped) -> KeyError {
        KeyError::Unavailable { place: self.place(), reason: Stopped::REASON.to_owned(), retryable: false }
    }
}

fn write_now(path: &Path, content: &[u8]) -> io::Result<()> {
    let no_name = || io::Error::new(io::ErrorKind::InvalidInput, "it does not name a file");
    let name = path.file_name().and_then(OsStr::to_str).ok_or_else(no_name)?;
    Disk::default().replace(make_folder(path)?, name, content, true)
}

/// Makes the folder of a file, if need be.
fn make_folder(path: &Path) -> io::Result<&Path> {
    let folder = match path.parent() {
        None => return Err(io::Error::new(io::ErrorKind::InvalidInput, "it does not name a file")),
        Some(here) if here.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
    };
    // A folder that is there already may hold other things, whose rights are not ours to change.
    if !folder.is_dir() {
        create_private_folder(folder)?;
    }
    Ok(folder)
}

#[cfg(unix)]
fn refuse_if_shared(path: &Path) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = match std::fs::metadata(path) {
        Ok(metadata) => metadata.permissions().mode() & 0o777,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unavailable(path, &error)),
    };
    let others = mode & 0o077;
    if others == 0 { Ok(()) } else { Err(KeyError::NotPrivate { place: path.display().to_string(), mode }) }
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same signature on all platforms")]
fn refuse_if_shared(_: &Path) -> Result<(), KeyError> {
    Ok(())
}

fn unavailable(path: &Path, error: &io::Error) -> KeyError {
    let place = path.display().to_string();
    if error.kind() == io::ErrorKind::InvalidData {
        return KeyError::Damaged { place, reason: error.to_string() };
    }
    KeyError::Unavailable { place, reason: error.to_string(), retryable: crate::file::may_pass(error) }
}

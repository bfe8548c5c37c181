//! Locks between processes. The system gives them back when a process ends, however it ends.

use super::disk::private;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a call waits for others. A write takes milliseconds, so somebody who holds a lock longer has stopped.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

const SHORTEST_PAUSE: Duration = Duration::from_micros(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(5);

/// Held until it is dropped.
pub(crate) struct FileLock {
    _file: File,
}

impl FileLock {
    /// The lock of this file, which is made if need be, waiting for `patience` at most.
    pub(crate) fn take(path: &Path, patience: Duration) -> io::Result<Self> {
        // To ask for a file to be made locks its folder, also where it is there.
        let file = OpenOptions::new().write(true).open(path).or_else(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                private(OpenOptions::new().write(true).create(true).truncate(false)).open(path)
            } else {
                Err(error)
            }
        })?;
        let begun = Instant::now();
        let mut pause = SHORTEST_PAUSE;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) if begun.elapsed() >= patience => {
                    return Err(io::Error::new(
                        io::ErrorKind::WouldBlock,
                        format!("another process has held its lock for {} seconds", patience.as_secs()),
                    ));
                }
                Err(TryLockError::WouldBlock) => {
                    std::thread::sleep(pause);
                    pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F-79: a lock is one's at a time; the wait for it ends with a clear error that says to try again.
    #[test]
    fn the_wait_for_a_lock_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = FileLock::take(&path, Duration::ZERO).unwrap();
        let error = FileLock::take(&path, Duration::from_millis(20)).err().unwrap();
        assert!(super::super::may_pass(&error) && error.to_string().contains("another process"), "{error}");
        drop(held);
        assert!(FileLock::take(&path, Duration::ZERO).is_ok());
    }
}

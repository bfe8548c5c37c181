//! One writer at a time, across processes. The system gives the lock back when a process ends, however it ends.

use super::files::private;
use crate::audit::error::AuditError;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a writer waits for others: a write takes microseconds, a sync milliseconds.
pub(super) const PATIENCE: Duration = Duration::from_millis(500);

const SHORTEST_PAUSE: Duration = Duration::from_micros(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(2);

/// Held until it is dropped.
#[derive(Debug)]
pub(super) struct Held<'a>(&'a File);

/// Opens the lock's file, which is made if need be.
pub(super) fn open(path: &Path) -> Result<File, AuditError> {
    private(OpenOptions::new().write(true).create(true).truncate(false))
        .open(path)
        .map_err(|error| AuditError::io(path, "its lock cannot be opened", &error))
}

/// Takes the lock, waiting for `patience` at most.
pub(super) fn take<'a>(file: &'a File, path: &Path, patience: Duration) -> Result<Held<'a>, AuditError> {
    let begun = Instant::now();
    let mut pause = SHORTEST_PAUSE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Held(file)),
            Err(TryLockError::Error(error)) => return Err(AuditError::io(path, "its lock cannot be had", &error)),
            Err(TryLockError::WouldBlock) if begun.elapsed() >= patience => {
                return Err(AuditError::Busy { place: path.display().to_string(), waited: patience });
            }
            Err(TryLockError::WouldBlock) => {
                std::thread::sleep(pause);
                pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
            }
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // It fails only where there is no lock to give back.
        let _ = self.0.unlock();
    }
}

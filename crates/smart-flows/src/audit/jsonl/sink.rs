//! Events as lines of a file.

use super::lock;
use super::options::{JsonLinesOptions, SyncPolicy};
use super::writer::Writer;
use crate::audit::chain::Anchor;
use crate::audit::error::AuditError;
use crate::audit::event::AuditEvent;
use crate::audit::sink::AuditSink;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Appends each event to a file as a line of JSON, bound to the line before by a hash, so that
/// [`verify`](crate::audit::verify) and `smart audit verify` find what was changed since.
///
/// Any number of processes may write one file: a lock serialises them. A process may be killed at any point: what it had
/// begun to write is put on record as torn by the next one, and the chain goes on. The file is 0600 where it is made; one
/// that exists keeps its rights. The folder has to exist.
///
/// When the file grows too large it gets a name with the number of its last line, and the chain goes on in a new one.
///
/// `record` writes in the caller's thread, which takes some tens of microseconds, unless [`SyncPolicy`] makes it wait for the
/// disk or another process holds the lock (half a second at most).
///
/// ```
/// use smart_flows::audit::{AuditEntry, AuditKind, Auditor, JsonLinesSink, Verifier};
/// use smart_flows::{SystemClock, SystemRandom};
/// use std::sync::Arc;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("audit.jsonl");
/// let sink = Arc::new(JsonLinesSink::options(&path).open()?);
/// let auditor = Auditor::builder(Arc::new(SystemClock), Arc::new(SystemRandom::new())).sink(sink.clone()).build();
/// auditor.record(AuditEntry::new(AuditKind::StoreOpened))?;
/// // Kept elsewhere, it shows later that nothing was cut off.
/// let anchor = sink.anchor();
/// assert_eq!(Verifier::new().with_anchor(anchor).verify_file(&path)?.events, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct JsonLinesSink {
    options: JsonLinesOptions,
    lock_path: PathBuf,
    state: Mutex<State>,
}

struct State {
    lock: File,
    writer: Writer,
    /// Until when the lock is not waited for: who holds it has not let go the last time.
    impatient_until: Option<Instant>,
}

/// How long after a wait in vain the lock is only tried, so that a process that hangs does not slow down all others.
const IMPATIENT_FOR: Duration = Duration::from_secs(5);

impl JsonLinesSink {
    /// Makes a sink step by step.
    pub fn options(path: impl Into<PathBuf>) -> JsonLinesOptions {
        JsonLinesOptions::new(path.into())
    }

    pub(super) fn open_with(options: JsonLinesOptions) -> Result<Self, AuditError> {
        let mut lock_path = options.path.as_os_str().to_owned();
        lock_path.push(".lock");
        let lock_path = PathBuf::from(lock_path);
        let lock = lock::open(&lock_path)?;
        let held = lock::take(&lock, &lock_path, lock::PATIENCE)?;
        let writer = Writer::open(&options)?;
        drop(held);
        Ok(Self { options, lock_path, state: Mutex::new(State { lock, writer, impatient_until: None }) })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.options.path
    }

    /// The last line that this sink has written or seen. Kept where who can write the file cannot, it shows later that
    /// nothing up to it was cut off or changed.
    pub fn anchor(&self) -> Anchor {
        self.state().writer.last()
    }

    /// Forces to the disk what was recorded.
    ///
    /// # Errors
    /// [`AuditError::Io`].
    pub fn sync(&self) -> Result<(), AuditError> {
        self.state().writer.sync(&self.options)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AuditSink for JsonLinesSink {
    fn record(&self, event: &AuditEvent) -> Result<(), AuditError> {
        let payload = serde_json::to_vec(event).map_err(|error| AuditError::sink(self.name(), error))?;
        let State { lock, writer, impatient_until } = &mut *self.state();
        let patience = match impatient_until {
            Some(until) if Instant::now() < *until => Duration::ZERO,
            _ => lock::PATIENCE,
        };
        let held = lock::take(lock, &self.lock_path, patience);
        if patience > Duration::ZERO {
            *impatient_until = held.is_err().then(|| Instant::now() + IMPATIENT_FOR);
        }
        let _held = held?;
        writer.append(&self.options, &payload)?;
        match self.options.sync {
            SyncPolicy::From(least) if event.severity() >= least => writer.sync(&self.options),
            _ => Ok(()),
        }
    }

    fn name(&self) -> &'static str {
        "json-lines"
    }
}

impl std::fmt::Debug for JsonLinesSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JsonLinesSink").field("path", &self.options.path).finish_non_exhaustive()
    }
}

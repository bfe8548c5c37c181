//! How an audit file is written.

use super::sink::JsonLinesSink;
use crate::audit::chain::seal::Seal;
use crate::audit::error::AuditError;
use crate::audit::event::Severity;
use crate::audit::key::AuditKey;
use std::path::PathBuf;

/// When lines are forced to the disk. A killed process loses nothing that was recorded in any case; this is about power
/// cuts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SyncPolicy {
    /// When the system does so by itself, usually within half a minute, and when a file is closed.
    #[default]
    BySystem,
    /// After each event that matters at least so much; the caller waits for the disk, which takes milliseconds. With
    /// [`Severity::Info`] after each event. Put a [`QueuedSink`](crate::audit::QueuedSink) before it where that is too
    /// long.
    From(Severity),
}

/// How an audit file is written. Made by [`JsonLinesSink::options`].
#[derive(Debug, Clone)]
pub struct JsonLinesOptions {
    pub(super) path: PathBuf,
    pub(super) seal: Seal,
    pub(super) sync: SyncPolicy,
    pub(super) largest: u64,
    pub(super) keep: Option<usize>,
}

/// The largest file unless said otherwise: 64 MiB, some hundred thousand events.
const USUAL_SIZE: u64 = 64 << 20;

impl JsonLinesOptions {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, seal: Seal::default(), sync: SyncPolicy::default(), largest: USUAL_SIZE, keep: None }
    }

    /// Hashes lines with a key: who has the file but not the key cannot make the chain anew. Default: without one.
    pub fn key(mut self, key: AuditKey) -> Self {
        self.seal = Seal::Keyed(key);
        self
    }

    /// When lines are forced to the disk. Default: [`SyncPolicy::BySystem`].
    pub fn sync(mut self, sync: SyncPolicy) -> Self {
        self.sync = sync;
        self
    }

    /// The size in octets past which a file is closed, and the chain goes on in a new one. Default: 64 MiB. A line is never
    /// cut, so that a file may be a little smaller, and one of a single line larger.
    pub fn max_size(mut self, octets: u64) -> Self {
        self.largest = octets;
        self
    }

    /// How many closed files are kept; the oldest are removed, which the chain puts on record. Default: all.
    pub fn keep_files(mut self, count: usize) -> Self {
        self.keep = Some(count);
        self
    }

    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// [`AuditError::Broken`] when the end of an existing file does not fit its chain or the key: nothing is written to it.
    /// [`AuditError::Io`]; [`AuditError::Busy`] when another process does not let go of it.
    pub fn open(self) -> Result<JsonLinesSink, AuditError> {
        JsonLinesSink::open_with(self)
    }
}

//! What can go wrong in the audit itself.

use std::io;
use std::path::Path;
use std::time::Duration;

/// Why an event was not recorded, or a trail cannot be continued. No variant holds what an event tells.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum AuditError {
    /// The disk or the system refused.
    #[error("audit at {place}: {doing}: {reason}")]
    Io {
        /// Where.
        place: String,
        /// What was being done.
        doing: &'static str,
        /// Why.
        reason: String,
        /// Whether the same call may work a little later.
        retryable: bool,
    },
    /// Another process holds the audit file, and does not let go.
    #[error("audit at {place}: another process has held its lock for {waited:?}")]
    Busy {
        /// Where.
        place: String,
        /// How long was waited.
        waited: Duration,
    },
    /// The sink cannot keep up: its queue is full. The event is lost.
    #[error("the audit sink `{sink}` cannot keep up, its queue is full")]
    Full {
        /// Its name.
        sink: &'static str,
    },
    /// Nobody takes the sink's events any more.
    #[error("the audit sink `{sink}` is closed")]
    Closed {
        /// Its name.
        sink: &'static str,
    },
    /// An event that was given to a sink earlier could not be recorded by it.
    #[error("the audit sink `{sink}` failed on an earlier event: {source}")]
    Earlier {
        /// Its name.
        sink: &'static str,
        /// Why.
        source: Box<AuditError>,
    },
    /// The line would be longer than any that is read.
    #[error("an audit line of {octets} octets is over the limit of {limit}")]
    TooLarge {
        /// Its length in octets.
        octets: usize,
        /// The limit in octets.
        limit: usize,
    },
    /// The end of an existing file does not fit the chain: it was changed, or is of another key. Nothing is written to it.
    #[error(
        "audit at {place}: {reason}; run `smart audit verify` on it, keep it as evidence, and let the audit begin a new file"
    )]
    Broken {
        /// Where.
        place: String,
        /// What does not fit.
        reason: &'static str,
    },
    /// The key is of no use.
    #[error("the audit key{} is of no use: {reason}", if .place.is_empty() { String::new() } else { format!(" in {place}") })]
    Key {
        /// Where; empty for one that came from memory.
        place: String,
        /// Why.
        reason: &'static str,
    },
    /// A sink of the app's own failed.
    #[error("the audit sink `{sink}` failed: {source}")]
    Sink {
        /// Its name.
        sink: &'static str,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl AuditError {
    /// The failure of a sink of the app's own.
    pub fn sink(sink: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Sink { sink, source: source.into() }
    }

    pub(crate) fn io(path: &Path, doing: &'static str, error: &io::Error) -> Self {
        use io::ErrorKind as E;
        let retryable = matches!(
            error.kind(),
            E::WouldBlock | E::Interrupted | E::TimedOut | E::StorageFull | E::QuotaExceeded | E::ResourceBusy
        );
        Self::Io { place: path.display().to_string(), doing, reason: error.to_string(), retryable }
    }

    /// Whether the same call may work a little later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Io { retryable, .. } => *retryable,
            Self::Busy { .. } | Self::Full { .. } => true,
            Self::Earlier { source, .. } => source.is_retryable(),
            _ => false,
        }
    }
}

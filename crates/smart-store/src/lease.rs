//! The right to do something with a record, for a while.

use smart_core::time::Timestamp;
use std::time::Duration;

/// Who holds a lease: unguessable and unique to one task of one process.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Holder(String);

impl Holder {
    /// A holder of this name. Make it from at least 128 random bits.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What came of asking for a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseOutcome {
    /// It is the caller's until then. The caller must have finished by then, or ask again.
    Held {
        /// The end.
        until: Timestamp,
    },
    /// Somebody else has it until then.
    Taken {
        /// The end.
        until: Timestamp,
    },
}

/// For backends: a lease as it is stored, and the rules of asking for it, the same for all backends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lease<H> {
    pub(crate) holder: H,
    pub(crate) granted: Timestamp,
    pub(crate) until: Timestamp,
}

impl<H: PartialEq> Lease<H> {
    /// Answers a request, and gives the lease to store in place of `stored`, if that changes.
    ///
    /// A lease that was granted in the future tells of a clock that was set back since. It starts anew, so that it
    /// lasts its own length once more and not until the clock has caught up.
    pub(crate) fn ask(
        stored: Option<Self>,
        holder: H,
        now: Timestamp,
        duration: Duration,
    ) -> (LeaseOutcome, Option<Self>) {
        match stored {
            Some(lease) if lease.holder != holder && lease.granted > now => {
                let until = now.saturating_add(lease.until.since(lease.granted));
                (LeaseOutcome::Taken { until }, Some(Self { granted: now, until, ..lease }))
            }
            Some(lease) if lease.holder != holder && lease.until > now => {
                (LeaseOutcome::Taken { until: lease.until }, None)
            }
            _ => {
                let until = now.saturating_add(whole_seconds(duration));
                (LeaseOutcome::Held { until }, Some(Self { holder, granted: now, until }))
            }
        }
    }
}

/// A timestamp has whole seconds, and a lease of half a second must not be one of none.
pub(crate) fn whole_seconds(duration: Duration) -> Duration {
    Duration::from_secs(duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0)))
}

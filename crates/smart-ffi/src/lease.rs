//! Leases in the app's store: who of many processes may renew a token.

use serde::{Deserialize, Serialize};
use smart_on_fhir::core::time::Timestamp;
use smart_on_fhir::store::{Holder, LeaseOutcome};
use std::time::Duration;

/// A lease as it is stored.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lease {
    holder: String,
    granted: i64,
    until: i64,
    /// A blob never comes back the same, so that an old belief cannot come true by accident.
    write: u64,
}

impl Lease {
    /// Reads a blob; what cannot be read is no lease: a damaged one must not keep everybody out.
    pub(crate) fn read(blob: &[u8]) -> Option<Self> {
        serde_json::from_slice(blob).ok()
    }

    pub(crate) fn to_blob(&self) -> Option<Vec<u8>> {
        serde_json::to_vec(self).ok()
    }

    pub(crate) fn is_held_by(&self, holder: &Holder) -> bool {
        self.holder == holder.as_str()
    }

    /// What is to be said to one who asks, and what to store, if that changes.
    pub(crate) fn ask(
        stored: Option<Self>,
        holder: &Holder,
        now: Timestamp,
        duration: Duration,
        write: u64,
    ) -> (LeaseOutcome, Option<Self>) {
        let now_seconds = now.as_unix_seconds();
        match stored {
            Some(lease) if !lease.is_held_by(holder) && lease.granted > now_seconds => {
                // The clock was set back since: it lasts its own length once more, and not until the clock has caught up.
                let length =
                    Timestamp::from_unix_seconds(lease.until).since(Timestamp::from_unix_seconds(lease.granted));
                let until = now.saturating_add(length);
                let lease = Self { granted: now_seconds, until: until.as_unix_seconds(), write, ..lease };
                (LeaseOutcome::Taken { until }, Some(lease))
            }
            Some(lease) if !lease.is_held_by(holder) && lease.until > now_seconds => {
                (LeaseOutcome::Taken { until: Timestamp::from_unix_seconds(lease.until) }, None)
            }
            _ => {
                // A timestamp has whole seconds, and half a second must not be none.
                let up = u64::from(duration.subsec_nanos() > 0);
                let until = now.saturating_add(Duration::from_secs(duration.as_secs().saturating_add(up)));
                let holder = holder.as_str().to_owned();
                let lease = Self { holder, granted: now_seconds, until: until.as_unix_seconds(), write };
                (LeaseOutcome::Held { until }, Some(lease))
            }
        }
    }
}

//! Points in time, brought in by the caller: nothing in this crate reads a clock.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A point in time: whole seconds since 1970-01-01T00:00:00Z, the unit of JWT (RFC 7519, `NumericDate`).
///
/// Arithmetic saturates at the ends of the range, so that a hostile lifetime cannot overflow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From seconds since the Unix epoch.
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since the Unix epoch.
    pub const fn as_unix_seconds(self) -> i64 {
        self.0
    }

    /// This time plus `duration` (whole seconds).
    pub fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(seconds(duration)))
    }

    /// This time minus `duration` (whole seconds).
    pub fn saturating_sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(seconds(duration)))
    }

    /// How long after `earlier` this is; zero when it is not after.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

impl From<std::time::SystemTime> for Timestamp {
    /// Rounds down to whole seconds; times before 1970 are negative.
    fn from(time: std::time::SystemTime) -> Self {
        match time.duration_since(std::time::UNIX_EPOCH) {
            Ok(after) => Self(seconds(after)),
            Err(before) => Self(-seconds(before.duration())),
        }
    }
}

/// Tells the time. Production code passes the system's clock; tests pass one that they move by hand.
pub trait Clock: Send + Sync {
    /// The present time.
    fn now(&self) -> Timestamp;
}

impl<T: Clock + ?Sized> Clock for std::sync::Arc<T> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SE-09: a hostile lifetime cannot overflow the clock arithmetic.
    #[test]
    fn arithmetic_saturates() {
        let end = Timestamp::from_unix_seconds(i64::MAX);
        assert_eq!(end.saturating_add(Duration::from_secs(u64::MAX)), end);
        assert_eq!(Timestamp::from_unix_seconds(5).since(Timestamp::from_unix_seconds(9)), Duration::ZERO);
    }
}

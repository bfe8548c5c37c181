//! The time, as the app tells it.

use smart_on_fhir::core::time::{Clock, Timestamp};
use smart_on_fhir::flows::SystemClock;
use std::sync::Arc;

/// The app's clock: for tests, and for apps that get the time from a server. Without one the system's counts.
///
/// It has to answer at once, from any thread, and must not call back into the library. When it fails the system's clock counts, and the log
/// has a line. The time-outs of sessions go by this clock and by one that nobody can set, whichever says that more time has passed: a clock that
/// stands still keeps no session alive.
#[uniffi::export(with_foreign)]
pub trait AppClock: Send + Sync {
    /// Seconds since 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// [`ClockFailure`].
    fn unix_seconds(&self) -> Result<i64, ClockFailure>;
}

/// The app's clock has no time to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum ClockFailure {
    /// It has none.
    #[error("the app's clock failed")]
    Failed,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for ClockFailure {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed
    }
}

/// The app's clock for the library.
pub(crate) struct ClockAdapter(pub(crate) Arc<dyn AppClock>);

impl Clock for ClockAdapter {
    fn now(&self) -> Timestamp {
        match self.0.unix_seconds() {
            Ok(seconds) => Timestamp::from_unix_seconds(seconds),
            Err(error) => {
                tracing::warn!(%error, "the system's clock counts");
                SystemClock.now()
            }
        }
    }
}

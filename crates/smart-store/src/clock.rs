//! The system's clock, for leases.

use smart_core::time::{Clock, Timestamp};

/// Tells leases their time; records have none.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        std::time::SystemTime::now().into()
    }
}

//! Waiting and telling the time, brought in by the caller so that tests need not wait.

use crate::BoxFuture;
use smart_core::time::Timestamp;
use std::time::Duration;

/// Waits between retries and tells the time for `Retry-After` dates (requirement SE-09).
pub trait Timer: Send + Sync + 'static {
    /// Is ready after `duration`.
    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()>;

    /// The present time.
    fn now(&self) -> Timestamp;
}

/// The timer of the tokio runtime and the system's clock.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Debug, Clone, Copy, Default)]
pub struct TokioTimer;

#[cfg(not(target_arch = "wasm32"))]
impl Timer for TokioTimer {
    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn now(&self) -> Timestamp {
        std::time::SystemTime::now().into()
    }
}

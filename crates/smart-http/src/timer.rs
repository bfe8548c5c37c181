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

/// The timer of a page or worker, and the clock of its browser.
///
/// A browser lets a page in the background wait longer than it asked for.
#[cfg(target_arch = "wasm32")]
#[derive(Debug, Clone, Copy, Default)]
pub struct BrowserTimer;

#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
extern "C" {
    // Of the global object: a page's and a worker's alike.
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(done: &js_sys::Function, milliseconds: i32) -> wasm_bindgen::JsValue;
}

/// The longest time that `setTimeout` takes; a longer one would be none at all.
#[cfg(target_arch = "wasm32")]
const LONGEST_TIMEOUT: Duration = Duration::from_millis(i32::MAX as u64);

#[cfg(target_arch = "wasm32")]
impl Timer for BrowserTimer {
    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let mut left = duration;
            loop {
                let now = left.min(LONGEST_TIMEOUT);
                let milliseconds = i32::try_from(now.as_millis()).unwrap_or(i32::MAX);
                let alarm = js_sys::Promise::new(&mut |resolve, _| drop(set_timeout(&resolve, milliseconds)));
                // A promise that is only ever kept.
                drop(wasm_bindgen_futures::JsFuture::from(alarm).await);
                left = left.saturating_sub(now);
                if left.is_zero() {
                    return;
                }
            }
        })
    }

    fn now(&self) -> Timestamp {
        #[expect(clippy::cast_possible_truncation, reason = "a float of seconds; what is out of range saturates")]
        Timestamp::from_unix_seconds((js_sys::Date::now() / 1000.0).floor() as i64)
    }
}

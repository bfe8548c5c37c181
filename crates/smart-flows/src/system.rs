//! The system's clocks and random source, for those who bring none of their own.

use ring::rand::SecureRandom as _;
use smart_core::random::{RandomError, SecureRandom};
use smart_core::time::{Clock, Timestamp};
use std::time::Duration;
#[cfg(not(target_arch = "wasm32"))]
use std::time::Instant;

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[cfg(not(target_arch = "wasm32"))]
    fn now(&self) -> Timestamp {
        std::time::SystemTime::now().into()
    }

    #[cfg(target_arch = "wasm32")]
    fn now(&self) -> Timestamp {
        smart_http::Timer::now(&smart_http::BrowserTimer)
    }
}

/// A clock that nobody can set: how long something has been running. Beside the wall clock it sees to it that a
/// session's time-outs cannot be turned back.
pub trait Uptime: Send + Sync {
    /// The time since some fixed moment, the same for the life of the value.
    fn elapsed(&self) -> Duration;
}

/// The system's monotonic clock.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Debug, Clone, Copy)]
pub struct SystemUptime(Instant);

/// The monotonic clock of the page or worker, in milliseconds since it was opened (`performance.now()`).
#[cfg(target_arch = "wasm32")]
#[derive(Debug, Clone, Copy)]
pub struct SystemUptime(f64);

impl SystemUptime {
    /// Begins now.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn new() -> Self {
        Self(Instant::now())
    }

    /// Begins now.
    #[cfg(target_arch = "wasm32")]
    pub fn new() -> Self {
        Self(milliseconds())
    }
}

#[cfg(target_arch = "wasm32")]
fn milliseconds() -> f64 {
    #[wasm_bindgen::prelude::wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(js_namespace = performance, js_name = now)]
        fn performance_now() -> f64;
    }
    performance_now()
}

impl Default for SystemUptime {
    fn default() -> Self {
        Self::new()
    }
}

impl Uptime for SystemUptime {
    #[cfg(not(target_arch = "wasm32"))]
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    #[cfg(target_arch = "wasm32")]
    fn elapsed(&self) -> Duration {
        Duration::try_from_secs_f64((milliseconds() - self.0) / 1000.0).unwrap_or_default()
    }
}

/// The platform's random source, through ring.
#[derive(Debug, Clone)]
pub struct SystemRandom(ring::rand::SystemRandom);

impl SystemRandom {
    /// The platform's random source.
    pub fn new() -> Self {
        Self(ring::rand::SystemRandom::new())
    }
}

impl Default for SystemRandom {
    fn default() -> Self {
        Self::new()
    }
}

impl SecureRandom for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError> {
        self.0.fill(buffer).map_err(|_| RandomError)
    }
}

//! The system's clocks and random source, for those who bring none of their own.

use ring::rand::SecureRandom as _;
use smart_core::random::{RandomError, SecureRandom};
use smart_core::time::{Clock, Timestamp};
use std::time::{Duration, Instant};

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        std::time::SystemTime::now().into()
    }
}

/// A clock that nobody can set: how long something has been running. Beside the wall clock it sees to it that a
/// session's time-outs cannot be turned back.
pub trait Uptime: Send + Sync {
    /// The time since some fixed moment, the same for the life of the value.
    fn elapsed(&self) -> Duration;
}

/// The system's monotonic clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemUptime(Instant);

impl SystemUptime {
    /// Begins now.
    pub fn new() -> Self {
        Self(Instant::now())
    }
}

impl Default for SystemUptime {
    fn default() -> Self {
        Self::new()
    }
}

impl Uptime for SystemUptime {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
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

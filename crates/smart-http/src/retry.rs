//! When a safe request is sent again, and after which wait.

use crate::{HttpError, Repeat, retry_after};
use bytes::Bytes;
use http::Response;
use smart_core::time::Timestamp;
use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

/// How often and how patiently a safe request is repeated (requirement FR-19).
///
/// The wait doubles from a base up to a cap, and a random part of up to half of it is taken off, so that many clients
/// do not come back at once. Where the server says how long to wait (`Retry-After`), the wait is at least that.
#[derive(Clone)]
pub struct RetryPolicy {
    max_retries: u32,
    base: Duration,
    cap: Duration,
    max_wait: Duration,
    jitter: Arc<dyn Fn() -> u32 + Send + Sync>,
}

impl RetryPolicy {
    /// Never repeats anything.
    pub fn none() -> Self {
        Self { max_retries: 0, ..Self::default() }
    }

    /// Another number of repeats; 3 by default.
    pub fn with_max_retries(self, max_retries: u32) -> Self {
        Self { max_retries, ..self }
    }

    /// Another first wait and longest wait of the back-off; 500 ms and 10 s by default.
    pub fn with_backoff(self, base: Duration, cap: Duration) -> Self {
        Self { base, cap, ..self }
    }

    /// Another bound on all waits of one request together; 60 s by default. A wait that would pass it is not begun:
    /// the caller gets the response that asks for it.
    pub fn with_max_wait(self, max_wait: Duration) -> Self {
        Self { max_wait, ..self }
    }

    /// Another source of 32 random bits, which need not be secret. By default they come from the standard library.
    pub fn with_jitter(self, jitter: impl Fn() -> u32 + Send + Sync + 'static) -> Self {
        Self { jitter: Arc::new(jitter), ..self }
    }

    /// The wait before repeat number `retry` (from 0), where the server asked for `asked`; `None` when there is to be no
    /// such repeat, or the wait would be too long. For callers whose repeats need another request each time.
    pub fn delay(&self, retry: u32, asked: Option<Duration>) -> Option<Duration> {
        let wait = self.wait(retry, asked);
        (retry < self.max_retries && wait <= self.max_wait).then_some(wait)
    }

    /// What one request may use up.
    pub(crate) fn budget(&self, repeat: Repeat) -> RetryBudget<'_> {
        RetryBudget { policy: self, repeat, retries: 0, waited: Duration::ZERO }
    }

    /// The wait before the repeat number `retry` (from 0), for a server that names `asked` as the shortest wait.
    fn wait(&self, retry: u32, asked: Option<Duration>) -> Duration {
        let doubled = self.base.saturating_mul(2_u32.saturating_pow(retry)).min(self.cap);
        let half = doubled / 2;
        let part = half.mul_f64(f64::from((self.jitter)()) / f64::from(u32::MAX));
        match asked {
            None => half.saturating_add(part),
            Some(asked) => asked.saturating_add(part.min(Duration::from_secs(1))).max(half),
        }
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_retries: 3,
            base: Duration::from_millis(500),
            cap: Duration::from_secs(10),
            max_wait: Duration::from_mins(1),
            jitter: Arc::new(random_bits),
        }
    }
}

/// Random bits from the keys that the standard library gives each new hash map.
fn random_bits() -> u32 {
    let hash = std::collections::hash_map::RandomState::new().build_hasher().finish();
    u32::try_from(hash >> 32).unwrap_or(0)
}

impl fmt::Debug for RetryPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryPolicy")
            .field("max_retries", &self.max_retries)
            .field("base", &self.base)
            .field("cap", &self.cap)
            .field("max_wait", &self.max_wait)
            .finish_non_exhaustive()
    }
}

/// The repeats and waits that one request has left.
pub(crate) struct RetryBudget<'p> {
    policy: &'p RetryPolicy,
    repeat: Repeat,
    retries: u32,
    waited: Duration,
}

impl RetryBudget<'_> {
    /// How long to wait before the next try; `None` when the outcome is final.
    pub(crate) fn wait_after(
        &mut self,
        outcome: &Result<Response<Bytes>, HttpError>,
        now: Timestamp,
    ) -> Option<Duration> {
        let freely = self.repeat == Repeat::Freely;
        let asked = match outcome {
            _ if self.repeat == Repeat::Never => return None,
            Ok(response) => match response.status().as_u16() {
                429 => retry_after(response.headers(), now),
                502..=504 if freely => retry_after(response.headers(), now),
                _ => return None,
            },
            Err(error) if error.is_retryable() && (freely || !error.may_have_reached_server()) => None,
            Err(_) => return None,
        };
        if self.retries >= self.policy.max_retries {
            return None;
        }
        let wait = self.policy.wait(self.retries, asked);
        let waited = self.waited.saturating_add(wait);
        if waited > self.policy.max_wait {
            return None;
        }
        self.retries += 1;
        self.waited = waited;
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FR-19 (RFC 9110, 10.2.3): the wait doubles up to the cap, the jitter takes off at most half.
    #[test]
    fn backoff_doubles_up_to_the_cap_and_jitter_is_bounded() {
        let waits = |bits: u32| {
            let policy = RetryPolicy::default().with_jitter(move || bits);
            [0, 1, 2, 10, u32::MAX].map(|retry| policy.wait(retry, None).as_millis())
        };
        assert_eq!(waits(u32::MAX), [500, 1000, 2000, 10_000, 10_000]);
        assert_eq!(waits(0), [250, 500, 1000, 5000, 5000]);
        assert!(random_bits() != random_bits() || random_bits() != random_bits());
    }

    /// FR-19: the wait is never shorter than the server asks for.
    #[test]
    fn the_server_s_wait_is_a_lower_bound() {
        for bits in [0, 1 << 31, u32::MAX] {
            let policy = RetryPolicy::default().with_jitter(move || bits);
            for asked in [0, 1, 7, 3600] {
                let asked = Duration::from_secs(asked);
                let wait = policy.wait(2, Some(asked));
                assert!(wait >= asked && wait <= asked.max(Duration::from_secs(1)) + Duration::from_secs(1));
            }
        }
        let hostile = RetryPolicy::default().wait(0, Some(Duration::from_secs(u64::MAX)));
        assert!(hostile > Duration::from_secs(u64::MAX - 1));
    }
}

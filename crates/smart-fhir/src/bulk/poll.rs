//! How an export is waited for.

use super::ExportStatus;
use smart_http::RetryPolicy;
use std::fmt;
use std::time::Duration;

/// How often and how long the status of an export is asked for.
///
/// Where the server says how long to wait (`Retry-After`), it is waited that long, within a bound; else the wait doubles up to a
/// cap, with a random part taken off.
#[derive(Debug, Clone)]
pub struct PollPolicy {
    backoff: RetryPolicy,
    longest_asked: Duration,
    max_total: Duration,
    max_faults: u32,
    max_throttled: u32,
}

impl Default for PollPolicy {
    fn default() -> Self {
        Self {
            backoff: backoff(Duration::from_secs(2), Duration::from_mins(1)),
            longest_asked: Duration::from_mins(10),
            max_total: Duration::from_hours(48),
            max_faults: 10,
            max_throttled: 20,
        }
    }
}

/// The number of repeats is bounded by the times of the policy, not by its back-off.
fn backoff(first: Duration, cap: Duration) -> RetryPolicy {
    RetryPolicy::default().with_max_retries(u32::MAX).with_max_wait(Duration::MAX).with_backoff(first, cap)
}

impl PollPolicy {
    /// Another first and longest wait where the server names none; 2 s and 1 min by default.
    pub fn with_backoff(self, first: Duration, cap: Duration) -> Self {
        Self { backoff: backoff(first, cap), ..self }
    }

    /// The longest wait that the server may ask for; 10 min by default. When it asks for more, it is asked again after this.
    pub fn with_longest_asked(self, longest: Duration) -> Self {
        Self { longest_asked: longest, ..self }
    }

    /// How long is waited for the export as a whole; 48 h by default.
    pub fn with_max_total(self, total: Duration) -> Self {
        Self { max_total: total, ..self }
    }

    /// How many polls in a row may fail, before it is given up; 10 by default.
    pub fn with_max_faults(self, faults: u32) -> Self {
        Self { max_faults: faults, ..self }
    }

    /// How many times in a row the server may say that it is asked too often; 20 by default.
    pub fn with_max_throttled(self, times: u32) -> Self {
        Self { max_throttled: times, ..self }
    }

    pub(super) fn max_total(&self) -> Duration {
        self.max_total
    }

    pub(super) fn max_faults(&self) -> u32 {
        self.max_faults
    }

    pub(super) fn max_throttled(&self) -> u32 {
        self.max_throttled
    }

    /// The wait before the next poll, the `poll`th without news from 0.
    pub(super) fn wait(&self, poll: u32, asked: Option<Duration>) -> Duration {
        let asked = asked.map(|asked| asked.min(self.longest_asked));
        // A server that names a wait knows better than a wait that doubles.
        let poll = if asked.is_some() { 0 } else { poll };
        self.backoff.delay(poll, asked).unwrap_or(self.longest_asked)
    }
}

/// What is told while an export is waited for.
#[non_exhaustive]
pub struct Progress<'a> {
    /// How the export stands. None when a poll got no answer.
    pub status: Option<&'a ExportStatus>,
    /// How long it is until the next poll.
    pub wait: Duration,
    /// How many polls there were.
    pub polls: u32,
}

impl fmt::Debug for Progress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").field("wait", &self.wait).field("polls", &self.polls).finish_non_exhaustive()
    }
}

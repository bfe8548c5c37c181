//! Leaving a server alone that failed a moment ago.

use smart_core::time::Timestamp;
use std::time::Duration;

/// The wait after the first failure; it doubles with each.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_mins(1);
/// What a server may ask for at most: a wait of a day would be a logout.
const LONGEST_ASKED: Duration = Duration::from_mins(10);

/// When the next try may be made.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Delay {
    failures: u32,
    /// By the own rule.
    own: Option<Timestamp>,
    /// By the server's word (`Retry-After`).
    asked: Option<Timestamp>,
}

impl Delay {
    /// A try failed.
    pub(crate) fn failed(&mut self, now: Timestamp, retry_after: Option<Duration>) {
        let wait = FIRST.saturating_mul(2_u32.saturating_pow(self.failures)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        self.own = Some(now.saturating_add(wait));
        self.asked = retry_after.map(|wait| now.saturating_add(wait.min(LONGEST_ASKED)));
    }

    /// How long to wait still. What the server asked for counts for everybody, the own rule for tries that the library makes
    /// by itself.
    pub(crate) fn remaining(&self, now: Timestamp, by_itself: bool) -> Option<Duration> {
        let own = self.own.filter(|_| by_itself);
        let until = own.into_iter().chain(self.asked).max()?;
        // A clock that was set back must not make the wait longer than it was.
        let wait = until.since(now);
        (!wait.is_zero() && wait <= LONGEST_ASKED).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

    fn after(seconds: u64) -> Timestamp {
        START.saturating_add(Duration::from_secs(seconds))
    }

    /// F-97, FR-19: the wait doubles up to a minute, and is forgotten after a success.
    #[test]
    fn wait_doubles() {
        let mut delay = Delay::default();
        assert_eq!(delay.remaining(START, true), None);
        for expected in [1, 2, 4, 8, 16, 32, 60, 60] {
            delay.failed(START, None);
            assert_eq!(delay.remaining(START, true), Some(Duration::from_secs(expected)));
            assert_eq!(delay.remaining(after(expected), true), None);
            assert_eq!(delay.remaining(START, false), None, "a person asks");
        }
    }

    /// F-97, FR-19 (RFC 9110, 10.2.3): what the server asks for counts for everybody, within reason.
    #[test]
    fn the_servers_wish_counts_for_everybody() {
        let mut delay = Delay::default();
        delay.failed(START, Some(Duration::from_secs(30)));
        assert_eq!(delay.remaining(after(10), false), Some(Duration::from_secs(20)));
        assert_eq!(delay.remaining(after(30), false), None);
        delay.failed(START, Some(Duration::from_hours(24)));
        assert_eq!(delay.remaining(START, false), Some(LONGEST_ASKED));
        assert_eq!(delay.remaining(START.saturating_sub(Duration::from_hours(1)), true), None, "clock set back");
    }
}

//! When a token is renewed: ahead of its end, by a margin that a short life can bear.

use smart_core::time::Timestamp;
use std::time::Duration;

/// The longest margin.
const LONGEST: Duration = Duration::from_mins(5);

/// How far ahead of its end a token that lives for `lifetime` is renewed: a fifth of its life, at most five minutes.
///
/// A fixed margin of five minutes would make the tokens of backend services, which live five minutes, old at birth
/// (requirements RF-10, BS-04).
pub(crate) fn margin(lifetime: Duration) -> Duration {
    (lifetime / 5).min(LONGEST)
}

/// Whether a token is used as it is at `now`. A token without an end is: a 401 will tell.
pub(crate) fn is_fresh(received_at: Timestamp, expires_at: Option<Timestamp>, now: Timestamp) -> bool {
    match expires_at {
        None => true,
        Some(end) => {
            now < end.saturating_sub(margin(end.since(received_at))) && now >= received_at.saturating_sub(LONGEST)
        }
    }
}

/// Whether a token is past its end at `now`.
pub(crate) fn is_expired(expires_at: Option<Timestamp>, now: Timestamp) -> bool {
    expires_at.is_some_and(|end| now >= end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

    fn fresh_for(lifetime: u64) -> u64 {
        let end = START.saturating_add(Duration::from_secs(lifetime));
        (0..=lifetime).take_while(|s| is_fresh(START, Some(end), START.saturating_add(Duration::from_secs(*s)))).count()
            as u64
    }

    /// BS-04, RF-10, F-66, D-01 (SMART, backend services): a token of any life is fresh for most of it.
    #[test]
    fn short_tokens_are_usable() {
        for (lifetime, fresh) in [(30, 24), (60, 48), (300, 240), (3600, 3300), (86_400, 86_100)] {
            assert_eq!(fresh_for(lifetime), fresh, "{lifetime}");
        }
        assert_eq!(fresh_for(0), 0);
    }

    /// TK-10: a token without an end is used until the server says no.
    #[test]
    fn token_without_end_is_used() {
        assert!(is_fresh(START, None, START.saturating_add(Duration::from_hours(24_000))));
        assert!(!is_expired(None, START));
    }

    /// SE-09: a clock that was set back by an hour does not make a token young again.
    #[test]
    fn clock_set_back_is_noticed() {
        let end = START.saturating_add(Duration::from_hours(1));
        assert!(!is_fresh(START, Some(end), START.saturating_sub(Duration::from_hours(1))));
    }
}

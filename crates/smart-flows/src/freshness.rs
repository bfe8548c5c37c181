//! When a token is renewed: ahead of its end, by a margin that a short life can bear.

use smart_core::time::Timestamp;
use std::time::Duration;

/// The longest margin, and how far a clock may be behind the one that dated the token.
const LONGEST: Duration = Duration::from_mins(5);

/// While a token is used as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Freshness {
    /// Before this the clock was set back, and nothing is certain.
    not_before: Timestamp,
    /// From here on it is renewed. `None`: its end is not known; a 401 will tell.
    renew_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
}

impl Freshness {
    /// Of a token that was received then. `spread` (any number) decides by how much more than need be it is renewed ahead of
    /// its end, so that sessions that began together are not renewed together.
    pub(crate) fn new(received_at: Timestamp, ends_at: Option<Timestamp>, spread: u8) -> Self {
        let renew_at = ends_at.map(|end| end.saturating_sub(margin(end.since(received_at), spread)));
        Self { not_before: received_at.saturating_sub(LONGEST), renew_at, ends_at }
    }

    /// Whether the token is used as it is.
    pub(crate) fn is_fresh(&self, now: Timestamp) -> bool {
        self.renew_at.is_none_or(|renew_at| now < renew_at && now >= self.not_before)
    }

    /// Whether the token is past its end.
    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        self.ends_at.is_some_and(|end| now >= end)
    }

    /// When it is to be renewed.
    pub(crate) fn renew_at(&self) -> Option<Timestamp> {
        self.renew_at
    }
}

/// How far ahead of its end a token that lives for `lifetime` is renewed: a fifth of its life, at most five minutes, and up
/// to a twentieth of its life more, at most one minute.
///
/// A fixed margin of five minutes would make the tokens of backend services, which live five minutes, old at birth
/// (requirements RF-10, BS-04).
fn margin(lifetime: Duration, spread: u8) -> Duration {
    let jitter = (lifetime / 20).min(Duration::from_mins(1)).mul_f64(f64::from(spread) / 255.0);
    (lifetime / 5).min(LONGEST).saturating_add(Duration::from_secs(jitter.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

    fn fresh_for(lifetime: u64, spread: u8) -> u64 {
        let token = Freshness::new(START, Some(START.saturating_add(Duration::from_secs(lifetime))), spread);
        (0..=lifetime).take_while(|s| token.is_fresh(START.saturating_add(Duration::from_secs(*s)))).count() as u64
    }

    /// BS-04, RF-10, F-66, D-01 (SMART, backend services): a token of any life is fresh for most of it.
    #[test]
    fn short_tokens_are_usable() {
        for (lifetime, fresh) in [(30, 24), (60, 48), (300, 240), (3600, 3300), (86_400, 86_100)] {
            assert_eq!(fresh_for(lifetime, 0), fresh, "{lifetime}");
        }
        assert_eq!(fresh_for(0, 0), 0);
    }

    /// RF-10: sessions that began together are renewed at different times, all of them ahead of the end.
    #[test]
    fn renewals_are_spread() {
        for (lifetime, earliest) in [(60, 45), (300, 225), (3600, 3240)] {
            assert_eq!(fresh_for(lifetime, 255), earliest, "{lifetime}");
            let mut all: Vec<u64> = (0..=255).map(|spread| fresh_for(lifetime, spread)).collect();
            all.dedup();
            assert!(all.is_sorted_by(|a, b| a > b) && all.len() >= 4, "{all:?}");
        }
    }

    /// TK-10: a token without an end is used until the server says no.
    #[test]
    fn token_without_end_is_used() {
        let token = Freshness::new(START, None, 9);
        let late = START.saturating_add(Duration::from_hours(24_000));
        assert!(token.is_fresh(late) && !token.is_expired(late));
    }

    /// SE-09: a clock that was set back by an hour does not make a token young again.
    #[test]
    fn clock_set_back_is_noticed() {
        let token = Freshness::new(START, Some(START.saturating_add(Duration::from_hours(1))), 0);
        assert!(!token.is_fresh(START.saturating_sub(Duration::from_hours(1))));
    }
}

//! When to fetch an issuer's keys again: the policy alone. The caller fetches and tells the time.

use crate::jwks::Jwks;
use smart_core::time::Timestamp;
use std::time::Duration;

/// What to do for a token, given what is cached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheVerdict {
    /// Use the cached keys.
    Fresh,
    /// Use the cached keys, though their lifetime is over: a fetch was tried a moment ago.
    Stale,
    /// Fetch the keys, tell the cache, and ask again.
    Refetch,
    /// Do not fetch and do not validate: there are no usable keys, or none with this id, and a fetch was tried a moment
    /// ago. This is what keeps a flood of forged tokens from becoming a flood of fetches.
    TooSoon,
}

/// One issuer's keys and when they were fetched (OpenID Connect Core, section 10.1.1).
#[derive(Debug, Clone)]
pub struct JwksCache {
    fetched: Option<Fetched>,
    last_attempt: Option<Timestamp>,
    has_failed: bool,
    last_for_unknown_kid: Option<Timestamp>,
    default_lifetime: Duration,
    longest_lifetime: Duration,
    longest_stale: Duration,
    between_fetches: Duration,
}

#[derive(Debug, Clone)]
struct Fetched {
    keys: Jwks,
    at: Timestamp,
    lifetime: Duration,
}

impl Default for JwksCache {
    fn default() -> Self {
        Self {
            fetched: None,
            last_attempt: None,
            has_failed: false,
            last_for_unknown_kid: None,
            default_lifetime: Duration::from_hours(1),
            longest_lifetime: Duration::from_hours(24),
            longest_stale: Duration::from_hours(24),
            between_fetches: Duration::from_mins(1),
        }
    }
}

impl JwksCache {
    /// An empty cache: keys live for one hour where the answer does not say, never longer than 24 hours; fetches are a
    /// minute apart at least, and so are those for unknown key ids among themselves; keys past their lifetime serve another
    /// 24 hours while fetches fail.
    pub fn new() -> Self {
        Self::default()
    }

    /// How long keys live whose answer has no `max-age`.
    pub fn with_default_lifetime(mut self, lifetime: Duration) -> Self {
        self.default_lifetime = lifetime;
        self
    }

    /// How long keys live at most, whatever their `max-age`: a key that the issuer withdrew is believed no longer.
    pub fn with_longest_lifetime(mut self, lifetime: Duration) -> Self {
        self.longest_lifetime = lifetime;
        self
    }

    /// How long keys serve past their lifetime while fetches fail. Zero: not at all.
    pub fn with_longest_stale(mut self, stale: Duration) -> Self {
        self.longest_stale = stale;
        self
    }

    /// How far fetches are apart at least, and those for unknown key ids among themselves.
    pub fn with_time_between_fetches(mut self, between: Duration) -> Self {
        self.between_fetches = between;
        self
    }

    /// The cached keys.
    pub fn keys(&self) -> Option<&Jwks> {
        self.fetched.as_ref().map(|fetched| &fetched.keys)
    }

    /// What to do before a token is validated.
    pub fn verdict(&self, now: Timestamp) -> CacheVerdict {
        match &self.fetched {
            Some(fetched) if fetched.is_younger_than(fetched.lifetime, now) => CacheVerdict::Fresh,
            _ if self.may_fetch(now) => CacheVerdict::Refetch,
            Some(fetched) if fetched.is_younger_than(fetched.lifetime.saturating_add(self.longest_stale), now) => {
                CacheVerdict::Stale
            }
            _ => CacheVerdict::TooSoon,
        }
    }

    /// What to do when a token names a key id that the cached keys do not have
    /// ([`needs_refetch`](crate::IdTokenError::needs_refetch)): fetch once, then fail. A [`Refetch`](CacheVerdict::Refetch)
    /// counts as that fetch.
    ///
    /// Keys that were fetched a moment ago for another reason do not stand in its way: an issuer may change its keys right then.
    pub fn verdict_for_unknown_kid(&mut self, now: Timestamp) -> CacheVerdict {
        let is_long_ago = self.is_long_ago(self.last_for_unknown_kid, now);
        if is_long_ago && (!self.has_failed || self.may_fetch(now)) {
            self.last_for_unknown_kid = Some(now);
            CacheVerdict::Refetch
        } else {
            CacheVerdict::TooSoon
        }
    }

    /// Keys were fetched. `max_age` is what the answer's `Cache-Control` says, as [`max_age`] reads it.
    pub fn fetched(&mut self, keys: Jwks, max_age: Option<Duration>, now: Timestamp) {
        let lifetime = max_age.unwrap_or(self.default_lifetime).min(self.longest_lifetime);
        self.fetched = Some(Fetched { keys, at: now, lifetime });
        (self.last_attempt, self.has_failed) = (Some(now), false);
    }

    /// A fetch failed; the keys that there are stay.
    pub fn fetch_failed(&mut self, now: Timestamp) {
        (self.last_attempt, self.has_failed) = (Some(now), true);
    }

    fn may_fetch(&self, now: Timestamp) -> bool {
        self.is_long_ago(self.last_attempt, now)
    }

    fn is_long_ago(&self, last: Option<Timestamp>, now: Timestamp) -> bool {
        // A clock that was set back must not forbid fetching until it has caught up.
        last.is_none_or(|last| now < last || now >= last.saturating_add(self.between_fetches))
    }
}

impl Fetched {
    /// Keys from the future, as after a clock was set back, are as good as old.
    fn is_younger_than(&self, age: Duration, now: Timestamp) -> bool {
        now >= self.at && now < self.at.saturating_add(age)
    }
}

/// The lifetime that a `Cache-Control` header gives (RFC 9111, section 5.2.2): `max-age`, or zero for `no-store` and
/// `no-cache`. `None` when it says nothing, or nothing readable.
pub fn max_age(cache_control: &str) -> Option<Duration> {
    let mut lifetime = None;
    for directive in cache_control.split(',').map(str::trim) {
        if directive.eq_ignore_ascii_case("no-store") || directive.eq_ignore_ascii_case("no-cache") {
            return Some(Duration::ZERO);
        }
        if let Some((name, value)) = directive.split_once('=')
            && name.eq_ignore_ascii_case("max-age")
            && let Ok(seconds) = value.trim_matches('"').parse()
        {
            let seconds = Duration::from_secs(seconds);
            // Named twice: the shorter one is safe.
            lifetime = Some(lifetime.map_or(seconds, |earlier: Duration| earlier.min(seconds)));
        }
    }
    lifetime
}

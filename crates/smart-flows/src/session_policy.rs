//! How long a session may last, and how long without the person.

use std::time::Duration;

/// What happens when the person has done nothing for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnIdle {
    /// The session ends: its tokens are wiped, and revoked at the server where that can be done. The default.
    #[default]
    End,
    /// The session is locked: it gives out nothing until [`unlock`](crate::Session::unlock), and ends at its absolute
    /// limit at the latest.
    Lock,
}

/// The time-outs of sessions. They hold for sessions of people; a backend service has no person who could be away.
///
/// They are enforced at each use of the token, by the wall clock and by a clock that nobody can set, whichever says that
/// more time has passed. What counts as activity is what the app says is one ([`touch`](crate::Session::touch)): requests
/// that a program makes by itself keep nobody's session alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionPolicy {
    /// How long the person may do nothing. `None`: any time.
    pub idle: Option<Duration>,
    /// How long the session lasts whatever the person does. `None`: as long as the server renews it.
    pub absolute: Option<Duration>,
    /// How long ahead of either end a [watched](crate::Session::watch) session warns.
    pub warning: Duration,
    /// How often a watched session is looked at, at least.
    pub check_every: Duration,
    /// What happens after too long without the person.
    pub on_idle: OnIdle,
}

impl SessionPolicy {
    /// No time-outs. The default of the library: only the app knows whether a person sits in front of it.
    pub const fn none() -> Self {
        Self {
            idle: None,
            absolute: None,
            warning: Duration::from_mins(5),
            check_every: Duration::from_mins(1),
            on_idle: OnIdle::End,
        }
    }

    /// 30 minutes without the person, 8 hours in all, a warning 5 minutes ahead.
    pub const fn standard() -> Self {
        Self { idle: Some(Duration::from_mins(30)), absolute: Some(Duration::from_hours(8)), ..Self::none() }
    }

    /// 15 minutes without the person, 4 hours in all, a warning 2 minutes ahead, looked at every 30 seconds.
    pub const fn high_security() -> Self {
        Self {
            idle: Some(Duration::from_mins(15)),
            absolute: Some(Duration::from_hours(4)),
            warning: Duration::from_mins(2),
            check_every: Duration::from_secs(30),
            on_idle: OnIdle::End,
        }
    }

    /// 24 hours without the person, 7 days in all, a warning 30 minutes ahead, looked at every 5 minutes.
    pub const fn development() -> Self {
        Self {
            idle: Some(Duration::from_hours(24)),
            absolute: Some(Duration::from_hours(7 * 24)),
            warning: Duration::from_mins(30),
            check_every: Duration::from_mins(5),
            on_idle: OnIdle::End,
        }
    }

    /// Another limit without the person.
    pub const fn with_idle(mut self, idle: Duration) -> Self {
        self.idle = Some(idle);
        self
    }

    /// Another limit in all.
    pub const fn with_absolute(mut self, absolute: Duration) -> Self {
        self.absolute = Some(absolute);
        self
    }

    /// Another time of warning.
    pub const fn with_warning(mut self, warning: Duration) -> Self {
        self.warning = warning;
        self
    }

    /// Locks the session after too long without the person, in place of ending it.
    pub const fn locking(mut self) -> Self {
        self.on_idle = OnIdle::Lock;
        self
    }

    pub(crate) const fn has_limits(&self) -> bool {
        self.idle.is_some() || self.absolute.is_some()
    }
}

impl Default for SessionPolicy {
    fn default() -> Self {
        Self::none()
    }
}

/// Which limit of a session was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Timeout {
    /// The person did nothing for too long.
    Idle,
    /// The session lasted as long as it may.
    Absolute,
}

impl std::fmt::Display for Timeout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Idle => "nothing was done in it for too long",
            Self::Absolute => "it has lasted as long as it may",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F-87: the presets have the numbers of the library that this one takes the place of.
    #[test]
    fn presets_have_their_numbers() {
        let minutes = |policy: SessionPolicy| {
            let of = |limit: Option<Duration>| limit.unwrap().as_secs() / 60;
            (of(policy.idle), of(policy.absolute), policy.warning.as_secs() / 60, policy.check_every.as_secs())
        };
        assert_eq!(minutes(SessionPolicy::standard()), (30, 480, 5, 60));
        assert_eq!(minutes(SessionPolicy::high_security()), (15, 240, 2, 30));
        assert_eq!(minutes(SessionPolicy::development()), (1440, 10_080, 30, 300));
        assert!(!SessionPolicy::default().has_limits());
    }
}

//! When the person last did something, and how long the session lasts, by two clocks.

use crate::session_policy::{SessionPolicy, Timeout};
use crate::system::Uptime;
use smart_core::time::{Clock, Timestamp};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

/// The ages of a session. Read without a lock.
///
/// The wall clock can be set back; the uptime stands still in some machines' sleep. The longer of both counts.
pub(crate) struct Activity {
    /// Seconds since 1970.
    started_wall: i64,
    /// Milliseconds of uptime; negative for what happened before this process.
    started_up: i64,
    active_wall: AtomicI64,
    active_up: AtomicI64,
    /// The last activity that the store knows of.
    stored_wall: AtomicI64,
    locked: AtomicBool,
    /// When it was last locked here.
    locked_wall: AtomicI64,
}

/// A moment by both clocks.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    wall: i64,
    up: i64,
}

impl Moment {
    pub(crate) fn now(clock: &dyn Clock, uptime: &dyn Uptime) -> Self {
        Self { wall: clock.now().as_unix_seconds(), up: millis(uptime.elapsed()) }
    }

    fn since(self, wall: i64, up: i64) -> Duration {
        let by_wall = self.wall.saturating_sub(wall).saturating_mul(1000);
        let by_uptime = self.up.saturating_sub(up);
        Duration::from_millis(u64::try_from(by_wall.max(by_uptime)).unwrap_or(0))
    }

    /// The uptime at which something happened that the wall clock of a store dates.
    fn uptime_of(self, wall: i64) -> i64 {
        let age = self.wall.saturating_sub(wall).max(0);
        self.up.saturating_sub(age.saturating_mul(1000))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl Activity {
    pub(crate) fn new(started: Timestamp, active: Timestamp, locked: bool, now: Moment) -> Self {
        let (started, active) = (started.as_unix_seconds(), active.as_unix_seconds());
        Self {
            started_wall: started,
            started_up: now.uptime_of(started),
            active_wall: AtomicI64::new(active),
            active_up: AtomicI64::new(now.uptime_of(active)),
            stored_wall: AtomicI64::new(active),
            locked: AtomicBool::new(locked),
            locked_wall: AtomicI64::new(i64::MIN),
        }
    }

    /// The person does something now.
    pub(crate) fn touch(&self, now: Moment) {
        self.active_wall.fetch_max(now.wall, Ordering::AcqRel);
        self.active_up.fetch_max(now.up, Ordering::AcqRel);
    }

    /// What the store says: another process may have seen the person since, or locked the session. Only a later sign of the
    /// person unlocks it here, and none of before it was locked.
    pub(crate) fn learn(&self, active: Timestamp, locked: bool, now: Moment) {
        let active = active.as_unix_seconds();
        let is_later = active > self.active_wall.fetch_max(active, Ordering::AcqRel);
        if is_later {
            self.active_up.fetch_max(now.uptime_of(active), Ordering::AcqRel);
        }
        self.stored_wall.fetch_max(active, Ordering::AcqRel);
        if locked || is_later && active > self.locked_wall.load(Ordering::Acquire) {
            self.locked.store(locked, Ordering::Release);
        }
    }

    pub(crate) fn active_at(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.active_wall.load(Ordering::Acquire))
    }

    pub(crate) fn is_locked(&self) -> bool {
        self.locked.load(Ordering::Acquire)
    }

    pub(crate) fn set_locked(&self, locked: bool, now: Moment) {
        if locked {
            self.locked_wall.fetch_max(now.wall, Ordering::AcqRel);
        }
        self.locked.store(locked, Ordering::Release);
    }

    /// How long the store may lag behind: other processes and the next start count by what it says.
    pub(crate) fn is_store_behind(&self, policy: &SessionPolicy) -> bool {
        let Some(idle) = policy.idle else { return false };
        let lag = self.active_wall.load(Ordering::Acquire).saturating_sub(self.stored_wall.load(Ordering::Acquire));
        let allowed = (idle / 20).min(Duration::from_mins(1));
        u64::try_from(lag).is_ok_and(|lag| lag > allowed.as_secs())
    }

    pub(crate) fn stored(&self, active: Timestamp) {
        self.stored_wall.fetch_max(active.as_unix_seconds(), Ordering::AcqRel);
    }

    /// Which limit is reached now. A locked session waits for the person, so that only its absolute limit counts.
    pub(crate) fn timeout(&self, policy: &SessionPolicy, now: Moment) -> Option<Timeout> {
        if self.remaining_in_all(policy, now).is_some_and(|left| left.is_zero()) {
            return Some(Timeout::Absolute);
        }
        let idle = self.remaining_idle(policy, now).is_some_and(|left| left.is_zero());
        (idle && !self.is_locked()).then_some(Timeout::Idle)
    }

    /// How long until the person has done nothing for too long.
    pub(crate) fn remaining_idle(&self, policy: &SessionPolicy, now: Moment) -> Option<Duration> {
        let age = now.since(self.active_wall.load(Ordering::Acquire), self.active_up.load(Ordering::Acquire));
        policy.idle.map(|limit| limit.saturating_sub(age))
    }

    /// How long until the session has lasted as long as it may.
    pub(crate) fn remaining_in_all(&self, policy: &SessionPolicy, now: Moment) -> Option<Duration> {
        let age = now.since(self.started_wall, self.started_up);
        policy.absolute.map(|limit| limit.saturating_sub(age))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_800_000_000;

    fn at(wall: i64, up: i64) -> Moment {
        Moment { wall: START + wall, up: up * 1000 }
    }

    fn new(now: Moment) -> Activity {
        let start = Timestamp::from_unix_seconds(START);
        Activity::new(start, start, false, now)
    }

    /// F-86, D-04: a wall clock that was set back does not stop the time-out, nor does an uptime that slept.
    #[test]
    fn the_longer_of_two_clocks_counts() {
        let policy = SessionPolicy::standard();
        let activity = new(at(0, 0));
        assert_eq!(activity.timeout(&policy, at(1799, 1799)), None);
        assert_eq!(activity.timeout(&policy, at(1800, 3)), Some(Timeout::Idle), "woke up after sleep");
        assert_eq!(activity.timeout(&policy, at(-500, 1800)), Some(Timeout::Idle), "clock set back");
        assert_eq!(activity.timeout(&policy, at(-500, 8 * 3600)), Some(Timeout::Absolute));
    }

    /// F-90: a session that was stored is as old as it is, not as old as the process.
    #[test]
    fn age_counts_from_before_the_restart() {
        let activity = new(at(1700, 5));
        assert_eq!(activity.timeout(&SessionPolicy::standard(), at(1790, 95)), None);
        assert_eq!(activity.timeout(&SessionPolicy::standard(), at(1700, 105)), Some(Timeout::Idle));
    }

    /// F-91: only activity keeps a session alive, and not past its absolute limit.
    #[test]
    fn touch_moves_the_idle_limit_only() {
        let policy = SessionPolicy::standard();
        let activity = new(at(0, 0));
        for minute in (0..480).step_by(20) {
            let now = at(minute * 60, minute * 60);
            assert_eq!(activity.timeout(&policy, now), None, "{minute}");
            activity.touch(now);
        }
        assert_eq!(activity.timeout(&policy, at(8 * 3600, 8 * 3600)), Some(Timeout::Absolute));
    }

    /// F-86: a lock that is not stored yet is not undone by an older record; a later sign of the person does.
    #[test]
    fn only_a_later_sign_of_the_person_unlocks() {
        let activity = new(at(0, 0));
        activity.set_locked(true, at(2, 2));
        // What the person did elsewhere before they locked it here, and what another process stored of it only now.
        for before in [0, 1, 2] {
            activity.learn(Timestamp::from_unix_seconds(START + before), false, at(5, 5));
            assert!(activity.is_locked(), "{before}");
        }
        activity.learn(Timestamp::from_unix_seconds(START + 3), false, at(5, 5));
        assert!(!activity.is_locked());
    }

    /// F-90: the store is told of activity often enough, but not of each.
    #[test]
    fn store_lags_a_minute_at_most() {
        let policy = SessionPolicy::standard();
        let activity = new(at(0, 0));
        activity.touch(at(60, 60));
        assert!(!activity.is_store_behind(&policy));
        activity.touch(at(61, 61));
        assert!(activity.is_store_behind(&policy));
        activity.stored(activity.active_at());
        assert!(!activity.is_store_behind(&policy));
    }
}

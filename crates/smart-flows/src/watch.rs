//! Watching over a session: warnings and time-outs at their time, and tokens renewed before anybody asks.

use crate::events::SessionEvent;
use crate::renewal::Why;
use crate::session::{Inner, Session};
use crate::task::{Background, in_background};
use smart_core::time::Timestamp;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// The shortest time between two looks.
const SHORTEST: Duration = Duration::from_secs(1);

/// Watches over a session until it is dropped, or the session is.
#[derive(Debug)]
#[must_use = "the session is watched as long as this lives"]
pub struct SessionWatch(Background);

impl Drop for SessionWatch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What was said already, so that each warning is given once a step.
#[derive(Default)]
struct Said {
    idle: bool,
    absolute: bool,
    /// The end of the token that was warned of.
    expiring: Option<Timestamp>,
    expired: Option<Timestamp>,
}

impl Session {
    /// Watches over the time-outs: [events](Session::events) warn ahead of them, and they come about on time, not only at
    /// the next use. A session whose token cannot be renewed is told of as well.
    pub fn watch(&self) -> SessionWatch {
        self.watch_with(false)
    }

    /// The same, and renews the token ahead of its end, so that no request has to wait for it. A token renewed so is no sign
    /// of the person.
    pub fn watch_and_renew(&self) -> SessionWatch {
        self.watch_with(true)
    }

    fn watch_with(&self, renew: bool) -> SessionWatch {
        let watched = Arc::downgrade(&self.inner);
        SessionWatch(in_background(watch(watched, renew)))
    }
}

async fn watch(watched: Weak<Inner>, renew: bool) {
    let mut said = Said::default();
    loop {
        let Some(session) = watched.upgrade() else { return };
        let Some(wait) = look(&session, renew, &mut said).await else { return };
        let client = session.client.clone();
        drop(session);
        client.inner.http.timer().sleep(wait).await;
    }
}

/// One look. Gives when to look again; `None`: the session is over.
async fn look(session: &Arc<Inner>, renew: bool, said: &mut Said) -> Option<Duration> {
    // A locked session goes on, so that only its end ends the watch.
    let _ = Inner::check(session).await;
    let live = session.live().ok()?;
    warn_of_limits(session, said);
    let now = session.client.inner.clock.now();
    let stale = !live.freshness.is_fresh(now);
    if !live.record.is_renewable() {
        warn_of_end(session, live.record.expires_at, stale, said);
    } else if renew && stale && !session.activity.is_locked() {
        // What fails is told as an event, and tried again when the delay has passed.
        let _ = Inner::renew(session, Why::Stale).await;
    }
    let policy = &session.policy;
    let moment = session.moment();
    let ahead = |remaining: Option<Duration>| {
        remaining.map(|left| left.checked_sub(policy.warning).filter(|ahead| !ahead.is_zero()).unwrap_or(left))
    };
    let renewal = live.freshness.renew_at().map(|at| at.since(now)).filter(|left| !left.is_zero());
    [
        ahead(session.activity.remaining_idle(policy, moment)),
        ahead(session.activity.remaining_in_all(policy, moment)),
        renewal,
        Some(policy.check_every),
    ]
    .into_iter()
    .flatten()
    .min()
    .map(|wait| wait.max(SHORTEST))
}

fn warn_of_limits(session: &Inner, said: &mut Said) {
    let moment = session.moment();
    let policy = &session.policy;
    let near = |remaining: Option<Duration>| remaining.filter(|left| *left <= policy.warning);
    let idle = near(session.activity.remaining_idle(policy, moment)).filter(|_| !session.activity.is_locked());
    if let Some(remaining) = idle
        && !said.idle
    {
        session.events.send(SessionEvent::IdleWarning { remaining });
    }
    // A sign of the person since ends this step; the next one is warned of again.
    said.idle = idle.is_some();
    if let Some(remaining) = near(session.activity.remaining_in_all(policy, moment))
        && !said.absolute
    {
        session.events.send(SessionEvent::AbsoluteWarning { remaining });
        said.absolute = true;
    }
}

fn warn_of_end(session: &Inner, expires_at: Option<Timestamp>, stale: bool, said: &mut Said) {
    let Some(end) = expires_at else { return };
    if stale && said.expiring != Some(end) {
        said.expiring = Some(end);
        session.events.send(SessionEvent::Expiring { expires_at: end });
    }
    if session.client.inner.clock.now() >= end && said.expired != Some(end) {
        said.expired = Some(end);
        session.events.send(SessionEvent::Expired);
    }
}

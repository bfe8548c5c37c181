//! What happens to a session.

use crate::session::Session;
use crate::session_time::reason_name;
use smart_on_fhir::core::time::Timestamp;
use smart_on_fhir::flows;
use std::sync::{Arc, Mutex, PoisonError};

/// What happened to a session, or is about to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum EventKind {
    /// The access token was renewed; `at`: when the new one ends.
    Renewed,
    /// A renewal failed in a way that may pass.
    RenewalFailed,
    /// The access token ends soon, at `at`, and there is nothing to renew it with: log in again.
    Expiring,
    /// The access token has ended, and there is nothing to renew it with.
    Expired,
    /// The person has to do something within `seconds`, or the session ends, or is locked.
    IdleWarning,
    /// The session ends in `seconds`, whatever the person does.
    AbsoluteWarning,
    /// It was locked.
    Locked,
    /// It was unlocked.
    Unlocked,
    /// It is over, for `reason`.
    Over,
    /// Events were lost, since they were not asked for.
    Missed,
    /// Something that this version of the binding has no name for.
    Other,
}

/// Something that happened to a session, or is about to.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SessionEvent {
    /// What.
    pub kind: EventKind,
    /// When, in seconds since 1970, where the kind says so.
    pub at: Option<i64>,
    /// How soon, in seconds, where the kind says so.
    pub seconds: Option<u64>,
    /// Why, where the kind says so: as [`Session::end_reason`] does.
    pub reason: Option<String>,
}

impl From<flows::SessionEvent> for SessionEvent {
    fn from(event: flows::SessionEvent) -> Self {
        use flows::SessionEvent as E;
        let plain = |kind| Self { kind, at: None, seconds: None, reason: None };
        match event {
            E::Renewed { expires_at } => {
                Self { at: expires_at.map(Timestamp::as_unix_seconds), ..plain(EventKind::Renewed) }
            }
            E::RenewalFailed => plain(EventKind::RenewalFailed),
            E::Expiring { expires_at } => Self { at: Some(expires_at.as_unix_seconds()), ..plain(EventKind::Expiring) },
            E::Expired => plain(EventKind::Expired),
            E::IdleWarning { remaining } => {
                Self { seconds: Some(remaining.as_secs()), ..plain(EventKind::IdleWarning) }
            }
            E::AbsoluteWarning { remaining } => {
                Self { seconds: Some(remaining.as_secs()), ..plain(EventKind::AbsoluteWarning) }
            }
            E::Locked => plain(EventKind::Locked),
            E::Unlocked => plain(EventKind::Unlocked),
            E::Over(reason) => Self { reason: Some(reason_name(reason)), ..plain(EventKind::Over) },
            E::Missed { .. } => plain(EventKind::Missed),
            _ => plain(EventKind::Other),
        }
    }
}

/// The events of a session from the moment of asking on.
#[derive(uniffi::Object)]
pub struct SessionEvents(tokio::sync::Mutex<flows::Events>);

#[uniffi::export(async_runtime = "tokio")]
impl SessionEvents {
    /// Waits for the next event. None: nobody holds the session any more. The last 16 events wait for a slow reader.
    pub async fn next(&self) -> Option<SessionEvent> {
        self.0.lock().await.next().await.map(SessionEvent::from)
    }
}

/// Watches over a session, until it is stopped or let go of.
#[derive(uniffi::Object)]
pub struct SessionWatch(Mutex<Option<flows::SessionWatch>>);

#[uniffi::export]
impl SessionWatch {
    /// Stops watching.
    pub fn stop(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

#[uniffi::export(async_runtime = "tokio")]
impl Session {
    /// What happens to it from now on.
    pub fn events(&self) -> Arc<SessionEvents> {
        Arc::new(SessionEvents(tokio::sync::Mutex::new(self.inner.events())))
    }

    /// Watches over it: events warn ahead of the time-outs, and these come about on time, not only at the next use. With `renew` the token is
    /// renewed ahead of its end, so that no request waits for it.
    // Within the runtime, where the watch's own task begins.
    #[expect(clippy::unused_async)]
    pub async fn watch(&self, renew: bool) -> Arc<SessionWatch> {
        let watch = if renew { self.inner.watch_and_renew() } else { self.inner.watch() };
        Arc::new(SessionWatch(Mutex::new(Some(watch))))
    }
}

impl std::fmt::Debug for SessionEvents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionEvents")
    }
}

impl std::fmt::Debug for SessionWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionWatch")
    }
}

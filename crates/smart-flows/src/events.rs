//! What happens to a session, as a stream.

use crate::session_policy::Timeout;
use futures_core::Stream;
use smart_core::time::Timestamp;
use std::time::Duration;
use tokio::sync::broadcast::{self, error::RecvError};

/// How many events wait for a slow reader.
const WAITING: usize = 16;

/// Something that happened to a session, or is about to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionEvent {
    /// The access token was renewed.
    Renewed {
        /// When the new one ends, where the server says so.
        expires_at: Option<Timestamp>,
    },
    /// A renewal failed in a way that may pass; the refresh token is kept.
    RenewalFailed,
    /// The access token ends soon, and there is nothing to renew it with: log in again.
    Expiring {
        /// When.
        expires_at: Timestamp,
    },
    /// The access token has ended, and there is nothing to renew it with.
    Expired,
    /// The person has to do something soon, or the session ends (or is locked).
    IdleWarning {
        /// How soon.
        remaining: Duration,
    },
    /// The session lasts no longer soon, whatever the person does.
    AbsoluteWarning {
        /// How soon.
        remaining: Duration,
    },
    /// It was locked: by the app, or since nothing was done in it for too long.
    Locked,
    /// It was unlocked.
    Unlocked,
    /// It is over.
    Over(EndReason),
    /// Events were lost, since they were not read.
    Missed {
        /// How many.
        count: u64,
    },
}

/// Why a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum EndReason {
    /// The app logged it out.
    LoggedOut,
    /// The app revoked it.
    Revoked,
    /// Another process logged it out.
    LoggedOutElsewhere,
    /// The server refused its refresh token.
    RefreshRefused,
    /// The server refused its refresh token, and it was one that lives as long as the EHR's session (`online_access`).
    EhrSessionEnded,
    /// The ID token of a renewal is not that of the person who logged in.
    OtherPerson,
    /// A renewal came with another patient: a session stays with the patient of its launch.
    OtherPatient,
    /// A time-out.
    TimedOut(Timeout),
    /// A session with more scopes took its place.
    Replaced,
}

impl std::fmt::Display for EndReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::LoggedOut => "it was logged out",
            Self::Revoked => "it was revoked",
            Self::LoggedOutElsewhere => "it was logged out elsewhere",
            Self::RefreshRefused => "the server refused its refresh token",
            Self::EhrSessionEnded => {
                "the session in the EHR has ended, and with it the right to refresh; launch again from the EHR"
            }
            Self::OtherPerson => "the ID token of its renewal is not of the person who logged in",
            Self::OtherPatient => "its renewal came with another patient than the one it was opened for",
            Self::TimedOut(timeout) => return timeout.fmt(f),
            Self::Replaced => "a session with more scopes took its place",
        })
    }
}

/// Where the events of a session are sent to.
pub(crate) struct EventSender(broadcast::Sender<SessionEvent>);

impl EventSender {
    pub(crate) fn new() -> Self {
        Self(broadcast::channel(WAITING).0)
    }

    /// Nobody has to listen.
    pub(crate) fn send(&self, event: SessionEvent) {
        let _ = self.0.send(event);
    }

    pub(crate) fn subscribe(&self) -> Events {
        Events(self.0.subscribe())
    }
}

/// The events of a session from the moment of asking on; the end when nobody holds the session any more.
///
/// The last 16 events wait for a reader; who is slower is told how many were [missed](SessionEvent::Missed).
#[derive(Debug)]
pub struct Events(broadcast::Receiver<SessionEvent>);

impl Events {
    /// The next event. `None`: there will be none. Cancel-safe.
    pub async fn next(&mut self) -> Option<SessionEvent> {
        match self.0.recv().await {
            Ok(event) => Some(event),
            Err(RecvError::Lagged(count)) => Some(SessionEvent::Missed { count }),
            Err(RecvError::Closed) => None,
        }
    }

    /// The same as a stream.
    pub fn into_stream(self) -> impl Stream<Item = SessionEvent> + Send {
        futures_util::stream::unfold(self, |mut events| async move { Some((events.next().await?, events)) })
    }
}

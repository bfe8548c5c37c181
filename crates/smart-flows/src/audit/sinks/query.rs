//! Searching events.

use crate::audit::event::{AuditEvent, AuditKind, AuditUser, SessionHandle, Severity};
use smart_core::time::Timestamp;

/// Which events are looked for. Parts that are not given match all.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    user: Option<AuditUser>,
    session: Option<String>,
    kinds: Vec<AuditKind>,
    severity: Option<Severity>,
    limit: Option<usize>,
}

impl AuditQuery {
    /// All events.
    pub fn new() -> Self {
        Self::default()
    }

    /// Those at or after this time.
    pub fn since(mut self, time: Timestamp) -> Self {
        self.since = Some(time);
        self
    }

    /// Those before this time.
    pub fn until(mut self, time: Timestamp) -> Self {
        self.until = Some(time);
        self
    }

    /// Those of a user, as [`Auditor::user`](crate::audit::Auditor::user) names them.
    pub fn user(mut self, user: AuditUser) -> Self {
        self.user = Some(user);
        self
    }

    /// Those of a session.
    pub fn session(mut self, session: SessionHandle) -> Self {
        self.session = Some(session.to_string());
        self
    }

    /// Those of this kind; of several, where it is said more than once.
    pub fn kind(mut self, kind: AuditKind) -> Self {
        self.kinds.push(kind);
        self
    }

    /// Those that matter at least so much.
    pub fn at_least(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// Only the last ones, this many.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    /// How many are wanted at most.
    pub(crate) fn most(&self) -> usize {
        self.limit.unwrap_or(usize::MAX)
    }

    /// Whether an event is looked for.
    pub fn matches(&self, event: &AuditEvent) -> bool {
        let session = event.session().map(|session| session.to_string());
        self.matches_parts(&Parts {
            time: event.time(),
            kind: Some(event.kind()),
            severity: Some(event.severity()),
            session: session.as_deref(),
            user: event.user().map(|user| (user.issuer(), user.name())),
        })
    }

    pub(crate) fn matches_parts(&self, event: &Parts<'_>) -> bool {
        self.since.is_none_or(|since| event.time >= since)
            && self.until.is_none_or(|until| event.time < until)
            && self.user.as_ref().is_none_or(|user| event.user == Some((user.issuer(), user.name())))
            && self.session.as_deref().is_none_or(|session| event.session == Some(session))
            && (self.kinds.is_empty() || event.kind.is_some_and(|kind| self.kinds.contains(&kind)))
            && self.severity.is_none_or(|least| event.severity.is_some_and(|severity| severity >= least))
    }
}

/// What events are looked for by.
pub(crate) struct Parts<'a> {
    pub(crate) time: Timestamp,
    pub(crate) kind: Option<AuditKind>,
    pub(crate) severity: Option<Severity>,
    pub(crate) session: Option<&'a str>,
    pub(crate) user: Option<(&'a str, &'a str)>,
}

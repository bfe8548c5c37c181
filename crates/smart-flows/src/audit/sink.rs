//! Where events go.

use super::error::AuditError;
use super::event::AuditEvent;
use std::sync::Arc;

/// Takes events, each as it happens, in the thread in which it happens.
///
/// `record` has to be quick, microseconds and not milliseconds: it is called on the path of every request. What may wait for a network or
/// for a disk to sync belongs behind a [`QueuedSink`](super::QueuedSink). It may be called by many threads at a time, and
/// must not call the auditor that called it.
pub trait AuditSink: Send + Sync {
    /// Records an event.
    ///
    /// # Errors
    /// [`AuditError`] when the event is not recorded. What happens then the auditor's [`AuditPolicy`](super::AuditPolicy)
    /// says.
    fn record(&self, event: &AuditEvent) -> Result<(), AuditError>;

    /// What it is called in messages.
    fn name(&self) -> &'static str {
        "audit sink"
    }
}

impl<T: AuditSink + ?Sized> AuditSink for Arc<T> {
    fn record(&self, event: &AuditEvent) -> Result<(), AuditError> {
        (**self).record(event)
    }

    fn name(&self) -> &'static str {
        (**self).name()
    }
}

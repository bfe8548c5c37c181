//! What the flows tell their events to.

use super::error::AuditError;
use super::event::{AuditEntry, AuditEvent, AuditUser, EventId, UserNaming};
use super::key::AuditKey;
use super::sink::AuditSink;
use smart_core::random::SecureRandom;
use smart_core::time::Clock;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What happens when a sink does not record an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuditPolicy {
    /// The app goes on. The loss is logged as an error and [counted](Auditor::lost): patients are not to wait because a
    /// disk is full.
    #[default]
    FailOpen,
    /// What was to be recorded fails as well: no access that is not on record. All sinks are still tried.
    Strict,
}

/// Gives each event its id, time and number, and hands it to all sinks. Clones share everything.
#[derive(Clone)]
pub struct Auditor(Option<Arc<Inner>>);

struct Inner {
    sinks: Vec<Arc<dyn AuditSink>>,
    policy: AuditPolicy,
    naming: UserNaming,
    clock: Arc<dyn Clock>,
    random: Arc<dyn SecureRandom>,
    sequence: AtomicU64,
    lost: AtomicU64,
}

/// Makes an [`Auditor`].
pub struct AuditorBuilder(Inner);

impl AuditorBuilder {
    /// A further sink.
    pub fn sink(mut self, sink: impl AuditSink + 'static) -> Self {
        self.0.sinks.push(Arc::new(sink));
        self
    }

    /// What happens when a sink fails. Default: [`AuditPolicy::FailOpen`].
    pub fn policy(mut self, policy: AuditPolicy) -> Self {
        self.0.policy = policy;
        self
    }

    /// Names users by a keyed hash, so that who sees the audit cannot find out by trying who is meant. Default: a hash
    /// without a key.
    pub fn with_user_key(mut self, key: AuditKey) -> Self {
        self.0.naming = UserNaming::Keyed(key);
        self
    }

    /// Names users by the subject itself. Not for apps of patients at servers whose subjects are names: then a patient's
    /// name is in every sink.
    pub fn with_plain_users(mut self) -> Self {
        self.0.naming = UserNaming::Plain;
        self
    }

    /// The auditor.
    pub fn build(self) -> Auditor {
        Auditor(Some(Arc::new(self.0)))
    }
}

impl Auditor {
    /// Makes an auditor step by step.
    pub fn builder(clock: Arc<dyn Clock>, random: Arc<dyn SecureRandom>) -> AuditorBuilder {
        AuditorBuilder(Inner {
            sinks: Vec::new(),
            policy: AuditPolicy::default(),
            naming: UserNaming::default(),
            clock,
            random,
            sequence: AtomicU64::new(0),
            lost: AtomicU64::new(0),
        })
    }

    /// An auditor that records nothing.
    pub fn none() -> Self {
        Self(None)
    }

    /// Whether events go anywhere. Where making an entry costs something, ask first.
    pub fn is_on(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| !inner.sinks.is_empty())
    }

    /// Records an event in all sinks.
    ///
    /// # Errors
    /// With [`AuditPolicy::Strict`] the first error of a sink: what was to be recorded must not go on. With
    /// [`AuditPolicy::FailOpen`] never.
    pub fn record(&self, entry: AuditEntry) -> Result<(), AuditError> {
        let Some(inner) = self.0.as_deref().filter(|inner| !inner.sinks.is_empty()) else { return Ok(()) };
        let time = inner.clock.now();
        let sequence = inner.sequence.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let id = EventId::new(&*inner.random, time, sequence);
        let event = AuditEvent::new(id, time, sequence, entry, &inner.naming);
        let mut first = None;
        for sink in &inner.sinks {
            if let Err(error) = sink.record(&event) {
                inner.lost.fetch_add(1, Ordering::Relaxed);
                tracing::error!(
                    sink = sink.name(), kind = event.kind().as_str(), id = %event.id(), %error,
                    "an event was not recorded by an audit sink"
                );
                first.get_or_insert(error);
            }
        }
        match (first, inner.policy) {
            (Some(error), AuditPolicy::Strict) => Err(error),
            _ => Ok(()),
        }
    }

    /// How many events a sink did not record, counted for each sink.
    pub fn lost(&self) -> u64 {
        self.0.as_ref().map_or(0, |inner| inner.lost.load(Ordering::Relaxed))
    }

    /// How a user is named in this auditor's events: what to [search](super::AuditQuery::user) for.
    pub fn user(&self, issuer: &str, subject: &str) -> AuditUser {
        match &self.0 {
            Some(inner) => inner.naming.name(issuer, subject),
            None => UserNaming::default().name(issuer, subject),
        }
    }
}

impl std::fmt::Debug for Auditor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sinks: Vec<_> = self.0.iter().flat_map(|inner| &inner.sinks).map(AuditSink::name).collect();
        f.debug_struct("Auditor").field("sinks", &sinks).field("lost", &self.lost()).finish_non_exhaustive()
    }
}

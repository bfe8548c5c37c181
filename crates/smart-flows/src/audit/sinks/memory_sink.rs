//! Events in memory.

use super::query::AuditQuery;
use crate::audit::error::AuditError;
use crate::audit::event::AuditEvent;
use crate::audit::sink::AuditSink;
use smart_core::time::Timestamp;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many events are kept unless said otherwise.
const USUAL_CAPACITY: usize = 10_000;

/// Keeps the last events in memory, 10,000 unless said otherwise. Clones share them.
#[derive(Clone)]
pub struct MemorySink(Arc<Mutex<Kept>>);

struct Kept {
    events: VecDeque<Arc<AuditEvent>>,
    capacity: usize,
    dropped: u64,
}

impl MemorySink {
    /// A sink for the last 10,000 events.
    pub fn new() -> Self {
        Self::with_capacity(USUAL_CAPACITY)
    }

    /// A sink for the last `capacity` events, one at least.
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Arc::new(Mutex::new(Kept { events: VecDeque::new(), capacity: capacity.max(1), dropped: 0 })))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The events that are looked for, the oldest first.
    pub fn query(&self, query: &AuditQuery) -> Vec<Arc<AuditEvent>> {
        let kept = self.kept();
        let newest = kept.events.iter().rev().filter(|event| query.matches(event)).take(query.most());
        let mut found: Vec<_> = newest.cloned().collect();
        found.reverse();
        found
    }

    /// How many events are kept.
    pub fn len(&self) -> usize {
        self.kept().events.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many events had to make room for later ones.
    pub fn dropped(&self) -> u64 {
        self.kept().dropped
    }

    /// Forgets the events before this time, and gives how many there were.
    pub fn forget_before(&self, time: Timestamp) -> usize {
        let mut kept = self.kept();
        let before = kept.events.len();
        kept.events.retain(|event| event.time() >= time);
        before - kept.events.len()
    }
}

impl Default for MemorySink {
    fn default() -> Self {
        Self::new()
    }
}

impl AuditSink for MemorySink {
    fn record(&self, event: &AuditEvent) -> Result<(), AuditError> {
        let event = Arc::new(event.clone());
        let mut kept = self.kept();
        if kept.events.len() >= kept.capacity {
            kept.events.pop_front();
            kept.dropped += 1;
        }
        kept.events.push_back(event);
        Ok(())
    }

    fn name(&self) -> &'static str {
        "memory"
    }
}

impl std::fmt::Debug for MemorySink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemorySink").field("len", &self.len()).finish_non_exhaustive()
    }
}

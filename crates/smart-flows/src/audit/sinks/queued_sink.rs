//! A sink behind a queue, for those that may take their time.

use crate::audit::error::AuditError;
use crate::audit::event::AuditEvent;
use crate::audit::sink::AuditSink;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Puts a queue and a thread before a sink that may wait for a disk or a network, so that the caller never does.
///
/// The price: an event is recorded a little after it happened, and those in the queue are lost when the process is killed.
/// A failure of the inner sink cannot be told to the caller whose event it was; it is logged, and given to the next.
/// Dropping it waits until the queue is empty.
pub struct QueuedSink {
    name: &'static str,
    queue: Option<SyncSender<Message>>,
    failures: Arc<Failures>,
    thread: Option<JoinHandle<()>>,
}

enum Message {
    Event(Box<AuditEvent>),
    Flush(std::sync::mpsc::Sender<()>),
}

#[derive(Default)]
struct Failures {
    count: AtomicU64,
    untold: Mutex<Option<AuditError>>,
}

impl Failures {
    fn untold(&self) -> MutexGuard<'_, Option<AuditError>> {
        self.untold.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl QueuedSink {
    /// A queue of at most `capacity` events (one at least) before `sink`.
    ///
    /// # Errors
    /// [`AuditError::Io`] when no thread can be started.
    pub fn new(sink: impl AuditSink + 'static, capacity: usize) -> Result<Self, AuditError> {
        let name = sink.name();
        let failures = Arc::new(Failures::default());
        let (queue, messages) = sync_channel(capacity.max(1));
        let told = failures.clone();
        let thread = std::thread::Builder::new()
            .name("smart-audit".to_owned())
            .spawn(move || serve(&sink, &messages, &told))
            .map_err(|error| AuditError::io(std::path::Path::new(name), "no thread can be started", &error))?;
        Ok(Self { name, queue: Some(queue), failures, thread: Some(thread) })
    }

    /// Waits until all that was recorded before is in the inner sink, for `limit` at most. Gives whether it is.
    pub fn flush(&self, limit: Duration) -> bool {
        let Some(queue) = &self.queue else { return false };
        let (done, wait) = channel();
        let begun = std::time::Instant::now();
        let mut message = Message::Flush(done);
        // The queue may be full: place in it is waited for as well.
        loop {
            match queue.try_send(message) {
                Ok(()) => break,
                Err(TrySendError::Disconnected(_)) => return false,
                Err(TrySendError::Full(_)) if begun.elapsed() >= limit => return false,
                Err(TrySendError::Full(back)) => message = back,
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        match wait.recv_timeout(limit.saturating_sub(begun.elapsed())) {
            Ok(()) => true,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => false,
        }
    }

    /// How many events the inner sink did not record.
    pub fn failures(&self) -> u64 {
        self.failures.count.load(Ordering::Relaxed)
    }
}

fn serve(sink: &dyn AuditSink, messages: &Receiver<Message>, failures: &Failures) {
    while let Ok(message) = messages.recv() {
        match message {
            Message::Event(event) => {
                if let Err(error) = sink.record(&event) {
                    failures.count.fetch_add(1, Ordering::Relaxed);
                    tracing::error!(sink = sink.name(), id = %event.id(), %error, "an event was not recorded by an audit sink");
                    failures.untold().get_or_insert(error);
                }
            }
            // Who waits may have given up.
            Message::Flush(done) => drop(done.send(())),
        }
    }
}

impl AuditSink for QueuedSink {
    fn record(&self, event: &AuditEvent) -> Result<(), AuditError> {
        // Looked at before this event can fail itself.
        let earlier = self.failures.untold().take();
        let queued = match &self.queue {
            Some(queue) => queue.try_send(Message::Event(Box::new(event.clone()))),
            None => return Err(AuditError::Closed { sink: self.name }),
        };
        if let Err(refused) = queued {
            if let Some(earlier) = earlier {
                self.failures.untold().get_or_insert(earlier);
            }
            return Err(match refused {
                TrySendError::Full(_) => AuditError::Full { sink: self.name },
                TrySendError::Disconnected(_) => AuditError::Closed { sink: self.name },
            });
        }
        match earlier {
            Some(source) => Err(AuditError::Earlier { sink: self.name, source: Box::new(source) }),
            None => Ok(()),
        }
    }

    fn name(&self) -> &'static str {
        self.name
    }
}

impl Drop for QueuedSink {
    fn drop(&mut self) {
        // Without its queue the thread ends when it has done what is in it.
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A sink that panicked has told so itself.
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for QueuedSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QueuedSink")
            .field("sink", &self.name)
            .field("failures", &self.failures())
            .finish_non_exhaustive()
    }
}

//! A sink for FHIR resources.

use super::export::{FhirAudit, FhirAuditEvent};
use crate::audit::error::AuditError;
use crate::audit::event::AuditEvent;
use crate::audit::sink::AuditSink;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

const NAME: &str = "fhir";

type Take = dyn Fn(FhirAuditEvent) -> Result<(), AuditError> + Send + Sync;

/// Hands each event to the app as a finished [`FhirAuditEvent`]. Posting it to a server is the app's: where to, with which
/// token, and what to do when that fails.
pub struct FhirSink {
    export: FhirAudit,
    take: Box<Take>,
}

impl FhirSink {
    /// Gives resources to a function, which has to be quick: see [`AuditSink`].
    pub fn to(
        export: FhirAudit,
        take: impl Fn(FhirAuditEvent) -> Result<(), AuditError> + Send + Sync + 'static,
    ) -> Self {
        Self { export, take: Box::new(take) }
    }

    /// Gives resources to a channel for at most `capacity` of them, one at least. When it is full an event is not recorded:
    /// [`AuditError::Full`]; when nobody receives any more, [`AuditError::Closed`].
    pub fn channel(export: FhirAudit, capacity: usize) -> (Self, FhirAuditReceiver) {
        let (sender, receiver) = mpsc::channel(capacity.max(1));
        let send = move |resource| match sender.try_send(resource) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => Err(AuditError::Full { sink: NAME }),
            Err(TrySendError::Closed(_)) => Err(AuditError::Closed { sink: NAME }),
        };
        (Self::to(export, send), FhirAuditReceiver(receiver))
    }
}

impl AuditSink for FhirSink {
    fn record(&self, event: &AuditEvent) -> Result<(), AuditError> {
        (self.take)(self.export.resource(event))
    }

    fn name(&self) -> &'static str {
        NAME
    }
}

impl std::fmt::Debug for FhirSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FhirSink").field("export", &self.export).finish_non_exhaustive()
    }
}

/// The other end of [`FhirSink::channel`]. It is a stream too.
#[derive(Debug)]
pub struct FhirAuditReceiver(mpsc::Receiver<FhirAuditEvent>);

impl FhirAuditReceiver {
    /// The next resource; `None` when the sink is gone and all are taken. Cancel-safe.
    pub async fn recv(&mut self) -> Option<FhirAuditEvent> {
        self.0.recv().await
    }

    /// The next resource if there is one just now.
    pub fn try_recv(&mut self) -> Option<FhirAuditEvent> {
        self.0.try_recv().ok()
    }
}

impl futures_core::Stream for FhirAuditReceiver {
    type Item = FhirAuditEvent;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<FhirAuditEvent>> {
        self.0.poll_recv(context)
    }
}

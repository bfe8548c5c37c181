//! A response body from hyper, within its time limits.

use super::reason_of;
use crate::{Endpoint, HttpError, Phase};
use bytes::Bytes;
use futures_core::Stream;
use hyper::body::{Body as _, Incoming};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// Yields the chunks, or an error when none comes in time or the connection breaks. Trailers are passed over.
pub(super) struct TimedChunks {
    incoming: Incoming,
    endpoint: Endpoint,
    idle: Duration,
    total: Duration,
    deadline: Option<Instant>,
    /// Set while a chunk is waited for, and kept for the next wait.
    alarm: Option<Pin<Box<Sleep>>>,
    is_waiting: bool,
}

impl TimedChunks {
    pub(super) fn new(
        incoming: Incoming,
        endpoint: Endpoint,
        idle: Duration,
        total: Duration,
        deadline: Option<Instant>,
    ) -> Self {
        Self { incoming, endpoint, idle, total, deadline, alarm: None, is_waiting: false }
    }

    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<HttpError> {
        if !self.is_waiting {
            let now = Instant::now();
            let Some(until) = earlier(now.checked_add(self.idle), self.deadline) else { return Poll::Pending };
            match &mut self.alarm {
                Some(alarm) => alarm.as_mut().reset(until),
                None => self.alarm = Some(Box::pin(sleep_until(until))),
            }
            self.is_waiting = true;
        }
        let Some(alarm) = &mut self.alarm else { return Poll::Pending };
        ready!(alarm.as_mut().poll(cx));
        let total_passed = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        Poll::Ready(self.timeout(if total_passed { self.total } else { self.idle }))
    }

    fn timeout(&self, limit: Duration) -> HttpError {
        HttpError::Timeout { endpoint: self.endpoint.clone(), phase: Phase::Body, limit }
    }
}

impl Stream for TimedChunks {
    type Item = Result<Bytes, HttpError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            match Pin::new(&mut this.incoming).poll_frame(cx) {
                Poll::Pending => return this.poll_alarm(cx).map(|timeout| Some(Err(timeout))),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Ready(Some(Err(error))) => {
                    let reason = reason_of(&error);
                    let endpoint = this.endpoint.clone();
                    return Poll::Ready(Some(Err(HttpError::Interrupted { endpoint, phase: Phase::Body, reason })));
                }
                Poll::Ready(Some(Ok(frame))) => {
                    let Ok(chunk) = frame.into_data() else { continue };
                    // An empty chunk is no sign of life: it must not restart the wait.
                    if chunk.is_empty() {
                        continue;
                    }
                    this.is_waiting = false;
                    // A slow drip keeps the idle alarm quiet, so the deadline is looked at with each chunk too.
                    if this.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                        return Poll::Ready(Some(Err(this.timeout(this.total))));
                    }
                    return Poll::Ready(Some(Ok(chunk)));
                }
            }
        }
    }
}

fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

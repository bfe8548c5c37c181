//! A transport that plays scripted responses, and a timer that does not wait. For tests.

use crate::{Body, BoxFuture, ConnectFailure, Endpoint, HttpError, Limits, Timer, Transport};
use bytes::Bytes;
use http::{Request, Response};
use smart_core::time::Timestamp;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

type Handler = Box<dyn Fn(&Request<Bytes>) -> Result<Response<Bytes>, HttpError> + Send + Sync>;

/// Answers requests from a queue, one after the other, then from a handler if there is one. Clones share both.
///
/// A request that nothing is scripted for gets [`HttpError::Connect`].
#[derive(Clone, Default)]
pub struct MockTransport(Arc<Mutex<Script>>);

#[derive(Default)]
struct Script {
    queue: VecDeque<Result<Response<Bytes>, HttpError>>,
    handler: Option<Handler>,
    requests: Vec<Request<Bytes>>,
}

impl MockTransport {
    /// A transport with nothing scripted.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a response to the queue.
    pub fn respond<B: Into<Bytes>>(&self, response: Response<B>) -> &Self {
        self.lock().queue.push_back(Ok(response.map(Into::into)));
        self
    }

    /// Adds a response with a status, headers and a body to the queue.
    ///
    /// # Panics
    /// When the status or a header is not legal.
    #[expect(clippy::expect_used, reason = "a wrong script is the test's own fault")]
    pub fn respond_with(&self, status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> &Self {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        self.respond(response.body(body.into()).expect("a legal status and legal headers"))
    }

    /// Adds a `200` response with a FHIR JSON body to the queue.
    pub fn respond_fhir(&self, body: impl Into<Bytes>) -> &Self {
        self.respond_with(200, &[("content-type", "application/fhir+json")], body)
    }

    /// Adds an error to the queue.
    pub fn fail(&self, error: HttpError) -> &Self {
        self.lock().queue.push_back(Err(error));
        self
    }

    /// Answers every request that the queue has no response for.
    pub fn handle(
        &self,
        handler: impl Fn(&Request<Bytes>) -> Result<Response<Bytes>, HttpError> + Send + Sync + 'static,
    ) -> &Self {
        self.lock().handler = Some(Box::new(handler));
        self
    }

    /// The requests so far, in order.
    pub fn requests(&self) -> Vec<Request<Bytes>> {
        self.lock().requests.clone()
    }

    /// How many responses of the queue are left.
    pub fn remaining(&self) -> usize {
        self.lock().queue.len()
    }

    fn lock(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for MockTransport {
    fn send(&self, request: Request<Bytes>, _limits: Limits) -> BoxFuture<'_, Result<Response<Body>, HttpError>> {
        let mut script = self.lock();
        let response = match (script.queue.pop_front(), &script.handler) {
            (Some(response), _) => response,
            (None, Some(handler)) => handler(&request),
            (None, None) => Err(HttpError::Connect {
                endpoint: Endpoint::of(request.uri()),
                kind: ConnectFailure::Refused,
                reason: "nothing is scripted for this request".to_owned(),
            }),
        };
        script.requests.push(request);
        Box::pin(std::future::ready(response.map(|response| response.map(Body::from_bytes))))
    }
}

impl fmt::Debug for MockTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let script = self.lock();
        f.debug_struct("MockTransport")
            .field("requests", &script.requests.len())
            .field("remaining", &script.queue.len())
            .finish_non_exhaustive()
    }
}

/// A timer whose sleeps end at once and move its own clock. Clones share the clock.
#[derive(Debug, Clone)]
pub struct MockTimer(Arc<Mutex<(Timestamp, Vec<Duration>)>>);

impl MockTimer {
    /// A timer that begins at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new((now, Vec::new()))))
    }

    /// The sleeps so far, in order.
    pub fn sleeps(&self) -> Vec<Duration> {
        self.lock().1.clone()
    }

    fn lock(&self) -> MutexGuard<'_, (Timestamp, Vec<Duration>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Timer for MockTimer {
    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        let mut state = self.lock();
        state.0 = state.0.saturating_add(duration);
        state.1.push(duration);
        Box::pin(std::future::ready(()))
    }

    fn now(&self) -> Timestamp {
        self.lock().0
    }
}

//! The connections of browsers to a loopback listener.

use crate::loopback::HEAD_TIMEOUT;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// How long the last page may take to get to the browser.
const LAST_PAGE: Duration = Duration::from_secs(1);

/// The open connections. They are closed when this is dropped.
pub(crate) struct Connections {
    open: JoinSet<()>,
    limit: Duration,
}

impl Connections {
    /// None yet. `limit`: how long each may last.
    pub(crate) fn new(limit: Duration) -> Self {
        Self { open: JoinSet::new(), limit }
    }

    /// Answers the one request of a connection.
    pub(crate) fn serve<A, F>(&mut self, stream: TcpStream, answer: A)
    where
        A: Fn(Request<Incoming>) -> F + Send + 'static,
        F: Future<Output = Response<Bytes>> + Send + 'static,
    {
        while self.open.try_join_next().is_some() {}
        let limit = self.limit;
        self.open.spawn(async move {
            let service = service_fn(move |request| {
                let answered = answer(request);
                async move { Ok::<_, Infallible>(answered.await.map(Full::new)) }
            });
            let served = hyper::server::conn::http1::Builder::new()
                .keep_alive(false)
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .serve_connection(TokioIo::new(stream), service);
            // What goes wrong on one connection is that browser's to try again.
            let _ = tokio::time::timeout(limit, served).await;
        });
    }

    /// Lets the last page get to the browser before the port closes.
    pub(crate) async fn finish(mut self) {
        let _ = tokio::time::timeout(LAST_PAGE, async { while self.open.join_next().await.is_some() {} }).await;
    }
}

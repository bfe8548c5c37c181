//! The transport for servers, desktops and phones: hyper, rustls with the ring provider, the platform's roots.

mod body;
mod builder;
mod connector;

pub use builder::{CertificateError, HyperTransportBuilder};

use crate::{Body, BoxFuture, ConnectFailure, Endpoint, HttpError, Limits, Phase, Transport};
use body::TimedChunks;
use bytes::Bytes;
use connector::{DialError, TcpConnector};
use futures_util::future::{Either, select};
use http::{Request, Response, Uri, uri::Scheme};
use http_body_util::Full;
use hyper::body::{Body as _, Incoming};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use hyper_util::client::legacy::{Client, Error as ClientError, ResponseFuture};
use smart_core::untrusted::shown;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// HTTP/1.1 and HTTP/2 (by ALPN) over TLS 1.2 or newer, with kept-alive connections. Clones share them.
///
/// Certificates and host names are verified against the platform's roots; nothing turns that off (requirement SE-01).
/// Plain http is spoken to loopback hosts only. It runs inside a tokio runtime with I/O and time enabled.
#[derive(Clone)]
pub struct HyperTransport {
    /// For https, or why there can be none.
    secure: Result<Client<HttpsConnector<TcpConnector>, Full<Bytes>>, Arc<str>>,
    /// For http on loopback hosts, where that is allowed.
    plain: Option<Client<TcpConnector, Full<Bytes>>>,
}

impl HyperTransport {
    /// A transport with the platform's roots.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Builds a transport with more roots, or one that never speaks plain http.
    pub fn builder() -> HyperTransportBuilder {
        HyperTransportBuilder::default()
    }

    /// Begins the exchange on the right kind of connection, if there is one for the URL.
    fn begin(&self, request: Request<Full<Bytes>>, endpoint: &Endpoint) -> Result<ResponseFuture, HttpError> {
        let invalid = |reason| HttpError::InvalidUrl { endpoint: endpoint.clone(), reason };
        let uri = request.uri();
        if uri.host().is_none_or(str::is_empty) {
            return Err(invalid("it is no absolute URL"));
        }
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(invalid("it holds a user name or password"));
        }
        if uri.scheme() == Some(&Scheme::HTTPS) {
            let client = self.secure.as_ref().map_err(|reason| HttpError::Connect {
                endpoint: endpoint.clone(),
                kind: ConnectFailure::NoTrustedRoots,
                reason: reason.to_string(),
            })?;
            return Ok(client.request(request));
        }
        if uri.scheme() != Some(&Scheme::HTTP) {
            return Err(invalid("its scheme is not https"));
        }
        let client = self.plain.as_ref().ok_or_else(|| invalid("only https is allowed"))?;
        if !is_loopback(uri) {
            return Err(invalid("plain http is allowed on loopback hosts only; use https"));
        }
        Ok(client.request(request))
    }

    async fn exchange(&self, request: Request<Bytes>, limits: Limits) -> Result<Response<Body>, HttpError> {
        let endpoint = Endpoint::of(request.uri());
        let started = Instant::now();
        let deadline = started.checked_add(limits.total);
        let mut request = request.map(Full::new);
        let connected = capture_connection(&mut request);
        let mut response = pin!(self.begin(request, &endpoint)?);

        let early = {
            let until_connected = pin!(wait_until(connected));
            let connecting = select(response.as_mut(), until_connected);
            match within(limits.connect, limits.total, deadline, connecting).await {
                Ok(Either::Left((outcome, _))) => Some(outcome),
                Ok(Either::Right(_)) => None,
                Err(limit) => return Err(HttpError::Timeout { endpoint, phase: Phase::Connect, limit }),
            }
        };
        let outcome = match early {
            Some(outcome) => outcome,
            None => match within(limits.headers, limits.total, deadline, response).await {
                Ok(outcome) => outcome,
                Err(limit) => return Err(HttpError::Timeout { endpoint, phase: Phase::Headers, limit }),
            },
        };
        let (head, incoming) = outcome.map_err(|error| failure(&error, endpoint.clone()))?.into_parts();
        // What is announced as too large is not read at all. The answer to HEAD announces what it does not bring: it
        // counts as empty here.
        let announced = incoming.size_hint().lower();
        if announced > limits.max_body {
            return Err(HttpError::BodyTooLarge { endpoint, limit: limits.max_body });
        }
        let body = body_of(incoming, endpoint, limits, deadline).announcing(announced);
        Ok(Response::from_parts(head, body))
    }
}

/// Ends once the request has a connection.
async fn wait_until(mut connected: CaptureConnection) {
    drop(connected.wait_for_connection_metadata().await);
}

/// The outcome, or the limit that was passed first: the phase's own or that of the whole exchange.
async fn within<F: Future>(
    limit: Duration,
    total: Duration,
    deadline: Option<Instant>,
    future: F,
) -> Result<F::Output, Duration> {
    let until = Instant::now().checked_add(limit);
    let (until, limit) = match (until, deadline) {
        (Some(own), Some(whole)) if whole < own => (whole, total),
        (Some(own), _) => (own, limit),
        (None, Some(whole)) => (whole, total),
        (None, None) => return Ok(future.await),
    };
    timeout_at(until, future).await.map_err(|_| limit)
}

fn body_of(incoming: Incoming, endpoint: Endpoint, limits: Limits, deadline: Option<Instant>) -> Body {
    let chunks = TimedChunks::new(incoming, endpoint.clone(), limits.idle, limits.total, deadline);
    Body::from_stream(Box::pin(chunks)).limited(limits.max_body, endpoint)
}

fn failure(error: &ClientError, endpoint: Endpoint) -> HttpError {
    if !error.is_connect() {
        return HttpError::Interrupted { endpoint, phase: Phase::Headers, reason: reason_of(error) };
    }
    let cause: &(dyn Error + 'static) = error.source().unwrap_or(error);
    let kind = match cause.downcast_ref::<DialError>() {
        Some(dial) => dial.kind,
        // What is no error of dialing came after it, and before the request: while TLS was agreed on.
        None if is_of_tls(cause) => ConnectFailure::Tls,
        None => ConnectFailure::Unreachable,
    };
    HttpError::Connect { endpoint, kind, reason: reason_of(cause) }
}

/// Whether TLS itself failed, and not the connection below it. An I/O error passes over what it wraps in its own
/// chain of sources, so it is unwrapped by hand.
fn is_of_tls(error: &(dyn Error + 'static)) -> bool {
    if error.is::<rustls::Error>() {
        return true;
    }
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    match wrapped {
        Some(wrapped) => is_of_tls(wrapped),
        None => error.source().is_some_and(is_of_tls),
    }
}

/// An error and what caused it, in one line. The texts are those of the libraries, which hold nothing of the request.
fn reason_of(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        let more = error.to_string();
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        next = error.source();
    }
    shown(&text, 300)
}

fn is_loopback(uri: &Uri) -> bool {
    // The usual case without the whole parser, which knows other ways to write an address.
    let plain = uri.host().and_then(|host| host.parse::<std::net::Ipv4Addr>().ok());
    if plain.is_some_and(|address| address.is_loopback()) {
        return true;
    }
    url::Url::parse(&uri.to_string()).is_ok_and(|url| smart_core::url_policy::is_loopback(&url))
}

impl Transport for HyperTransport {
    fn send(&self, request: Request<Bytes>, limits: Limits) -> BoxFuture<'_, Result<Response<Body>, HttpError>> {
        Box::pin(self.exchange(request, limits))
    }
}

impl Default for HyperTransport {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for HyperTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperTransport").field("https_only", &self.plain.is_none()).finish_non_exhaustive()
    }
}

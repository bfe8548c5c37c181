//! The TCP part of a connection, with errors that tell name lookup, refusal and the rest apart.

use crate::ConnectFailure;
use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tower_service::Service;

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Why there is no TCP connection.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub(super) struct DialError {
    pub(super) kind: ConnectFailure,
    pub(super) reason: String,
}

impl DialError {
    fn from_chain(error: &(dyn Error + 'static)) -> Self {
        let mut kind = ConnectFailure::Unreachable;
        let mut next = Some(error);
        while let Some(error) = next {
            if error.is::<LookupError>() {
                kind = ConnectFailure::Dns;
            } else if error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::ConnectionRefused) {
                kind = ConnectFailure::Refused;
            }
            next = error.source();
        }
        Self { kind, reason: super::reason_of(error) }
    }
}

/// Opens TCP connections. The URL's host is looked up by the system.
#[derive(Clone)]
pub(super) struct TcpConnector(HttpConnector<Lookup>);

impl TcpConnector {
    pub(super) fn new() -> Self {
        let mut tcp = HttpConnector::new_with_resolver(Lookup(GaiResolver::new()));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(Duration::from_mins(1)));
        // The caller's own limit is shorter; this one ends an attempt that nobody waits for any more.
        tcp.set_connect_timeout(Some(Duration::from_mins(1)));
        Self(tcp)
    }
}

impl Service<Uri> for TcpConnector {
    type Response = TokioIo<TcpStream>;
    type Error = DialError;
    type Future = Boxed<Result<Self::Response, DialError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        self.0.poll_ready(cx).map_err(|error| DialError::from_chain(&error))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let dialing = self.0.call(uri);
        Box::pin(async move { dialing.await.map_err(|error| DialError::from_chain(&error)) })
    }
}

/// The name lookup failed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct LookupError(io::Error);

/// Looks names up by the system. The name `localhost` is this machine, whatever the name server says.
#[derive(Clone)]
struct Lookup(GaiResolver);

impl Service<Name> for Lookup {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = LookupError;
    type Future = Boxed<Result<Self::Response, LookupError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), LookupError>> {
        self.0.poll_ready(cx).map_err(LookupError)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let is_localhost = name.as_str().eq_ignore_ascii_case("localhost");
        let lookup = self.0.call(name);
        Box::pin(async move {
            let addresses = lookup.await.map_err(LookupError)?;
            let usable: Vec<SocketAddr> =
                addresses.filter(|address| !is_localhost || address.ip().is_loopback()).collect();
            if usable.is_empty() {
                return Err(LookupError(io::Error::new(io::ErrorKind::NotFound, "the name has no address")));
            }
            Ok(usable.into_iter())
        })
    }
}

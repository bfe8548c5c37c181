//! The TCP part of a connection, with errors that tell name lookup, refusal and the rest apart.

use crate::ConnectFailure;
use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::rt::TokioIo;
use smart_core::launch::is_private_address;
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
            if let Some(error) = error.downcast_ref::<LookupError>() {
                kind = if error.private { ConnectFailure::PrivateAddress } else { ConnectFailure::Dns };
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
pub(super) struct TcpConnector {
    tcp: HttpConnector<Lookup>,
    refuse_private: bool,
}

impl TcpConnector {
    pub(super) fn new(refuse_private: bool) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(Lookup { system: GaiResolver::new(), refuse_private });
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(Duration::from_mins(1)));
        // The caller's own limit is shorter; this one ends an attempt that nobody waits for any more.
        tcp.set_connect_timeout(Some(Duration::from_mins(1)));
        Self { tcp, refuse_private }
    }
}

impl Service<Uri> for TcpConnector {
    type Response = TokioIo<TcpStream>;
    type Error = DialError;
    type Future = Boxed<Result<Self::Response, DialError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        self.tcp.poll_ready(cx).map_err(|error| DialError::from_chain(&error))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        // An address in place of a name is never looked up.
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        if self.refuse_private && host.parse().is_ok_and(is_private_address) {
            let kind = ConnectFailure::PrivateAddress;
            return Box::pin(std::future::ready(Err(DialError { kind, reason: "it is a private address".to_owned() })));
        }
        let dialing = self.tcp.call(uri);
        Box::pin(async move { dialing.await.map_err(|error| DialError::from_chain(&error)) })
    }
}

/// The name lookup failed, or gave only addresses that are refused.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
struct LookupError {
    error: io::Error,
    private: bool,
}

impl From<io::Error> for LookupError {
    fn from(error: io::Error) -> Self {
        Self { error, private: false }
    }
}

/// Looks names up by the system. The name `localhost` is this machine, whatever the name server says.
#[derive(Clone)]
struct Lookup {
    system: GaiResolver,
    refuse_private: bool,
}

impl Service<Name> for Lookup {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = LookupError;
    type Future = Boxed<Result<Self::Response, LookupError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), LookupError>> {
        self.system.poll_ready(cx).map_err(LookupError::from)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let is_localhost = name.as_str().eq_ignore_ascii_case("localhost");
        let (lookup, refuse_private) = (self.system.call(name), self.refuse_private);
        Box::pin(async move {
            let addresses = lookup.await?;
            let found: Vec<SocketAddr> =
                addresses.filter(|address| !is_localhost || address.ip().is_loopback()).collect();
            let private = refuse_private && !found.is_empty();
            let usable: Vec<SocketAddr> =
                found.into_iter().filter(|address| !refuse_private || !is_private_address(address.ip())).collect();
            if usable.is_empty() {
                let reason = if private { "the name has private addresses only" } else { "the name has no address" };
                return Err(LookupError { error: io::Error::new(io::ErrorKind::NotFound, reason), private });
            }
            Ok(usable.into_iter())
        })
    }
}

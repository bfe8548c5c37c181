//! Receiving the redirect on this machine (RFC 8252, section 7.3): for desktop apps and command lines.

use crate::loopback_connections::Connections;
use crate::loopback_error::{LoopbackError, MAX_CONNECTIONS};
use crate::loopback_page as pages;
use bytes::Bytes;
use http::header::HOST;
use http::{Method, Request, Response};
use smart_core::authorize::{Callback, CallbackError};
use smart_core::redirect_uri::RedirectUri;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// How long one browser connection may take over its request.
pub(crate) const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// The path of the redirect URI.
pub(crate) const PATH: &str = "/callback";

/// A listener on a loopback address of this machine, for one callback.
///
/// It is bound to `127.0.0.1` or `[::1]` only, looks at requests for its own path only, takes the first callback that
/// comes, right or wrong, and closes.
#[derive(Debug)]
pub struct LoopbackListener {
    listener: TcpListener,
    redirect_uri: RedirectUri,
    authority: String,
}

impl LoopbackListener {
    /// Listens on a free port of `127.0.0.1`, or of `[::1]` on a machine without IPv4.
    ///
    /// # Errors
    /// [`LoopbackError::Bind`].
    pub async fn bind() -> Result<Self, LoopbackError> {
        match Self::bind_to(IpAddr::V4(Ipv4Addr::LOCALHOST), 0).await {
            Err(LoopbackError::Bind { .. }) => Self::bind_to(IpAddr::V6(Ipv6Addr::LOCALHOST), 0).await,
            other => other,
        }
    }

    /// Listens on a port of `127.0.0.1` that is registered with the server: some compare the port too.
    ///
    /// # Errors
    /// [`LoopbackError::Bind`].
    pub async fn bind_port(port: u16) -> Result<Self, LoopbackError> {
        Self::bind_to(IpAddr::V4(Ipv4Addr::LOCALHOST), port).await
    }

    /// Listens on a free port of `[::1]`.
    ///
    /// # Errors
    /// [`LoopbackError::Bind`].
    pub async fn bind_ipv6() -> Result<Self, LoopbackError> {
        Self::bind_to(IpAddr::V6(Ipv6Addr::LOCALHOST), 0).await
    }

    async fn bind_to(ip: IpAddr, port: u16) -> Result<Self, LoopbackError> {
        let address = SocketAddr::new(ip, port);
        let failed = |e: std::io::Error| LoopbackError::Bind { address, reason: e.to_string() };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let authority = listener.local_addr().map_err(failed)?.to_string();
        let redirect_uri = RedirectUri::parse(&format!("http://{authority}{PATH}"))?;
        Ok(Self { listener, redirect_uri, authority })
    }

    /// The redirect URI of this listener, port included.
    pub fn redirect_uri(&self) -> &RedirectUri {
        &self.redirect_uri
    }

    /// The address that is listened on.
    ///
    /// # Errors
    /// That of the system.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Waits for the browser, at most `timeout`. Cancel-safe: when dropped, the port is closed.
    ///
    /// # Errors
    /// [`LoopbackError`].
    pub async fn receive(self, timeout: Duration) -> Result<Callback, LoopbackError> {
        tokio::time::timeout(timeout, self.serve()).await.map_err(|_| LoopbackError::Timeout(timeout))?
    }

    /// The socket, and what requests have to name as their host.
    pub(crate) fn into_parts(self) -> (TcpListener, Arc<str>) {
        (self.listener, self.authority.into())
    }

    async fn serve(self) -> Result<Callback, LoopbackError> {
        let (sender, mut receiver) = mpsc::channel::<Result<Callback, CallbackError>>(1);
        let authority: Arc<str> = self.authority.into();
        let mut connections = Connections::new(HEAD_TIMEOUT * 2);
        for _ in 0..MAX_CONNECTIONS {
            tokio::select! {
                biased;
                Some(callback) = receiver.recv() => return finish(callback, connections).await,
                accepted = self.listener.accept() => {
                    // A connection that fails before it says anything is not the browser's return.
                    let Ok((stream, _)) = accepted else { continue };
                    let (sender, authority) = (sender.clone(), authority.clone());
                    connections.serve(stream, move |request| {
                        std::future::ready(answer(&request, &authority, &sender))
                    });
                }
            }
        }
        match tokio::time::timeout(HEAD_TIMEOUT, receiver.recv()).await {
            Ok(Some(callback)) => finish(callback, connections).await,
            _ => Err(LoopbackError::TooManyConnections),
        }
    }
}

async fn finish(
    callback: Result<Callback, CallbackError>,
    connections: Connections,
) -> Result<Callback, LoopbackError> {
    connections.finish().await;
    Ok(callback?)
}

/// Whether a request is for this listener, and of a person who goes there. Another host name in it is a page elsewhere that
/// had its name resolved to this machine; another mode than that of a navigation, where the browser tells it, is a script or
/// an image of a page elsewhere (Fetch Metadata).
pub(crate) fn is_for_us<B>(request: &Request<B>, authority: &str) -> bool {
    let headers = request.headers();
    headers.get(HOST).is_some_and(|host| host.as_bytes() == authority.as_bytes())
        && headers.get("sec-fetch-mode").is_none_or(|mode| mode.as_bytes() == b"navigate")
}

fn answer<B>(
    request: &Request<B>,
    authority: &str,
    sender: &mpsc::Sender<Result<Callback, CallbackError>>,
) -> Response<Bytes> {
    if !is_for_us(request, authority) || request.uri().path() != PATH {
        return pages::nothing_here();
    }
    if request.method() != Method::GET {
        return pages::not_this_way();
    }
    let callback = Callback::from_query(request.uri().query().unwrap_or(""));
    let response = match &callback {
        Ok(callback) if callback.is_error() => pages::not_signed_in(),
        Ok(_) => pages::signed_in(),
        Err(_) => pages::no_sign_in(),
    };
    match sender.try_send(callback) {
        Ok(()) => response,
        Err(_) => pages::already_done(),
    }
}

//! Receiving the redirect on this machine (RFC 8252, section 7.3): for desktop apps and command lines.

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use smart_core::authorize::{Callback, CallbackError};
use smart_core::redirect_uri::{RedirectUri, RedirectUriError};
use smart_core::untrusted::html_escaped;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// How long one browser connection may take over its request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How many connections are looked at before the login is given up.
const MAX_CONNECTIONS: usize = 200;
/// The path of the redirect URI.
const PATH: &str = "/callback";
/// Takes code and state out of the address bar and the history (RFC 9700, section 4.3.1).
const SCRIPT: &str = "history.replaceState(null,'','/done')";
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; \
    script-src 'sha256-OSlSk+Ff+azA9khlYm/0XQEUPB9sIEOZSQBQ59cax98='";

/// Why no callback was received.
#[derive(Debug, thiserror::Error)]
pub enum LoopbackError {
    /// No port of this machine could be listened on.
    #[error("cannot listen on {address} for the browser's return: {reason}")]
    Bind {
        /// The address that was tried.
        address: SocketAddr,
        /// The system's reason.
        reason: String,
    },
    /// The address makes no redirect URI.
    #[error(transparent)]
    RedirectUri(#[from] RedirectUriError),
    /// Nobody came back in time.
    #[error("the browser did not come back within {} seconds; begin the login anew", .0.as_secs())]
    Timeout(Duration),
    /// Too many connections came without a callback in them.
    #[error("{MAX_CONNECTIONS} connections came to the redirect address and none was the browser's return")]
    TooManyConnections,
    /// What came was no callback.
    #[error(transparent)]
    Callback(#[from] CallbackError),
}

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

    async fn serve(self) -> Result<Callback, LoopbackError> {
        let (sender, mut receiver) = mpsc::channel::<Result<Callback, CallbackError>>(1);
        let authority: Arc<str> = self.authority.into();
        let mut connections = JoinSet::new();
        for _ in 0..MAX_CONNECTIONS {
            tokio::select! {
                biased;
                Some(callback) = receiver.recv() => return finish(callback, connections).await,
                accepted = self.listener.accept() => {
                    // A connection that fails before it says anything is not the browser's return.
                    let Ok((stream, _)) = accepted else { continue };
                    let (sender, authority) = (sender.clone(), authority.clone());
                    connections.spawn(async move {
                        let service = hyper::service::service_fn(|request| {
                            std::future::ready(Ok::<_, Infallible>(answer(&request, &authority, &sender)))
                        });
                        let served = hyper::server::conn::http1::Builder::new()
                            .keep_alive(false)
                            .timer(TokioTimer::new())
                            .header_read_timeout(HEAD_TIMEOUT)
                            .serve_connection(TokioIo::new(stream), service);
                        // What goes wrong on one connection is that browser's to try again.
                        let _ = tokio::time::timeout(HEAD_TIMEOUT * 2, served).await;
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

/// Lets the page get to the browser before the port closes.
async fn finish(
    callback: Result<Callback, CallbackError>,
    mut connections: JoinSet<()>,
) -> Result<Callback, LoopbackError> {
    let _ =
        tokio::time::timeout(Duration::from_secs(1), async { while connections.join_next().await.is_some() {} }).await;
    Ok(callback?)
}

fn answer(
    request: &Request<Incoming>,
    authority: &str,
    sender: &mpsc::Sender<Result<Callback, CallbackError>>,
) -> Response<Full<Bytes>> {
    // Another host name in the request is a page elsewhere that had its name resolved to this machine.
    let own_host = request.headers().get(HOST).is_some_and(|host| host.as_bytes() == authority.as_bytes());
    if !own_host || request.uri().path() != PATH {
        return page(StatusCode::NOT_FOUND, "Nothing here", "This address only waits for one sign-in.");
    }
    if request.method() != Method::GET {
        return page(StatusCode::METHOD_NOT_ALLOWED, "Not this way", "The sign-in comes back by GET.");
    }
    let callback = Callback::from_query(request.uri().query().unwrap_or(""));
    let response = match &callback {
        Ok(callback) if callback.is_error() => page(
            StatusCode::OK,
            "Sign-in not completed",
            "The health system did not sign you in. You can close this window; the app says more.",
        ),
        Ok(_) => page(StatusCode::OK, "Signed in", "You can close this window and go back to the app."),
        Err(_) => page(
            StatusCode::BAD_REQUEST,
            "Sign-in not completed",
            "What came back was no sign-in. You can close this window; the app says more.",
        ),
    };
    match sender.try_send(callback) {
        Ok(()) => response,
        Err(_) => {
            page(StatusCode::GONE, "Already done", "This sign-in was answered before. You can close this window.")
        }
    }
}

fn page(status: StatusCode, title: &str, text: &str) -> Response<Full<Bytes>> {
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem;\
         color:#1b2733;background:#f6f8fa}}h1{{font-size:1.5rem}}</style></head>\
         <body><main><h1>{title}</h1><p>{text}</p></main><script>{SCRIPT}</script></body></html>\n",
        title = html_escaped(title),
        text = html_escaped(text),
    );
    let mut response = Response::new(Full::new(Bytes::from(html)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

//! Why a login on this machine did not come back.

use smart_core::authorize::CallbackError;
use smart_core::redirect_uri::RedirectUriError;
use std::net::SocketAddr;
use std::time::Duration;

/// How many connections are looked at before the login is given up.
pub(crate) const MAX_CONNECTIONS: usize = 200;

/// Why no callback was received.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
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
    /// No EHR opened the app in time.
    #[error("no EHR opened the app within {} seconds; open it from within the EHR while it waits", .0.as_secs())]
    NoLaunch(Duration),
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

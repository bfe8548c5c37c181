//! What can go wrong in a sandbox.

/// Why a sandbox did not start, its stand-in for a browser got stuck, or a resource was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// The port cannot be listened on.
    #[error("cannot listen on 127.0.0.1:{port}: {reason}; choose another port")]
    Bind {
        /// The port.
        port: u16,
        /// The system's reason.
        reason: String,
    },
    /// No signing key could be made.
    #[error("no signing key could be made: {0}")]
    Key(#[from] smart_jwt::KeyError),
    /// A page was not what it should be.
    #[error("the browser got stuck: {0}")]
    Browser(String),
    /// A resource that was to be stored is none, or there is no room for it.
    #[error("the resource cannot be stored: {0}")]
    Resource(String),
}

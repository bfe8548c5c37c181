//! Which requests may be sent again.

use http::Method;

/// What sending a request twice would do, which decides when it is sent again (requirement FR-19).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Repeat {
    /// Twice is as good as once: reads and searches, and what sets a state whatever it was before. Sent again while the
    /// server is overloaded (429, 502, 503, 504) or the exchange failed in a way that may pass.
    Freely,
    /// It may have another effect each time. Sent again only where the try before certainly had none: there was no
    /// connection, or the server counted the request and did not take it up (429; RFC 6585, section 4). A 503 says less
    /// than that: proxies give it for a connection that broke after the request was passed on.
    WithoutEffect,
    /// Sent once.
    Never,
}

impl Repeat {
    /// [`Freely`](Self::Freely) for the safe methods (GET, HEAD, OPTIONS, TRACE), [`Never`](Self::Never) for any other.
    pub fn safe_only(method: &Method) -> Self {
        if method.is_safe() { Self::Freely } else { Self::Never }
    }
}

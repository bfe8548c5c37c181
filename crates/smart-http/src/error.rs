//! What can go wrong in an exchange.

use crate::Endpoint;
use smart_core::sanitized::{Sanitize, Sanitized};
use std::fmt;
use std::time::Duration;

/// How far an exchange had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Phase {
    /// No connection yet: nothing of the request was sent.
    Connect,
    /// The request was sent, or was being sent; the head of the response had not come.
    Headers,
    /// The head of the response had come; its body had not ended.
    Body,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connecting",
            Self::Headers => "waiting for the response",
            Self::Body => "reading the response body",
        })
    }
}

/// Why there was no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum ConnectFailure {
    /// The host name could not be resolved.
    Dns,
    /// The host refused the connection.
    Refused,
    /// The host could not be reached, or the connection broke before it stood.
    Unreachable,
    /// TLS failed: the certificate is not trusted or is for another host, or the server offers no TLS 1.2 or newer.
    Tls,
    /// This machine has no trusted root certificates, so that no https server can be verified.
    NoTrustedRoots,
    /// The host is on a loopback, link-local or private address, which the transport was told to refuse.
    PrivateAddress,
}

impl ConnectFailure {
    fn hint(self) -> &'static str {
        match self {
            Self::Dns => "the host name could not be resolved; check the spelling and the network",
            Self::Refused => "the host refused the connection; check that the server runs at this port",
            Self::Unreachable => "the host could not be reached; check the network",
            Self::Tls => "the TLS handshake failed; check the server's certificate and its TLS version",
            Self::PrivateAddress => {
                "the host is on a loopback, link-local or private address, which this app does not talk to"
            }
            Self::NoTrustedRoots => {
                "this machine has no trusted root certificates; install them (package ca-certificates) or add one"
            }
        }
    }
}

/// An exchange that gave no usable response.
///
/// No variant holds a query, a header or a body: those can hold tokens and health data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum HttpError {
    /// The app's own limit of requests is reached; nothing was sent.
    #[error("no more requests go to {endpoint} just now, by the app's own limit; try again in {} seconds", retry_after.as_secs())]
    RateLimited {
        /// The endpoint.
        endpoint: Endpoint,
        /// How long until there is a turn.
        retry_after: Duration,
    },
    /// The URL cannot be requested.
    #[error("{endpoint} cannot be requested: {reason}")]
    InvalidUrl {
        /// The endpoint.
        endpoint: Endpoint,
        /// Why.
        reason: &'static str,
    },
    /// There was no connection: nothing of the request was sent.
    #[error("no connection to {endpoint}: {} ({reason})", kind.hint())]
    Connect {
        /// The endpoint.
        endpoint: Endpoint,
        /// What failed.
        kind: ConnectFailure,
        /// The reason, in the words of the system or of the TLS library.
        reason: String,
    },
    /// It took too long.
    #[error("{endpoint} took too long: gave up after {limit:?} while {phase}; try again later or raise the limit")]
    Timeout {
        /// The endpoint.
        endpoint: Endpoint,
        /// How far the exchange had come.
        phase: Phase,
        /// The limit that was passed.
        limit: Duration,
    },
    /// The connection broke, or the response was no HTTP.
    #[error("the connection to {endpoint} broke while {phase}: {reason}; try again later")]
    Interrupted {
        /// The endpoint.
        endpoint: Endpoint,
        /// How far the exchange had come: [`Phase::Headers`] or [`Phase::Body`].
        phase: Phase,
        /// The reason, in the words of the HTTP library.
        reason: String,
    },
    /// The body is larger than allowed.
    #[error("the response of {endpoint} is larger than {limit} octets; ask for less or raise the limit")]
    BodyTooLarge {
        /// The endpoint.
        endpoint: Endpoint,
        /// The limit, in octets.
        limit: u64,
    },
    /// The server redirects to another origin, which was not followed.
    #[error(
        "{from} redirects to {to_origin}, another origin; it was not followed. Ask that server directly if it is right"
    )]
    CrossOriginRedirect {
        /// The endpoint that redirects.
        from: Endpoint,
        /// Where to: scheme, host and port only.
        to_origin: String,
    },
    /// The server redirects without saying where to.
    #[error("{endpoint} redirects, but its Location is missing or no URL")]
    InvalidRedirect {
        /// The endpoint that redirects.
        endpoint: Endpoint,
    },
    /// The server redirects on and on.
    #[error("{endpoint} redirects more than {limit} times")]
    TooManyRedirects {
        /// The last endpoint that redirects.
        endpoint: Endpoint,
        /// How many redirects are followed.
        limit: u32,
    },
}

impl HttpError {
    /// Whether the same safe request may work a little later. Before repeating any other request, look at
    /// [`may_have_reached_server`](Self::may_have_reached_server).
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Timeout { .. } | Self::Interrupted { .. } | Self::RateLimited { .. } => true,
            Self::Connect { kind, .. } => {
                matches!(kind, ConnectFailure::Dns | ConnectFailure::Refused | ConnectFailure::Unreachable)
            }
            _ => false,
        }
    }

    /// Whether the server may have seen the request, so that repeating it could do a thing twice (requirement TK-17).
    /// False only where certainly nothing of it was sent.
    pub fn may_have_reached_server(&self) -> bool {
        !matches!(
            self,
            Self::InvalidUrl { .. }
                | Self::RateLimited { .. }
                | Self::Connect { .. }
                | Self::Timeout { phase: Phase::Connect, .. }
        )
    }

    /// The endpoint of the exchange.
    pub fn endpoint(&self) -> &Endpoint {
        match self {
            Self::InvalidUrl { endpoint, .. }
            | Self::RateLimited { endpoint, .. }
            | Self::Connect { endpoint, .. }
            | Self::Timeout { endpoint, .. }
            | Self::Interrupted { endpoint, .. }
            | Self::BodyTooLarge { endpoint, .. }
            | Self::CrossOriginRedirect { from: endpoint, .. }
            | Self::InvalidRedirect { endpoint }
            | Self::TooManyRedirects { endpoint, .. } => endpoint,
        }
    }
}

impl Sanitize for HttpError {
    fn code(&self) -> String {
        let what: &'static str = self.into();
        let part: &'static str = match self {
            Self::Connect { kind, .. } => kind.into(),
            Self::Timeout { phase, .. } | Self::Interrupted { phase, .. } => phase.into(),
            _ => return format!("http/{what}"),
        };
        format!("http/{what}/{part}")
    }

    fn sanitized(&self) -> Sanitized {
        Sanitized::new(self.code(), Some(&self.endpoint().to_string()), self.is_retryable(), false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<HttpError> {
        let endpoint = Endpoint::of(&http::Uri::from_static("https://ehr.example/fhir/Patient?name=Smith"));
        let mut errors: Vec<HttpError> = [
            ConnectFailure::Dns,
            ConnectFailure::Refused,
            ConnectFailure::Unreachable,
            ConnectFailure::Tls,
            ConnectFailure::NoTrustedRoots,
            ConnectFailure::PrivateAddress,
        ]
        .into_iter()
        .map(|kind| HttpError::Connect { endpoint: endpoint.clone(), kind, reason: "r".into() })
        .collect();
        for phase in [Phase::Connect, Phase::Headers, Phase::Body] {
            errors.push(HttpError::Timeout { endpoint: endpoint.clone(), phase, limit: Duration::from_secs(1) });
        }
        for phase in [Phase::Headers, Phase::Body] {
            errors.push(HttpError::Interrupted { endpoint: endpoint.clone(), phase, reason: "r".into() });
        }
        errors.push(HttpError::InvalidUrl { endpoint: endpoint.clone(), reason: "r" });
        errors.push(HttpError::RateLimited { endpoint: endpoint.clone(), retry_after: Duration::from_secs(1) });
        errors.push(HttpError::BodyTooLarge { endpoint: endpoint.clone(), limit: 1 });
        errors.push(HttpError::CrossOriginRedirect { from: endpoint.clone(), to_origin: "https://x.example".into() });
        errors.push(HttpError::InvalidRedirect { endpoint: endpoint.clone() });
        errors.push(HttpError::TooManyRedirects { endpoint, limit: 1 });
        errors
    }

    /// TK-17 (RFC 6749, 10.5): only failures before the request was sent count as not having reached the server.
    #[test]
    fn only_failures_before_sending_did_not_reach_the_server() {
        for error in all() {
            let before = matches!(
                error,
                HttpError::Connect { .. }
                    | HttpError::InvalidUrl { .. }
                    | HttpError::RateLimited { .. }
                    | HttpError::Timeout { phase: Phase::Connect, .. }
            );
            assert_eq!(error.may_have_reached_server(), !before, "{error:?}");
        }
    }

    /// FR-23 (SMART, App protection): no error shows the query of its URL, and each names the endpoint.
    #[test]
    fn errors_name_the_endpoint_without_its_query() {
        for error in all() {
            assert!(error.to_string().contains("https://ehr.example/fhir/Patient"), "{error}");
            assert!(!format!("{error} {error:?}").contains("Smith"), "{error}");
            assert_eq!(error.endpoint().host(), Some("ehr.example"));
        }
    }

    /// FR-19: what a retry cannot cure is not called retryable.
    #[test]
    fn certificate_and_size_errors_are_not_retryable() {
        for error in all() {
            let expected = match &error {
                HttpError::Connect { kind, .. } => !matches!(
                    kind,
                    ConnectFailure::Tls | ConnectFailure::NoTrustedRoots | ConnectFailure::PrivateAddress
                ),
                HttpError::Timeout { .. } | HttpError::Interrupted { .. } | HttpError::RateLimited { .. } => true,
                _ => false,
            };
            assert_eq!(error.is_retryable(), expected, "{error:?}");
        }
    }
}

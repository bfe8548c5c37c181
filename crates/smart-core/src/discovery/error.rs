//! Why discovery ended without a server to use.

use super::endpoint::Endpoint;
use super::flow::{Flow, NotAnnounced};
use super::report::Finding;
use crate::json::JsonError;
use crate::url_policy::UrlError;

/// Why discovery failed, at which URL, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum DiscoveryError {
    /// A URL for a request cannot be made.
    #[error("no request can be made: {0}")]
    Url(#[from] UrlError),
    /// Neither document exists.
    #[error(
        "{base} is no FHIR server with SMART: neither .well-known/smart-configuration nor metadata exists there \
         (status {status}); check the base URL, it often ends in /r4 or /fhir"
    )]
    NotFound {
        /// The FHIR base as it was given.
        base: String,
        /// The status of the last answer: 404 or 410.
        status: u16,
    },
    /// Something else than JSON came, with a status that says all is well.
    #[error("{document} is not what a FHIR server sends: {what} came instead of JSON; check the FHIR base URL")]
    NotJson {
        /// The URL that was asked.
        document: String,
        /// What came: `an HTML page`, `an XML document`, `an empty body` or `something else`.
        what: &'static str,
    },
    /// The document is broken JSON. It is not skipped: a broken document is no missing one (requirement DI-15).
    #[error("{document} is broken: {reason}; the server's operator has to repair it")]
    Json {
        /// The URL that was asked.
        document: String,
        /// What is wrong with it.
        reason: JsonError,
    },
    /// The server answered with another status than 200, 404 and 410.
    #[error("{document} answered status {status}; {}", status_hint(*.status))]
    Status {
        /// The URL that was asked.
        document: String,
        /// The HTTP status.
        status: u16,
    },
    /// The metadata is JSON, but no CapabilityStatement.
    #[error("{document} is a FHIR resource of type `{found}`, not a CapabilityStatement; check the FHIR base URL")]
    NotCapabilityStatement {
        /// The URL that was asked.
        document: String,
        /// Its `resourceType`, cut and cleaned; empty when there is none.
        found: String,
    },
    /// The server speaks FHIR but does not offer SMART.
    #[error(
        "{base} is a FHIR server, but names no SMART endpoints (no smart-configuration, and no oauth-uris in its \
         CapabilityStatement); it may be an open server, or its endpoints must be given by hand"
    )]
    NoSmart {
        /// The FHIR base as it was given.
        base: String,
    },
    /// A member that nothing works without is missing.
    #[error("{document} has no `{member}`; give this endpoint by hand, or ask the server's operator")]
    Missing {
        /// The URL that was asked.
        document: String,
        /// The member's name.
        member: &'static str,
    },
    /// An endpoint that a launch needs may not be used.
    #[error("`{member}` of {document} may not be used: {reason}")]
    Endpoint {
        /// The URL that was asked.
        document: String,
        /// The member's name.
        member: &'static str,
        /// Why.
        reason: UrlError,
    },
    /// The server lists its PKCE methods, and S256 is not among them.
    #[error(
        "{document} does not offer PKCE with S256 (it lists: {}); SMART requires it. If the server takes S256 all the \
         same, say so with S256Policy::Unchecked: S256 is then sent",
        if .listed.is_empty() { "nothing".to_owned() } else { .listed.join(", ") }
    )]
    S256NotSupported {
        /// The URL that was asked.
        document: String,
        /// The methods that it lists, cut and cleaned.
        listed: Vec<String>,
    },
    /// The caller's policy refuses the server.
    #[error("{document} is refused by the caller's policy: {finding}")]
    Refused {
        /// The URL that was asked.
        document: String,
        /// What it is refused for.
        finding: Box<Finding>,
    },
    /// The document is of another issuer than the one that was asked (OpenID Connect Discovery, section 4.3; RFC 8414,
    /// section 3.3). Nothing in it may be believed: whoever wrote it speaks for somebody else.
    #[error(
        "{document} is not the document of the issuer `{asked}`: {}; it is refused",
        .found.as_ref().map_or_else(|| "it names no issuer".to_owned(), |found| format!("it names `{found}`"))
    )]
    OtherIssuer {
        /// The URL that was asked.
        document: String,
        /// The issuer that was asked for.
        asked: String,
        /// The issuer that it names, cut and cleaned; `None` when it names none.
        found: Option<String>,
    },
    /// The server does not have an endpoint that the caller needs.
    #[error("the server {base} names no `{endpoint}`; do without, or give the endpoint by hand")]
    NotOffered {
        /// The FHIR base as it was given.
        base: String,
        /// The endpoint.
        endpoint: Endpoint,
    },
    /// The server does not announce what a flow needs, and the caller wanted that checked.
    #[error(
        "the server {base} does not announce what {flow} needs: {}; ask its operator, or go on with GatePolicy::Warn",
        .missing.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    )]
    CapabilityMissing {
        /// The FHIR base as it was given.
        base: String,
        /// What was wanted.
        flow: Flow,
        /// What is not announced.
        missing: Vec<NotAnnounced>,
    },
}

impl DiscoveryError {
    /// Whether discovery may work a little later, unchanged: the server failed or was busy.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Status { status: 408 | 429 | 500 | 502 | 503 | 504, .. })
    }
}

fn status_hint(status: u16) -> &'static str {
    match status {
        300..=399 => "the redirect was not followed; use the address that it leads to as the FHIR base",
        401 | 403 => "discovery documents are public, this one is not; ask the server's operator",
        429 => "the server is busy, try again later",
        500..=599 => "the server failed, try again later",
        _ => "check the FHIR base URL",
    }
}

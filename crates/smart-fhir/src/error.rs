//! Everything that can go wrong with a FHIR request.

use crate::{OperationOutcome, ReferenceError, Refusal, RefusalKind};
use smart_core::json::JsonError;
use smart_core::sanitized::{Sanitize, Sanitized};
use smart_http::{AuthorizeError, Endpoint, HttpError};

/// An error of this crate.
///
/// Neither Display nor Debug shows tokens, bodies, ids that were refused, search criteria or the server's free text
/// (requirement FR-23). The path of an endpoint, which may hold a resource's id, is shown; its query is not.
#[derive(Debug, Clone, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum FhirError {
    /// There was no usable response.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// There is no authorization for the request, or what was granted does not permit it. It was not sent.
    #[error("no request to {endpoint}: {error}")]
    Authorize {
        /// The endpoint.
        endpoint: Endpoint,
        /// Why.
        error: AuthorizeError,
    },
    /// The server refused the request.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// The response is no FHIR JSON: a login page, say, or XML.
    #[error("{endpoint} answered with the content type `{content_type}`, not FHIR JSON; check the FHIR base URL")]
    NotFhirJson {
        /// The endpoint.
        endpoint: Endpoint,
        /// The content type.
        content_type: String,
    },
    /// The body is no JSON object, or has a member twice.
    #[error("{endpoint} answered with a body that cannot be used: {error}")]
    BadJson {
        /// The endpoint.
        endpoint: Endpoint,
        /// Why.
        error: JsonError,
    },
    /// The response is another resource than was asked for. It is not handed out: it may be another patient's.
    #[error("{endpoint} answered with {found}, not with {expected}; tell the server's operator")]
    OtherResource {
        /// The endpoint.
        endpoint: Endpoint,
        /// What was asked for.
        expected: String,
        /// What came, as far as it may be shown.
        found: &'static str,
        /// What the server says, where the response is an OperationOutcome.
        outcome: Option<OperationOutcome>,
    },
    /// The resource does not have the shape of the Rust type that it is read into.
    #[error("the {resource_type} from {endpoint} does not fit the type {rust_type}; read it as a serde_json::Value")]
    WrongShape {
        /// The endpoint.
        endpoint: Endpoint,
        /// The resource type.
        resource_type: String,
        /// The Rust type.
        rust_type: &'static str,
    },
    /// The id is none: it must be 1 to 64 letters, digits, `-` and `.` (FHIR R4, datatypes, `id`).
    #[error("the id is not legal: 1 to 64 letters, digits, `-` and `.` are allowed, and neither `.` nor `..`")]
    InvalidId,
    /// The resource type's name is none.
    #[error("the name of the resource type is not legal: a capital letter, then letters and digits")]
    InvalidType,
    /// A search cannot be sent.
    #[error("the search of {resource_type} cannot be sent: {reason}")]
    InvalidSearch {
        /// The resource type that is searched.
        resource_type: String,
        /// Why.
        reason: &'static str,
    },
    /// What was to be sent is no resource. It was not sent.
    #[error("what was to be sent is no resource: {reason}")]
    InvalidResource {
        /// Why.
        reason: String,
    },
    /// The request cannot be made. It was not sent.
    #[error("the request cannot be made: {reason}")]
    InvalidRequest {
        /// Why.
        reason: &'static str,
    },
    /// The response says nothing that could be used.
    #[error("{endpoint}: {reason}")]
    InvalidResponse {
        /// The endpoint.
        endpoint: Endpoint,
        /// Why.
        reason: &'static str,
    },
    /// The answer to a batch or transaction does not have one entry for each request. What was done cannot be told.
    #[error("{endpoint} answered {got} of {sent} entries; read what is there before sending anything again")]
    EntriesMissing {
        /// The endpoint.
        endpoint: Endpoint,
        /// How many entries were sent.
        sent: usize,
        /// How many were answered.
        got: usize,
    },
    /// An entry of a bundle cannot be made, or is not permitted. Nothing was sent.
    #[error("entry {at} of the bundle: {error}")]
    Entry {
        /// Its place, counted from 0.
        at: usize,
        /// Why.
        error: Box<FhirError>,
    },
    /// The reference cannot be read from this server.
    #[error("the reference cannot be read: {0}")]
    Reference(#[from] ReferenceError),
    /// The URL is not at or below the FHIR base. It was not requested.
    #[error("{endpoint} is not below the FHIR base {base}; it was not requested")]
    OutsideBase {
        /// The endpoint that was asked for.
        endpoint: Endpoint,
        /// The FHIR base.
        base: String,
    },
    /// The next page of a search is not below the FHIR base. It was not requested, and no token went there.
    #[error("the next page of {endpoint} lies at {next_origin}, not below the FHIR base; the result is incomplete")]
    ForeignPage {
        /// The page that links there.
        endpoint: Endpoint,
        /// Where it lies: scheme, host and port only.
        next_origin: String,
    },
    /// A page of a search links to a page that was seen before.
    #[error("the pages of {endpoint} go round in a loop; the result is incomplete. Tell the server's operator")]
    PageLoop {
        /// The page that links back.
        endpoint: Endpoint,
    },
    /// A search has more pages or entries than allowed.
    #[error("{endpoint} has more than {limit} {what}; the result is incomplete. Narrow the search or raise the limit")]
    TooMany {
        /// The page at which it stopped.
        endpoint: Endpoint,
        /// The limit.
        limit: u64,
        /// `pages` or `entries`.
        what: &'static str,
    },
}

impl FhirError {
    /// Whether the same request may work a little later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Http(error) => error.is_retryable(),
            Self::Authorize { error, .. } => error.is_retryable(),
            Self::Refused(refusal) => refusal.is_retryable(),
            _ => false,
        }
    }

    /// Whether the person has to log in again.
    pub fn needs_reauthorization(&self) -> bool {
        match self {
            Self::Authorize { error, .. } => error.needs_reauthorization(),
            Self::Refused(refusal) => refusal.needs_reauthorization(),
            Self::Entry { error, .. } => error.needs_reauthorization(),
            _ => false,
        }
    }

    /// Whether a write may have been done all the same: the server may have seen it, and did not say that it refuses.
    /// Read what is there before sending it again.
    pub fn may_have_had_effect(&self) -> bool {
        match self {
            Self::Http(error) => error.may_have_reached_server(),
            Self::Refused(refusal) => matches!(refusal.status(), 408 | 500 | 502..=599),
            Self::NotFhirJson { .. }
            | Self::BadJson { .. }
            | Self::OtherResource { .. }
            | Self::WrongShape { .. }
            | Self::InvalidResponse { .. }
            | Self::EntriesMissing { .. } => true,
            _ => false,
        }
    }

    /// The scope that the request needs and that was not granted, as far as the server or the granted scopes say it.
    pub fn needed_scope(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) => refusal.needed_scope(),
            Self::Authorize { error, .. } => error.needed_scope(),
            Self::Entry { error, .. } => error.needed_scope(),
            _ => None,
        }
    }

    /// Whether the resource is in another state than the request supposes (409 or 412): read it again.
    pub fn is_conflict(&self) -> bool {
        let kind = self.refusal().map(Refusal::kind);
        matches!(kind, Some(RefusalKind::Conflict | RefusalKind::PreconditionFailed))
    }

    /// Whether there is no such resource (404), or none any more (410).
    pub fn is_not_found(&self) -> bool {
        let kind = self.refusal().map(Refusal::kind);
        matches!(kind, Some(RefusalKind::NotFound | RefusalKind::Gone))
    }

    /// The refusal, if the server refused.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// The endpoint; none when nothing was requested for want of a legal name or id.
    pub fn endpoint(&self) -> Option<&Endpoint> {
        match self {
            Self::Http(error) => Some(error.endpoint()),
            Self::Refused(refusal) => Some(refusal.endpoint()),
            Self::Authorize { endpoint, .. }
            | Self::NotFhirJson { endpoint, .. }
            | Self::BadJson { endpoint, .. }
            | Self::OtherResource { endpoint, .. }
            | Self::WrongShape { endpoint, .. }
            | Self::OutsideBase { endpoint, .. }
            | Self::ForeignPage { endpoint, .. }
            | Self::PageLoop { endpoint }
            | Self::EntriesMissing { endpoint, .. }
            | Self::InvalidResponse { endpoint, .. }
            | Self::TooMany { endpoint, .. } => Some(endpoint),
            Self::Entry { error, .. } => error.endpoint(),
            Self::InvalidId
            | Self::InvalidType
            | Self::InvalidSearch { .. }
            | Self::InvalidResource { .. }
            | Self::InvalidRequest { .. }
            | Self::Reference(_) => None,
        }
    }
}

impl Sanitize for FhirError {
    fn code(&self) -> String {
        let what: &'static str = self.into();
        let part: &'static str = match self {
            Self::Http(error) => return error.code(),
            Self::Refused(refusal) => refusal.kind().into(),
            Self::Reference(error) => error.into(),
            Self::BadJson { error, .. } => error.into(),
            Self::Entry { error, .. } => return format!("fhir/{what}/{}", error.code()),
            _ => return format!("fhir/{what}"),
        };
        format!("fhir/{what}/{part}")
    }

    fn sanitized(&self) -> Sanitized {
        let endpoint = self.endpoint().map(ToString::to_string);
        Sanitized::new(self.code(), endpoint.as_deref(), self.is_retryable(), self.needs_reauthorization())
    }
}

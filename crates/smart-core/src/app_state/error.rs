//! What can go wrong with app state.

use crate::json::JsonError;
use crate::token::MessageError;
use crate::url_policy::UrlError;

/// Why something is no app state. No value and no subject is shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum StateContentError {
    /// It is no JSON object.
    #[error("the state is {0}")]
    Json(#[from] JsonError),
    /// It is no Basic resource.
    #[error("the resource is no Basic")]
    NotBasic,
    /// What came as the answer to a query is no Bundle.
    #[error("the answer to a query is no Bundle")]
    NotBundle,
    /// It is larger than the server takes.
    #[error("the state has {octets} octets; at most {limit} may be sent")]
    TooLarge {
        /// Its size as it is sent.
        octets: usize,
        /// What is allowed.
        limit: usize,
    },
    /// A new state has an id or a version, which the server assigns.
    #[error("a new state has `{member}`, which the server assigns")]
    Assigned {
        /// `id` or `meta.versionId`.
        member: &'static str,
    },
    /// A stored state lacks its id, or it is no FHIR id.
    #[error("the stored state has no usable id")]
    IdMissing,
    /// A stored state lacks its version: neither an `ETag` nor `meta.versionId`. It could not be updated.
    #[error("the stored state has neither an ETag nor `meta.versionId`")]
    VersionMissing,
    /// The subject is no absolute reference to one resource.
    #[error("the subject must be one absolute reference such as https://ehr.example/r4/Patient/123")]
    SubjectNotAbsolute,
    /// The subject lies on another server than the EHR's own.
    #[error("the subject must lie on the EHR's FHIR server {base}")]
    SubjectElsewhere {
        /// The EHR's FHIR base.
        base: String,
    },
    /// There is not exactly one coding.
    #[error("`code` must have exactly one coding; it has {count}")]
    CodingCount {
        /// How many there are.
        count: usize,
    },
    /// System or code are missing or malformed.
    #[error(
        "the state code must have an absolute URI as system and a code without blanks, `|`, `,`, `$` and backslash"
    )]
    Code,
    /// An extension is of another kind than `valueString`.
    #[error("extension {at} is no plain `valueString` with an absolute URI")]
    Extension {
        /// Its place, counted from 0.
        at: usize,
    },
    /// The URI of a value is not absolute.
    #[error("the URI of a value must be absolute")]
    ValueUri,
    /// A value is empty or has control characters, which no FHIR string may have.
    #[error("a value must not be empty, and have no control characters but tab and line ends; encode binary data")]
    ValueText,
    /// A member that app state does not have.
    #[error("app state has no member `{member}`")]
    OtherMember {
        /// Its name, cut and cleaned.
        member: String,
    },
}

/// Why an exchange with the app-state endpoint failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum AppStateError {
    /// The server offers no app state.
    #[error("{base} offers no app state; keep the settings elsewhere")]
    NotOffered {
        /// The FHIR base.
        base: String,
    },
    /// The address of the endpoint may not be used.
    #[error("the app-state endpoint may not be used: {0}")]
    Endpoint(#[from] UrlError),
    /// The message could not be made.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// The state may not be sent so. Nothing was sent.
    #[error("the state may not be sent: {0}")]
    Content(#[from] StateContentError),
    /// Somebody else changed the state since it was read (412, or 409 on servers that say so), or it was deleted.
    #[error("{endpoint} has another version of the state; query it again, merge, and update that")]
    Conflict {
        /// The endpoint's base.
        endpoint: String,
        /// The HTTP status.
        status: u16,
    },
    /// The state is not there any more. Its id is not to be used again.
    #[error("{endpoint} does not have the state any more; create a new one")]
    Gone {
        /// The endpoint's base.
        endpoint: String,
        /// The HTTP status.
        status: u16,
    },
    /// The access token is not valid any more.
    #[error("{endpoint} did not take the access token; renew it or log in again")]
    Unauthorized {
        /// The endpoint's base.
        endpoint: String,
    },
    /// The access token does not allow it, or the server does not let this app have this code.
    #[error(
        "{endpoint} does not allow it: ask for a scope such as user/Basic.cuds, and have the state's code registered"
    )]
    Forbidden {
        /// The endpoint's base.
        endpoint: String,
    },
    /// The server refused the content (400, 413 or 422).
    #[error("{endpoint} refused the state with status {status}; see the limits in its documentation")]
    Refused {
        /// The endpoint's base.
        endpoint: String,
        /// The HTTP status.
        status: u16,
    },
    /// The server answered with a redirect, which is not followed with a token.
    #[error("{endpoint} answered with a redirect (status {status}), which is not followed; correct the address")]
    Redirect {
        /// The endpoint's base.
        endpoint: String,
        /// The HTTP status.
        status: u16,
    },
    /// The next page of a query lies elsewhere. No token goes there.
    #[error("the next page that {endpoint} names lies elsewhere; it is not asked for")]
    NextElsewhere {
        /// The endpoint's base.
        endpoint: String,
    },
    /// Any other error status.
    #[error("{endpoint} answered status {status}")]
    Status {
        /// The endpoint's base.
        endpoint: String,
        /// The HTTP status.
        status: u16,
    },
    /// A success that cannot be read. A state that was to be written may be there: query it.
    #[error("the answer of {endpoint} cannot be read: {reason}; query the state to see what is stored")]
    Unreadable {
        /// The endpoint's base.
        endpoint: String,
        /// Why.
        reason: StateContentError,
    },
    /// The server stored something else than it was sent, against its obligation: look at what is stored before going on.
    #[error(
        "{endpoint} stored something else than was sent: `{member}` differs; query the state to see what is stored"
    )]
    Altered {
        /// The endpoint's base.
        endpoint: String,
        /// `id`, `code`, `subject` or `extension`.
        member: &'static str,
    },
}

impl AppStateError {
    /// Whether the same thing may work a little later. A create whose answer got lost may have worked: query first.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Status { status: 408 | 429 | 500 | 502 | 503 | 504, .. })
    }

    /// Whether a new access token is needed. Renewing it may do.
    pub fn needs_new_token(&self) -> bool {
        matches!(self, Self::Unauthorized { .. })
    }

    /// Whether somebody else changed or deleted the state meanwhile, so that it has to be queried again.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. } | Self::Gone { .. })
    }
}

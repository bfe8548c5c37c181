//! A response that refuses the request.

use crate::OperationOutcome;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use smart_core::json::parse_object;
use smart_core::scope::Scope;
use smart_core::time::Timestamp;
use smart_http::Endpoint;
use smart_http::www_authenticate::{BearerChallenge, BearerErrorCode};
use std::fmt;
use std::time::Duration;

/// What the status of a refusal means (FHIR R4, http.html#Status-Codes; RFC 6750, section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum RefusalKind {
    /// 400: the server cannot make sense of the request.
    BadRequest,
    /// 401: there is no token, or it is expired, revoked or wrong.
    Unauthorized,
    /// 403 with `insufficient_scope`: the token lacks a scope, see [`Refusal::needed_scope`].
    InsufficientScope,
    /// 403: the server's policy does not allow it.
    Forbidden,
    /// 404: there is no such resource, type or endpoint, or it may not be known of.
    NotFound,
    /// 405: the server does not offer this interaction here.
    MethodNotAllowed,
    /// 406: the server cannot answer in the format that was asked for.
    NotAcceptable,
    /// 409: the resource is in another state than the request supposes.
    Conflict,
    /// 410: the resource was deleted.
    Gone,
    /// 412: a condition of the request does not hold.
    PreconditionFailed,
    /// 415: the server does not take this format.
    UnsupportedMediaType,
    /// 422: the resource breaks a rule of the server.
    UnprocessableEntity,
    /// 429: too many requests, see [`Refusal::retry_after`].
    TooManyRequests,
    /// 5xx: the server failed.
    ServerError,
    /// Any other status that is no success.
    Other,
}

impl RefusalKind {
    pub(crate) fn of(status: StatusCode, challenge: Option<&BearerChallenge>) -> Self {
        let lacks_scope = challenge.is_some_and(|c| c.error == Some(BearerErrorCode::InsufficientScope));
        match status.as_u16() {
            401 | 403 if lacks_scope => Self::InsufficientScope,
            400 => Self::BadRequest,
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            405 => Self::MethodNotAllowed,
            406 => Self::NotAcceptable,
            409 => Self::Conflict,
            410 => Self::Gone,
            412 => Self::PreconditionFailed,
            415 => Self::UnsupportedMediaType,
            422 => Self::UnprocessableEntity,
            429 => Self::TooManyRequests,
            500..=599 => Self::ServerError,
            _ => Self::Other,
        }
    }

    /// What happened and what to do next.
    fn advice(self) -> &'static str {
        match self {
            Self::BadRequest => "the server cannot make sense of the request; see the issues",
            Self::Unauthorized => "the server wants a valid access token; log in again",
            Self::InsufficientScope => "the access token lacks a scope; log in again and ask for it",
            Self::Forbidden => "the server's policy does not allow it for this user and app",
            Self::NotFound => "there is no such thing, or it may not be known of; check type and id",
            Self::MethodNotAllowed => "the server does not offer this here; see its capability statement",
            Self::NotAcceptable => "the server cannot answer in FHIR JSON; check the FHIR base",
            Self::Conflict => "the resource is in another state by now; read it again",
            Self::Gone => "the resource was deleted",
            Self::PreconditionFailed => "a condition of the request does not hold; read the resource again",
            Self::UnsupportedMediaType => "the server does not take this format",
            Self::UnprocessableEntity => "the resource breaks a rule of the server; see the issues",
            Self::TooManyRequests => "too many requests; try again later",
            Self::ServerError => "the server failed; try again later or tell its operator",
            Self::Other => "this status means no success",
        }
    }
}

/// A response that refuses the request: its status, what it means, and what the server says.
///
/// Display and Debug show the endpoint, the status, the codes of the issues, and the scope that is needed. The body
/// and the server's texts may hold health data and are had by name only (requirement FR-23).
#[derive(Clone, PartialEq, Eq)]
pub struct Refusal {
    endpoint: Endpoint,
    status: StatusCode,
    kind: RefusalKind,
    outcome: Option<OperationOutcome>,
    challenge: Option<BearerChallenge>,
    retry_after: Option<Duration>,
    headers: HeaderMap,
    body: Bytes,
}

impl Refusal {
    pub(crate) fn read(endpoint: Endpoint, head: http::response::Parts, body: Bytes, now: Timestamp) -> Self {
        let challenge = BearerChallenge::from_headers(&head.headers);
        Self {
            endpoint,
            status: head.status,
            kind: RefusalKind::of(head.status, challenge.as_ref()),
            outcome: parse_object(&body).ok().and_then(|resource| OperationOutcome::from_resource(&resource)),
            challenge,
            retry_after: smart_http::retry_after(&head.headers, now),
            headers: head.headers,
            body,
        }
    }

    /// The endpoint, as it may be shown.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// What the status means.
    pub fn kind(&self) -> RefusalKind {
        self.kind
    }

    /// What the server says, where it says it as an OperationOutcome.
    pub fn outcome(&self) -> Option<&OperationOutcome> {
        self.outcome.as_ref()
    }

    /// The server's `Bearer` challenge.
    pub fn challenge(&self) -> Option<&BearerChallenge> {
        self.challenge.as_ref()
    }

    /// The scope that the request needs, where the token lacks one and the server names it: in its challenge, or, with
    /// a 403, in the words of its OperationOutcome.
    pub fn needed_scope(&self) -> Option<&str> {
        let challenged = self.challenge.as_ref().and_then(|challenge| challenge.scope.as_deref());
        match self.kind {
            RefusalKind::InsufficientScope => challenged.or_else(|| self.scope_in_outcome()),
            RefusalKind::Forbidden => self.scope_in_outcome(),
            _ => None,
        }
    }

    /// The first word of the outcome's texts that is a scope for resources, such as `patient/Observation.rs`.
    fn scope_in_outcome(&self) -> Option<&str> {
        let issues = self.outcome.as_ref()?.issues();
        let texts = issues.iter().flat_map(|issue| [issue.details(), issue.diagnostics()]).flatten();
        let mut words = texts.flat_map(|text| text.split(|c: char| c.is_whitespace() || "\"'`,;()[]<>".contains(c)));
        words.find_map(|word| {
            let word = word.trim_end_matches(['.', ':']);
            let is_scope = word.len() <= 200 && word.parse::<Scope>().is_ok_and(|scope| scope.as_resource().is_some());
            is_scope.then_some(word)
        })
    }

    /// The server's own id of the exchange (`X-Request-Id`), for questions to its operator.
    pub fn request_id(&self) -> Option<&str> {
        crate::answer::request_id(&self.headers)
    }

    /// How long the server asks to wait. Its own number: bound it.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The response's headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The response's body as it came. It may hold health data.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Whether the same safe request may work a little later.
    pub fn is_retryable(&self) -> bool {
        matches!(self.status.as_u16(), 408 | 429 | 502..=504)
    }

    /// Whether the person has to log in again: the token is no good, or lacks a scope.
    pub fn needs_reauthorization(&self) -> bool {
        matches!(self.kind, RefusalKind::Unauthorized | RefusalKind::InsufficientScope)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} refused the request with status {}: {}", self.endpoint, self.status(), self.kind.advice())?;
        if let Some(scope) = self.needed_scope() {
            write!(f, "; needed scope: {scope}")?;
        }
        match &self.outcome {
            Some(outcome) if !outcome.issues().is_empty() => write!(f, " (issues: {outcome})")?,
            _ => {}
        }
        match self.request_id() {
            Some(id) => write!(f, " (request {id})"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal")
            .field("endpoint", &self.endpoint)
            .field("status", &self.status())
            .field("kind", &self.kind)
            .field("outcome", &self.outcome)
            .field("needed_scope", &self.needed_scope())
            .field("retry_after", &self.retry_after)
            .field("request_id", &self.request_id())
            .field("body_octets", &self.body.len())
            .finish_non_exhaustive()
    }
}

//! Answers: resources, and OperationOutcomes where something is refused.

use crate::data::{StoredResource, Version, instant};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, LAST_MODIFIED, LOCATION, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value, json};
use smart_core::time::Timestamp;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// What an interaction came to. It becomes an HTTP response, or an entry of a response Bundle.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content: Content,
    /// The version that it is about.
    pub(crate) version: Option<u64>,
    pub(crate) modified: Option<Timestamp>,
    pub(crate) location: Option<String>,
    pub(crate) challenge: Option<String>,
}

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum Content {
    Nothing,
    Stored(Arc<StoredResource>),
    Made(Value),
}

impl Content {
    pub(crate) fn value(&self) -> Option<&Value> {
        match self {
            Self::Nothing => None,
            Self::Stored(stored) => Some(stored.content()),
            Self::Made(value) => Some(value),
        }
    }
}

impl Answer {
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, content: Content::Nothing, version: None, modified: None, location: None, challenge: None }
    }

    /// A resource that was made for this answer.
    pub(crate) fn made(status: StatusCode, value: Value) -> Self {
        Self { content: Content::Made(value), ..Self::empty(status) }
    }

    /// A version of a resource.
    pub(crate) fn of(status: StatusCode, version: &Version) -> Self {
        let content = Content::Stored(version.resource.clone());
        Self { content, ..Self::empty(status).about(version) }
    }

    /// The same answer with the version and the time of what it is about.
    pub(crate) fn about(self, version: &Version) -> Self {
        Self { version: Some(version.number), modified: Some(version.at), ..self }
    }

    /// The same answer without its body.
    pub(crate) fn without_body(self) -> Self {
        Self { content: Content::Nothing, ..self }
    }

    pub(crate) fn etag(&self) -> Option<String> {
        self.version.map(|version| format!("W/\"{version}\""))
    }

    /// The HTTP response.
    pub(crate) fn into_response(self, pretty: bool) -> Response {
        let text = match self.content.value() {
            None => String::new(),
            Some(value) if pretty => format!("{value:#}"),
            Some(value) => value.to_string(),
        };
        let has_body = !text.is_empty();
        let mut response = (self.status, text).into_response();
        let headers = response.headers_mut();
        headers.remove(CONTENT_TYPE);
        if has_body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/fhir+json; charset=utf-8"));
        }
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let mut put = |name: HeaderName, text: Option<String>| {
            if let Some(value) = text.and_then(|text| HeaderValue::from_str(&text).ok()) {
                headers.insert(name, value);
            }
        };
        put(ETAG, self.etag());
        put(LAST_MODIFIED, self.modified.map(http_date));
        put(LOCATION, self.location);
        put(WWW_AUTHENTICATE, self.challenge);
        response
    }

    /// An entry of a response Bundle (FHIR R4, http, transaction response).
    pub(crate) fn into_entry(self) -> Value {
        let mut response = Map::new();
        let reason = self.status.canonical_reason().unwrap_or_default();
        response.insert("status".to_owned(), format!("{} {reason}", self.status.as_u16()).into());
        let etag = self.etag();
        for (name, text) in [("location", self.location), ("etag", etag), ("lastModified", self.modified.map(instant))]
        {
            if let Some(text) = text {
                response.insert(name.to_owned(), text.into());
            }
        }
        let mut entry = Map::new();
        match self.content {
            Content::Nothing => {}
            Content::Made(value) if value.get("resourceType").is_some_and(|name| name == "OperationOutcome") => {
                response.insert("outcome".to_owned(), value);
            }
            Content::Made(value) => {
                entry.insert("resource".to_owned(), value);
            }
            Content::Stored(stored) => {
                entry.insert("resource".to_owned(), stored.content().clone());
            }
        }
        entry.insert("response".to_owned(), response.into());
        entry.into()
    }
}

/// The date of a header (RFC 9110, section 5.6.7).
pub(crate) fn http_date(at: Timestamp) -> String {
    let seconds = u64::try_from(at.as_unix_seconds()).unwrap_or(0);
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds))
}

/// An interaction that is refused: its status, a code of FHIR's issue types, and a text.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) diagnostics: String,
    challenge: Option<String>,
}

impl Fault {
    pub(crate) fn new(status: StatusCode, code: &'static str, diagnostics: impl Into<String>) -> Self {
        Self { status, code, diagnostics: diagnostics.into(), challenge: None }
    }

    /// 400: the request makes no sense.
    pub(crate) fn bad(diagnostics: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", diagnostics)
    }

    /// 400: it makes sense, and is not served here.
    pub(crate) fn not_supported(diagnostics: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "not-supported", diagnostics)
    }

    pub(crate) fn not_found(diagnostics: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", diagnostics)
    }

    /// 412: a condition of the request does not hold.
    pub(crate) fn precondition(code: &'static str, diagnostics: impl Into<String>) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, code, diagnostics)
    }

    /// 422: the resource may not be stored.
    pub(crate) fn unprocessable(code: &'static str, diagnostics: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, diagnostics)
    }

    /// 401 with its challenge (RFC 6750, section 3).
    pub(crate) fn unauthorized(with_token: bool) -> Self {
        let (code, challenge, text) = if with_token {
            (
                "expired",
                "Bearer realm=\"sandbox\", error=\"invalid_token\"",
                "the access token is expired, revoked or unknown",
            )
        } else {
            ("login", "Bearer realm=\"sandbox\"", "an access token is needed")
        };
        Self { challenge: Some(challenge.to_owned()), ..Self::new(StatusCode::UNAUTHORIZED, code, text) }
    }

    /// 403 with the scope that is needed (RFC 6750, section 3.1).
    pub(crate) fn insufficient_scope(needed: &str, reason: &str) -> Self {
        let challenge = format!("Bearer realm=\"sandbox\", error=\"insufficient_scope\", scope=\"{needed}\"");
        let text = format!("the token lacks the scope {needed}: {reason}");
        Self { challenge: Some(challenge), ..Self::new(StatusCode::FORBIDDEN, "forbidden", text) }
    }

    /// 403: the scopes would do, but what is to be written lies outside of what the token opens.
    pub(crate) fn out_of_reach() -> Self {
        let text = "what is written has to lie within what the token opens: the record of its patient, and the queries of \
                    its scopes";
        Self::new(StatusCode::FORBIDDEN, "forbidden", text)
    }

    /// Says in which entry of a Bundle it happened.
    pub(crate) fn in_entry(self, index: usize) -> Self {
        Self { diagnostics: format!("entry {index}: {}", self.diagnostics), ..self }
    }

    pub(crate) fn into_answer(self) -> Answer {
        let body = outcome("error", self.code, &self.diagnostics);
        Answer { challenge: self.challenge, ..Answer::made(self.status, body) }
    }
}

/// An OperationOutcome of one issue.
pub(crate) fn outcome(severity: &str, code: &str, diagnostics: &str) -> Value {
    json!({"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code, "diagnostics": diagnostics}]})
}

/// A refusal as an HTTP response, for what is served beside FHIR's own interactions.
pub(crate) fn refuse(status: StatusCode, code: &'static str, diagnostics: &str) -> Response {
    Fault::new(status, code, diagnostics).into_answer().into_response(false)
}

/// 401 with its challenge, as an HTTP response.
pub(crate) fn unauthorized(with_token: bool) -> Response {
    Fault::unauthorized(with_token).into_answer().into_response(false)
}

//! Answers: resources and OperationOutcomes.

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

/// A resource as FHIR JSON.
pub(crate) fn resource(status: StatusCode, body: &Value) -> Response {
    let mut response = (status, body.to_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/fhir+json; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let version = body.pointer("/meta/versionId").and_then(Value::as_str);
    if let Some(Ok(tag)) = version.map(|v| HeaderValue::from_str(&format!("W/\"{v}\""))) {
        headers.insert(ETAG, tag);
    }
    response
}

/// An error as an OperationOutcome; `code` is of the FHIR issue-type code system.
pub(crate) fn refuse(status: StatusCode, code: &str, diagnostics: &str) -> Response {
    let outcome = json!({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code, "diagnostics": diagnostics}]});
    resource(status, &outcome)
}

/// 401 with its challenge (RFC 6750, section 3).
pub(crate) fn unauthorized(with_token: bool) -> Response {
    let (challenge, text) = if with_token {
        ("Bearer realm=\"sandbox\", error=\"invalid_token\"", "the access token is expired, revoked or unknown")
    } else {
        ("Bearer realm=\"sandbox\"", "an access token is needed")
    };
    let mut response = refuse(StatusCode::UNAUTHORIZED, if with_token { "expired" } else { "login" }, text);
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response
}

/// 403 with the scope that is needed (RFC 6750, section 3.1).
pub(crate) fn insufficient_scope(needed: &str) -> Response {
    let mut response = refuse(StatusCode::FORBIDDEN, "forbidden", &format!("the token lacks the scope {needed}"));
    let challenge = format!("Bearer realm=\"sandbox\", error=\"insufficient_scope\", scope=\"{needed}\"");
    if let Ok(value) = HeaderValue::from_str(&challenge) {
        response.headers_mut().insert(WWW_AUTHENTICATE, value);
    }
    response
}

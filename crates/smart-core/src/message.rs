//! Requests and answers that are no forms.

use crate::token::{MessageError, sensitive};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, PRAGMA};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde_json::{Map, Value};
use url::Url;

/// The content type of OAuth's documents.
pub(crate) const JSON: &str = "application/json";
/// The content type of FHIR's resources.
pub(crate) const FHIR_JSON: &str = "application/fhir+json";

/// A request without a body.
pub(crate) fn request(method: Method, url: &Url, accept: &'static str) -> Result<Request<Bytes>, MessageError> {
    let mut request = Request::new(Bytes::new());
    *request.method_mut() = method;
    *request.uri_mut() = crate::discovery::uri(url)
        .map_err(|_| MessageError::Endpoint { endpoint: crate::token::endpoint_shown(url) })?;
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static(accept));
    Ok(request)
}

/// A request with a JSON body.
pub(crate) fn json_request(
    method: Method,
    url: &Url,
    content_type: &'static str,
    body: &Map<String, Value>,
) -> Result<Request<Bytes>, MessageError> {
    let mut request = request(method, url, content_type)?;
    *request.body_mut() = to_bytes(body);
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    Ok(request)
}

/// Adds a bearer token (RFC 6750, section 2.1), marked as sensitive.
pub(crate) fn with_bearer(mut request: Request<Bytes>, token: &str) -> Result<Request<Bytes>, MessageError> {
    request.headers_mut().insert(AUTHORIZATION, sensitive(&format!("Bearer {token}"))?);
    Ok(request)
}

/// An answer of a server in JSON, kept by no cache: it may hold secrets (RFC 6749, section 5.1).
pub(crate) fn json_response(status: StatusCode, body: &Map<String, Value>) -> Response<Bytes> {
    let mut response = Response::new(to_bytes(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

pub(crate) fn to_bytes(object: &Map<String, Value>) -> Bytes {
    // A map of JSON values always serialises: its names are strings and its numbers finite.
    serde_json::to_vec(object).unwrap_or_default().into()
}

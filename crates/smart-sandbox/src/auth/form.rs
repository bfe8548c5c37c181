//! Form bodies, and how they are refused.

use super::discovery::json_response;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, PRAGMA, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use smart_core::token::{TokenErrorCode, TokenErrorResponse};
use std::collections::HashMap;
use url::form_urlencoded;

pub(super) type Form = HashMap<String, String>;

/// An OAuth error: status, code, description, and the page that says more.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) error: &'static str,
    pub(super) description: &'static str,
    pub(super) uri: Option<String>,
}

impl Refused {
    pub(super) fn new(status: StatusCode, error: &'static str, description: &'static str) -> Self {
        Self { status, error, description, uri: None }
    }

    pub(super) fn bad(error: &'static str, description: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, description)
    }

    /// Adds the page that says more, where the server has one.
    pub(super) fn with_page(mut self, beginning: Option<&str>) -> Self {
        self.uri = beginning.map(|beginning| format!("{beginning}{}", self.error.replace('_', "-")));
        self
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut error = TokenErrorResponse::new(TokenErrorCode::from(self.error), self.description);
        error.uri = self.uri;
        let mut response = json_response(self.status, &error.to_object().into());
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"sandbox\""));
        }
        no_store(response)
    }
}

pub(super) fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

pub(super) fn read_form(headers: &HeaderMap, body: &str) -> Result<Form, Refused> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !content_type.starts_with("application/x-www-form-urlencoded") {
        return Err(Refused::bad("invalid_request", "the body must be application/x-www-form-urlencoded"));
    }
    let mut form = Form::new();
    for (name, value) in form_urlencoded::parse(body.as_bytes()) {
        if form.insert(name.into_owned(), value.into_owned()).is_some() {
            return Err(Refused::bad("invalid_request", "a parameter is repeated"));
        }
    }
    Ok(form)
}

/// A field that is there and not empty.
pub(super) fn field<'f>(form: &'f Form, name: &str) -> Option<&'f str> {
    form.get(name).map(String::as_str).filter(|value| !value.is_empty())
}

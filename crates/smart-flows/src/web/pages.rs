//! The pages and redirects of a web app.

use crate::error::Error;
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use smart_core::authorize::{AuthorizationRequest, Method};
use smart_core::untrusted::html_escaped;

const STYLE: &str = "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1rem;color:#1b2733;\
                     background:#f6f8fa}h1{font-size:1.5rem}code{font-size:.95em;overflow-wrap:anywhere}";

/// Sends the browser on to the authorization server.
pub(crate) fn to_server(request: &AuthorizationRequest, cookie: Option<HeaderValue>) -> Response<Bytes> {
    match request.preferred_method() {
        Method::Get => redirect(request.url().as_str(), cookie),
        Method::Post => {
            let endpoint = request.endpoint();
            let policy = format!(
                "default-src 'none'; style-src 'unsafe-inline'; script-src {}; form-action {}; base-uri 'none'",
                AuthorizationRequest::FORM_POST_SCRIPT_HASH,
                endpoint.origin().ascii_serialization(),
            );
            html(StatusCode::OK, request.form_post_page(), &policy, cookie)
        }
    }
}

/// Sends the browser on within the app, or to the authorization server.
pub(super) fn redirect(location: &str, cookie: Option<HeaderValue>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(mut location) = HeaderValue::from_str(location) {
        // The state is in it.
        location.set_sensitive(true);
        response.headers_mut().insert(LOCATION, location);
    }
    protect(response, cookie)
}

/// A page that says what went wrong, for the person, and what to do.
pub(crate) fn error_page(error: &Error) -> Response<Bytes> {
    let (status, title, text) = words(error);
    let detail = html_escaped(&error.to_string());
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style></head><body><main><h1>{title}</h1><p>{text}</p>\
         <details><summary>For support</summary><p><code>{detail}</code></p></details></main></body></html>\n"
    );
    html(status, page, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'", None)
}

fn words(error: &Error) -> (StatusCode, &'static str, &'static str) {
    match error {
        Error::Callback(callback) if callback.is_denied_by_person() => (
            StatusCode::FORBIDDEN,
            "You did not sign in",
            "Access to your health record was not allowed, so nothing was opened. You can go back and try again.",
        ),
        Error::NoPendingLogin | Error::PendingLogin { .. } | Error::Callback(_) => (
            StatusCode::BAD_REQUEST,
            "This sign-in could not be completed",
            "It took too long, was completed before, or began in another browser. Please open the app again.",
        ),
        Error::SeveralSessions => (
            StatusCode::CONFLICT,
            "Which record?",
            "Several records are open in this browser, and this page does not say which one it is for. Please open it again from your health system.",
        ),
        Error::SessionOver { .. } | Error::SessionTimeout { .. } | Error::Expired { .. } | Error::NotLoggedIn => {
            (StatusCode::UNAUTHORIZED, "You are signed out", "Please open the app again from your health system.")
        }
        Error::SessionLocked { .. } => (StatusCode::LOCKED, "Locked", "Please unlock the app to go on."),
        Error::Core(smart_core::error::Error::Launch(_)) => (
            StatusCode::FORBIDDEN,
            "This app cannot be opened from there",
            "The health system that opened the app is not one that it knows. Please tell whoever runs the app.",
        ),
        error if error.is_retryable() => {
            (StatusCode::BAD_GATEWAY, "Your health system does not answer", "Please try again in a few minutes.")
        }
        _ => (
            StatusCode::BAD_GATEWAY,
            "Signing in did not work",
            "Please try again; if it happens again, tell whoever runs the app.",
        ),
    }
}

fn html(status: StatusCode, page: String, policy: &str, cookie: Option<HeaderValue>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(page));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    if let Ok(policy) = HeaderValue::from_str(policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    protect(response, cookie)
}

/// Keeps code and state out of caches and of what other sites are told (RFC 9700, section 4.2.4).
fn protect(mut response: Response<Bytes>, cookie: Option<HeaderValue>) -> Response<Bytes> {
    let headers = response.headers_mut();
    let fixed: [(HeaderName, &'static str); 3] =
        [(CACHE_CONTROL, "no-store"), (REFERRER_POLICY, "no-referrer"), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Some(cookie) = cookie {
        headers.append(SET_COOKIE, cookie);
    }
    response
}

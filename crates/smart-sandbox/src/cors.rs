//! Cross-origin requests: apps in a browser may call everything but the pages that a person signs in on.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS,
};
use http::{HeaderValue, Method, StatusCode};

/// Where only a person's own browser goes.
const PAGES: &[&str] = &["/auth/authorize", "/auth/login", "/auth/patient", "/auth/consent"];

pub(crate) async fn allow(request: Request, next: Next) -> Response {
    let open = !PAGES.contains(&request.uri().path());
    let preflight = request.method() == Method::OPTIONS;
    let mut response = if preflight && open { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    if open {
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, OPTIONS"));
        headers.insert(
            ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("authorization, content-type, accept, prefer"),
        );
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("etag, location, www-authenticate"));
    }
    response
}

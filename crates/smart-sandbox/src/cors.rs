//! Cross-origin requests: apps in a browser may call everything but the pages that a person signs in on.

use crate::auth::LAUNCHER;
use crate::quirks::Quirks;
use crate::shared::Shared;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS,
};
use http::{HeaderValue, Method, StatusCode};
use std::sync::Arc;

/// Where only a person's own browser goes.
const PAGES: &[&str] = &["/auth/login", "/auth/patient", "/auth/consent", LAUNCHER];

pub(crate) async fn allow(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let closed =
        |quirks: &Quirks| path == quirks.paths.authorize || (path == quirks.paths.token && !quirks.answer.cors);
    let open = !PAGES.contains(&path) && !closed(&shared.quirks);
    let preflight = request.method() == Method::OPTIONS;
    let mut response = if preflight && open { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    if open {
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers
            .insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE, OPTIONS"));
        headers.insert(
            ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static(
                "authorization, content-type, accept, prefer, if-match, if-none-match, if-none-exist, if-modified-since",
            ),
        );
        headers.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("etag, last-modified, location, retry-after, www-authenticate"),
        );
    }
    response
}

//! The requests of browsers.

use crate::page;
use crate::record::{Record, RecordError};
use axum::Router;
use axum::extract::{FromRef, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, ORIGIN, REFERRER_POLICY, REFRESH,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use smart_on_fhir::Session;
use smart_on_fhir::flows::web::{CurrentSession, WebApp};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// No script, no style but our own file, no frame, and forms lead nowhere else.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// What the pages need.
#[derive(Clone)]
struct Pages {
    web: WebApp,
    idle: Duration,
    /// The page from which a sandbox opens the app.
    launcher: Option<Arc<Url>>,
}

impl FromRef<Pages> for WebApp {
    fn from_ref(pages: &Pages) -> Self {
        pages.web.clone()
    }
}

/// The whole app: `/launch`, `/callback` and `/logout` of the library, and the pages.
pub(crate) fn router(web: WebApp, public_url: &Url, idle: Duration, launcher: Option<Url>) -> Router {
    let origin: Arc<str> = public_url.origin().ascii_serialization().into();
    let pages = Pages { web: web.clone(), idle, launcher: launcher.map(Arc::new) };
    let routes = Router::new()
        .route("/", get(home))
        .route("/patient", get(patient))
        .route("/signed-out", get(signed_out))
        .route("/style.css", get(style))
        .with_state(pages);
    smart_on_fhir::flows::web::router(web)
        .merge(routes)
        .fallback(not_found)
        .layer(from_fn_with_state(origin, from_own_pages))
        .layer(from_fn(protected))
}

async fn home(State(pages): State<Pages>) -> Html<String> {
    Html(page::home(pages.launcher.as_deref()))
}

async fn signed_out(State(pages): State<Pages>) -> Html<String> {
    Html(page::signed_out(pages.launcher.as_deref()))
}

async fn not_found() -> Response {
    let text = "There is no such page. Please open the app from your EHR.";
    (StatusCode::NOT_FOUND, Html(page::problem("Page not found", text, None))).into_response()
}

async fn style() -> Response {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("style.css")).into_response()
}

async fn patient(State(pages): State<Pages>, CurrentSession(session): CurrentSession, request: Request) -> Response {
    let name = WebApp::session_name(&request);
    match shown(&session).await {
        Ok(record) => {
            let mut response = Html(page::patient(&record, name.as_deref())).into_response();
            // Nobody's record stays on a screen that its clinician has left: the page asks again once the session is over.
            let seconds = pages.idle.as_secs().saturating_add(1);
            if let Ok(refresh) = HeaderValue::from_str(&seconds.to_string()) {
                response.headers_mut().insert(REFRESH, refresh);
            }
            response
        }
        Err(RecordError::Session(error)) => WebApp::error_page(&error).map(axum::body::Body::from),
        Err(error) => {
            let text = format!("{error}.");
            let again = name.map(|name| format!("/patient?smart_session={name}"));
            let problem =
                page::problem("The record could not be read", &text, Some(again.as_deref().unwrap_or("/patient")));
            (StatusCode::BAD_GATEWAY, Html(problem)).into_response()
        }
    }
}

async fn shown(session: &Session) -> Result<Record, RecordError> {
    // Opening a page is what a clinician does; renewals of tokens are not.
    session.touch().await?;
    Record::read(session).await
}

/// Lets requests that change something come from the app's own pages alone. The cookies are `SameSite=Lax`, which keeps them
/// out of such requests of other sites; this holds as well for other hosts of the same site, and for browsers without it.
async fn from_own_pages(State(own): State<Arc<str>>, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) || is_from(&own, request.headers()) {
        return next.run(request).await;
    }
    let text = "The request came from another site, and nothing was done. Please use the app's own buttons.";
    (StatusCode::FORBIDDEN, Html(page::problem("This was not done", text, None))).into_response()
}

/// Whether the browser says that a page of ours sent this. A request that says neither is not from a browser of today.
fn is_from(own: &str, headers: &HeaderMap) -> bool {
    match headers.get(HeaderName::from_static("sec-fetch-site")) {
        Some(site) => site == "same-origin",
        None => headers.get(ORIGIN).is_some_and(|origin| origin == own),
    }
}

/// Headers that every page has. Pages of the library bring policies of their own.
async fn protected(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    // Other sites are told no address. With `no-referrer` browsers would hide the origin of our own forms from us, too.
    for (name, value) in [(CONTENT_SECURITY_POLICY, POLICY), (REFERRER_POLICY, "same-origin")] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    let fixed = [(CACHE_CONTROL, "no-store"), (X_CONTENT_TYPE_OPTIONS, "nosniff"), (X_FRAME_OPTIONS, "DENY")];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

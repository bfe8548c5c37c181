//! Routes for axum.

use super::app::WebApp;
use crate::error::Error;
use crate::session::Session;
use axum::Router;
use axum::body::Body;
use axum::extract::{FromRef, FromRequestParts, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http::request::Parts;
use url::Url;

/// Routes for a web app: `GET /launch` for EHRs, the path of the redirect URI for callbacks, and `POST /logout`. Nest or
/// merge it with the app's own; [`CurrentSession`] gives those the session.
pub fn router(app: WebApp) -> Router {
    let callback_path =
        Url::parse(app.redirect_uri().as_str()).map_or_else(|_| "/callback".to_owned(), |url| url.path().to_owned());
    Router::new()
        .route("/launch", get(launch))
        .route(&callback_path, get(callback))
        .route("/logout", post(logout))
        .with_state(app)
}

async fn launch(State(app): State<WebApp>, request: Request) -> Response {
    answer(app.launch(&request).await)
}

async fn callback(State(app): State<WebApp>, request: Request) -> Response {
    answer(app.callback(&request).await.map(|(_, response)| response))
}

async fn logout(State(app): State<WebApp>, request: Request) -> Response {
    answer(app.logout(&request).await.map(|(_, response)| response))
}

fn answer(result: Result<http::Response<Bytes>, Error>) -> Response {
    let response = result.unwrap_or_else(|error| {
        tracing::warn!(%error, "a request of a browser was refused");
        WebApp::error_page(&error)
    });
    response.map(Body::from)
}

/// The session of a request, as an argument of a handler. Without one the handler is not called, and the browser gets a page
/// that says what to do.
#[derive(Debug, Clone)]
pub struct CurrentSession(pub Session);

/// Why a request has no session.
#[derive(Debug)]
pub struct SessionRejection(pub Error);

impl IntoResponse for SessionRejection {
    fn into_response(self) -> Response {
        WebApp::error_page(&self.0).map(Body::from)
    }
}

impl<S> FromRequestParts<S> for CurrentSession
where
    S: Send + Sync,
    WebApp: FromRef<S>,
{
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let mut request = http::Request::new(());
        *request.uri_mut() = parts.uri.clone();
        *request.headers_mut() = parts.headers.clone();
        let session = WebApp::from_ref(state).session(&request).await.map_err(SessionRejection)?;
        let session = session.ok_or(SessionRejection(Error::NotLoggedIn))?;
        session.check().await.map_err(SessionRejection)?;
        Ok(Self(session))
    }
}

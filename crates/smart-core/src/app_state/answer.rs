//! Reading the answers of the app-state endpoint.

use super::content::AppState;
use super::endpoint::AppStateEndpoint;
use super::error::{AppStateError, StateContentError};
use super::stored::{StoredAppState, VersionFrom};
use crate::json::parse_object;
use crate::secret::AccessToken;
use bytes::Bytes;
use http::header::{HeaderName, IF_MATCH};
use http::{HeaderValue, Request};

/// Whether an error status can be about a state that was named by its id.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    Endpoint,
    State,
}

/// The error of an answer that is no success.
pub(super) fn failure(endpoint: &AppStateEndpoint, status: u16, about: About) -> AppStateError {
    let endpoint = endpoint.shown();
    match (status, about) {
        (300..400, _) => AppStateError::Redirect { endpoint, status },
        (400 | 413 | 422, _) => AppStateError::Refused { endpoint, status },
        (401, _) => AppStateError::Unauthorized { endpoint },
        (403, _) => AppStateError::Forbidden { endpoint },
        (404 | 410, About::State) => AppStateError::Gone { endpoint, status },
        (409 | 412, About::State) => AppStateError::Conflict { endpoint, status },
        _ => AppStateError::Status { endpoint, status },
    }
}

/// Reads what the server stored, and sees that it is what it was sent.
pub(super) fn stored(
    endpoint: &AppStateEndpoint,
    status: u16,
    etag: Option<&str>,
    body: &[u8],
    about: About,
    sent: &AppState,
) -> Result<StoredAppState, AppStateError> {
    if !matches!(status, 200 | 201) {
        return Err(failure(endpoint, status, about));
    }
    let read = parse_object(body)
        .map_err(StateContentError::from)
        .and_then(|resource| StoredAppState::read(resource, VersionFrom::Header(etag)));
    let stored = read.map_err(|reason| AppStateError::Unreadable { endpoint: endpoint.shown(), reason })?;
    match stored.content().difference(sent) {
        Some(member) => Err(AppStateError::Altered { endpoint: endpoint.shown(), member }),
        None => Ok(stored),
    }
}

/// Adds the token and, for a state that is there, the version that is meant.
pub(super) fn authorized(
    request: Request<Bytes>,
    token: &AccessToken,
    version: Option<HeaderValue>,
) -> Result<Request<Bytes>, AppStateError> {
    let mut request = crate::message::with_bearer(request, token.expose_secret())?;
    if let Some(version) = version {
        request.headers_mut().insert(IF_MATCH, version);
    }
    Ok(request)
}

/// Asks for the stored resource in the answer (FHIR R4, http, return preference); SMART says that it comes.
pub(super) fn with_resource_in_answer(mut request: Request<Bytes>) -> Request<Bytes> {
    request.headers_mut().insert(HeaderName::from_static("prefer"), HeaderValue::from_static("return=representation"));
    request
}

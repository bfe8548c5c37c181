//! Creating a state.

use super::answer::{About, authorized, stored, with_resource_in_answer};
use super::content::{AppState, check_size};
use super::endpoint::AppStateEndpoint;
use super::error::AppStateError;
use super::stored::StoredAppState;
use super::subject::StateSubject;
use crate::message::{FHIR_JSON, json_request};
use crate::secret::AccessToken;
use bytes::Bytes;
use http::{Method, Request};

/// A state to create: `POST Basic`.
#[derive(Debug, Clone, Copy)]
pub struct CreateState<'a> {
    /// Where.
    pub endpoint: &'a AppStateEndpoint,
    /// What.
    pub state: &'a AppState,
}

impl CreateState<'_> {
    /// The request. Where its answer gets lost, query before it is sent again: it would make a second state.
    ///
    /// # Errors
    /// [`AppStateError::Content`] when the state is too large or its subject lies elsewhere; [`AppStateError::Message`].
    pub fn request(&self, token: &AccessToken) -> Result<Request<Bytes>, AppStateError> {
        if let Some(subject) = self.state.subject() {
            StateSubject::parse(subject.as_str(), self.endpoint.primary())?;
        }
        let url = self.endpoint.url("Basic")?;
        let request = json_request(Method::POST, &url, FHIR_JSON, &self.state.to_basic())?;
        check_size(request.body().len(), self.endpoint.size_limit())?;
        authorized(with_resource_in_answer(request), token, None)
    }

    /// Reads the answer: `etag` is its `ETag` header.
    ///
    /// # Errors
    /// [`AppStateError`].
    pub fn parse(&self, status: u16, etag: Option<&str>, body: &[u8]) -> Result<StoredAppState, AppStateError> {
        stored(self.endpoint, status, etag, body, About::Endpoint, self.state)
    }
}

//! Deleting a state.

use super::answer::{About, authorized, failure};
use super::endpoint::AppStateEndpoint;
use super::error::AppStateError;
use super::stored::StoredAppState;
use crate::secret::AccessToken;
use bytes::Bytes;
use http::{Method, Request};

/// A state to delete: `DELETE Basic/[id]` with `If-Match`. It takes the stored state: after this its id must not be used
/// again (SMART App Launch 2.2, app state, deletes). Where the answer gets lost, query to see whether it is still there.
#[derive(Debug)]
pub struct DeleteState<'a> {
    endpoint: &'a AppStateEndpoint,
    stored: StoredAppState,
}

/// How a delete ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// The state is gone (200 or 204).
    Done,
    /// The server took the request and may act on it later (202).
    Accepted,
}

impl<'a> DeleteState<'a> {
    /// A delete of this version of a state.
    pub fn new(endpoint: &'a AppStateEndpoint, stored: StoredAppState) -> Self {
        Self { endpoint, stored }
    }

    /// The request.
    ///
    /// # Errors
    /// [`AppStateError::Message`].
    pub fn request(&self, token: &AccessToken) -> Result<Request<Bytes>, AppStateError> {
        let url = self.endpoint.url(&format!("Basic/{}", self.stored.id()))?;
        let request = AppStateEndpoint::request(Method::DELETE, &url)?;
        authorized(request, token, Some(self.stored.version().header()))
    }

    /// Reads the answer. The body does not matter.
    ///
    /// # Errors
    /// [`AppStateError`]; [`AppStateError::Conflict`] when somebody else changed or deleted it meanwhile.
    pub fn parse(self, status: u16) -> Result<Deletion, AppStateError> {
        match status {
            200 | 204 => Ok(Deletion::Done),
            202 => Ok(Deletion::Accepted),
            _ => Err(failure(self.endpoint, status, About::State)),
        }
    }
}

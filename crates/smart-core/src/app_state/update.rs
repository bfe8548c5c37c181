//! Updating a state.

use super::answer::{About, authorized, stored, with_resource_in_answer};
use super::content::check_size;
use super::endpoint::AppStateEndpoint;
use super::error::AppStateError;
use super::stored::StoredAppState;
use super::value::StateValue;
use crate::message::{FHIR_JSON, json_request};
use crate::secret::AccessToken;
use bytes::Bytes;
use http::{Method, Request};

/// New values for a stored state: `PUT Basic/[id]` with `If-Match`. Id, code and subject are those of the stored state, so
/// they cannot change.
#[derive(Debug, Clone, Copy)]
pub struct UpdateState<'a> {
    /// Where.
    pub endpoint: &'a AppStateEndpoint,
    /// Which state, and which version of it is replaced.
    pub stored: &'a StoredAppState,
    /// All of its values from now on.
    pub values: &'a [StateValue],
}

impl UpdateState<'_> {
    /// The request.
    ///
    /// # Errors
    /// [`AppStateError::Content`] when the state gets too large; [`AppStateError::Message`].
    pub fn request(&self, token: &AccessToken) -> Result<Request<Bytes>, AppStateError> {
        let url = self.endpoint.url(&format!("Basic/{}", self.stored.id()))?;
        let request = json_request(Method::PUT, &url, FHIR_JSON, &self.stored.to_updated(self.values))?;
        check_size(request.body().len(), self.endpoint.size_limit())?;
        authorized(with_resource_in_answer(request), token, Some(self.stored.version().header()))
    }

    /// Reads the answer: `etag` is its `ETag` header. The old [`StoredAppState`] is over then.
    ///
    /// # Errors
    /// [`AppStateError`]; [`AppStateError::Conflict`] when somebody else was faster.
    pub fn parse(&self, status: u16, etag: Option<&str>, body: &[u8]) -> Result<StoredAppState, AppStateError> {
        let sent = self.stored.content().with_values(self.values.to_vec());
        let stored = stored(self.endpoint, status, etag, body, About::State, &sent)?;
        if stored.id() == self.stored.id() {
            Ok(stored)
        } else {
            Err(AppStateError::Altered { endpoint: self.endpoint.shown(), member: "id" })
        }
    }
}

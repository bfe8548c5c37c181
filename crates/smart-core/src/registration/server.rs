//! For those who write a server: reading a registration request, and answering it.

use super::error::{MetadataError, RegistrationErrorCode, RegistrationErrorResponse};
use super::information::ClientInformation;
use super::management::is_reserved;
use super::metadata::ClientMetadata;
use super::metadata_reader;
use crate::json::parse_object;
use crate::message::json_response;
use crate::untrusted::shown;
use crate::url_policy::UrlPolicy;
use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::Map;

impl ClientMetadata {
    /// Reads the body of a registration request and checks that it fits together. The caller has limited the body's
    /// size. Members that only a server sets are dropped.
    ///
    /// # Errors
    /// The answer to send instead.
    pub fn from_request(
        content_type: Option<&str>,
        body: &[u8],
        policy: UrlPolicy,
    ) -> Result<Self, RegistrationErrorResponse> {
        let refused = |description: String| RegistrationErrorResponse {
            error: RegistrationErrorCode::InvalidClientMetadata,
            description: Some(description),
        };
        let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(refused("the body must be application/json".to_owned()));
        }
        let mut object = parse_object(body).map_err(|e| refused(format!("the body is {e}")))?;
        object.retain(|name, _| !is_reserved(name));
        let (metadata, problems) = metadata_reader::read(object, policy);
        if let Some(problem) = problems.into_iter().next() {
            return Err(problem.into());
        }
        metadata.check()?;
        Ok(metadata)
    }
}

impl From<MetadataError> for RegistrationErrorResponse {
    fn from(error: MetadataError) -> Self {
        Self { error: error.code(), description: Some(shown(&error.to_string(), 400)) }
    }
}

impl ClientInformation {
    /// The answer to a registration: 201, and kept by no cache. It may hold secrets in the clear.
    pub fn to_response(&self) -> Response<Bytes> {
        json_response(StatusCode::CREATED, &self.to_object())
    }

    /// The answer to reading or changing a registration (RFC 7592, sections 2.1 and 2.2): the same with 200.
    pub fn to_management_response(&self) -> Response<Bytes> {
        json_response(StatusCode::OK, &self.to_object())
    }
}

impl RegistrationErrorResponse {
    /// The answer: 401 where a token is wrong, else 400. The description is cut down to the characters that RFC 6749
    /// lets it have.
    pub fn to_response(&self) -> Response<Bytes> {
        let status = match self.error {
            RegistrationErrorCode::InvalidToken => StatusCode::UNAUTHORIZED,
            RegistrationErrorCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
            RegistrationErrorCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        };
        let mut object = Map::new();
        object.insert("error".to_owned(), self.error.as_str().into());
        if let Some(description) = &self.description {
            object.insert("error_description".to_owned(), crate::untrusted::oauth_text(description).into());
        }
        json_response(status, &object)
    }
}

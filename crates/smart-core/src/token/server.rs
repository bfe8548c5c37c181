//! For those who write a server: the answers of a token endpoint.

use super::authorization_details::AuthorizationDetails;
use super::error::{TokenErrorCode, TokenErrorResponse};
use super::response::TokenResponse;
use crate::context::LaunchContext;
use crate::message::json_response;
use crate::scope::Scopes;
use crate::secret::AccessToken;
use crate::time::Timestamp;
use crate::untrusted::oauth_text;
use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Map, Value};

impl TokenResponse {
    /// An answer with an access token and its scopes and nothing else, as a server begins it.
    pub fn new(access_token: AccessToken, scope: Scopes, now: Timestamp) -> Self {
        Self {
            access_token,
            expires_in: None,
            received_at: now,
            scope,
            refresh_token: None,
            id_token: None,
            authorization_details: Vec::new(),
            context: LaunchContext::default(),
            leniencies: Vec::new(),
        }
    }

    /// The members on the wire (SMART App Launch 2.2, token response). All tokens stand in them in the clear.
    pub fn to_object(&self) -> Map<String, Value> {
        let mut object = Map::new();
        let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
        put("access_token", self.access_token.expose_secret().into());
        put("token_type", "Bearer".into());
        if let Some(lifetime) = self.expires_in {
            put("expires_in", lifetime.as_secs().into());
        }
        put("scope", self.scope.to_string().into());
        if let Some(token) = &self.refresh_token {
            put("refresh_token", token.expose_secret().into());
        }
        if let Some(token) = &self.id_token {
            put("id_token", token.expose_secret().into());
        }
        if !self.authorization_details.is_empty() {
            let details = self.authorization_details.iter().map(AuthorizationDetails::to_object);
            put("authorization_details", details.collect());
        }
        self.context.write_to(&mut object);
        object
    }

    /// The answer: 200, and kept by no cache (RFC 6749, section 5.1).
    pub fn to_response(&self) -> Response<Bytes> {
        json_response(StatusCode::OK, &self.to_object())
    }
}

impl TokenErrorResponse {
    /// An error with a description for the app's developer.
    pub fn new(error: TokenErrorCode, description: impl Into<String>) -> Self {
        Self { error, description: Some(description.into()), uri: None }
    }

    /// The members on the wire. The description is cut down to the characters that RFC 6749 lets it have.
    pub fn to_object(&self) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("error".to_owned(), self.error.as_str().into());
        if let Some(description) = &self.description {
            object.insert("error_description".to_owned(), oauth_text(description).into());
        }
        if let Some(uri) = &self.uri {
            object.insert("error_uri".to_owned(), uri.as_str().into());
        }
        object
    }

    /// The answer (RFC 6749, section 5.2): 401 where client or token are wrong, 500 or 503 where the server is, else 400.
    /// A server that takes HTTP authentication adds `WWW-Authenticate` to a 401.
    pub fn to_response(&self) -> Response<Bytes> {
        let status = match self.error {
            TokenErrorCode::InvalidClient | TokenErrorCode::InvalidToken => StatusCode::UNAUTHORIZED,
            TokenErrorCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
            TokenErrorCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        };
        json_response(status, &self.to_object())
    }
}

//! The client-credentials grant of backend services (SMART App Launch 2.2, backend services).

use super::authentication::{ClientAuthentication, ClientIdInBody, FormRequest, MessageError, RequestingClient};
use super::error::TokenError;
use super::response::{Expectation, Ornaments, TokenResponse};
use crate::client_id::ClientId;
use crate::leniency::Leniency;
use crate::scope::{Level, Scope, Scopes};
use crate::secret::ClientAssertion;
use crate::time::Timestamp;
use crate::url_policy::UrlPolicy;
use bytes::Bytes;
use http::Request;
use url::Url;

/// The scopes of a backend service: at least one (RFC 6749 leaves `scope` open, SMART requires it).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendScopes(Scopes);

/// Why scopes cannot be asked for by a backend service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum BackendScopeError {
    /// There are none.
    #[error("a backend service asks for at least one scope, such as `system/*.rs`")]
    Empty,
    /// A scope needs a person.
    #[error("`{scope}` needs a person who logs in; a backend service asks for `system/` scopes")]
    NeedsPerson {
        /// The scope.
        scope: Scope,
    },
}

impl BackendScopes {
    /// Checks the scopes: no launch context, no identity, no refresh; `user/` and `patient/` scopes are let through,
    /// since context may have been agreed out of band, and named by [`outside_system`](Self::outside_system).
    ///
    /// # Errors
    /// [`BackendScopeError`].
    pub fn new(scopes: Scopes) -> Result<Self, BackendScopeError> {
        if scopes.is_empty() {
            return Err(BackendScopeError::Empty);
        }
        match scopes.iter().find(|s| !matches!(s, Scope::Resource(_) | Scope::Other(_))) {
            Some(scope) => Err(BackendScopeError::NeedsPerson { scope: scope.clone() }),
            None => Ok(Self(scopes)),
        }
    }

    /// The scopes.
    pub fn scopes(&self) -> &Scopes {
        &self.0
    }

    /// Scopes of other levels than `system/`: worth a warning, since a server grants them only by prior agreement
    /// (requirement BS-03).
    pub fn outside_system(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter().filter(|s| matches!(s, Scope::Resource(r) if r.level() != Level::System))
    }
}

/// One client-credentials exchange. There is no place for a shared secret (requirement CS-04): a backend service
/// proves itself with a key.
#[derive(Debug, Clone, Copy)]
pub struct ClientCredentialsExchange<'a> {
    /// The token endpoint that discovery found.
    pub token_endpoint: &'a Url,
    /// The client.
    pub client_id: &'a ClientId,
    /// The scopes to ask for.
    pub scopes: &'a BackendScopes,
    /// Whether plain http on loopback may stand in an answer.
    pub url_policy: UrlPolicy,
}

impl ClientCredentialsExchange<'_> {
    /// The request. The assertion is consumed: each request has its own (requirement CA-06).
    ///
    /// # Errors
    /// [`MessageError`].
    pub fn request(
        &self,
        assertion: ClientAssertion,
        id_in_body: ClientIdInBody,
    ) -> Result<Request<Bytes>, MessageError> {
        let authentication = ClientAuthentication::Assertion { assertion };
        FormRequest::new(self.token_endpoint)
            .field("grant_type", "client_credentials")
            .field("scope", &self.scopes.0.to_string())
            .client(RequestingClient { id: self.client_id, authentication: &authentication, id_in_body })
            .build()
    }

    /// Reads the answer. A refresh token in it is thrown away (RFC 6749, section 4.4.3).
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn parse(&self, status: u16, body: &[u8], now: Timestamp) -> Result<TokenResponse, TokenError> {
        let expected = Expectation {
            endpoint: self.token_endpoint,
            base: None,
            scope_if_absent: &self.scopes.0,
            policy: self.url_policy,
            ornaments: Ornaments::MustBeReadable,
        };
        let mut response = TokenResponse::parse(&expected, status, body, now)?;
        if response.refresh_token.take().is_some() {
            response.leniencies.push(Leniency::RefreshTokenUnexpected);
        }
        Ok(response)
    }
}

//! Redeeming an authorization code, once.

use super::authentication::{FormRequest, MessageError, RequestingClient};
use super::error::TokenError;
use super::response::{Expectation, Ornaments, TokenResponse};
use crate::authorize::AuthorizationServer;
use crate::authorize::PendingParts;
use crate::client_id::ClientId;
use crate::scope::Scopes;
use crate::secret::AuthorizationCode;
use crate::state::Nonce;
use crate::time::Timestamp;
use crate::url_policy::UrlPolicy;
use bytes::Bytes;
use http::Request;
use url::Url;

/// A checked callback's code, with all that redeeming it takes. It is not `Clone`, and
/// [`into_request`](Self::into_request) consumes it: a code is redeemed once and never tried again (requirement
/// CB-09). A failed exchange means a new login.
pub struct CodeExchange {
    parts: PendingParts,
    code: AuthorizationCode,
}

/// What remains after the code is sent: what the answer is checked against.
#[derive(Debug, Clone)]
pub struct ExpectedToken {
    server: AuthorizationServer,
    client_id: ClientId,
    scopes: Scopes,
    nonce: Option<Nonce>,
}

impl CodeExchange {
    pub(crate) fn new(parts: PendingParts, code: AuthorizationCode) -> Self {
        Self { parts, code }
    }

    /// The token endpoint that was stored when the login began: the code goes nowhere else (requirement CB-05). Make
    /// a client assertion for this URL.
    pub fn token_endpoint(&self) -> &Url {
        &self.parts.server.token_endpoint
    }

    /// The server that the login began at.
    pub fn server(&self) -> &AuthorizationServer {
        &self.parts.server
    }

    /// The client that began the login.
    pub fn client_id(&self) -> &ClientId {
        &self.parts.client_id
    }

    /// The request: `grant_type=authorization_code` with code, redirect URI and verifier. `authenticated` says how the
    /// client shows who it is; its id must be the one that began the login.
    ///
    /// # Errors
    /// [`MessageError`].
    pub fn into_request(
        self,
        authentication: &super::ClientAuthentication,
        id_in_body: super::ClientIdInBody,
    ) -> Result<(Request<Bytes>, ExpectedToken), MessageError> {
        let parts = self.parts;
        let request = FormRequest::new(&parts.server.token_endpoint)
            .field("grant_type", "authorization_code")
            .field("code", self.code.expose_secret())
            .field("redirect_uri", parts.redirect_uri.as_str())
            .field("code_verifier", parts.verifier.expose_secret())
            .client(RequestingClient { id: &parts.client_id, authentication, id_in_body })
            .build()?;
        let expected = ExpectedToken {
            server: parts.server,
            client_id: parts.client_id,
            scopes: parts.scopes,
            nonce: parts.nonce,
        };
        Ok((request, expected))
    }
}

impl ExpectedToken {
    /// The server that the token is for.
    pub fn server(&self) -> &AuthorizationServer {
        &self.server
    }

    /// The client: the `aud` of the ID token.
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// The scopes that were asked for.
    pub fn requested_scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// The nonce that the ID token must repeat, where one was sent.
    pub fn nonce(&self) -> Option<&Nonce> {
        self.nonce.as_ref()
    }

    /// Reads the answer. `now` is when it came.
    ///
    /// # Errors
    /// [`TokenError`]. The code is spent whatever the error: the person logs in anew.
    pub fn parse(&self, status: u16, body: &[u8], now: Timestamp) -> Result<TokenResponse, TokenError> {
        let endpoint = &self.server.token_endpoint;
        let expected = Expectation {
            endpoint,
            base: Some(&self.server.fhir_base),
            scope_if_absent: &self.scopes,
            policy: policy_for(&self.server.fhir_base),
            ornaments: Ornaments::MustBeReadable,
        };
        TokenResponse::parse(&expected, status, body, now)?.require_patient(endpoint)
    }
}

impl std::fmt::Debug for CodeExchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CodeExchange")
            .field("token_endpoint", &self.parts.server.token_endpoint.as_str())
            .field("client_id", &self.parts.client_id.as_str())
            .finish_non_exhaustive()
    }
}

/// Plain http on loopback is accepted in an answer only where the FHIR base itself is so.
pub(crate) fn policy_for(base: &crate::fhir_base::FhirBaseUrl) -> UrlPolicy {
    if base.url().scheme() == "http" { UrlPolicy::AllowLoopbackHttp } else { UrlPolicy::HttpsOnly }
}

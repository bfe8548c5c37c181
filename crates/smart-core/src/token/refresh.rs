//! Refreshing an access token.

use super::authentication::{FormRequest, MessageError, RequestingClient};
use super::code_exchange::policy_for;
use super::error::TokenError;
use super::response::{Expectation, Ornaments, TokenResponse};
use crate::context::LaunchContext;
use crate::fhir_base::FhirBaseUrl;
use crate::scope::{Scope, Scopes};
use crate::secret::RefreshToken;
use crate::time::Timestamp;
use bytes::Bytes;
use http::Request;
use url::Url;

/// Whether a refresh names its scopes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RefreshScope {
    /// No `scope`: the server grants what it granted before. The default.
    #[default]
    Omit,
    /// Repeats the granted scopes, for servers that want the parameter. Malformed ones, which grant nothing, are left
    /// out.
    Granted,
    /// Asks for less. It must lie within what was granted (RFC 6749, section 6), and be something: a request without
    /// scopes asks for all of them.
    Narrower(Scopes),
}

/// Why no refresh request could be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum RefreshError {
    /// The scopes reach beyond the grant. Widening needs a new login.
    #[error("the refresh asks for `{excess}`, which was not granted; ask for it in a new login")]
    BeyondGrant {
        /// What is too much.
        excess: Scopes,
    },
    /// The narrower scopes are none at all. Sent without scopes, the request would ask for everything that was granted.
    #[error("the refresh asks for no scope, which a server takes for all that was granted; name at least one")]
    NothingAsked,
    /// The message could not be made.
    #[error(transparent)]
    Message(#[from] MessageError),
}

/// A refresh: what is held, and what the answer is merged into.
#[derive(Debug, Clone)]
pub struct RefreshExchange<'a> {
    /// The FHIR server of the session.
    pub fhir_base: &'a FhirBaseUrl,
    /// The token endpoint that issued the refresh token.
    pub token_endpoint: &'a Url,
    /// The refresh token that is held. Present it once: see to it that no other task or process does so at a time.
    pub refresh_token: &'a RefreshToken,
    /// The scopes that are granted now.
    pub granted: &'a Scopes,
    /// The context that is known now.
    pub context: &'a LaunchContext,
}

impl RefreshExchange<'_> {
    /// The request: `grant_type=refresh_token`; no PKCE belongs here (requirement PK-10).
    ///
    /// # Errors
    /// [`RefreshError`].
    pub fn request(&self, client: RequestingClient<'_>, scope: &RefreshScope) -> Result<Request<Bytes>, RefreshError> {
        let scope = match scope {
            RefreshScope::Omit => String::new(),
            RefreshScope::Granted => {
                let legal = |scope: &&Scope| !matches!(scope, Scope::Other(other) if other.problem().is_some());
                self.granted.iter().filter(legal).cloned().collect::<Scopes>().to_string()
            }
            RefreshScope::Narrower(scopes) if scopes.is_empty() => return Err(RefreshError::NothingAsked),
            RefreshScope::Narrower(scopes) => {
                let excess: Scopes = scopes.iter().filter(|s| !self.granted.covers(s)).cloned().collect();
                if !excess.is_empty() {
                    return Err(RefreshError::BeyondGrant { excess });
                }
                scopes.to_string()
            }
        };
        Ok(FormRequest::new(self.token_endpoint)
            .field("grant_type", "refresh_token")
            .field("refresh_token", self.refresh_token.expose_secret())
            .field("scope", &scope)
            .client(client)
            .build()?)
    }

    /// Reads the answer and merges it: the new refresh token replaces the old one, and where none came the old one is
    /// kept; scopes and context that are not repeated stay as they were.
    ///
    /// What is only an ornament is read leniently here: an unreadable `expires_in`, `scope` or `id_token` is taken as
    /// absent and reported, since the refresh token in the same answer may be the only one that is still good.
    ///
    /// Store the result before handing out its access token (requirement RF-06).
    ///
    /// # Errors
    /// [`TokenError`]; [`TokenError::needs_reauthorization`] tells whether the grant is gone.
    pub fn parse(&self, status: u16, body: &[u8], now: Timestamp) -> Result<TokenResponse, TokenError> {
        let expected = Expectation {
            endpoint: self.token_endpoint,
            base: Some(self.fhir_base),
            scope_if_absent: self.granted,
            policy: policy_for(self.fhir_base),
            ornaments: Ornaments::MayBeUnreadable,
        };
        let mut response = TokenResponse::parse(&expected, status, body, now)?;
        response.context = self.context.updated_by(&response.context);
        // Silence about scope and ID token is what the specification has in mind for a refresh.
        response.leniencies.retain(|note| {
            !matches!(note, crate::leniency::Leniency::ScopeMissing | crate::leniency::Leniency::IdTokenMissing)
        });
        if response.refresh_token.is_none() {
            response.refresh_token = Some(self.refresh_token.clone());
        }
        response.require_patient(self.token_endpoint)
    }
}

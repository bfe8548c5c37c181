//! The half of an authorization request that stays with the app.

use super::callback::{Callback, CallbackError, CallbackOutcome};
use super::server::AuthorizationServer;
use crate::client_id::ClientId;
use crate::pkce::CodeVerifier;
use crate::redirect_uri::RedirectUri;
use crate::scope::Scopes;
use crate::secret::{LaunchId, exposed};
use crate::state::{Nonce, State};
use crate::time::Timestamp;
use crate::token::CodeExchange;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How far the clock may have been set back since the login began.
const CLOCK_STEP: Duration = Duration::from_mins(5);

/// A login that waits for its callback (requirement ST-05).
///
/// Keep it where only this person's browser session can reach it: a server-side session, or a sealed store under
/// [`lookup_key`](Self::lookup_key). It serialises with its secrets in the clear, so what holds it must be sealed or
/// out of everyone's reach; `Debug` shows none of them. It is not `Clone`: a callback consumes it.
#[derive(Serialize, Deserialize)]
pub struct PendingAuthorization(PendingParts);

#[derive(Serialize, Deserialize)]
pub(crate) struct PendingParts {
    pub(crate) server: AuthorizationServer,
    pub(crate) client_id: ClientId,
    pub(crate) redirect_uri: RedirectUri,
    pub(crate) scopes: Scopes,
    #[serde(with = "exposed::option")]
    pub(crate) launch: Option<LaunchId>,
    #[serde(with = "exposed")]
    pub(crate) state: State,
    #[serde(with = "exposed")]
    pub(crate) verifier: CodeVerifier,
    #[serde(with = "exposed::option")]
    pub(crate) nonce: Option<Nonce>,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

impl PendingAuthorization {
    pub(super) fn new(parts: PendingParts) -> Self {
        Self(parts)
    }

    /// The FHIR server that is being logged in to.
    pub fn server(&self) -> &AuthorizationServer {
        &self.0.server
    }

    /// The scopes that were asked for.
    pub fn requested_scopes(&self) -> &Scopes {
        &self.0.scopes
    }

    /// When the login began.
    pub fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    /// From when on a callback is refused. A server may never answer (an unknown client gets an error page, RFC 6749,
    /// section 4.1.2.1), so pending logins have to be swept away by this time.
    pub fn expires_at(&self) -> Timestamp {
        self.0.expires_at
    }

    /// A key for storing it, made from the state without giving the state away. The callback has the same:
    /// [`Callback::lookup_key`]. Scope it to the person's own session (requirement ST-03).
    pub fn lookup_key(&self) -> String {
        self.0.state.lookup_key()
    }

    /// Where the browser comes back to.
    pub fn redirect_uri(&self) -> &RedirectUri {
        &self.0.redirect_uri
    }

    /// Takes the callback, and is gone: a state is good for one callback, right or wrong.
    ///
    /// The order is fixed: state first (in constant time), then age, then issuer, and only then code or error.
    ///
    /// # Errors
    /// [`CallbackError`]. No request has been made; the person may begin anew.
    pub fn complete(self, callback: Callback, now: Timestamp) -> Result<CodeExchange, CallbackError> {
        let parts = self.0;
        if callback.state() != Some(&parts.state) {
            return Err(match callback.state() {
                Some(_) => CallbackError::StateMismatch,
                None => CallbackError::StateMissing,
            });
        }
        if now >= parts.expires_at || now < parts.created_at.saturating_sub(CLOCK_STEP) {
            return Err(CallbackError::Expired { server: parts.server.fhir_base.as_str().to_owned() });
        }
        check_issuer(&parts.server, callback.iss())?;
        match callback.into_outcome() {
            CallbackOutcome::Code(code) => Ok(CodeExchange::new(parts, code)),
            CallbackOutcome::Error { error, description, uri } => {
                Err(CallbackError::Refused { endpoint: endpoint_shown(&parts.server), error, description, uri })
            }
        }
    }
}

fn endpoint_shown(server: &AuthorizationServer) -> String {
    let mut url = server.authorization_endpoint.clone();
    url.set_query(None);
    url.to_string()
}

fn check_issuer(server: &AuthorizationServer, iss: Option<&str>) -> Result<(), CallbackError> {
    match (iss, &server.issuer) {
        (Some(got), Some(expected)) if got == expected.as_str() => Ok(()),
        (Some(got), expected) => Err(CallbackError::IssuerMismatch {
            got: crate::untrusted::shown(got, 200),
            expected: expected.as_ref().map(|i| i.as_str().to_owned()),
        }),
        (None, _) if server.iss_parameter_supported => {
            Err(CallbackError::IssuerMissing { endpoint: endpoint_shown(server) })
        }
        (None, _) => Ok(()),
    }
}

impl std::fmt::Debug for PendingAuthorization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PendingAuthorization")
            .field("fhir_base", &self.0.server.fhir_base.as_str())
            .field("client_id", &self.0.client_id.as_str())
            .field("created_at", &self.0.created_at)
            .field("expires_at", &self.0.expires_at)
            .finish_non_exhaustive()
    }
}

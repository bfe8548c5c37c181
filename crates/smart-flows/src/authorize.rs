//! A session gives the FHIR client its Authorization header.

use crate::permission_policy::PermissionPolicy;
use crate::session::Session;
use http::HeaderValue;
use smart_core::scope::AccessRequest;
use smart_core::secret::AccessToken;
use smart_http::{Authorize, AuthorizeError, BoxFuture};
use url::Url;

impl Authorize for Session {
    /// The bearer token, for URLs at or below the FHIR base only (requirement TK-14).
    fn authorization<'a>(&'a self, url: &'a Url) -> BoxFuture<'a, Result<Option<HeaderValue>, AuthorizeError>> {
        Box::pin(async move {
            if !self.fhir_base().contains(url) {
                return Ok(None);
            }
            match self.bearer().await.map_err(into_authorize)? {
                Some(bearer) => Ok(Some(bearer)),
                None => Err(AuthorizeError::reauthorization("the access token cannot stand in a header")),
            }
        })
    }

    fn sending(&self, method: &http::Method, url: &Url) -> Result<(), AuthorizeError> {
        self.inner.record_use(method, url).map_err(into_authorize)
    }

    fn renew<'a>(&'a self, rejected: &'a HeaderValue) -> BoxFuture<'a, Result<bool, AuthorizeError>> {
        Box::pin(async move {
            let Some(token) = rejected.to_str().ok().and_then(|text| text.strip_prefix("Bearer ")) else {
                return Ok(false);
            };
            if !self.can_refresh() {
                return Ok(false);
            }
            self.renew_rejected(AccessToken::new(token)).await.map_err(into_authorize)?;
            Ok(true)
        })
    }

    /// By the granted scopes, as the app's [`PermissionPolicy`] says. A session that cannot be used says so when it is
    /// asked for the header.
    fn permits(&self, request: &AccessRequest<'_>) -> Result<(), AuthorizeError> {
        let policy = self.inner.client.inner.permissions;
        if policy == PermissionPolicy::Off {
            return Ok(());
        }
        let Ok(live) = self.inner.usable() else { return Ok(()) };
        let decision = live.record.granted.decide(request);
        if decision.is_allowed() {
            return Ok(());
        }
        if policy == PermissionPolicy::Warn {
            tracing::warn!(key = %self.inner.key, %decision, "the granted scopes do not permit a request, which is sent");
            return Ok(());
        }
        let error = AuthorizeError::not_permitted(decision.to_string());
        Err(match decision.needed() {
            Some(scope) => error.with_needed_scope(scope.as_str()),
            None => error,
        })
    }
}

fn into_authorize(error: crate::Error) -> AuthorizeError {
    match (error.needs_reauthorization(), error.is_retryable()) {
        (true, _) => AuthorizeError::reauthorization(error),
        (false, true) => AuthorizeError::retryable(error),
        (false, false) => AuthorizeError::new(error),
    }
}

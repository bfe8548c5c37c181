//! Introspection, revocation and logout.

use crate::error::Error;
use crate::session::Session;
use smart_core::introspection::{
    Introspection, IntrospectionCaller, TokenTypeHint, introspection_request, parse_introspection,
};
use smart_core::revocation::{Revocable, parse_revocation, revocation_request};
use smart_core::token::{ClientAuthentication, RequestingClient};
use smart_core::url_policy::UrlPolicy;

/// What a logout came to. The session is over in this process and wiped from the store whatever the server said,
/// unless `wiped` says otherwise.
#[derive(Debug)]
#[non_exhaustive]
pub struct LogoutReport {
    /// Whether the server revoked the tokens. An error means that they have to be taken as alive until they end.
    pub revoked: Result<(), Error>,
    /// Whether the stored record is gone. An error means that it has to be removed by other means.
    pub wiped: Result<(), Error>,
}

impl Session {
    /// Asks the server about this session's access token (RFC 7662). A public client shows the token itself as its
    /// bearer, a confidential one authenticates.
    ///
    /// # Errors
    /// [`Error::NotSupported`] when the server offers no such endpoint; [`Error::Http`]; [`Error::Token`].
    pub async fn introspect(&self) -> Result<Introspection, Error> {
        let record = self.inner.record()?;
        let client = &self.inner.client.inner;
        let endpoint = record.endpoints.introspection.as_ref().ok_or_else(|| Error::NotSupported {
            fhir_base: record.fhir_base.to_string(),
            endpoint: "introspection",
        })?;
        let authentication = client.app.authentication();
        let caller = match &authentication {
            ClientAuthentication::Public => IntrospectionCaller::Bearer(&record.access_token),
            _ => IntrospectionCaller::Client(RequestingClient {
                id: client.app.client_id(),
                authentication: &authentication,
                id_in_body: client.app.id_in_body,
            }),
        };
        let token = record.access_token.expose_secret();
        let request = introspection_request(endpoint, token, Some(TokenTypeHint::AccessToken), caller)?;
        let response = client.send(request).await?;
        let policy =
            if record.fhir_base.url().scheme() == "http" { UrlPolicy::AllowLoopbackHttp } else { UrlPolicy::HttpsOnly };
        Ok(parse_introspection(endpoint, response.status().as_u16(), response.body(), policy)?)
    }

    /// Revokes the session at the server: the refresh token first, then the access token (RFC 7009). When that is
    /// done the session is over, and its tokens are used no more.
    ///
    /// # Errors
    /// [`Error::NotSupported`], [`Error::Http`], [`Error::Token`]: the tokens have to be taken as alive, and the
    /// session goes on. [`Error::Store`]: revoked, but the stored record is still there.
    pub async fn revoke(&self) -> Result<(), Error> {
        // No renewal may draw a new token while the old ones are revoked.
        let _alone = self.inner.life.lock().await;
        self.revoke_at_server().await?;
        self.inner.end("it was revoked");
        Ok(self.inner.wipe().await?)
    }

    /// Logs out: revokes at the server where that can be done, and wipes the session locally in any case.
    pub async fn logout(&self) -> LogoutReport {
        let _alone = self.inner.life.lock().await;
        let revoked = self.revoke_at_server().await;
        self.inner.end("it was logged out");
        LogoutReport { revoked, wiped: self.inner.wipe().await.map_err(Error::from) }
    }

    async fn revoke_at_server(&self) -> Result<(), Error> {
        let record = self.inner.record()?;
        let endpoint = record
            .endpoints
            .revocation
            .as_ref()
            .ok_or_else(|| Error::NotSupported { fhir_base: record.fhir_base.to_string(), endpoint: "revocation" })?;
        let client = &self.inner.client.inner;
        let tokens = record.refresh_token.as_ref().map(Revocable::Refresh);
        for token in tokens.into_iter().chain([Revocable::Access(&record.access_token)]) {
            // An assertion is good for one request, so each has its own authentication.
            let authentication = client.app.authentication();
            let requesting = RequestingClient {
                id: client.app.client_id(),
                authentication: &authentication,
                id_in_body: client.app.id_in_body,
            };
            let response = client.send(revocation_request(endpoint, token, requesting)?).await?;
            parse_revocation(endpoint, response.status().as_u16(), response.body())?;
        }
        Ok(())
    }
}

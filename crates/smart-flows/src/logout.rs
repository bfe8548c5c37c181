//! Introspection, revocation and logout.

use crate::audit::{AuditKind, EndpointRole, TokenId};
use crate::error::Error;
use crate::events::EndReason;
use crate::grants::url_policy_of;
use crate::life::Life;
use crate::session::{Inner, Session};
use crate::task;
use smart_core::introspection::{
    Introspection, IntrospectionCaller, TokenTypeHint, introspection_request, parse_introspection,
};
use smart_core::secret::{AccessToken, RefreshToken};
use smart_core::token::ClientAuthentication;

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
    /// [`Error::NotSupported`] when the server offers no such endpoint; [`Error::Http`]; [`Error::Token`]. Those of
    /// [`context`](Self::context): what the server says tells whose record it is.
    pub async fn introspect(&self) -> Result<Introspection, Error> {
        let record = &self.inner.usable()?.record;
        self.introspect_token(record.access_token.expose_secret(), TokenTypeHint::AccessToken).await
    }

    /// Asks the server about this session's refresh token. `None`: it has none.
    ///
    /// # Errors
    /// As for [`introspect`](Self::introspect).
    pub async fn introspect_refresh_token(&self) -> Result<Option<Introspection>, Error> {
        match &self.inner.usable()?.record.refresh_token {
            Some(token) => self.introspect_token(token.expose_secret(), TokenTypeHint::RefreshToken).await.map(Some),
            None => Ok(None),
        }
    }

    async fn introspect_token(&self, token: &str, hint: TokenTypeHint) -> Result<Introspection, Error> {
        let live = self.inner.live()?;
        let record = &live.record;
        let client = &self.inner.client.inner;
        let endpoint = record.endpoints.introspection.as_ref().ok_or_else(|| Error::NotSupported {
            fhir_base: record.fhir_base.to_string(),
            endpoint: "introspection",
        })?;
        let by_bearer = client.settings(&record.fhir_base).preferences().introspection_by_bearer;
        let authentication = if by_bearer {
            ClientAuthentication::Public
        } else {
            client.authenticate(&record.fhir_base, &record.endpoints.token, &record.hints).await?
        };
        let caller = match &authentication {
            ClientAuthentication::Public => IntrospectionCaller::Bearer(&record.access_token),
            _ => IntrospectionCaller::Client(client.requesting(&record.fhir_base, &authentication)),
        };
        let request = introspection_request(endpoint, token, Some(hint), caller)?;
        let entry = client.record_context(record).entry(AuditKind::TokenIntrospected).token(match hint {
            TokenTypeHint::AccessToken => TokenId::access(&AccessToken::new(token)),
            TokenTypeHint::RefreshToken => TokenId::refresh(&RefreshToken::new(token)),
        });
        let entry = entry.endpoint(EndpointRole::Introspection, endpoint);
        let policy = url_policy_of(&record.fhir_base);
        let asked = async {
            let response = client.send(request).await?;
            Ok(parse_introspection(endpoint, response.status().as_u16(), response.body(), policy)?)
        };
        let outcome = asked.await;
        match &outcome {
            Ok(_) => client.record(entry)?,
            Err(error) => client.record_failure(entry, error),
        }
        outcome
    }

    /// Revokes the session at the server: the refresh token first, then the access token (RFC 7009). When that is
    /// done the session is over, and its tokens are used no more. It is the newest tokens that are revoked, also where
    /// another process got them.
    ///
    /// Once begun it goes on to its end, also when the caller is dropped.
    ///
    /// # Errors
    /// [`Error::NotSupported`], [`Error::Http`], [`Error::Token`]: the tokens have to be taken as alive, and the
    /// session goes on. [`Error::Store`]: revoked, but the stored record is still there.
    pub async fn revoke(&self) -> Result<(), Error> {
        let session = self.clone();
        let revoking = task::to_its_end(async move { session.revoke_alone().await });
        revoking.await.unwrap_or(Err(Error::Internal("a revocation was stopped half-way")))
    }

    async fn revoke_alone(&self) -> Result<(), Error> {
        let inner = &self.inner;
        // No renewal may draw a new token while the old ones are revoked.
        let mut life = inner.life.lock().await;
        inner.look_for_newer(&mut life).await;
        let held = inner.live()?;
        let newest = life.waiting().unwrap_or(&held.record).clone();
        inner.client.inner.revoke(&newest).await?;
        life.take_waiting();
        inner.end(EndReason::Revoked);
        Ok(inner.wipe().await?)
    }

    /// Logs out: revokes at the server where that can be done, and wipes the session locally in any case.
    ///
    /// Once begun it goes on to its end, also when the caller is dropped.
    pub async fn logout(&self) -> LogoutReport {
        self.end_with(EndReason::LoggedOut).await
    }

    /// Ends the session for a reason of the app's.
    pub(crate) async fn end_with(&self, reason: EndReason) -> LogoutReport {
        let session = self.clone();
        let ending = task::to_its_end(async move { session.end_alone(reason).await });
        ending.await.unwrap_or_else(|| LogoutReport {
            revoked: Err(Error::Internal("a logout was stopped half-way")),
            wiped: Err(Error::Internal("a logout was stopped half-way")),
        })
    }

    async fn end_alone(&self, reason: EndReason) -> LogoutReport {
        let inner = &self.inner;
        let mut life = inner.life.lock().await;
        inner.look_for_newer(&mut life).await;
        let waiting = life.take_waiting();
        let before = inner.end(reason);
        let wiped = inner.wipe().await.map_err(Error::from);
        let revoked = match (waiting, before) {
            (Some(record), _) => inner.client.inner.revoke(&record).await,
            (None, Some(ended)) => inner.client.inner.revoke(&ended.record).await,
            (None, None) => Err(inner.over(self.end_reason().unwrap_or(reason))),
        };
        LogoutReport { revoked, wiped }
    }
}

impl Inner {
    /// The newest tokens are the ones to revoke: those that wait to be stored or judged, else those that another process got
    /// since.
    async fn look_for_newer(&self, life: &mut Life) {
        if life.waiting().is_none()
            && let Err(error) = self.adopt_stored(life).await
        {
            tracing::debug!(%error, "the store could not say whether there are newer tokens to revoke");
        }
    }
}

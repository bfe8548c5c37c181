//! Revoking the tokens of a session at its server (RFC 7009).

use crate::audit::{AuditKind, EndpointRole, TokenId};
use crate::client::{Inner, SmartClient};
use crate::error::Error;
use crate::record::{Grant, SessionRecord};
use crate::task;
use smart_core::revocation::{Revocable, parse_revocation, revocation_request};
use smart_core::token::RequestingClient;
use std::time::Duration;
use url::Url;

/// How long a revocation may take that nobody waits for.
const IN_BACKGROUND: Duration = Duration::from_secs(60);

impl Inner {
    /// Revokes the refresh token first, then the access token (requirement RV-05).
    pub(crate) async fn revoke(&self, record: &SessionRecord) -> Result<(), Error> {
        let endpoint = record
            .endpoints
            .revocation
            .as_ref()
            .ok_or_else(|| Error::NotSupported { fhir_base: record.fhir_base.to_string(), endpoint: "revocation" })?;
        let mut recorded = Ok(());
        let tokens = record.refresh_token.as_ref().map(Revocable::Refresh);
        for token in tokens.into_iter().chain([Revocable::Access(&record.access_token)]) {
            // An assertion is good for one request, so each has its own authentication.
            let authentication = self.authenticate(&record.fhir_base, &record.endpoints.token, &record.hints).await?;
            let requesting = self.requesting(&record.fhir_base, &authentication);
            let id = match token {
                Revocable::Refresh(token) => TokenId::refresh(token),
                Revocable::Access(token) => TokenId::access(token),
            };
            let entry = self.record_context(record).entry(AuditKind::TokenRevoked).token(id);
            let entry = entry.endpoint(EndpointRole::Revocation, endpoint);
            match self.revoke_one(endpoint, token, requesting).await {
                // The revocation cannot be undone: a strict audit that fails is told of, and the other token still goes.
                Ok(()) => recorded = recorded.and(self.record(entry)),
                Err(error) => {
                    self.record_failure(entry, &error);
                    return Err(error);
                }
            }
        }
        recorded
    }

    async fn revoke_one(
        &self,
        endpoint: &Url,
        token: Revocable<'_>,
        requesting: RequestingClient<'_>,
    ) -> Result<(), Error> {
        let response = self.send(revocation_request(endpoint, token, requesting)?).await?;
        Ok(parse_revocation(endpoint, response.status().as_u16(), response.body())?)
    }
}

impl SmartClient {
    /// Revokes tokens that nobody may use any more, without keeping anybody waiting. What fails is logged: such tokens have to
    /// be taken as alive until they end.
    pub(crate) fn revoke_in_background(&self, record: SessionRecord) {
        if record.endpoints.revocation.is_none() || record.grant == Grant::Backend {
            return;
        }
        let client = self.clone();
        task::in_background(async move {
            match task::within(IN_BACKGROUND, client.inner.revoke(&record)).await {
                Some(Ok(())) => {}
                Some(Err(error)) => tracing::warn!(%error, "tokens that are used no more could not be revoked"),
                None => tracing::warn!("tokens that are used no more could not be revoked in time"),
            }
        });
    }
}

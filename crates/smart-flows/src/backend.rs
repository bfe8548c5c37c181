//! Backend services: sessions without a person (SMART App Launch 2.2, backend services).

use crate::app::Purpose;
use crate::audit::{AuditKind, EndpointRole, LaunchKind};
use crate::client::SmartClient;
use crate::client_auth::AuthHints;
use crate::error::Error;
use crate::grants::{BackendToken, Wanted};
use crate::record::{Grant, NewSession, SessionEndpoints, SessionRecord, session_key};
use crate::session::Session;
use ring::digest::{SHA256, digest};
use smart_core::discovery::{Discovered, Endpoint, Flow};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::scope::Scopes;
use smart_core::token::BackendScopes;
use smart_store::{Expected, Key, StoreError};

impl SmartClient {
    /// A session of a backend service at a FHIR server: discovers it, and gets a token by an assertion. Its token is renewed
    /// by a new assertion whenever need be.
    ///
    /// One token for each server, client and set of scopes is kept in the store: who asks again gets the same session, in
    /// this process and in others (requirement BS-05). What was granted may be less than what was asked for: look at
    /// [`Session::scope_comparison`] before a long export begins.
    ///
    /// # Errors
    /// [`Error::NoKey`] when the app has no key to sign with; [`Error::Core`] when the scopes or the URL cannot be used;
    /// [`Error::Discovery`], [`Error::Http`], [`Error::Token`], [`Error::Assertion`], [`Error::Store`].
    pub async fn backend(&self, fhir_base: &str, scopes: &str) -> Result<Session, Error> {
        let scopes: Scopes = scopes.parse()?;
        self.backend_with_scopes(fhir_base, scopes).await
    }

    /// The same with scopes that are read already.
    ///
    /// # Errors
    /// As for [`backend`](Self::backend).
    pub async fn backend_with_scopes(&self, fhir_base: &str, scopes: Scopes) -> Result<Session, Error> {
        let inner = &self.inner;
        if inner.app.keys().is_none() {
            return Err(Error::NoKey { client_id: inner.app.client_id.to_string() });
        }
        let checked = BackendScopes::new(scopes)?;
        let base = FhirBaseUrl::parse_with(fhir_base, inner.discovery.url_policy)?;
        if !inner.settings(&base).preferences().backend.is_smart() {
            tracing::warn!(%base, "servers of this kind are not known to have SMART backend services; it is tried anyway");
        }
        for scope in checked.outside_system() {
            tracing::warn!(%scope, "a backend service asks for a scope of another level than system/; servers grant it only by prior agreement");
        }
        let id = backend_id(checked.scopes());
        let key = session_key(&base, &inner.app.client_id, "", &id);
        let slot = inner.backends.slot(&key);
        let _alone = slot.value.lock().await;
        if let Some(session) = self.usable_backend(&key).await? {
            return Ok(session);
        }
        let server = inner.discover(base).await?;
        inner.check_flow(&server, Flow::BackendServices)?;
        Box::pin(self.new_backend(&server, id, checked.scopes())).await
    }

    /// The session that there is, unless its record is damaged, which a new one then replaces.
    async fn usable_backend(&self, key: &Key) -> Result<Option<Session>, Error> {
        match self.restore(key).await {
            Err(Error::StoredSession { reason, .. }) => {
                tracing::warn!(%reason, "the stored token of a backend service cannot be used; a new one replaces it");
                Ok(None)
            }
            Err(Error::Store(StoreError::Unreadable { .. })) => {
                tracing::warn!("the stored token of a backend service cannot be read; a new one replaces it");
                Ok(None)
            }
            other => other,
        }
    }

    async fn new_backend(&self, server: &Discovered, id: String, scopes: &Scopes) -> Result<Session, Error> {
        let inner = &self.inner;
        let hints = AuthHints::of(server);
        let endpoint = |endpoint| server.configuration.endpoint(endpoint).cloned();
        let token_endpoint = &server.configuration.token_endpoint;
        let wanted = BackendToken { fhir_base: &server.fhir_base, token_endpoint, hints: &hints, scopes };
        inner.record_launch(&server.fhir_base, LaunchKind::Backend)?;
        inner.record_attempt(&server.fhir_base, EndpointRole::Token, token_endpoint)?;
        let token = match inner.get_token(&Wanted::Backend(wanted)).await {
            Ok(token) => token,
            Err(failed) => {
                let entry = inner.audit_context(&server.fhir_base).entry(AuditKind::AuthenticationFailure);
                inner.record_failure(entry, &failed.error);
                return Err(*failed.error);
            }
        };
        let new = NewSession {
            id,
            grant: Grant::Backend,
            fhir_base: server.fhir_base.clone(),
            client_id: inner.app.client_id.clone(),
            endpoints: SessionEndpoints {
                token: token_endpoint.clone(),
                introspection: endpoint(Endpoint::Introspection),
                revocation: endpoint(Endpoint::Revocation),
                userinfo: None,
            },
            hints,
            user: None,
            login: None,
            requested: scopes.clone(),
        };
        // Nobody's refresh token is overwritten here: a backend's token can be had again at any time.
        let expires_at = inner.end_of(&server.fhir_base, &token);
        let record = SessionRecord::new(new, token, expires_at);
        inner.record_login(&record, None)?;
        let session = Session::create(self.clone(), record, Expected::Any).await?;
        Ok(self.remember(&session))
    }

    /// Launches are for people.
    pub(crate) fn check_launches(&self) -> Result<(), Error> {
        match self.inner.app.purpose {
            Purpose::Launches => Ok(()),
            Purpose::Backend => Err(Error::BackendApp { client_id: self.inner.app.client_id.to_string() }),
        }
    }
}

/// The id of the session with these scopes, whatever their order.
fn backend_id(scopes: &Scopes) -> String {
    let mut texts: Vec<String> = scopes.iter().map(ToString::to_string).collect();
    texts.sort_unstable();
    let hash = digest(&SHA256, texts.join(" ").as_bytes());
    let first = hash.as_ref().first_chunk().copied().map_or(0, u128::from_be_bytes);
    format!("backend-{first:032x}")
}

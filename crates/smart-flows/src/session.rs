//! A session: what the person granted, and the tokens behind it.

use crate::client::SmartClient;
use crate::error::Error;
use crate::freshness::{is_expired, is_fresh};
use crate::record::{SessionRecord, SessionUser};
use crate::renewal::{Life, Why};
use smart_core::context::{FhirUser, LaunchContext};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::scope::{Interaction, ScopeComparison, Scopes};
use smart_core::secret::AccessToken;
use smart_core::time::Timestamp;
use smart_http::HttpClient;
use smart_store::{Expected, Key, StoreError, Version};
use std::sync::{Arc, PoisonError, RwLock, Weak};

/// A login at one FHIR server, for one user. Clones share it.
///
/// [`access_token`](Self::access_token) renews the token ahead of its end, once for however many ask at a time.
/// `Debug` shows neither tokens nor the patient.
#[derive(Clone)]
pub struct Session {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) client: SmartClient,
    pub(crate) key: Key,
    fhir_base: FhirBaseUrl,
    state: RwLock<State>,
    /// Held over a renewal: who has it is the only one to present the refresh token.
    pub(crate) life: tokio::sync::Mutex<Life>,
}

#[derive(Clone)]
enum State {
    Live(Arc<SessionRecord>),
    Over(&'static str),
}

impl Session {
    /// A new session: stored before anybody gets it.
    pub(crate) async fn create(client: SmartClient, record: SessionRecord) -> Result<Self, Error> {
        let version = client.inner.store.put(&record.key(), record.to_bytes()?, Expected::Absent).await?;
        Ok(Self::restored(client, record, version))
    }

    pub(crate) fn restored(client: SmartClient, record: SessionRecord, version: Version) -> Self {
        Self {
            inner: Arc::new(Inner {
                client,
                key: record.key(),
                fhir_base: record.fhir_base.clone(),
                state: RwLock::new(State::Live(Arc::new(record))),
                life: tokio::sync::Mutex::new(Life::new(version)),
            }),
        }
    }

    pub(crate) fn of(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    pub(crate) fn downgrade(&self) -> Weak<Inner> {
        Arc::downgrade(&self.inner)
    }

    /// Under what it is stored; [`SmartClient::restore`] takes it.
    pub fn key(&self) -> &Key {
        &self.inner.key
    }

    /// The FHIR server.
    pub fn fhir_base(&self) -> &FhirBaseUrl {
        &self.inner.fhir_base
    }

    /// The HTTP client of the app, with the limits that the app set: for requests to the FHIR server.
    pub fn http(&self) -> &HttpClient {
        &self.inner.client.inner.http
    }

    /// The launch context.
    ///
    /// # Errors
    /// [`Error::SessionOver`].
    pub fn context(&self) -> Result<LaunchContext, Error> {
        Ok(self.inner.record()?.context.clone())
    }

    /// The id of the patient in context.
    ///
    /// # Errors
    /// [`Error::NoPatient`] when the launch named none; [`Error::SessionOver`].
    pub fn patient(&self) -> Result<String, Error> {
        let record = self.inner.record()?;
        record.context.patient.clone().ok_or_else(|| Error::NoPatient { fhir_base: record.fhir_base.to_string() })
    }

    /// The scopes that are granted now.
    ///
    /// # Errors
    /// [`Error::SessionOver`].
    pub fn granted_scopes(&self) -> Result<Scopes, Error> {
        Ok(self.inner.record()?.granted.clone())
    }

    /// What was asked for against what was granted.
    ///
    /// # Errors
    /// [`Error::SessionOver`].
    pub fn scope_comparison(&self) -> Result<ScopeComparison, Error> {
        let record = self.inner.record()?;
        Ok(Scopes::compare(&record.requested, &record.granted))
    }

    /// Whether the granted scopes permit an interaction. Advice only: the server decides.
    pub fn can(&self, interaction: Interaction, resource_type: &str) -> bool {
        self.inner.record().is_ok_and(|record| record.granted.permits(interaction, resource_type))
    }

    /// Who logged in, as the validated ID token says. `None`: no ID token came.
    ///
    /// # Errors
    /// [`Error::SessionOver`].
    pub fn user(&self) -> Result<Option<SessionUser>, Error> {
        Ok(self.inner.record()?.user.clone())
    }

    /// Who logged in, as a FHIR resource.
    ///
    /// # Errors
    /// [`Error::SessionOver`].
    pub fn fhir_user(&self) -> Result<Option<FhirUser>, Error> {
        Ok(self.user()?.and_then(|user| user.fhir_user))
    }

    /// When the access token ends, where the server said so.
    ///
    /// # Errors
    /// [`Error::SessionOver`].
    pub fn expires_at(&self) -> Result<Option<Timestamp>, Error> {
        Ok(self.inner.record()?.expires_at)
    }

    /// Whether the session can renew its token without the person.
    pub fn can_refresh(&self) -> bool {
        self.inner.record().is_ok_and(|record| record.refresh_token.is_some())
    }

    /// The access token: as it is while fresh, renewed ahead of its end otherwise. However many tasks ask, the refresh
    /// token is presented once.
    ///
    /// Cancel-safe: a renewal that has begun goes on when the caller is gone, so that its answer is not lost.
    ///
    /// # Errors
    /// [`Error::SessionOver`] or [`Error::Expired`]: log in again. [`Error::Http`], [`Error::Token`] or
    /// [`Error::Store`] when a renewal failed; the refresh token is kept unless the server refused it.
    pub async fn access_token(&self) -> Result<AccessToken, Error> {
        let inner = &self.inner;
        let record = inner.record()?;
        let now = inner.client.inner.clock.now();
        if is_fresh(record.received_at, record.expires_at, now) {
            return Ok(record.access_token.clone());
        }
        match Inner::renew(inner, Why::Stale).await {
            Ok(()) => Ok(inner.record()?.access_token.clone()),
            // The token is still good for a while: a server that fails just now shall not stop the app.
            Err(error) if error.is_retryable() && !is_expired(record.expires_at, now) => {
                tracing::warn!(key = %inner.key, %error, "the access token could not be renewed ahead of its end");
                Ok(inner.record()?.access_token.clone())
            }
            Err(error) => Err(error),
        }
    }

    /// Renews the access token now.
    ///
    /// # Errors
    /// As for [`access_token`](Self::access_token).
    pub async fn refresh(&self) -> Result<(), Error> {
        let seen = self.inner.record()?.access_token.clone();
        Inner::renew(&self.inner, Why::NotThisOne(seen)).await
    }

    /// The server refused this access token with 401: gets another one, unless somebody has already.
    pub(crate) async fn renew_rejected(&self, rejected: AccessToken) -> Result<(), Error> {
        Inner::renew(&self.inner, Why::NotThisOne(rejected)).await
    }
}

impl Inner {
    pub(crate) fn record(&self) -> Result<Arc<SessionRecord>, Error> {
        match &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::Live(record) => Ok(record.clone()),
            State::Over(reason) => Err(Error::SessionOver { fhir_base: self.fhir_base.to_string(), reason }),
        }
    }

    pub(crate) fn set_record(&self, record: SessionRecord) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if matches!(*state, State::Live(_)) {
            *state = State::Live(Arc::new(record));
        }
    }

    /// Ends the session in this process: its tokens are dropped, and overwritten with the last user of them.
    pub(crate) fn end(&self, reason: &'static str) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if matches!(*state, State::Live(_)) {
            *state = State::Over(reason);
        }
    }

    /// Removes the stored record, whatever its version.
    pub(crate) async fn wipe(&self) -> Result<(), StoreError> {
        self.client.inner.store.remove(&self.key, Expected::Any).await.map(|_| ())
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("issuer", &self.inner.key.issuer()).finish_non_exhaustive()
    }
}

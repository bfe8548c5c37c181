//! A session: what the person granted, and the tokens behind it.

use crate::activity::{Activity, Moment};
use crate::client::SmartClient;
use crate::error::Error;
use crate::events::{EndReason, EventSender, Events, SessionEvent};
use crate::freshness::Freshness;
use crate::life::Life;
use crate::record::{Grant, SessionRecord, SessionUser};
use crate::renewal::Why;
use crate::session_policy::SessionPolicy;
use arc_swap::ArcSwap;
use http::HeaderValue;
use smart_core::context::{FhirUser, LaunchContext};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::scope::{Interaction, ScopeComparison, Scopes};
use smart_core::secret::AccessToken;
use smart_core::time::Timestamp;
use smart_http::HttpClient;
use smart_store::{Expected, Key, StoreError, Version};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// A login at one FHIR server, for one user; or a backend service there. Clones share it.
///
/// [`access_token`](Self::access_token) renews the token ahead of its end, once for however many ask at a time.
/// `Debug` shows neither tokens nor the patient.
///
/// A session that is [locked](Self::lock), or past a limit of its [policy](SessionPolicy), shows and gives out nothing.
#[derive(Clone)]
pub struct Session {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) client: SmartClient,
    pub(crate) key: Key,
    pub(crate) policy: SessionPolicy,
    pub(crate) activity: Activity,
    pub(crate) events: EventSender,
    fhir_base: FhirBaseUrl,
    /// Read without a lock.
    state: ArcSwap<State>,
    /// Held while the state is replaced: a session that is over must not come alive again.
    replacing: Mutex<()>,
    /// Held over a renewal: who has it is the only one to present the refresh token.
    pub(crate) life: tokio::sync::Mutex<Life>,
}

enum State {
    Live(Arc<Live>),
    Over(EndReason),
}

/// A session that goes on.
pub(crate) struct Live {
    pub(crate) record: SessionRecord,
    pub(crate) freshness: Freshness,
    /// The header that carries the token. `None`: it has characters that no header may carry.
    bearer: Option<HeaderValue>,
}

impl Live {
    fn new(record: SessionRecord, key: &Key) -> Arc<Self> {
        let spread = key.id().bytes().fold(0_u8, u8::wrapping_add);
        let freshness = Freshness::new(record.received_at, record.expires_at, spread);
        let bearer = HeaderValue::from_str(&format!("Bearer {}", record.access_token.expose_secret()));
        let bearer = bearer.ok().map(|mut value| {
            value.set_sensitive(true);
            value
        });
        Arc::new(Self { record, freshness, bearer })
    }
}

impl Session {
    /// A new session: stored before anybody gets it.
    pub(crate) async fn create(client: SmartClient, record: SessionRecord, expected: Expected) -> Result<Self, Error> {
        let version = client.inner.store.put(&record.key(), record.to_bytes()?, expected).await?;
        Ok(Self::restored(client, record, version))
    }

    pub(crate) fn restored(client: SmartClient, record: SessionRecord, version: Version) -> Self {
        let key = record.key();
        let policy = match record.grant {
            Grant::Login => client.inner.session_policy,
            Grant::Backend => SessionPolicy::none(),
        };
        let now = Moment::now(&*client.inner.clock, &*client.inner.uptime);
        Self {
            inner: Arc::new(Inner {
                policy,
                activity: Activity::new(record.started_at, record.active_at, record.locked, now),
                events: EventSender::new(),
                fhir_base: record.fhir_base.clone(),
                state: ArcSwap::from_pointee(State::Live(Live::new(record, &key))),
                replacing: Mutex::default(),
                life: tokio::sync::Mutex::new(Life::new(version)),
                client,
                key,
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
    /// [`Error::SessionOver`], [`Error::SessionTimeout`], [`Error::SessionLocked`].
    pub fn context(&self) -> Result<LaunchContext, Error> {
        Ok(self.inner.usable()?.record.context.clone())
    }

    /// The id of the patient in context.
    ///
    /// # Errors
    /// [`Error::NoPatient`] when the launch named none; those of [`context`](Self::context).
    pub fn patient(&self) -> Result<String, Error> {
        let live = self.inner.usable()?;
        let missing = || Error::NoPatient { fhir_base: live.record.fhir_base.to_string() };
        live.record.context.patient.clone().ok_or_else(missing)
    }

    /// The scopes that are granted now.
    ///
    /// # Errors
    /// As for [`context`](Self::context).
    pub fn granted_scopes(&self) -> Result<Scopes, Error> {
        Ok(self.inner.usable()?.record.granted.clone())
    }

    /// What was asked for against what was granted.
    ///
    /// # Errors
    /// As for [`context`](Self::context).
    pub fn scope_comparison(&self) -> Result<ScopeComparison, Error> {
        let live = self.inner.usable()?;
        Ok(Scopes::compare(&live.record.requested, &live.record.granted))
    }

    /// Whether the granted scopes permit an interaction. Advice only: the server decides.
    pub fn can(&self, interaction: Interaction, resource_type: &str) -> bool {
        self.inner.usable().is_ok_and(|live| live.record.granted.permits(interaction, resource_type))
    }

    /// Who logged in, as the validated ID token says. `None`: no ID token came.
    ///
    /// # Errors
    /// As for [`context`](Self::context).
    pub fn user(&self) -> Result<Option<SessionUser>, Error> {
        Ok(self.inner.usable()?.record.user.clone())
    }

    /// Who logged in, as a FHIR resource.
    ///
    /// # Errors
    /// As for [`context`](Self::context).
    pub fn fhir_user(&self) -> Result<Option<FhirUser>, Error> {
        Ok(self.user()?.and_then(|user| user.fhir_user))
    }

    /// When the access token ends, where the server said so.
    ///
    /// # Errors
    /// As for [`context`](Self::context).
    pub fn expires_at(&self) -> Result<Option<Timestamp>, Error> {
        Ok(self.inner.usable()?.record.expires_at)
    }

    /// Whether the session can renew its token without the person: it holds a refresh token, or is a backend service.
    pub fn can_refresh(&self) -> bool {
        self.inner.live().is_ok_and(|live| live.record.is_renewable())
    }

    /// Whether it is a backend service's, and nobody's login.
    pub fn is_backend(&self) -> bool {
        self.inner.live().is_ok_and(|live| live.record.grant == Grant::Backend)
    }

    /// The access token as it is held, fresh or not: to be shown or examined. For requests there is
    /// [`access_token`](Self::access_token).
    ///
    /// # Errors
    /// As for [`context`](Self::context).
    pub fn held_access_token(&self) -> Result<AccessToken, Error> {
        Ok(self.inner.usable()?.record.access_token.clone())
    }

    /// Why the session is over. `None`: it goes on.
    pub fn end_reason(&self) -> Option<EndReason> {
        match &**self.inner.state.load() {
            State::Live(_) => None,
            State::Over(reason) => Some(*reason),
        }
    }

    /// What happens to it from now on.
    pub fn events(&self) -> Events {
        self.inner.events.subscribe()
    }

    /// The access token: as it is while fresh, renewed ahead of its end otherwise. However many tasks ask, the refresh
    /// token is presented once. While the token is fresh this takes no lock and allocates nothing.
    ///
    /// Cancel-safe: a renewal that has begun goes on when the caller is gone, so that its answer is not lost.
    ///
    /// # Errors
    /// [`Error::SessionOver`] or [`Error::Expired`]: log in again. [`Error::SessionLocked`]. [`Error::Http`],
    /// [`Error::Token`], [`Error::RenewalDelayed`] or [`Error::Store`] when a renewal failed; the refresh token is kept
    /// unless the server refused it.
    pub async fn access_token(&self) -> Result<AccessToken, Error> {
        match self.inner.fresh(|live| live.record.access_token.clone()) {
            Some(token) => Ok(token),
            None => Ok(Inner::renewed(&self.inner).await?.record.access_token.clone()),
        }
    }

    /// The `Authorization` header, in the same way.
    pub(crate) async fn bearer(&self) -> Result<Option<HeaderValue>, Error> {
        match self.inner.fresh(|live| live.bearer.clone()) {
            Some(bearer) => Ok(bearer),
            None => Ok(Inner::renewed(&self.inner).await?.bearer.clone()),
        }
    }

    /// Renews the access token now.
    ///
    /// # Errors
    /// As for [`access_token`](Self::access_token).
    pub async fn refresh(&self) -> Result<(), Error> {
        Inner::check(&self.inner).await?;
        let seen = self.inner.live()?.record.access_token.clone();
        Inner::renew(&self.inner, Why::NotThisOne(seen)).await
    }

    /// The server refused this access token with 401: gets another one, unless somebody has already.
    pub(crate) async fn renew_rejected(&self, rejected: AccessToken) -> Result<(), Error> {
        Inner::check(&self.inner).await?;
        Inner::renew(&self.inner, Why::NotThisOne(rejected)).await
    }
}

impl Inner {
    /// The session as it is held, whether or not it may be used now.
    pub(crate) fn live(&self) -> Result<Arc<Live>, Error> {
        match &**self.state.load() {
            State::Live(live) => Ok(live.clone()),
            State::Over(reason) => Err(self.over(*reason)),
        }
    }

    /// The session, unless it is locked or past a limit.
    pub(crate) fn usable(&self) -> Result<Arc<Live>, Error> {
        let live = self.live()?;
        let fhir_base = || self.fhir_base.to_string();
        if let Some(timeout) = self.activity.timeout(&self.policy, self.moment()) {
            return Err(Error::SessionTimeout { fhir_base: fhir_base(), timeout });
        }
        if self.activity.is_locked() {
            return Err(Error::SessionLocked { fhir_base: fhir_base() });
        }
        Ok(live)
    }

    /// Something of the session, if its token is fresh and it may be used now.
    fn fresh<T>(&self, take: impl FnOnce(&Live) -> T) -> Option<T> {
        let state = self.state.load();
        let State::Live(live) = &**state else { return None };
        let may_be_used = !self.activity.is_locked()
            && (!self.policy.has_limits() || self.activity.timeout(&self.policy, self.moment()).is_none());
        (may_be_used && live.freshness.is_fresh(self.client.inner.clock.now())).then(|| take(live))
    }

    /// The session with a token that is fresh, or, where a renewal fails just now, one that is still good for a while.
    async fn renewed(this: &Arc<Self>) -> Result<Arc<Live>, Error> {
        Self::check(this).await?;
        let live = this.live()?;
        let now = || this.client.inner.clock.now();
        if live.freshness.is_fresh(now()) {
            return Ok(live);
        }
        match Self::renew(this, Why::Stale).await {
            Ok(()) => this.usable(),
            Err(error @ Error::Audit(_)) => Err(error),
            // Whatever the server said in place of a new token, the old one is still good.
            Err(error) if !error.needs_reauthorization() && !live.freshness.is_expired(now()) => {
                tracing::warn!(key = %this.key, %error, "the access token could not be renewed ahead of its end");
                this.usable()
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) fn moment(&self) -> Moment {
        Moment::now(&*self.client.inner.clock, &*self.client.inner.uptime)
    }

    pub(crate) fn over(&self, reason: EndReason) -> Error {
        Error::SessionOver { fhir_base: self.fhir_base.to_string(), reason }
    }

    pub(crate) fn set_record(&self, record: SessionRecord) {
        let _alone = self.replacing.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(**self.state.load(), State::Live(_)) {
            self.state.store(Arc::new(State::Live(Live::new(record, &self.key))));
        }
    }

    /// Ends the session in this process: its tokens are dropped, and overwritten with the last user of them. Gives what it
    /// was, unless it was over before.
    pub(crate) fn end(&self, reason: EndReason) -> Option<Arc<Live>> {
        let ended = {
            let _alone = self.replacing.lock().unwrap_or_else(PoisonError::into_inner);
            let before = self.state.load_full();
            let State::Live(live) = &*before else { return None };
            let live = live.clone();
            self.state.store(Arc::new(State::Over(reason)));
            live
        };
        self.events.send(SessionEvent::Over(reason));
        self.record_end(&ended.record, reason);
        Some(ended)
    }

    /// Removes the stored record, whatever its version.
    pub(crate) async fn wipe(&self) -> Result<(), StoreError> {
        self.client.inner.store.remove(&self.key, Expected::Any).await.map(|_| ())
    }

    /// The same where the caller has another error to tell.
    pub(crate) async fn wipe_or_warn(&self) {
        if let Err(failed) = self.wipe().await {
            tracing::warn!(error = %failed, "an ended session could not be removed from the store");
        }
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("issuer", &self.inner.key.issuer()).finish_non_exhaustive()
    }
}

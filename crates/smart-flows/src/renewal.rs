//! Renewing a token: once, whoever asks, and without losing the refresh token.
//!
//! A rotating refresh token is good for one use. Presented twice, many servers revoke the whole grant; lost after its
//! use, the person has to log in again. So one task of one process presents it (a lock within the process, a lease in
//! the store across processes), the exchange runs to its end even when the caller is gone, and the answer is stored
//! before anybody gets to see its access token.

use crate::audit::{AuditKind, EndpointRole, TokenId};
use crate::delay::Delay;
use crate::error::Error;
use crate::events::{EndReason, SessionEvent};
use crate::life::Life;
use crate::record::{Grant, SessionRecord};
use crate::session::Inner;
use crate::task;
use smart_core::random::random_token;
use smart_core::scope::Scope;
use smart_core::secret::AccessToken;
use smart_store::{Expected, Holder, LeaseOutcome, StoreError};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// How long a process waits for another's refresh between two looks, at first; then longer and longer.
const WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_millis(500);
/// How long it waits for one that lives: longer than an exchange takes.
const LONGEST_IN_ALL: Duration = Duration::from_mins(1);
/// How often, and how long, a renewed record that the store did not take is brought to it again.
const LONGEST_STORE_WAIT: Duration = Duration::from_secs(5);
const LONGEST_STORING: Duration = Duration::from_hours(1);
/// How many refresh tokens are presented in one renewal: one that is refused, and its successor that another process stored.
const PRESENTED: usize = 2;

/// Why a renewal is asked for; it decides whether one that just happened will do.
#[derive(Clone)]
pub(crate) enum Why {
    /// The token is near its end.
    Stale,
    /// Another token than this one is wanted.
    NotThisOne(AccessToken),
}

impl Inner {
    /// Renews unless somebody has in the meantime. The work goes on when the caller is dropped.
    pub(crate) async fn renew(this: &Arc<Self>, why: Why) -> Result<(), Error> {
        let inner = this.clone();
        task::to_its_end(async move { Self::renew_alone(&inner, why).await })
            .await
            .unwrap_or(Err(Error::Internal("a renewal was stopped half-way")))
    }

    async fn renew_alone(this: &Arc<Self>, why: Why) -> Result<(), Error> {
        let mut life = this.life.lock().await;
        this.live()?;
        this.finish_waiting(&mut life).await?;
        if this.satisfied(&why)? {
            return Ok(());
        }
        if !this.live()?.record.is_renewable() {
            return this.without_refresh_token(&why);
        }
        this.check_delay(&life, &why)?;
        let holder = Holder::new(random_token::<16>(&*this.client.inner.random)?);
        this.acquire(&holder).await?;
        let result = tokio::select! {
            result = this.renew_leased(&mut life, &why, &holder) => result,
            never = this.prolong(&holder) => match never {},
        };
        if life.unstored.is_some() {
            life.kept_lease = Some(holder);
            Self::store_in_background(this.clone());
        } else {
            this.release(&holder).await;
        }
        if let Err(error) = &result
            && error.is_retryable()
        {
            this.events.send(SessionEvent::RenewalFailed);
        }
        result
    }

    /// Stores and judges what an earlier renewal brought.
    async fn finish_waiting(&self, life: &mut Life) -> Result<(), Error> {
        if let Some(record) = life.unstored.clone() {
            let result = self.store(life, record).await;
            if life.unstored.is_none()
                && let Some(holder) = life.kept_lease.take()
            {
                self.release(&holder).await;
            }
            result?;
        }
        match life.unconfirmed.clone() {
            Some(record) => self.confirm(life, record).await,
            None => Ok(()),
        }
    }

    /// Tries to store a renewed record until it is stored, and keeps the lease meanwhile. Nobody waits for it.
    fn store_in_background(this: Arc<Self>) {
        task::in_background(async move {
            let (mut waited, mut wait) = (Duration::ZERO, WAIT);
            while waited < LONGEST_STORING {
                this.client.inner.http.timer().sleep(wait).await;
                waited = waited.saturating_add(wait);
                wait = (wait * 2).min(LONGEST_STORE_WAIT);
                let mut life = this.life.lock().await;
                let Some(holder) = life.kept_lease.clone() else { return };
                // A store that does not answer gives the lease to nobody else either.
                let _ = this.client.inner.store.lease(&this.key, &holder, this.client.inner.refresh_lease).await;
                match this.finish_waiting(&mut life).await {
                    Err(error) if life.unstored.is_some() => {
                        tracing::debug!(%error, "a renewed token could not be stored yet");
                    }
                    _ => return,
                }
            }
            tracing::error!(key = %this.key, "a renewed token could not be stored; it is lost when this process ends");
        });
    }

    /// Keeps the lease while the work lasts, however long server and store take; it ends soon after a process that is killed.
    async fn prolong(&self, holder: &Holder) -> Infallible {
        let lease = self.client.inner.refresh_lease;
        loop {
            self.client.inner.http.timer().sleep(lease / 3).await;
            if let Err(error) = self.client.inner.store.lease(&self.key, holder, lease).await {
                tracing::debug!(%error, "a lease could not be prolonged; it is tried again");
            }
        }
    }

    async fn release(&self, holder: &Holder) {
        if let Err(error) = self.client.inner.store.release(&self.key, holder).await {
            tracing::warn!(%error, "a lease could not be given back; it ends by itself");
        }
    }

    async fn renew_leased(&self, life: &mut Life, why: &Why, holder: &Holder) -> Result<(), Error> {
        let (mut refused, mut retry) = (0, 0);
        while refused < PRESENTED {
            self.adopt_stored(life).await?;
            if self.satisfied(why)? {
                return Ok(());
            }
            let held = self.live()?;
            let record = &held.record;
            if !record.is_renewable() {
                return self.without_refresh_token(why);
            }
            match self.client.inner.renew_record(record).await {
                Ok(renewed) if is_of_another_patient(&renewed, record) => {
                    return Err(self.end_with_another_patient(renewed).await);
                }
                Ok(renewed) => {
                    life.delay = Delay::default();
                    let recorded = self.client.inner.record_renewal(&renewed);
                    // Stored in any case: the old refresh token is used up.
                    self.store(life, renewed).await?;
                    return recorded;
                }
                Err(failed)
                    if record.grant == Grant::Login
                        && self.client.inner.is_grant_gone(&record.fhir_base, &failed.error) =>
                {
                    self.record_failed_renewal(record, &failed.error);
                    refused += 1;
                    if self.end_refused(life, record).await? {
                        let reason = refusal(record);
                        return Err(if failed.error.needs_reauthorization() {
                            *failed.error
                        } else {
                            self.over(reason)
                        });
                    }
                }
                Err(failed)
                    if record.grant == Grant::Login
                        && let Some(wait) = self.client.inner.before_next_try(retry, &failed) =>
                {
                    retry += 1;
                    self.client.inner.http.timer().sleep(wait).await;
                    // The machine may have slept meanwhile, and another process have renewed: lease and store are asked anew.
                    self.acquire(holder).await?;
                }
                Err(failed) => {
                    self.record_failed_renewal(record, &failed.error);
                    life.delay.failed(self.client.inner.clock.now(), failed.retry_after);
                    return Err(*failed.error);
                }
            }
        }
        Err(StoreError::Conflict { key: self.key.to_string() }.into())
    }

    /// Ends the session whose refresh token was refused. `false`: somebody has refreshed after all, one who thought that the
    /// lease was theirs; what they stored was not refused, and stays.
    async fn end_refused(&self, life: &mut Life, refused: &SessionRecord) -> Result<bool, Error> {
        for _ in 0..3 {
            if let Err(error) = self.adopt_stored(life).await {
                // It cannot be known whether there is a successor: nothing is ended or wiped for want of an answer.
                life.delay.failed(self.client.inner.clock.now(), None);
                return Err(error);
            }
            if self.live()?.record.refresh_token != refused.refresh_token {
                return Ok(false);
            }
            match self.client.inner.store.remove(&self.key, Expected::Version(life.version)).await {
                Err(StoreError::Conflict { .. }) => {}
                outcome => {
                    if let Err(failed) = outcome {
                        tracing::warn!(error = %failed, "an ended session could not be removed from the store");
                    }
                    self.end(refusal(refused));
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn record_failed_renewal(&self, record: &SessionRecord, error: &Error) {
        let client = &self.client.inner;
        let entry = client.record_context(record).entry(AuditKind::TokenRefreshed);
        client.record_failure(entry.endpoint(EndpointRole::Token, &record.endpoints.token), error);
    }

    /// Stores a renewed record, and only then lets it be seen. When the store fails it is kept for the next try.
    async fn store(&self, life: &mut Life, record: SessionRecord) -> Result<(), Error> {
        let store = &self.client.inner.store;
        // Before anything that can fail: it holds the only good refresh token.
        life.unstored = Some(record.clone());
        for _ in 0..3 {
            let record = self.with_activity(record.clone());
            let error = match store.put(&self.key, record.to_bytes()?, Expected::Version(life.version)).await {
                Ok(version) => {
                    (life.version, life.unstored) = (version, None);
                    self.activity.stored(record.active_at);
                    return self.confirm(life, record).await;
                }
                // Somebody wrote or removed the record although the lease was ours. A removal is a logout and stays.
                Err(StoreError::Conflict { .. }) => match store.get(&self.key).await {
                    Ok(Some(stored)) => {
                        life.version = stored.version;
                        let Ok(theirs) = SessionRecord::from_bytes(&self.key, &stored.value) else { continue };
                        self.activity.learn(theirs.active_at, theirs.locked, self.moment());
                        if self.is_later(&theirs, &record)? {
                            life.unstored = None;
                            return self.confirm(life, theirs).await;
                        }
                        continue;
                    }
                    Ok(None) => {
                        life.unstored = None;
                        self.end(EndReason::LoggedOutElsewhere);
                        // The other process revoked what it knew of; these tokens are newer.
                        self.client.revoke_in_background(record);
                        return Err(self.over(EndReason::LoggedOutElsewhere));
                    }
                    Err(error) => error,
                },
                Err(error) => error,
            };
            return Err(error.into());
        }
        Err(StoreError::Conflict { key: self.key.to_string() }.into())
    }

    /// Whether what another process stored comes of a later renewal than ours: not where it is the record that ours was made of,
    /// whatever was noted in it since, and whatever that process's clock says.
    fn is_later(&self, theirs: &SessionRecord, ours: &SessionRecord) -> Result<bool, Error> {
        let presented = &self.live()?.record.refresh_token;
        Ok(theirs.refresh_token != *presented && theirs.received_at > ours.received_at)
    }

    /// Lets a stored record be seen, once the ID token that came with it is judged.
    async fn confirm(&self, life: &mut Life, record: SessionRecord) -> Result<(), Error> {
        if is_of_another_patient(&record, &self.live()?.record) {
            life.unconfirmed = None;
            return Err(self.end_with_another_patient(record).await);
        }
        // Before the wait: the version is that of this record already, and who took the old one for it would store the used-up
        // refresh token over the new one.
        life.unconfirmed = Some(record.clone());
        let verdict = self.client.inner.validate_renewed_id_token(&record).await;
        if matches!(verdict, Ok(()) | Err(Error::IdToken { .. })) {
            life.unconfirmed = None;
        }
        match verdict {
            Ok(()) => {
                let renewed = self.live()?.record.access_token != record.access_token;
                let (expires_at, was_judged) = (record.expires_at, record.unverified.is_some());
                let record = SessionRecord { unverified: None, ..record };
                self.set_record(record.clone());
                if renewed {
                    self.events.send(SessionEvent::Renewed { expires_at });
                }
                if was_judged {
                    self.store_verdict(life, record).await;
                }
                Ok(())
            }
            Err(error @ Error::IdToken { .. }) => {
                self.record_failed_renewal(&record, &error);
                if self.end(EndReason::OtherPerson).is_some() {
                    self.wipe_or_warn().await;
                    self.client.revoke_in_background(record);
                }
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Ends a session whose renewal came with another patient. What the app shows was read for the one before, and what it
    /// writes next would go into the record of somebody whom nobody has chosen.
    async fn end_with_another_patient(&self, renewed: SessionRecord) -> Error {
        let error = self.over(EndReason::OtherPatient);
        self.record_failed_renewal(&renewed, &error);
        if self.end(EndReason::OtherPatient).is_some() {
            self.wipe_or_warn().await;
            self.client.revoke_in_background(renewed);
        }
        error
    }

    /// Tells the store that an ID token is judged, so that nobody has to judge it again when it is old and its key is gone.
    async fn store_verdict(&self, life: &mut Life, record: SessionRecord) {
        let Ok(bytes) = self.with_activity(record).to_bytes() else { return };
        match self.client.inner.store.put(&self.key, bytes, Expected::Version(life.version)).await {
            Ok(version) => life.version = version,
            // The next one judges it again, as of when it came.
            Err(error) => tracing::debug!(%error, "the store could not be told that an ID token is judged"),
        }
    }

    /// Takes over what another process stored since.
    pub(crate) async fn adopt_stored(&self, life: &mut Life) -> Result<(), Error> {
        match self.client.inner.store.get(&self.key).await? {
            Some(stored) if stored.version != life.version => {
                let record = SessionRecord::from_bytes(&self.key, &stored.value)?;
                self.activity.learn(record.active_at, record.locked, self.moment());
                if life.unstored.is_some() {
                    // Which of the two is newer is found out when ours is brought to the store.
                    return Ok(());
                }
                life.version = stored.version;
                self.confirm(life, record).await
            }
            Some(_) => Ok(()),
            None => {
                self.end(EndReason::LoggedOutElsewhere);
                self.live().map(drop)
            }
        }
    }

    /// Waits for the lease, as long as another process may have it.
    async fn acquire(&self, holder: &Holder) -> Result<(), Error> {
        let lease = self.client.inner.refresh_lease;
        let (mut waited, mut wait) = (Duration::ZERO, WAIT);
        loop {
            match self.client.inner.store.lease(&self.key, holder, lease).await? {
                LeaseOutcome::Held { .. } => return Ok(()),
                LeaseOutcome::Taken { .. } if waited < lease.saturating_add(LONGEST_IN_ALL) => {
                    self.client.inner.http.timer().sleep(wait).await;
                    waited = waited.saturating_add(wait);
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
                LeaseOutcome::Taken { .. } => {
                    return Err(StoreError::Unavailable {
                        place: self.key.to_string(),
                        reason: "another process holds the lease and does not let go".to_owned(),
                        retryable: true,
                    }
                    .into());
                }
            }
        }
    }

    fn satisfied(&self, why: &Why) -> Result<bool, Error> {
        let live = self.live()?;
        Ok(match why {
            Why::Stale => live.freshness.is_fresh(self.client.inner.clock.now()),
            Why::NotThisOne(token) => live.record.access_token != *token,
        })
    }

    /// Whether the last failure is long enough ago.
    fn check_delay(&self, life: &Life, why: &Why) -> Result<(), Error> {
        let by_itself = matches!(why, Why::Stale);
        match life.delay.remaining(self.client.inner.clock.now(), by_itself) {
            None => Ok(()),
            Some(remaining) => Err(Error::RenewalDelayed {
                endpoint: self.live()?.record.endpoints.token.to_string(),
                seconds: remaining.as_secs().max(1),
            }),
        }
    }

    /// Near its end a token is used as long as it lives; past it, or when another was wanted, there is none to be had.
    fn without_refresh_token(&self, why: &Why) -> Result<(), Error> {
        let live = self.live()?;
        if matches!(why, Why::Stale) && !live.freshness.is_expired(self.client.inner.clock.now()) {
            return Ok(());
        }
        self.events.send(SessionEvent::Expired);
        let client = &self.client.inner;
        let entry = client.record_context(&live.record).entry(AuditKind::TokenExpired);
        client.record(entry.token(TokenId::access(&live.record.access_token)))?;
        Err(Error::Expired { fhir_base: live.record.fhir_base.to_string() })
    }
}

/// Whether a renewal names another patient than the session has.
fn is_of_another_patient(renewed: &SessionRecord, before: &SessionRecord) -> bool {
    let (renewed, before) = (&renewed.context.patient, &before.context.patient);
    before.is_some() && renewed != before
}

/// What it means that the server refuses a session's refresh token (requirement RF-14).
fn refusal(record: &SessionRecord) -> EndReason {
    let has = |scope: &Scope| record.granted.contains(scope) || record.requested.contains(scope);
    if has(&Scope::OnlineAccess) && !has(&Scope::OfflineAccess) {
        EndReason::EhrSessionEnded
    } else {
        EndReason::RefreshRefused
    }
}

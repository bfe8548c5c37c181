//! Renewing a token: once, whoever asks, and without losing the refresh token.
//!
//! A rotating refresh token is good for one use. Presented twice, many servers revoke the whole grant; lost after its
//! use, the person has to log in again. So one task of one process presents it (a lock within the process, a lease in
//! the store across processes), the exchange runs to its end even when the caller is gone, and the answer is stored
//! before anybody gets to see its access token.

use crate::error::Error;
use crate::freshness::{is_expired, is_fresh};
use crate::record::SessionRecord;
use crate::session::Inner;
use smart_core::random::random_token;
use smart_core::secret::{AccessToken, RefreshToken};
use smart_core::token::{RefreshExchange, RefreshScope, RequestingClient};
use smart_store::{Expected, Holder, LeaseOutcome, StoreError, Version};
use std::sync::Arc;
use std::time::Duration;

/// How long one process may take over a refresh before another may try.
const LEASE: Duration = Duration::from_mins(1);
/// How long a process waits for another's refresh between two looks.
const WAIT: Duration = Duration::from_millis(50);
/// How many looks it takes before it gives up: past the end of any lease.
const MAX_WAITS: u32 = 1400;

/// What only the renewing task touches.
pub(crate) struct Life {
    /// The version of the stored record that memory agrees with.
    version: Version,
    /// A renewed record that could not be stored yet. It holds the only good refresh token.
    unstored: Option<SessionRecord>,
}

impl Life {
    pub(crate) fn new(version: Version) -> Self {
        Self { version, unstored: None }
    }
}

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
        match tokio::spawn(async move { inner.renew_alone(why).await }).await {
            Ok(result) => result,
            Err(_) => Err(Error::Internal("a renewal was stopped half-way")),
        }
    }

    async fn renew_alone(&self, why: Why) -> Result<(), Error> {
        let mut life = self.life.lock().await;
        self.record()?;
        if let Some(record) = life.unstored.take() {
            self.store(&mut life, record).await?;
        }
        if self.satisfied(&why)? {
            return Ok(());
        }
        if self.refresh_token()?.is_none() {
            return self.without_refresh_token(&why);
        }
        let holder = Holder::new(random_token::<16>(&*self.client.inner.random)?);
        self.acquire(&holder).await?;
        let result = self.renew_leased(&mut life, &why).await;
        if let Err(error) = self.client.inner.store.release(&self.key, &holder).await {
            tracing::warn!(%error, "a lease could not be given back; it ends by itself");
        }
        result
    }

    async fn renew_leased(&self, life: &mut Life, why: &Why) -> Result<(), Error> {
        self.adopt_stored(life).await?;
        if self.satisfied(why)? {
            return Ok(());
        }
        let Some(refresh_token) = self.refresh_token()? else { return self.without_refresh_token(why) };
        match self.exchange(&refresh_token).await {
            Ok(record) => self.store(life, record).await,
            Err(error) if error.needs_reauthorization() => {
                self.end("the server refused its refresh token");
                if let Err(failed) = self.wipe().await {
                    tracing::warn!(error = %failed, "an ended session could not be removed from the store");
                }
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    async fn exchange(&self, refresh_token: &RefreshToken) -> Result<SessionRecord, Error> {
        let record = self.record()?;
        let client = &self.client.inner;
        let exchange = RefreshExchange {
            fhir_base: &record.fhir_base,
            token_endpoint: &record.endpoints.token,
            refresh_token,
            granted: &record.granted,
            context: &record.context,
        };
        let authentication = client.app.authentication();
        let requesting = RequestingClient {
            id: client.app.client_id(),
            authentication: &authentication,
            id_in_body: client.app.id_in_body,
        };
        let request = exchange.request(requesting, &RefreshScope::Omit)?;
        let response = client.send(request).await?;
        let token = exchange.parse(response.status().as_u16(), response.body(), client.clock.now())?;
        Ok(record.renewed(token))
    }

    /// Stores a renewed record, and only then lets it be seen. When the store fails it is kept for the next try.
    async fn store(&self, life: &mut Life, record: SessionRecord) -> Result<(), Error> {
        let store = &self.client.inner.store;
        let bytes = record.to_bytes()?;
        for _ in 0..3 {
            match store.put(&self.key, bytes.clone(), Expected::Version(life.version)).await {
                Ok(version) => {
                    life.version = version;
                    self.set_record(record);
                    return Ok(());
                }
                // Somebody wrote or removed the record although the lease was ours. What we hold came from the server
                // last, so it is newer than what was written; a removal is a logout and stays.
                Err(StoreError::Conflict { .. }) => match store.get(&self.key).await {
                    Ok(Some(stored)) => life.version = stored.version,
                    Ok(None) => {
                        self.end("it was logged out elsewhere");
                        return self.record().map(|_| ());
                    }
                    Err(error) => {
                        life.unstored = Some(record);
                        return Err(error.into());
                    }
                },
                Err(error) => {
                    life.unstored = Some(record);
                    return Err(error.into());
                }
            }
        }
        life.unstored = Some(record);
        Err(StoreError::Conflict { key: self.key.to_string() }.into())
    }

    /// Takes over what another process stored since.
    async fn adopt_stored(&self, life: &mut Life) -> Result<(), Error> {
        match self.client.inner.store.get(&self.key).await? {
            Some(stored) if stored.version != life.version => {
                self.set_record(SessionRecord::from_bytes(&self.key, &stored.value)?);
                life.version = stored.version;
                Ok(())
            }
            Some(_) => Ok(()),
            None => {
                self.end("it was logged out elsewhere");
                self.record().map(|_| ())
            }
        }
    }

    async fn acquire(&self, holder: &Holder) -> Result<(), Error> {
        for _ in 0..MAX_WAITS {
            match self.client.inner.store.lease(&self.key, holder, LEASE).await? {
                LeaseOutcome::Held { .. } => return Ok(()),
                LeaseOutcome::Taken { .. } => tokio::time::sleep(WAIT).await,
            }
        }
        Err(StoreError::Unavailable {
            place: self.key.to_string(),
            reason: "another process holds the lease and does not let go".to_owned(),
            retryable: true,
        }
        .into())
    }

    fn refresh_token(&self) -> Result<Option<RefreshToken>, Error> {
        Ok(self.record()?.refresh_token.clone())
    }

    fn satisfied(&self, why: &Why) -> Result<bool, Error> {
        let record = self.record()?;
        let now = self.client.inner.clock.now();
        Ok(match why {
            Why::Stale => is_fresh(record.received_at, record.expires_at, now),
            Why::NotThisOne(token) => record.access_token != *token,
        })
    }

    /// Near its end a token is used as long as it lives; past it, or when another was wanted, there is none to be had.
    fn without_refresh_token(&self, why: &Why) -> Result<(), Error> {
        let record = self.record()?;
        if matches!(why, Why::Stale) && !is_expired(record.expires_at, self.client.inner.clock.now()) {
            return Ok(());
        }
        Err(Error::Expired { fhir_base: record.fhir_base.to_string() })
    }
}

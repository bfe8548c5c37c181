//! Time-outs, locks and the signs of the person.

use crate::error::Error;
use crate::events::{EndReason, SessionEvent};
use crate::life::Life;
use crate::record::SessionRecord;
use crate::session::{Inner, Session};
use crate::session_policy::{OnIdle, Timeout};
use smart_core::time::Timestamp;
use smart_store::Expected;
use std::sync::Arc;
use std::time::Duration;

impl Session {
    /// The person did something: the time without them begins anew. Call it on input, not on requests that the app makes by
    /// itself.
    ///
    /// Other processes and the next start learn of it within a minute.
    ///
    /// # Errors
    /// [`Error::SessionOver`] or [`Error::SessionTimeout`] when it is too late, [`Error::SessionLocked`].
    pub async fn touch(&self) -> Result<(), Error> {
        Inner::check(&self.inner).await?;
        self.inner.activity.touch(self.inner.moment());
        if self.inner.activity.is_store_behind(&self.inner.policy) {
            // Who renews just now stores the activity as well.
            if let Ok(mut life) = self.inner.life.try_lock() {
                self.inner.save_activity(&mut life).await;
            }
        }
        // The store may have said that another process has locked it.
        self.inner.usable().map(drop)
    }

    /// Ends or locks the session if a limit of its policy is reached; then, or when it is locked, there is an error.
    ///
    /// # Errors
    /// [`Error::SessionOver`], [`Error::SessionLocked`].
    pub async fn check(&self) -> Result<(), Error> {
        Inner::check(&self.inner).await
    }

    /// Locks the session: until [`unlock`](Self::unlock) it gives out nothing, here and in other processes. Its tokens stay.
    ///
    /// # Errors
    /// [`Error::SessionOver`]; [`Error::Store`] when the store could not be told: it is locked in this process.
    pub async fn lock(&self) -> Result<(), Error> {
        self.inner.live()?;
        self.inner.activity.set_locked(true, self.inner.moment());
        self.inner.events.send(SessionEvent::Locked);
        let mut life = self.inner.life.lock().await;
        self.inner.save(&mut life, Some(true)).await
    }

    /// Unlocks the session. How the person shows who they are (their PIN, a fingerprint, a new login) is the app's. One that
    /// is past a limit of its policy is not unlocked but ends.
    ///
    /// # Errors
    /// [`Error::SessionOver`]; [`Error::Store`] when the store could not be told: it is unlocked in this process.
    pub async fn unlock(&self) -> Result<(), Error> {
        let inner = &self.inner;
        match Inner::check(inner).await {
            Ok(()) | Err(Error::SessionLocked { .. }) => {}
            Err(error) => return Err(error),
        }
        let now = inner.moment();
        inner.activity.touch(now);
        inner.activity.set_locked(false, now);
        inner.events.send(SessionEvent::Unlocked);
        let mut life = inner.life.lock().await;
        inner.save(&mut life, Some(false)).await
    }

    /// Whether it is locked.
    pub fn is_locked(&self) -> bool {
        self.inner.activity.is_locked()
    }

    /// When the person last did something, as far as this process and the store know: at the login, or at the last
    /// [`touch`](Self::touch).
    pub fn last_active_at(&self) -> Timestamp {
        self.inner.activity.active_at()
    }

    /// How long until the person has done nothing for too long. `None`: there is no such limit.
    pub fn idle_remaining(&self) -> Option<Duration> {
        self.inner.activity.remaining_idle(&self.inner.policy, self.inner.moment())
    }

    /// How long until the session ends whatever the person does. `None`: there is no such limit.
    pub fn absolute_remaining(&self) -> Option<Duration> {
        self.inner.activity.remaining_in_all(&self.inner.policy, self.inner.moment())
    }
}

impl Inner {
    /// Whether the session may be used now; it is ended or locked when a limit is reached. That goes on when the caller is
    /// dropped.
    pub(crate) async fn check(this: &Arc<Self>) -> Result<(), Error> {
        match this.usable() {
            Ok(_) => Ok(()),
            Err(Error::SessionTimeout { .. }) => {
                let inner = this.clone();
                crate::task::to_its_end(async move { inner.time_out().await })
                    .await
                    .unwrap_or(Err(Error::Internal("a time-out was stopped half-way")))
            }
            Err(error) => Err(error),
        }
    }

    /// Ends or locks the session, unless another process has seen the person in the meantime.
    async fn time_out(&self) -> Result<(), Error> {
        let mut life = self.life.lock().await;
        if let Err(error) = self.adopt_stored(&mut life).await {
            self.live()?;
            tracing::warn!(%error, "the store could not say whether another process has seen the person; the time-out counts");
        }
        match self.activity.timeout(&self.policy, self.moment()) {
            None => self.usable().map(drop),
            Some(Timeout::Idle) if self.policy.on_idle == OnIdle::Lock => {
                self.activity.set_locked(true, self.moment());
                self.events.send(SessionEvent::Locked);
                if let Err(error) = self.save(&mut life, Some(true)).await {
                    tracing::warn!(%error, "the store could not be told that a session is locked");
                }
                self.usable().map(drop)
            }
            Some(timeout) => {
                let reason = EndReason::TimedOut(timeout);
                let waiting = life.take_waiting();
                if let Some(ended) = self.end(reason) {
                    self.wipe_or_warn().await;
                    self.client.revoke_in_background(waiting.unwrap_or_else(|| ended.record.clone()));
                }
                Err(self.over(reason))
            }
        }
    }

    /// Tells the store when the person was last seen. When that fails the next sign of the person tries again.
    async fn save_activity(&self, life: &mut Life) {
        if let Err(error) = self.save(life, None).await {
            tracing::warn!(%error, "the store could not be told of the person's activity");
        }
    }

    /// Writes the record with the present activity. `lock`: what was just decided about the lock; else it is as another process
    /// left it.
    async fn save(&self, life: &mut Life, lock: Option<bool>) -> Result<(), Error> {
        for _ in 0..3 {
            if let Some(locked) = lock {
                self.activity.set_locked(locked, self.moment());
            }
            let held = self.live()?;
            // A renewal that waits to be stored brings the activity along.
            if life.unstored.is_some() {
                return Ok(());
            }
            let record = self.with_activity(life.unconfirmed.as_ref().unwrap_or(&held.record).clone());
            let active = record.active_at;
            match self.client.inner.store.put(&self.key, record.to_bytes()?, Expected::Version(life.version)).await {
                Ok(version) => {
                    life.version = version;
                    self.activity.stored(active);
                    return Ok(());
                }
                // What another process stored is newer, but for what was done here just now.
                Err(smart_store::StoreError::Conflict { .. }) => self.adopt_stored(life).await?,
                Err(error) => return Err(error.into()),
            }
        }
        Err(smart_store::StoreError::Conflict { key: self.key.to_string() }.into())
    }

    /// The record with the present activity and lock.
    pub(crate) fn with_activity(&self, record: SessionRecord) -> SessionRecord {
        SessionRecord { active_at: self.activity.active_at(), locked: self.activity.is_locked(), ..record }
    }
}

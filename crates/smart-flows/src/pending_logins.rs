//! Logins that wait for their callback, kept in the store: they survive a restart, and several may wait at a time.

use crate::client::SmartClient;
use crate::error::Error;
use crate::session::Session;
use ring::digest::{SHA256, digest};
use smart_core::authorize::{Callback, CallbackError, PendingAuthorization};
use smart_core::random::random_token;
use smart_store::{Expected, Filter, Key, Kind, SecretBytes, StoreError};
use url::Url;
use zeroize::Zeroizing;

/// How many logins may wait in one browser: tabs, several EHRs.
const MAX_WAITING: usize = 20;

/// The browser, or the installation of an app, in which a login began. Whoever has it can complete the login: keep it where
/// only that browser can show it again, in a cookie that scripts cannot read (`HttpOnly`, `Secure`).
///
/// A callback that comes through another browser is refused, though its state is right: it could be a link by which somebody
/// logs a victim in to a record that is not theirs (requirement ST-03; RFC 9700, section 4.7).
#[derive(Clone)]
pub struct BrowserId(Zeroizing<String>);

impl BrowserId {
    /// What the browser showed. An id that nobody gave out is the id of no login.
    pub fn from_exposed(value: impl Into<String>) -> Self {
        Self(Zeroizing::new(value.into()))
    }

    /// For an app on a device of one user, such as a phone or a desktop: all logins of this installation.
    pub fn single_user() -> Self {
        Self::from_exposed("single user")
    }

    /// The id itself, for the cookie.
    pub fn expose_secret(&self) -> &str {
        &self.0
    }

    /// The name under which the store knows it; it does not give the id away.
    pub(crate) fn lookup_key(&self) -> String {
        use std::fmt::Write as _;
        let mut name = String::with_capacity(64);
        for octet in digest(&SHA256, self.0.as_bytes()).as_ref() {
            let _ = write!(name, "{octet:02x}");
        }
        name
    }
}

impl std::fmt::Debug for BrowserId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BrowserId(***)")
    }
}

impl SmartClient {
    /// An id for a browser that has none yet: 256 random bits.
    ///
    /// # Errors
    /// [`Error::Core`] when there is no randomness.
    pub fn new_browser_id(&self) -> Result<BrowserId, Error> {
        Ok(BrowserId::from_exposed(random_token::<32>(&*self.inner.random)?))
    }

    /// Keeps the pending half of a login until its callback comes: in the store, bound to the browser.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn keep_pending(&self, browser: &BrowserId, pending: &PendingAuthorization) -> Result<(), Error> {
        self.tidy_pending(browser).await?;
        let key = self.pending_key(browser, &pending.lookup_key());
        let bytes = serde_json::to_vec(pending).map_err(|_| Error::Internal("a pending login cannot be written"))?;
        self.inner.store.put(&key, SecretBytes::new(bytes), Expected::Absent).await?;
        Ok(())
    }

    /// Completes the login that a callback belongs to, whichever of those that wait in this browser it is. It is consumed
    /// before anything else is done: a callback counts once, also when it comes twice at a time.
    ///
    /// # Errors
    /// [`Error::NoPendingLogin`] when none waits in this browser with the callback's state, so that the token endpoint is not
    /// asked; those of [`complete`](Self::complete).
    pub async fn complete_kept(&self, browser: &BrowserId, callback: Callback) -> Result<Session, Error> {
        let pending =
            self.take_pending(browser, &callback).await.inspect_err(|e| self.inner.record_stray_callback(e))?;
        self.complete_callback(pending, callback).await
    }

    /// The same with the URL that the platform handed over (a custom URL scheme, an app link).
    ///
    /// # Errors
    /// As for [`complete_kept`](Self::complete_kept), and [`Error::Callback`] when the URL is not the redirect URI of the
    /// login.
    pub async fn complete_kept_url(&self, browser: &BrowserId, url: &Url) -> Result<Session, Error> {
        let callback = Callback::from_url(url)?;
        let pending =
            self.take_pending(browser, &callback).await.inspect_err(|e| self.inner.record_stray_callback(e))?;
        check_target(&pending, url).inspect_err(|e| self.inner.record_stray_callback(e))?;
        self.complete_callback(pending, callback).await
    }

    /// Completes a login with the URL that the platform handed over (a custom URL scheme, an app link), or that the person
    /// pasted: it has to be the redirect URI of this login.
    ///
    /// # Errors
    /// [`Error::Callback`] when it is another URL; those of [`complete`](Self::complete).
    pub async fn complete_url(&self, pending: PendingAuthorization, url: &Url) -> Result<Session, Error> {
        check_target(&pending, url).inspect_err(|e| self.inner.record_stray_callback(e))?;
        self.complete_callback(pending, Callback::from_url(url)?).await
    }

    async fn take_pending(&self, browser: &BrowserId, callback: &Callback) -> Result<PendingAuthorization, Error> {
        let state = callback.lookup_key().ok_or(CallbackError::StateMissing)?;
        let key = self.pending_key(browser, &state);
        let stored = match self.inner.store.get(&key).await {
            Ok(Some(stored)) => stored,
            Ok(None) => return Err(Error::NoPendingLogin),
            Err(error @ StoreError::Unreadable { .. }) => {
                self.inner.store.remove(&key, Expected::Any).await?;
                return Err(error.into());
            }
            Err(error) => return Err(error.into()),
        };
        match self.inner.store.remove(&key, Expected::Version(stored.version)).await {
            Ok(true) => {}
            Ok(false) | Err(StoreError::Conflict { .. }) => return Err(Error::NoPendingLogin),
            Err(error) => return Err(error.into()),
        }
        serde_json::from_slice(stored.value.expose_secret())
            .map_err(|_| Error::PendingLogin { reason: "its record is damaged" })
    }

    /// Drops logins that nobody completed; of too many the oldest.
    async fn tidy_pending(&self, browser: &BrowserId) -> Result<(), Error> {
        let filter = Filter {
            kind: Some(Kind::Pending),
            issuer: Some(self.inner.app.client_id.to_string()),
            user: Some(browser.lookup_key()),
        };
        let store = &self.inner.store;
        let now = self.inner.clock.now();
        let mut waiting = Vec::new();
        for key in store.list(&filter).await? {
            let expires_at = match store.get(&key).await {
                Ok(Some(stored)) => serde_json::from_slice::<PendingAuthorization>(stored.value.expose_secret())
                    .ok()
                    .map(|pending| pending.expires_at()),
                Ok(None) => continue,
                Err(StoreError::Unreadable { .. }) => None,
                Err(error) => return Err(error.into()),
            };
            match expires_at.filter(|end| now < *end) {
                Some(end) => waiting.push((end, key)),
                None => drop(store.remove(&key, Expected::Any).await?),
            }
        }
        waiting.sort();
        let too_many = waiting.len().saturating_sub(MAX_WAITING - 1);
        for (_, key) in waiting.into_iter().take(too_many) {
            store.remove(&key, Expected::Any).await?;
        }
        Ok(())
    }

    /// The callback names neither server nor user, so the key has only what it can say.
    fn pending_key(&self, browser: &BrowserId, state: &str) -> Key {
        Key::new(Kind::Pending, self.inner.app.client_id.to_string(), browser.lookup_key(), state)
    }
}

fn check_target(pending: &PendingAuthorization, url: &Url) -> Result<(), Error> {
    if pending.redirect_uri().is_target_of(url) {
        return Ok(());
    }
    Err(CallbackError::OtherUrl { redirect_uri: pending.redirect_uri().as_str().to_owned() }.into())
}

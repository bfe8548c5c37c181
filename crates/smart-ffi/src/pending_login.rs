//! A login that waits for its person.

use crate::client::completed;
use crate::error::SmartError;
use crate::session::Session;
use smart_on_fhir::core::authorize::{AuthorizationRequest, Callback, PendingAuthorization};
use smart_on_fhir::{Error, flows};
use std::sync::Arc;
use url::Url;

/// A login that was begun: open its URL in the person's own browser (`ASWebAuthenticationSession`, Custom Tabs), never in a web view of the
/// app's.
///
/// The login itself lies in the app's store, so that it can also be completed by [`SmartClient::complete`](crate::SmartClient::complete) when
/// the app was ended meanwhile. Either way it is consumed by its first callback.
#[derive(uniffi::Object)]
pub struct PendingLogin {
    client: flows::SmartClient,
    url: Url,
    expires_at: i64,
    state: String,
}

impl PendingLogin {
    pub(crate) async fn keep(
        client: flows::SmartClient,
        request: &AuthorizationRequest,
        pending: &PendingAuthorization,
    ) -> Result<Arc<Self>, SmartError> {
        client.keep_pending(&flows::BrowserId::single_user(), pending).await?;
        let expires_at = pending.expires_at().as_unix_seconds();
        Ok(Arc::new(Self { client, url: request.url(), expires_at, state: pending.lookup_key() }))
    }
}

#[uniffi::export(async_runtime = "tokio")]
impl PendingLogin {
    /// What to open in the browser.
    pub fn url(&self) -> String {
        self.url.to_string()
    }

    /// Until when it waits, in seconds since 1970.
    pub fn expires_at(&self) -> i64 {
        self.expires_at
    }

    /// Completes this login with the URL that the platform handed over. It goes on when the app gives up waiting; the session is then found
    /// by [`SmartClient::sessions`](crate::SmartClient::sessions).
    ///
    /// # Errors
    /// `no-pending-login`: the URL is the callback of another login, which goes on waiting, or this one was completed before. Else as for
    /// [`SmartClient::complete`](crate::SmartClient::complete).
    pub async fn complete(&self, callback_url: String) -> Result<Arc<Session>, SmartError> {
        let url = parse_callback(&callback_url)?;
        let callback = Callback::from_url(&url).map_err(Error::from)?;
        if callback.lookup_key().is_some_and(|state| state != self.state) {
            return Err(Error::NoPendingLogin.into());
        }
        completed(self.client.clone(), url).await
    }
}

/// The URL of a callback. An error does not show it: a code is in it.
pub(crate) fn parse_callback(url: &str) -> Result<Url, SmartError> {
    Url::parse(url).map_err(|error| SmartError::invalid("callback-url", format!("the callback is no URL: {error}")))
}

impl std::fmt::Debug for PendingLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PendingLogin").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

//! A standalone launch, from discovery to session.

use crate::client::SmartClient;
use crate::error::Error;
use smart_core::authorize::{AuthorizationBuilder, AuthorizationRequest, PendingAuthorization};
use smart_core::discovery::Discovered;
use smart_core::redirect_uri::RedirectUri;
use smart_core::scope::Scopes;
use std::sync::Arc;
use tokio::sync::Notify;

/// A standalone launch at a discovered server (SMART App Launch 2.2, standalone launch).
#[derive(Debug, Clone)]
pub struct StandaloneLaunch {
    pub(crate) client: SmartClient,
    pub(crate) server: Discovered,
    scopes: Scopes,
    extra: Vec<(String, String)>,
    pub(crate) cancel: LoginCancel,
}

/// Gives a login up that waits for the browser. Clones are of the same login.
#[derive(Debug, Clone, Default)]
pub struct LoginCancel(Arc<Notify>);

impl LoginCancel {
    /// Gives the login up: it ends with [`Error::LoginCancelled`], and its port is closed. A login whose browser has come back
    /// already goes on.
    pub fn cancel(&self) {
        self.0.notify_one();
    }

    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) async fn cancelled(&self) {
        self.0.notified().await;
    }
}

impl StandaloneLaunch {
    pub(crate) fn new(client: SmartClient, server: Discovered) -> Self {
        let scopes = client.inner.app.scopes.clone();
        Self { client, server, scopes, extra: Vec::new(), cancel: LoginCancel::default() }
    }

    /// What discovery found.
    pub fn server(&self) -> &Discovered {
        &self.server
    }

    /// What gives this login up while it waits for the browser: for a button, or a window that closes.
    pub fn cancel_handle(&self) -> LoginCancel {
        self.cancel.clone()
    }

    /// Other scopes than the app's, for this login.
    pub fn with_scopes(mut self, scopes: Scopes) -> Self {
        self.scopes = scopes;
        self
    }

    /// Adds a parameter that this server wants. It cannot replace one of the protocol's.
    pub fn with_extra(mut self, name: &str, value: &str) -> Self {
        self.extra.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The authorization request and its pending half, for apps with a redirect URI of their own. Keep the pending
    /// half in the user's own session, and hand it and the callback to [`SmartClient::complete`].
    ///
    /// # Errors
    /// [`Error::Core`] when the scopes do not fit a standalone launch, an extra parameter is reserved, or no random
    /// octets can be had.
    pub fn authorize(&self, redirect_uri: &RedirectUri) -> Result<(AuthorizationRequest, PendingAuthorization), Error> {
        let inner = &self.client.inner;
        let mut builder = AuthorizationBuilder::standalone(
            self.server.authorization_server()?,
            inner.app.client_id().clone(),
            redirect_uri.clone(),
            inner.scopes_for(&self.server, &self.scopes),
        )?
        .with_lifetime(inner.login_timeout);
        let settings = inner.settings(&self.server.fhir_base);
        for (name, value) in settings.preferences().authorize_extra {
            if !self.extra.iter().any(|(given, _)| given == name) {
                builder = builder.with_extra(name, value)?;
            }
        }
        for (name, value) in &self.extra {
            builder = builder.with_extra(name, value)?;
        }
        inner.begin(&builder, &self.server)
    }
}

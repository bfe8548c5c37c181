//! A standalone launch, from discovery to session.

#[cfg(not(target_arch = "wasm32"))]
use crate::audit::AuditKind;
use crate::client::SmartClient;
use crate::error::Error;
#[cfg(not(target_arch = "wasm32"))]
use crate::loopback::LoopbackListener;
#[cfg(not(target_arch = "wasm32"))]
use crate::session::Session;
use smart_core::authorize::{AuthorizationBuilder, AuthorizationRequest, PendingAuthorization};
use smart_core::discovery::Discovered;
use smart_core::redirect_uri::RedirectUri;
use smart_core::scope::Scopes;
#[cfg(not(target_arch = "wasm32"))]
use smart_core::url_policy::UrlPolicy;
#[cfg(not(target_arch = "wasm32"))]
use std::future::Future;
use std::sync::Arc;
use tokio::sync::Notify;
#[cfg(not(target_arch = "wasm32"))]
use url::Url;

/// A standalone launch at a discovered server (SMART App Launch 2.2, standalone launch).
#[derive(Debug, Clone)]
pub struct StandaloneLaunch {
    client: SmartClient,
    server: Discovered,
    scopes: Scopes,
    extra: Vec<(String, String)>,
    cancel: LoginCancel,
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

    /// Opens the person's own browser and waits on a loopback redirect (RFC 8252): for desktops and command lines.
    ///
    /// Cancel-safe until the browser comes back; after that as [`SmartClient::complete`].
    ///
    /// # Errors
    /// [`Error::Browser`], [`Error::Loopback`], and those of [`SmartClient::complete`].
    #[cfg(all(feature = "browser", not(target_arch = "wasm32")))]
    pub async fn open_browser(self) -> Result<Session, Error> {
        self.with_browser(open_in_browser).await
    }

    /// The same with a browser of the caller's: `browse` is given the URL and has to bring the person there. Its error
    /// ends the login.
    ///
    /// # Errors
    /// [`Error::Loopback`], the error of `browse`, and those of [`SmartClient::complete`].
    #[cfg(not(target_arch = "wasm32"))]
    pub async fn with_browser<B, F>(self, browse: B) -> Result<Session, Error>
    where
        B: FnOnce(Url) -> F,
        F: Future<Output = Result<(), Error>>,
    {
        let listener = LoopbackListener::bind().await?;
        self.with_listener(listener, browse).await
    }

    /// The same on a listener of the caller's, such as one on a registered port.
    ///
    /// # Errors
    /// As for [`with_browser`](Self::with_browser).
    #[cfg(not(target_arch = "wasm32"))]
    pub async fn with_listener<B, F>(self, listener: LoopbackListener, browse: B) -> Result<Session, Error>
    where
        B: FnOnce(Url) -> F,
        F: Future<Output = Result<(), Error>>,
    {
        let (request, pending) = self.authorize(listener.redirect_uri())?;
        let url = request.url();
        // What the browser is sent to was checked in discovery; a browser would open anything else as well.
        UrlPolicy::AllowLoopbackHttp.check(&url)?;
        let receive = listener.receive(self.client.inner.login_timeout);
        let come_back = async { tokio::try_join!(async { receive.await.map_err(Error::from) }, browse(url)) };
        let outcome = tokio::select! {
            outcome = come_back => outcome,
            () = self.cancel.cancelled() => Err(Error::LoginCancelled),
        };
        let (callback, ()) = outcome.inspect_err(|error| {
            let inner = &self.client.inner;
            let entry = inner.audit_context(&self.server.fhir_base).entry(AuditKind::AuthenticationFailure);
            inner.record_failure(entry, error);
        })?;
        Box::pin(self.client.complete_callback(pending, callback)).await
    }
}

/// Opens the person's own browser.
#[cfg(all(feature = "browser", not(target_arch = "wasm32")))]
pub(crate) async fn open_in_browser(url: Url) -> Result<(), Error> {
    match tokio::task::spawn_blocking(move || webbrowser::open(url.as_str())).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(e)) => Err(Error::Browser(e.to_string())),
        Err(_) => Err(Error::Browser("the attempt failed".to_owned())),
    }
}

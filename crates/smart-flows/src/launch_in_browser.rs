//! A standalone launch through a browser of this machine, which comes back to a loopback redirect.

use crate::audit::AuditKind;
use crate::error::Error;
use crate::launch::StandaloneLaunch;
use crate::loopback::LoopbackListener;
use crate::session::Session;
use smart_core::url_policy::UrlPolicy;
use std::future::Future;
use url::Url;

impl StandaloneLaunch {
    /// Opens the person's own browser and waits on a loopback redirect (RFC 8252): for desktops and command lines.
    ///
    /// Cancel-safe until the browser comes back; after that as [`SmartClient::complete`](crate::SmartClient::complete).
    ///
    /// # Errors
    /// [`Error::Browser`], [`Error::Loopback`], and those of [`SmartClient::complete`](crate::SmartClient::complete).
    #[cfg(feature = "browser")]
    pub async fn open_browser(self) -> Result<Session, Error> {
        self.with_browser(open_in_browser).await
    }

    /// The same with a browser of the caller's: `browse` is given the URL and has to bring the person there. Its error
    /// ends the login.
    ///
    /// # Errors
    /// [`Error::Loopback`], the error of `browse`, and those of [`SmartClient::complete`](crate::SmartClient::complete).
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
#[cfg(feature = "browser")]
pub(crate) async fn open_in_browser(url: Url) -> Result<(), Error> {
    match tokio::task::spawn_blocking(move || webbrowser::open(url.as_str())).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(e)) => Err(Error::Browser(e.to_string())),
        Err(_) => Err(Error::Browser("the attempt failed".to_owned())),
    }
}

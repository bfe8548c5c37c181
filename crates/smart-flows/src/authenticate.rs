//! Logging in by one call, in whichever way the app has.

use crate::app::Purpose;
use crate::client::SmartClient;
use crate::error::Error;
use crate::session::Session;
use std::future::Future;
use url::Url;

impl SmartClient {
    /// Logs in at a FHIR server with the app's own scopes, in the way that the app has: a person's app opens the person's
    /// browser and waits on a loopback redirect; a backend service gets a token by its key, and opens nothing (SMART App Launch
    /// 2.2, standalone launch and backend services).
    ///
    /// It begins a new login each time; [`restore`](Self::restore) goes on with a stored session. An EHR launch begins in the EHR:
    /// [`ehr`](Self::ehr).
    ///
    /// # Errors
    /// Those of [`standalone`](Self::standalone) and [`open_browser`](crate::StandaloneLaunch::open_browser), or of
    /// [`backend`](Self::backend).
    #[cfg(feature = "browser")]
    pub async fn authenticate(&self, fhir_base: &str) -> Result<Session, Error> {
        self.authenticate_with(fhir_base, crate::launch_in_browser::open_in_browser).await
    }

    /// The same with a browser of the caller's: `browse` is given the URL and has to bring the person there. A backend service
    /// does not call it.
    ///
    /// # Errors
    /// As for [`standalone`](Self::standalone) and [`with_browser`](crate::StandaloneLaunch::with_browser), or as for
    /// [`backend`](Self::backend).
    pub async fn authenticate_with<B, F>(&self, fhir_base: &str, browse: B) -> Result<Session, Error>
    where
        B: FnOnce(Url) -> F,
        F: Future<Output = Result<(), Error>>,
    {
        match self.inner.app.purpose {
            Purpose::Launches => self.standalone(fhir_base).await?.with_browser(browse).await,
            Purpose::Backend => self.backend_with_scopes(fhir_base, self.inner.app.scopes.clone()).await,
        }
    }
}

//! The client: one app, for any number of servers and sessions.

use crate::app_clock::{AppClock, ClockAdapter};
use crate::app_store::AppStore;
use crate::credential::Credential;
use crate::error::SmartError;
use crate::own_task::to_the_end;
use crate::pending_login::{PendingLogin, parse_callback};
use crate::session::Session;
use crate::session_key::{StoredSession, text_of};
use crate::store_adapter::StoreAdapter;
use smart_on_fhir::core::launch::EhrLaunch;
use smart_on_fhir::core::redirect_uri::RedirectUri;
use smart_on_fhir::core::time::Clock;
use smart_on_fhir::flows::{self, BrowserId, SystemClock};
use smart_on_fhir::settings::{self, Settings};
use smart_on_fhir::{Error, flows::SmartClient as Inner};
use std::sync::Arc;
use url::Url;

/// A SMART app on a device of one person.
#[derive(uniffi::Object)]
pub struct SmartClient {
    inner: Inner,
    settings: Settings,
}

#[uniffi::export(async_runtime = "tokio")]
impl SmartClient {
    /// A client.
    ///
    /// `settings`: the document that the chapter on settings describes, JSON without secrets. `credential`: what a confidential client shows
    /// who it is by; none for a public client. `store`: where sessions are kept; without one they end with the app. `clock`: default the
    /// system's. Random numbers come from the platform and from nowhere else.
    ///
    /// # Errors
    /// `settings`: with everything that is wrong with them. `binding/credential-used`.
    #[uniffi::constructor(default(credential = None, store = None, clock = None))]
    pub fn new(
        settings: &str,
        credential: Option<Arc<Credential>>,
        store: Option<Arc<dyn AppStore>>,
        clock: Option<Arc<dyn AppClock>>,
    ) -> Result<Arc<Self>, SmartError> {
        let settings = Settings::from_json(settings.as_bytes())?;
        let credential = credential.map_or(Ok(settings::Credential::None), |given| given.take())?;
        let clock: Arc<dyn Clock> = match clock {
            Some(clock) => Arc::new(ClockAdapter(clock)),
            None => Arc::new(SystemClock),
        };
        let mut builder = settings.builder(credential)?.clock(clock.clone());
        if let Some(store) = store {
            builder = builder.store(Arc::new(StoreAdapter::new(store, clock)));
        }
        Ok(Arc::new(Self { inner: builder.build(), settings }))
    }

    /// Begins a standalone launch: the app was opened by its person.
    ///
    /// `fhir_base` and `redirect_uri`: default those of the settings.
    ///
    /// # Errors
    /// `binding/missing` when neither has them; `discovery/..` and `http/..` when the server cannot be asked; `store/..`.
    #[uniffi::method(default(fhir_base = None, redirect_uri = None))]
    pub async fn begin_standalone(
        &self,
        fhir_base: Option<String>,
        redirect_uri: Option<String>,
    ) -> Result<Arc<PendingLogin>, SmartError> {
        let fhir_base = fhir_base.or_else(|| self.settings.fhir_base.clone()).ok_or_else(|| missing("fhir_base"))?;
        let redirect_uri = self.redirect_uri(redirect_uri)?;
        let launch = self.inner.standalone(&fhir_base).await?;
        let (request, pending) = launch.authorize(&redirect_uri)?;
        PendingLogin::keep(self.inner.clone(), &request, &pending).await
    }

    /// Begins the login of an EHR launch: an EHR opened the app by this URL. Only servers that the settings list as `allowed_issuers` may.
    ///
    /// `redirect_uri`: default that of the settings.
    ///
    /// # Errors
    /// `launch/..` when the launch is refused: nothing was sent then. Else as for [`begin_standalone`](Self::begin_standalone).
    #[uniffi::method(default(redirect_uri = None))]
    pub async fn begin_ehr(
        &self,
        launch_url: String,
        redirect_uri: Option<String>,
    ) -> Result<Arc<PendingLogin>, SmartError> {
        let url = Url::parse(&launch_url)
            .map_err(|error| SmartError::invalid("launch-url", format!("the launch URL is no URL: {error}")))?;
        let redirect_uri = self.redirect_uri(redirect_uri)?;
        let allowed = self.settings.allowed_issuers()?;
        let launch = EhrLaunch::from_query(url.query().unwrap_or_default(), &allowed).map_err(Error::from)?;
        let (request, pending) = self.inner.ehr(&launch, &redirect_uri).await?;
        PendingLogin::keep(self.inner.clone(), &request, &pending).await
    }

    /// Completes whichever login the URL belongs to that the platform handed over, also one that was begun before the app was started
    /// anew. It goes on when the app gives up waiting; the session is then found by [`sessions`](Self::sessions).
    ///
    /// # Errors
    /// `no-pending-login`: none waits with this state; `callback/..`: the callback is refused, or the person said no; `token/..`,
    /// `id-token/..`, `http/..`, `store/..`.
    pub async fn complete(&self, callback_url: String) -> Result<Arc<Session>, SmartError> {
        completed(self.inner.clone(), parse_callback(&callback_url)?).await
    }

    /// A kept session, as after a start of the app. None: there is none under this key.
    ///
    /// # Errors
    /// `store/..`; `stored-session` when it cannot be used.
    pub async fn restore(&self, key: String) -> Result<Option<Arc<Session>>, SmartError> {
        let keys = self.inner.sessions(None).await?;
        let Some(found) = keys.iter().find(|candidate| text_of(candidate) == key) else { return Ok(None) };
        Ok(self.inner.restore(found).await?.map(Session::new))
    }

    /// The sessions that are kept, of this client alone; at one FHIR server, or at all.
    ///
    /// # Errors
    /// `store/..`.
    #[uniffi::method(default(fhir_base = None))]
    pub async fn sessions(&self, fhir_base: Option<String>) -> Result<Vec<StoredSession>, SmartError> {
        Ok(self.inner.sessions(fhir_base.as_deref()).await?.iter().map(StoredSession::of).collect())
    }
}

impl SmartClient {
    fn redirect_uri(&self, given: Option<String>) -> Result<RedirectUri, SmartError> {
        let uri = given.or_else(|| self.settings.redirect_uri.clone()).ok_or_else(|| missing("redirect_uri"))?;
        Ok(RedirectUri::parse(&uri).map_err(Error::from)?)
    }
}

fn missing(name: &str) -> SmartError {
    SmartError::invalid("missing", format!("there is no `{name}`: give one, or put it into the settings"))
}

/// Completes a login that lies in the store.
pub(crate) async fn completed(client: flows::SmartClient, callback: Url) -> Result<Arc<Session>, SmartError> {
    to_the_end(async move {
        let session = client.complete_kept_url(&BrowserId::single_user(), &callback).await?;
        Ok(Session::new(session))
    })
    .await
}

impl std::fmt::Debug for SmartClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.fmt(f)
    }
}

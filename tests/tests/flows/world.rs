//! A sandbox, a client of it, and a clock that both share.

use smart_core::fhir_base::FhirBaseUrl;
use smart_core::launch::{AllowedIssuers, EhrLaunch};
use smart_core::redirect_uri::RedirectUri;
use smart_core::time::{Clock, Timestamp};
use smart_core::url_policy::UrlPolicy;
use smart_flows::{App, Error, Session, SmartClient, SmartClientBuilder, Uptime};
use smart_http::{Authorize as _, HttpClient, HyperTransport};
use smart_sandbox::browser::{AutoBrowser, Person};
use smart_sandbox::{Misbehaviour, Sandbox, SandboxConfig};
use smart_store::MemoryStore;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

pub(crate) const SCOPES: &str = "launch/patient openid fhirUser offline_access patient/*.rs";

/// A clock that client and sandbox share, moved by hand.
pub(crate) struct Moved(AtomicI64);

impl Moved {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_800_000_000)))
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for Moved {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.0.load(Ordering::SeqCst))
    }
}

/// An uptime that stands still: what has passed is what the moved clock says, to the second.
struct Still;

impl Uptime for Still {
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: Arc<Moved>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) http: HttpClient,
}

impl World {
    pub(crate) async fn new(misbehaviour: Option<Misbehaviour>) -> Self {
        Self::with(|config| SandboxConfig { misbehaviour, ..config }).await
    }

    pub(crate) async fn with(set_up: impl FnOnce(SandboxConfig) -> SandboxConfig) -> Self {
        let clock = Moved::new();
        let config = set_up(SandboxConfig {
            clock: clock.clone(),
            access_token_lifetime: Duration::from_secs(300),
            ..SandboxConfig::default()
        });
        Self {
            sandbox: Sandbox::start(config).await.unwrap(),
            store: Arc::new(MemoryStore::with_clock(clock.clone())),
            clock,
            http: HttpClient::new(HyperTransport::new()),
        }
    }

    pub(crate) fn builder(&self, app: App) -> SmartClientBuilder {
        SmartClient::builder(app)
            .allow_loopback_http()
            .clock(self.clock.clone())
            .uptime(Arc::new(Still))
            .store(self.store.clone())
            .http(self.http.clone())
            .login_timeout(Duration::from_secs(20))
    }

    pub(crate) fn client_of(&self, app: App) -> SmartClient {
        self.builder(app).build()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn app() -> App {
        App::public("demo-app").scopes(SCOPES).unwrap()
    }

    pub(crate) fn client(&self) -> SmartClient {
        self.client_of(Self::app())
    }

    pub(crate) async fn login_of(&self, client: &SmartClient, person: Person) -> Result<Session, Error> {
        let browser = AutoBrowser::new(self.http.clone(), person);
        let launch = client.standalone(&self.sandbox.fhir_base()).await?;
        launch
            .with_browser(|url| async move { browser.browse(&url).await.map_err(|e| Error::Browser(e.to_string())) })
            .await
    }

    /// The EHR opens the app for a patient.
    pub(crate) async fn ehr_launch(&self, client: &SmartClient, patient: &str) -> Result<Session, Error> {
        let base = FhirBaseUrl::parse_with(&self.sandbox.fhir_base(), UrlPolicy::AllowLoopbackHttp).unwrap();
        let query = format!("iss={}&launch={}", base.as_str(), self.sandbox.new_launch(Some(patient), None));
        let launch = EhrLaunch::from_query(&query, &AllowedIssuers::only([base])).unwrap();
        let redirect = RedirectUri::parse("https://app.example/callback").unwrap();
        let (request, pending) = client.ehr(&launch, &redirect).await?;
        let browser = AutoBrowser::new(self.http.clone(), Person::default());
        let callback = browser.authorize(&request.url()).await.unwrap();
        client.complete(pending, callback.query().unwrap()).await
    }

    pub(crate) async fn login(&self) -> Result<Session, Error> {
        self.login_of(&self.client(), Person::default()).await
    }

    pub(crate) async fn fhir_status(&self, session: &Session, path: &str) -> u16 {
        let url = session.fhir_base().join(path).unwrap();
        let mut request = HttpClient::get_request(&url, "application/fhir+json").unwrap();
        if let Some(value) = session.authorization(&url).await.unwrap() {
            request.headers_mut().insert("authorization", value);
        }
        self.http.fetch(request).await.unwrap().status().as_u16()
    }
}

//! An app as the other languages write one: a store in memory and a clock that is moved by hand, through the traits that they implement; and a
//! sandbox that goes by the same clock.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "each test file uses its part, and reports by panicking"
)]

use smart_ffi::{AppClock, AppStore, ClockFailure, PendingLogin, SmartClient, SmartError, StoreFailure};
use smart_http::{HttpClient, HyperTransport};
use smart_on_fhir::core::time::{Clock, Timestamp};
use smart_sandbox::browser::{AutoBrowser, Person};
use smart_sandbox::{Sandbox, SandboxConfig};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

pub(crate) const REDIRECT: &str = "https://app.example/callback";

/// Blobs in memory. It answers a little later, as a store on another thread does.
#[derive(Default)]
pub(crate) struct Blobs {
    pub(crate) blobs: Mutex<BTreeMap<String, Vec<u8>>>,
    /// While it is set every call fails, as on a locked device.
    pub(crate) is_away: AtomicBool,
}

impl Blobs {
    async fn answer<T>(&self, work: impl FnOnce(&mut BTreeMap<String, Vec<u8>>) -> T) -> Result<T, StoreFailure> {
        tokio::task::yield_now().await;
        if self.is_away.load(Ordering::SeqCst) {
            return Err(StoreFailure::Unavailable { reason: "the device is locked".to_owned(), is_retryable: true });
        }
        Ok(work(&mut self.blobs.lock().unwrap()))
    }
}

#[async_trait::async_trait]
impl AppStore for Blobs {
    async fn get(&self, name: String) -> Result<Option<Vec<u8>>, StoreFailure> {
        self.answer(|blobs| blobs.get(&name).cloned()).await
    }

    async fn compare_and_swap(
        &self,
        name: String,
        expected: Option<Vec<u8>>,
        new: Option<Vec<u8>>,
    ) -> Result<bool, StoreFailure> {
        self.answer(|blobs| {
            let is_so = blobs.get(&name) == expected.as_ref();
            match (is_so, new) {
                (false, _) => {}
                (true, Some(new)) => drop(blobs.insert(name, new)),
                (true, None) => drop(blobs.remove(&name)),
            }
            is_so
        })
        .await
    }

    async fn names(&self) -> Result<Vec<String>, StoreFailure> {
        self.answer(|blobs| blobs.keys().cloned().collect()).await
    }
}

/// A clock that app and sandbox share.
pub(crate) struct Moved(pub(crate) AtomicI64);

impl Moved {
    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl AppClock for Moved {
    fn unix_seconds(&self) -> Result<i64, ClockFailure> {
        Ok(self.0.load(Ordering::SeqCst))
    }
}

impl Clock for Moved {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: Arc<Moved>,
    pub(crate) store: Arc<Blobs>,
    browser_http: HttpClient,
}

impl World {
    pub(crate) async fn new() -> Self {
        let clock = Arc::new(Moved(AtomicI64::new(1_800_000_000)));
        let sandbox = Sandbox::start(SandboxConfig { clock: clock.clone(), ..SandboxConfig::default() }).await.unwrap();
        Self { sandbox, clock, store: Arc::default(), browser_http: HttpClient::new(HyperTransport::new()) }
    }

    pub(crate) fn settings(&self) -> String {
        self.settings_with("launch/patient openid fhirUser offline_access patient/*.cruds")
    }

    pub(crate) fn settings_with(&self, scopes: &str) -> String {
        let base = self.sandbox.fhir_base();
        format!(
            r#"{{"client_id": "demo-app", "scopes": "{scopes}", "fhir_base": "{base}",
                "redirect_uri": "{REDIRECT}", "allowed_issuers": ["{base}"], "allow_loopback_http": true,
                "session": {{"idle_seconds": 900, "absolute_seconds": 14400}}}}"#
        )
    }

    /// The app, started anew each time: what it keeps is in the store.
    pub(crate) fn app(&self) -> Arc<SmartClient> {
        self.app_of(&self.settings())
    }

    /// The app as an EHR launches it.
    pub(crate) fn launched_app(&self) -> Arc<SmartClient> {
        self.app_of(&self.settings_with("launch openid fhirUser patient/*.rs"))
    }

    fn app_of(&self, settings: &str) -> Arc<SmartClient> {
        SmartClient::new(settings, None, Some(self.store.clone()), Some(self.clock.clone())).unwrap()
    }

    /// The person logs in. Gives the URL that the platform hands over.
    pub(crate) async fn person(&self, login: &PendingLogin) -> String {
        self.browser(Person::default(), &login.url()).await
    }

    pub(crate) async fn browser(&self, person: Person, url: &str) -> String {
        let browser = AutoBrowser::new(self.browser_http.clone(), person);
        browser.authorize(&url.parse().unwrap()).await.unwrap().to_string()
    }

    pub(crate) async fn login(&self) -> Arc<smart_ffi::Session> {
        let login = self.app().begin_standalone(None, None).await.unwrap();
        let callback = self.person(&login).await;
        login.complete(callback).await.unwrap()
    }
}

/// The code of an error.
pub(crate) fn code<T: std::fmt::Debug>(outcome: Result<T, SmartError>) -> String {
    let SmartError::Failed { code, .. } = outcome.unwrap_err();
    code
}

//! The embedded sandbox.

use super::{EhrStart, Registration, Target, registered};
use crate::check::Stop;
use smart_flows::App;
use smart_http::{BoxFuture, HttpClient, HyperTransport};
use smart_jwt::{Jwks, KeyKind, SigningKey};
use smart_sandbox::browser::{AutoBrowser, Person};
use smart_sandbox::{BulkConfig, BulkMode, Client, ClientKeys, Misbehaviour, Sandbox, SandboxConfig};
use url::Url;

/// The patient who is picked, and open in the EHR.
const PATIENT: &str = "p1001";
const SECRET: &str = "a-secret";

/// A sandbox of one's own, on a free port.
pub struct SandboxTarget {
    sandbox: Sandbox,
    pem: String,
}

impl SandboxTarget {
    /// Starts a sandbox with a client of each kind.
    ///
    /// # Errors
    /// When there is no port or no key.
    pub async fn start(misbehaviour: Option<Misbehaviour>) -> Result<Self, Stop> {
        Self::set_up(misbehaviour, Vec::new()).await
    }

    async fn set_up(misbehaviour: Option<Misbehaviour>, modes: Vec<BulkMode>) -> Result<Self, Stop> {
        let key = SigningKey::generate(KeyKind::EcP384)?;
        let pem = key.to_pem().expose_secret().to_owned();
        let keys = ClientKeys::Document(Jwks::from_keys(vec![key.public_jwk().clone()])?.to_json().to_string());
        let clients = vec![
            Client::public("public"),
            Client::symmetric("symmetric", SECRET),
            Client::asymmetric("asymmetric", keys.clone()),
            Client::asymmetric("backend", keys),
        ];
        let bulk = BulkConfig { file_size: 64 * 1024, ..BulkConfig::default() }.with_modes(modes);
        let config = SandboxConfig { clients, misbehaviour, bulk, ..SandboxConfig::default() };
        let sandbox = Sandbox::start(config).await?;
        sandbox.put_resource(r#"{"resourceType": "Group", "id": "g1", "type": "person", "actual": true}"#)?;
        Ok(Self { sandbox, pem })
    }
}

fn browser(allows: bool) -> AutoBrowser {
    let person = Person { patient: Some(format!("Patient/{PATIENT}")), allows, ..Person::default() };
    AutoBrowser::new(HttpClient::new(HyperTransport::new()), person)
}

impl Target for SandboxTarget {
    fn name(&self) -> String {
        "the embedded sandbox".to_owned()
    }

    fn fhir_base(&self) -> String {
        self.sandbox.fhir_base()
    }

    fn app(&self, registration: Registration) -> Option<App> {
        registered(registration, SECRET, &self.pem)
    }

    fn redirect_uri(&self) -> String {
        "http://127.0.0.1:8000/callback".to_owned()
    }

    fn browse<'a>(&'a self, url: &'a Url) -> BoxFuture<'a, Result<Url, Stop>> {
        Box::pin(async move { Ok(browser(true).authorize(url).await?) })
    }

    fn refuse<'a>(&'a self, url: &'a Url) -> Option<BoxFuture<'a, Result<Url, Stop>>> {
        Some(Box::pin(async move { Ok(browser(false).authorize(url).await?) }))
    }

    fn ehr_start(&self) -> Option<EhrStart> {
        let launch = self.sandbox.new_launch(Some(PATIENT), None);
        Some(EhrStart { fhir_base: self.sandbox.fhir_base(), launch, patient: Some(PATIENT.to_owned()) })
    }

    fn misbehaving(&self, how: Misbehaviour) -> Option<BoxFuture<'_, Result<Box<dyn Target>, Stop>>> {
        Some(Box::pin(async move { Ok(Box::new(Self::start(Some(how)).await?) as Box<dyn Target>) }))
    }
    fn exporting(&self, modes: &[BulkMode]) -> Option<BoxFuture<'_, Result<Box<dyn Target>, Stop>>> {
        let modes = modes.to_vec();
        Some(Box::pin(async move { Ok(Box::new(Self::set_up(None, modes).await?) as Box<dyn Target>) }))
    }

    fn backend_scopes(&self) -> String {
        "system/Patient.rs system/Observation.rs system/Group.rs".to_owned()
    }
}

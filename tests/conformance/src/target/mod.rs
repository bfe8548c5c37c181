//! The servers that the suites run against.

mod follow;
mod issuer;
mod launcher;
mod oidc_provider;
mod sandbox;

pub use issuer::{Issuer, IssuerOptions};
pub use launcher::Launcher;
pub use oidc_provider::{OidcProvider, provider_folder};
pub use sandbox::SandboxTarget;

use crate::check::Stop;
use follow::follow;
use smart_core::secret::ClientSecret;
use smart_flows::{App, SmartClient, SmartClientBuilder};
use smart_http::{BoxFuture, HttpClient, HyperTransport};
use smart_jwt::SigningKey;
use smart_sandbox::{BulkMode, Misbehaviour};
use url::Url;

/// How an app is registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// Without credentials.
    Public,
    /// With a secret.
    Symmetric,
    /// With a key.
    Asymmetric,
    /// As a backend service, with a key.
    Backend,
}

/// The apps of a server that knows each by the name of its registration, with one secret and one key.
fn registered(registration: Registration, secret: &str, key_pem: &str) -> Option<App> {
    let key = || SigningKey::from_pem(key_pem).ok();
    match registration {
        Registration::Public => Some(App::public("public")),
        Registration::Symmetric => Some(App::symmetric("symmetric", ClientSecret::new(secret))),
        Registration::Asymmetric => Some(App::asymmetric("asymmetric", key()?)),
        Registration::Backend => Some(App::backend("backend", key()?)),
    }
}

/// What an EHR opens the app with.
#[derive(Debug, Clone)]
pub struct EhrStart {
    /// The FHIR base, as `iss` has it.
    pub fhir_base: String,
    /// The launch value.
    pub launch: String,
    /// The patient who is open in the EHR, where that is known.
    pub patient: Option<String>,
}

impl EhrStart {
    /// The query of the launch URL.
    pub fn query(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new())
            .append_pair("iss", &self.fhir_base)
            .append_pair("launch", &self.launch)
            .finish()
    }
}

/// A server, with what the suites need to know of it.
pub trait Target: Send + Sync {
    /// What it is called in the report.
    fn name(&self) -> String;

    /// Its FHIR base.
    fn fhir_base(&self) -> String;

    /// An app that is registered so. `None`: there is none.
    fn app(&self, registration: Registration) -> Option<App>;

    /// The redirect URI that the apps have registered.
    fn redirect_uri(&self) -> String;

    /// The scopes that an app asks for which wants all: context, identity, refresh, data.
    fn scopes(&self) -> String {
        "launch/patient openid fhirUser offline_access patient/*.rs".to_owned()
    }

    /// The scopes of a backend service.
    fn backend_scopes(&self) -> String {
        "system/Patient.rs system/Observation.rs".to_owned()
    }

    /// Brings the person through login and consent; gives the URL that the server redirects to at the end.
    fn browse<'a>(&'a self, url: &'a Url) -> BoxFuture<'a, Result<Url, Stop>>;

    /// The same, with a person who does not allow the app. `None`: that cannot be had here.
    fn refuse<'a>(&'a self, _url: &'a Url) -> Option<BoxFuture<'a, Result<Url, Stop>>> {
        None
    }

    /// Begins an EHR launch. `None`: that cannot be had here.
    fn ehr_start(&self) -> Option<EhrStart> {
        None
    }

    /// The same server, misbehaving. `None`: that cannot be had here.
    fn misbehaving(&self, _how: Misbehaviour) -> Option<BoxFuture<'_, Result<Box<dyn Target>, Stop>>> {
        None
    }

    /// The same server, with bulk exports that are special in these ways. `None`: that cannot be had here.
    fn exporting(&self, _modes: &[BulkMode]) -> Option<BoxFuture<'_, Result<Box<dyn Target>, Stop>>> {
        None
    }

    /// Whether the FHIR base answers reads and searches of clinical data.
    fn has_fhir_data(&self) -> bool {
        true
    }

    /// Whether the server remembers which codes were redeemed, as RFC 6749, 4.1.2 wants it.
    fn knows_its_codes(&self) -> bool {
        true
    }

    /// A client for an app, with this server's own settings.
    fn client(&self, app: App) -> SmartClient {
        self.builder(app).build()
    }

    /// The client's builder.
    fn builder(&self, app: App) -> SmartClientBuilder {
        SmartClient::builder(app).allow_loopback_http()
    }

    /// What HTTP goes through.
    fn http(&self) -> HttpClient {
        HttpClient::new(HyperTransport::new())
    }
}

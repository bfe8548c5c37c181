//! A launcher of SMART Health IT, which keeps no accounts: all that it has to know stands in its launch code.

use super::{EhrStart, Registration, Target, follow};
use crate::check::Stop;
use smart_core::profile::launcher::{EncounterChoice, LaunchType, LauncherClientType, LauncherSettings};
use smart_core::profile::{ServerKind, ServerProfile};
use smart_core::secret::ClientSecret;
use smart_flows::{App, SmartClientBuilder};
use smart_http::BoxFuture;
use smart_jwt::{Jwks, KeyKind, SigningKey};
use url::Url;

const REDIRECT_URI: &str = "http://127.0.0.1:8000/callback";
const PATIENT: &str = "87a339d0-8cae-418e-89c7-8651e6aab3c6";
const PROVIDER: &str = "bd7cb541-732b-4e39-ab49-ae507aa49326";
const SECRET: &str = "a-secret";
const CLIENT: &str = "conformance";

/// A launcher that simulates a server at which the app is registered in one way.
pub struct Launcher {
    origin: String,
    registration: Registration,
    fhir_base: String,
    pem: String,
    keys: String,
}

impl Launcher {
    /// The launcher at this origin.
    ///
    /// # Errors
    /// When there is no key, or the origin is none.
    pub fn new(origin: &str, registration: Registration) -> Result<Self, Stop> {
        let key = SigningKey::generate(KeyKind::EcP384)?;
        let keys = Jwks::from_keys(vec![key.public_jwk().clone()])?.to_json().to_string();
        let pem = key.to_pem().expose_secret().to_owned();
        let origin = origin.trim_end_matches('/').to_owned();
        let launch_type = match registration {
            Registration::Backend => LaunchType::BackendService,
            _ => LaunchType::ProviderStandalone,
        };
        let code = settings(launch_type, registration, &keys).to_code()?;
        let fhir_base = format!("{origin}/v/r4/sim/{code}/fhir");
        Ok(Self { origin, registration, fhir_base, pem, keys })
    }
}

fn settings(launch_type: LaunchType, registration: Registration, keys: &str) -> LauncherSettings {
    let mut settings = LauncherSettings::new(launch_type);
    settings.patients = vec![PATIENT.to_owned()];
    settings.providers = vec![PROVIDER.to_owned()];
    // The choice of an encounter asks the FHIR server behind the launcher, which may not be there.
    settings.encounter = EncounterChoice::None;
    settings.skip_login = true;
    settings.skip_consent = true;
    CLIENT.clone_into(&mut settings.client_id);
    settings.redirect_uris = vec![REDIRECT_URI.to_owned()];
    settings.client_type = match registration {
        Registration::Public => LauncherClientType::Public,
        Registration::Symmetric => {
            settings.client_secret = Some(ClientSecret::new(SECRET));
            LauncherClientType::ConfidentialSymmetric
        }
        Registration::Asymmetric => LauncherClientType::ConfidentialAsymmetric,
        Registration::Backend => LauncherClientType::BackendService,
    };
    if matches!(registration, Registration::Asymmetric | Registration::Backend) {
        keys.clone_into(&mut settings.jwks);
    }
    settings
}

impl Target for Launcher {
    fn name(&self) -> String {
        format!("the SMART Health IT launcher ({:?})", self.registration).to_lowercase()
    }

    fn fhir_base(&self) -> String {
        self.fhir_base.clone()
    }

    fn app(&self, registration: Registration) -> Option<App> {
        if registration != self.registration {
            return None;
        }
        let key = SigningKey::from_pem(&self.pem);
        match registration {
            Registration::Public => Some(App::public(CLIENT)),
            Registration::Symmetric => Some(App::symmetric(CLIENT, ClientSecret::new(SECRET))),
            Registration::Asymmetric => Some(App::asymmetric(CLIENT, key.ok()?)),
            Registration::Backend => Some(App::backend(CLIENT, key.ok()?)),
        }
    }

    fn redirect_uri(&self) -> String {
        REDIRECT_URI.to_owned()
    }

    fn browse<'a>(&'a self, url: &'a Url) -> BoxFuture<'a, Result<Url, Stop>> {
        Box::pin(follow(url, REDIRECT_URI))
    }

    fn ehr_start(&self) -> Option<EhrStart> {
        if self.registration == Registration::Backend {
            return None;
        }
        let code = settings(LaunchType::ProviderEhr, self.registration, &self.keys).to_code().ok()?;
        let fhir_base = format!("{}/v/r4/fhir", self.origin);
        Some(EhrStart { fhir_base, launch: code, patient: Some(PATIENT.to_owned()) })
    }

    /// Codes are signed texts, of which the launcher keeps no record.
    fn knows_its_codes(&self) -> bool {
        false
    }

    fn has_fhir_data(&self) -> bool {
        false
    }

    fn builder(&self, app: App) -> SmartClientBuilder {
        let builder = smart_flows::SmartClient::builder(app).allow_loopback_http();
        let profile = ServerProfile::of(ServerKind::SmartHealthIt);
        builder.all_servers(profile.choose())
    }
}

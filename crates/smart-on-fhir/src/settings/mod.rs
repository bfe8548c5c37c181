//! How an app is set up, as a JSON document without secrets, checked as a whole.
//!
//! ```
//! use smart_on_fhir::settings::{Credential, Settings};
//!
//! let settings = Settings::from_json(br#"{
//!     "client_id": "my-app",
//!     "scopes": "launch openid fhirUser patient/*.rs",
//!     "redirect_uri": "https://app.example/callback",
//!     "allowed_issuers": ["https://ehr.example/fhir"],
//!     "session": { "idle_seconds": 900, "absolute_seconds": 14400 }
//! }"#)?;
//! let smart = settings.builder(Credential::None)?.build();
//! # Ok::<(), smart_on_fhir::settings::SettingsError>(())
//! ```
//!
//! A secret or key is given to [`Settings::builder`], from wherever the deployment keeps it; a document with one in it is refused.

mod check;
mod client_type;
mod error;
mod read;
mod session;

pub use client_type::{ClientType, Credential};
pub use error::{Problem, SettingsError};
pub use session::{Idle, SessionSettings};

use crate::{App, SmartClient};
use check::Checked;
use serde::{Deserialize, Serialize};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::launch::AllowedIssuers;
use smart_core::redirect_uri::RedirectUri;
use smart_flows::{PermissionPolicy, SmartClientBuilder};
use std::time::Duration;

/// The settings of an app. Members that are left out have their defaults; unknown ones are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Settings {
    /// The client id, as it is registered.
    pub client_id: String,
    /// How the client is registered. Default: public.
    #[serde(default)]
    pub client_type: ClientType,
    /// The scopes to ask for, separated by blanks.
    pub scopes: String,
    /// The FHIR server of a standalone launch or backend service. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fhir_base: Option<String>,
    /// The redirect URI of an app that has one of its own. Default: none, as with a loopback redirect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
    /// The FHIR servers that may launch the app. Default: none may.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_issuers: Vec<String>,
    /// The profile of the server at `fhir_base`, by its name: [`ServerKind`](smart_core::profile::ServerKind). What it lets
    /// through that a strict client refuses is let through by naming it here. Default: what the URL tells, which relaxes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_profile: Option<String>,
    /// The time-outs of sessions. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionSettings>,
    /// What is done about requests that the granted scopes do not permit: `off`, `warn` or `enforce`. Default: `warn`.
    #[serde(default, with = "read::permissions")]
    pub permissions: PermissionPolicy,
    /// How long a person may take to log in, in seconds, from 10 to 3,600. Default: 300.
    #[serde(default = "read::login_timeout")]
    pub login_timeout_seconds: u64,
    /// How long client assertions live, in seconds, from 1 to 300. Default: 240.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assertion_lifetime_seconds: Option<u64>,
    /// The registered URL of the app's public keys, for the header `jku` of client assertions. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_set_url: Option<String>,
    /// Whether plain http on loopback hosts is accepted, for development and tests. Default: no.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_loopback_http: bool,
}

impl Settings {
    /// The settings of a client, with the defaults for all else.
    pub fn new(client_id: impl Into<String>, client_type: ClientType, scopes: impl Into<String>) -> Self {
        Self {
            client_id: client_id.into(),
            client_type,
            scopes: scopes.into(),
            fhir_base: None,
            redirect_uri: None,
            allowed_issuers: Vec::new(),
            server_profile: None,
            session: None,
            permissions: PermissionPolicy::default(),
            login_timeout_seconds: read::login_timeout(),
            assertion_lifetime_seconds: None,
            key_set_url: None,
            allow_loopback_http: false,
        }
    }

    /// Reads settings and checks them.
    ///
    /// # Errors
    /// [`SettingsError`]; neither it nor its problems show what stands in the document where a secret could.
    pub fn from_json(json: &[u8]) -> Result<Self, SettingsError> {
        let settings = read::settings(json)?;
        settings.check()?;
        Ok(settings)
    }

    /// The document, indented. It has no secret: the settings have none.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Checks all members, and those against each other.
    ///
    /// # Errors
    /// [`SettingsError::Problems`] with everything that is wrong, not the first thing alone.
    pub fn check(&self) -> Result<(), SettingsError> {
        Checked::of(self).map(drop)
    }

    /// The client that these settings describe, not yet built, so that store, audit and the like can be added.
    ///
    /// # Errors
    /// As for [`check`](Self::check); also when the credential is not that of the client type.
    pub fn builder(&self, credential: Credential) -> Result<SmartClientBuilder, SettingsError> {
        let checked = Checked::of(self)?;
        let mut app = self.app(credential)?.with_scopes(checked.scopes);
        if let Some(seconds) = self.assertion_lifetime_seconds {
            let lifetime = Duration::from_secs(seconds);
            app = app
                .with_assertion_lifetime(lifetime)
                .map_err(|error| Problem::new("assertion_lifetime_seconds", error.to_string()))?;
        }
        if let Some(url) = &self.key_set_url {
            app = app.with_key_set_url(url);
        }
        let mut builder = SmartClient::builder(app)
            .permissions(self.permissions)
            .login_timeout(Duration::from_secs(self.login_timeout_seconds));
        if let Some(session) = &self.session {
            builder = builder.session_policy(session.policy());
        }
        if let (Some(base), Some(profile)) = (&checked.fhir_base, checked.profile) {
            builder = builder.server(base, profile.choose());
        }
        Ok(if self.allow_loopback_http { builder.allow_loopback_http() } else { builder })
    }

    fn app(&self, credential: Credential) -> Result<App, Problem> {
        let id = self.client_id.as_str();
        Ok(match (self.client_type, credential) {
            (ClientType::Public, Credential::None) => App::public(id),
            (ClientType::ConfidentialSymmetric, Credential::Secret(secret)) => App::symmetric(id, secret),
            (ClientType::ConfidentialAsymmetric, Credential::Keys(keys)) => App::with_keys(id, keys),
            (ClientType::Backend, Credential::Keys(keys)) => App::backend_with_keys(id, keys),
            (wanted, given) => {
                let reason = format!("it needs {}, and {} was given", wanted.credential(), given.name());
                return Err(Problem::new("client_type", reason));
            }
        })
    }

    /// The servers that may launch the app: those that are listed.
    ///
    /// # Errors
    /// As for [`check`](Self::check).
    pub fn allowed_issuers(&self) -> Result<AllowedIssuers, SettingsError> {
        Checked::of(self).map(|checked| AllowedIssuers::only(checked.allowed_issuers))
    }

    /// The redirect URI.
    ///
    /// # Errors
    /// As for [`check`](Self::check).
    pub fn redirect_uri(&self) -> Result<Option<RedirectUri>, SettingsError> {
        Checked::of(self).map(|checked| checked.redirect_uri)
    }

    /// The FHIR server.
    ///
    /// # Errors
    /// As for [`check`](Self::check).
    pub fn fhir_base(&self) -> Result<Option<FhirBaseUrl>, SettingsError> {
        Checked::of(self).map(|checked| checked.fhir_base)
    }
}

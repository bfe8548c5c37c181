//! SMART App Launch for Rust: the one crate that applications depend on.
//!
//! ```no_run
//! use smart_on_fhir::prelude::*;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let app = App::public("my-client").scopes("launch/patient openid fhirUser offline_access patient/*.rs")?;
//! let smart = SmartClient::new(app);
//!
//! // Opens the person's own browser and waits on a loopback redirect.
//! let session = smart.standalone("https://ehr.example/fhir").await?.open_browser().await?;
//!
//! let patient: serde_json::Value = session.fhir().read("Patient", &session.patient()?).await?;
//! println!("{}", patient["birthDate"]);
//!
//! let mut pressures = session.fhir().search(SearchQuery::new("Observation").token("code", "http://loinc.org", "85354-9"));
//! while let Some(observation) = pressures.try_next().await? {
//!     println!("{}", observation["effectiveDateTime"]);
//! }
//! session.logout().await;
//! # Ok(())
//! # }
//! ```
//!
//! A web app that an EHR launches has two handlers, in any framework:
//!
//! ```no_run
//! use smart_on_fhir::prelude::*;
//!
//! # async fn run(smart: SmartClient, launch_query: &str, callback_query: &str) -> Result<(), Box<dyn std::error::Error>> {
//! // The launch URL: iss and launch are checked against the servers that may launch the app.
//! let allowed = AllowedIssuers::only([FhirBaseUrl::parse("https://ehr.example/fhir")?]);
//! let launch = EhrLaunch::from_query(launch_query, &allowed)?;
//! let redirect_uri = RedirectUri::parse("https://app.example/callback")?;
//! let (request, pending) = smart.ehr(&launch, &redirect_uri).await?;
//! // Keep `pending` (it serialises) in the user's own web session.
//! let redirect_to = request.url();
//!
//! // The redirect URI: consumes it. State, issuer, code, PKCE and ID token are checked.
//! let session = smart.complete(pending, callback_query).await?;
//! # let _ = redirect_to;
//! # Ok(())
//! # }
//! ```
//!
//! A service that runs without a person has a key:
//!
//! ```no_run
//! use smart_on_fhir::jwt::SigningKey;
//! use smart_on_fhir::prelude::*;
//!
//! # async fn run(pem: &str) -> Result<(), Box<dyn std::error::Error>> {
//! let app = App::backend("nightly-export", SigningKey::from_pem(pem)?.with_kid("2026-11")?);
//! let session = SmartClient::new(app).backend("https://ehr.example/fhir", "system/Patient.rs").await?;
//! let patients = session.fhir().search(SearchQuery::new("Patient"));
//! # drop(patients);
//! # Ok(())
//! # }
//! ```

pub mod settings;

pub use smart_core as core;
pub use smart_fhir as fhir;
pub use smart_flows as flows;
pub use smart_http as http;
pub use smart_jwt as jwt;
pub use smart_store as store;

pub use smart_flows::{App, Error, Session, SmartClient};

use std::sync::Arc;

/// What most applications use.
pub mod prelude {
    pub use crate::FhirSession;
    pub use smart_core::fhir_base::FhirBaseUrl;
    pub use smart_core::launch::{AllowedIssuers, EhrLaunch};
    pub use smart_core::redirect_uri::RedirectUri;
    pub use smart_core::scope::{Interaction, Scopes, ScopesBuilder};
    pub use smart_fhir::{FhirClient, SearchQuery};
    pub use smart_flows::{App, Error, Session, SmartClient};
}

/// The guide's examples, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/src/fhir.md")]
mod guide {}

/// Gives a session its FHIR client.
pub trait FhirSession {
    /// A client for the session's FHIR server, with the session's token. Cheap; it shares the app's connections.
    fn fhir(&self) -> smart_fhir::FhirClient;
}

impl FhirSession for Session {
    fn fhir(&self) -> smart_fhir::FhirClient {
        smart_fhir::FhirClient::new(self.fhir_base().clone(), self.http().clone(), Arc::new(self.clone()))
    }
}

//! What servers that differ need: a table with one profile for each.
//!
//! A profile is data. A client takes [`ServerSettings`] out of it in one of two ways, and they give different things:
//!
//! - [`ServerProfile::recognise`] looks at the FHIR base URL. Whoever makes the link that opens an app can choose a
//!   host name, so what comes of it holds [`Preferences`] only: how to write a scope, an id or a header. Its
//!   [`Relaxations`] are always none, and it gives no [`ServerKind`] that could be chosen from.
//! - [`ServerProfile::choose`] is for a [`ServerKind`] that stands in the app's own configuration. Only this brings the
//!   profile's relaxations along: named fields, each a check that is made less strict, or an endpoint that is taken
//!   from elsewhere than from the server's documents.
//!
//! ```
//! use smart_core::fhir_base::FhirBaseUrl;
//! use smart_core::profile::{ServerKind, ServerProfile};
//!
//! let base = FhirBaseUrl::parse("https://fhir-ehr-code.cerner.com/r4/ec2458f2-1e24-41c8-b71b-0e701af7583d")?;
//! let recognised = ServerProfile::recognise(&base).ok_or("not in the table")?;
//! assert!(recognised.is(ServerKind::OracleHealth));
//! let settings = recognised.settings();
//! assert!(settings.is_strict());
//! let objections = settings.preferences().objections(&"patient/*.rs".parse()?);
//! assert!(objections[0].to_string().contains("wildcard"));
//!
//! let chosen = ServerProfile::of(ServerKind::OracleHealth).choose();
//! assert!(chosen.relaxations().unlisted_s256 && !chosen.is_strict());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The page of each profile, `docs/src/servers/<name>.md`, says where each fact was read. No profile was verified
//! against a live server by this project's tests.

mod backend;
mod kind;
pub mod launcher;
mod platforms;
mod preferences;
mod recognise;
mod relaxations;
mod settings;
mod table;

pub use backend::BackendAccess;
pub use kind::{ServerKind, UnknownServerKind};
pub use platforms::{EntraTenantError, entra_endpoints};
pub use preferences::{ClinicalScopes, Preferences, RefreshScopeRule, ScopeObjection, ScopeStyle};
pub use recognise::Recognised;
pub use relaxations::{KnownEndpoints, Relaxations};
pub use settings::ServerSettings;
pub use table::{ServerProfile, profiles};

//! A FHIR R4 resource client: read, search and paging with safe use of bearer tokens.
//!
//! [`FhirClient`] asks an [`Authorize`](smart_http::Authorize) for the header of each URL and knows nothing of logins:
//! a session of smart-flows is one, a token from elsewhere is another. The token goes to URLs at and below the FHIR
//! base and nowhere else. Resources are JSON values, or any type that serde can read: every FHIR version from DSTU2 on
//! is served (requirement FR-08).
//!
//! ```no_run
//! use smart_core::fhir_base::FhirBaseUrl;
//! use smart_core::secret::AccessToken;
//! use smart_fhir::{FhirClient, SearchQuery};
//! use smart_http::{HttpClient, HyperTransport, StaticBearer};
//! use std::sync::Arc;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let base = FhirBaseUrl::parse("https://ehr.example/fhir")?;
//! let bearer = StaticBearer::new(base.clone(), &AccessToken::new("token from elsewhere"))?;
//! let fhir = FhirClient::new(base, HttpClient::new(HyperTransport::new()), Arc::new(bearer));
//!
//! let patient: serde_json::Value = fhir.read("Patient", "123").await?;
//! println!("born on {}", patient["birthDate"]);
//!
//! let query = SearchQuery::new("Observation")
//!     .param("patient", "123")
//!     .token("code", "http://loinc.org", "8480-6")
//!     .sort(["-date"])
//!     .count(50);
//! let mut observations = fhir.search(query);
//! while let Some(observation) = observations.try_next().await? {
//!     println!("{} {}", observation["effectiveDateTime"], observation["valueQuantity"]["value"]);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Errors say what happened, at which endpoint, and what to do next. Neither they nor the logs hold tokens, bodies,
//! search criteria or the server's free text, unless the caller takes those out by name (requirement FR-23).

mod answer;
mod app_state;
mod batch;
pub mod bulk;
mod bundle;
mod client;
mod documents;
mod error;
mod exchange;
mod fhir_id;
mod history;
mod location;
mod media_type;
mod operation;
mod outcome;
mod patch;
mod prefer;
mod read;
mod reference;
mod refusal;
mod resolver;
mod resource;
mod resource_type;
mod search;
mod write;

pub use answer::Answer;
pub use app_state::{AppStates, StateError};
pub use batch::{Batch, BatchAnswer, Entry, EntryAnswer, EntryError};
pub use bundle::{Bundle, BundleEntry, SearchMode};
pub use client::FhirClient;
pub use documents::{DocumentError, PublicDocuments};
pub use error::FhirError;
pub use fhir_id::FhirId;
/// Typed resources of FHIR R4B: the models of the crate `fhir-model`, which any call takes that takes a type of yours. Where R4
/// and R4B differ, a resource of R4 may not fit.
#[cfg(feature = "models")]
pub use fhir_model::r4b as models;
pub use history::{History, HistoryEntry, HistoryStream};
pub use location::Location;
pub use media_type::FhirMediaType;
pub use operation::Operation;
pub use outcome::{Issue, OperationOutcome};
pub use patch::{FhirPathPatch, JsonPatch, Patch};
pub use prefer::{Handling, Return, Summary};
pub use read::{Conditional, ReadOptions};
pub use reference::{ReferenceError, ReferenceTarget};
pub use refusal::{Refusal, RefusalKind};
pub use resolver::Resolver;
pub use resource::{FromResource, RawResource, ToResource};
pub use resource_type::{ResourceType, ResourceTypeName};
pub use search::{EntryStream, Modifier, PageStream, Prefix, SearchQuery, SearchStream, SearchValue, Total};
pub use write::{Change, Create, Write};

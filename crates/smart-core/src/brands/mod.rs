//! User-access brands: which health systems there are, what they look like, and where their FHIR servers are (SMART App
//! Launch 2.2, user-access brands and endpoints).
//!
//! [`BrandBundleFetch`] asks for a bundle, without a token and with the version that is known already, and reads it. In a
//! bundle [`BrandBundle::primary`] finds the brand of the server whose `smart-configuration` links to it. [`merge`] makes
//! one list of cards out of many bundles, in which the word of a server's own document stands above a collected list's.
//!
//! **An endpoint out of a bundle is only an address.** Nothing in it says how to authorize: [`BrandEndpoint::discovery`]
//! is the way on, and a token goes nowhere before discovery has run (requirement BR-04). Names, descriptions and pages
//! come from whoever published the bundle: escape them.
//!
//! ```
//! use smart_core::brands::{BrandAnswer, BrandBundleFetch};
//! use smart_core::discovery::DiscoveryOptions;
//! use smart_core::url_policy::UrlPolicy;
//!
//! let url = "https://ehr.example/brands.json".parse()?;
//! let fetch = BrandBundleFetch { url: &url, known: None, policy: UrlPolicy::HttpsOnly };
//! let request = fetch.request()?;
//! # let body = br#"{"resourceType":"Bundle","type":"collection","timestamp":"2026-01-01T00:00:00Z","entry":[
//! #  {"fullUrl":"https://ehr.example/Organization/a","resource":{"resourceType":"Organization","id":"a","name":"Good Health",
//! #   "telecom":[{"system":"url","value":"https://good.example"}],"endpoint":[{"reference":"Endpoint/r4"}]}},
//! #  {"fullUrl":"https://ehr.example/Endpoint/r4","resource":{"resourceType":"Endpoint","id":"r4","address":"https://ehr.example/r4"}}]}"#;
//! // Send it, and read the answer with its ETag; keep both.
//! let BrandAnswer::New { bundle, etag } = fetch.parse(200, Some("W/\"7\""), body)? else { return Ok(()) };
//! let brand = bundle.primary(None)?;
//! assert_eq!(brand.name.value().map(String::as_str), Some("Good Health"));
//! // Where to connect: by discovery.
//! let discovery = brand.access_endpoints()[0].discovery(DiscoveryOptions::default());
//! assert_eq!(discovery.request()?.uri(), "https://ehr.example/r4/.well-known/smart-configuration");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod brand;
mod brand_endpoint;
mod bundle;
mod error;
mod fetch;
mod logo;
mod merge;
mod portal;
mod reader;
mod references;
mod search;
mod stated;
mod writer;

pub use brand::{Brand, BrandAddress, BrandCategory};
pub use brand_endpoint::BrandEndpoint;
pub use bundle::{BrandBundle, BrandNote};
pub use error::BrandError;
pub use fetch::{BrandAnswer, BrandBundleFetch};
pub use logo::Logo;
pub use merge::{BrandCard, BrandOrigin, BrandRank, BrandSource, merge};
pub use portal::Portal;
pub use search::search;
pub use stated::{AbsentReason, Stated};

/// The extension that tells how a brand looks (FHIR extensions, organization-brand).
pub const ORGANIZATION_BRAND: &str = "http://hl7.org/fhir/StructureDefinition/organization-brand";
/// The extension that describes a portal (FHIR extensions, organization-portal).
pub const ORGANIZATION_PORTAL: &str = "http://hl7.org/fhir/StructureDefinition/organization-portal";
/// The extension that names a FHIR version of an endpoint (FHIR extensions, endpoint-fhir-version).
pub const ENDPOINT_FHIR_VERSION: &str = "http://hl7.org/fhir/StructureDefinition/endpoint-fhir-version";

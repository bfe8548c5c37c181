//! The portals of a brand.

use super::brand_endpoint::BrandEndpoint;
use super::logo::Logo;
use super::stated::Stated;
use std::sync::Arc;
use url::Url;

/// A portal where people look at their data, and the FHIR servers that have the same data for apps (FHIR extensions,
/// organization-portal).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Portal {
    /// The name that people know.
    pub name: Stated<String>,
    /// For whom it is, in Markdown. Untrusted.
    pub description: Option<String>,
    /// Where people log in.
    pub url: Stated<Url>,
    /// Its logos, where it has some of its own.
    pub logos: Vec<Logo>,
    /// The terms under which the logos may be shown.
    pub logo_licenses: Vec<Url>,
    /// Its FHIR servers.
    pub endpoints: Vec<Arc<BrandEndpoint>>,
}

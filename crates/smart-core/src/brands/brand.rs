//! A brand: a health system as people know it.

use super::brand_endpoint::BrandEndpoint;
use super::logo::Logo;
use super::portal::Portal;
use super::stated::Stated;
use crate::discovery::BrandIdentifier;
use std::sync::Arc;
use url::Url;

/// A health system, practice, laboratory or insurer as people know it (SMART App Launch 2.2, user-access brand).
///
/// Publishers begin with [`new`](Self::new) and set the fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Brand {
    /// The id of the resource.
    pub id: Option<String>,
    /// The `fullUrl` of the entry: an absolute URI, unique in the bundle.
    pub full_url: Option<String>,
    /// What it is known by across bundles.
    pub identifiers: Vec<BrandIdentifier>,
    /// The name to show. Untrusted.
    pub name: Stated<String>,
    /// Further and former names, to be found by.
    pub aliases: Vec<String>,
    /// Its public website, which is no portal.
    pub website: Stated<Url>,
    /// Whether it is in use.
    pub active: Option<bool>,
    /// What kind of place it is.
    pub categories: Vec<BrandCategory>,
    /// Where it is.
    pub addresses: Vec<BrandAddress>,
    /// Its logos.
    pub logos: Vec<Logo>,
    /// The terms under which the logos may be shown.
    pub logo_licenses: Vec<Url>,
    /// Bundles that say more about this brand.
    pub brand_bundles: Vec<Url>,
    /// Its own portals.
    pub portals: Vec<Portal>,
    /// Its own FHIR servers, those of the portals among them.
    pub endpoints: Vec<Arc<BrandEndpoint>>,
    /// The brand that this one belongs to, and whose portals it uses when it has none. That one's own parent is not
    /// looked at: the hierarchy has two levels.
    pub parent: Option<Arc<Brand>>,
}

/// What kind of place a brand is (FHIR terminology, organization-type): `prov`, `ins`, `laboratory`, `imaging`, `pharmacy`,
/// `health-information-network`, `health-data-aggregator`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BrandCategory {
    /// The code system.
    pub system: Option<String>,
    /// The code.
    pub code: String,
    /// The code in words.
    pub display: Option<String>,
}

/// Where a brand is, as far as it says: a state, a city, a postal code or a street.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct BrandAddress {
    /// Street and number.
    pub line: Vec<String>,
    /// The city.
    pub city: Option<String>,
    /// The state.
    pub state: Option<String>,
    /// The postal code.
    pub postal_code: Option<String>,
    /// The country, best in two letters of ISO 3166.
    pub country: Option<String>,
}

impl Brand {
    /// An active brand with an id and a name.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self { id: Some(id.into()), name: Stated::Value(name.into()), active: Some(true), ..Self::default() }
    }

    /// Whether it has the identifier. One that names no system is met by a value of any system.
    pub fn has_identifier(&self, wanted: &BrandIdentifier) -> bool {
        self.identifiers
            .iter()
            .any(|own| own.value == wanted.value && (wanted.system.is_none() || own.system == wanted.system))
    }

    /// The portals through which people reach their data: its own, else those of the brand that it belongs to.
    pub fn access_portals(&self) -> &[Portal] {
        self.source().map_or(&[], |brand| &brand.portals)
    }

    /// The FHIR servers through which apps reach people's data: its own, each once, in portals or not; else those of the
    /// brand that it belongs to.
    pub fn access_endpoints(&self) -> Vec<&Arc<BrandEndpoint>> {
        let mut found: Vec<&Arc<BrandEndpoint>> = Vec::new();
        for endpoint in self.source().into_iter().flat_map(Self::own_endpoints) {
            if !found.iter().any(|known| known.address == endpoint.address) {
                found.push(endpoint);
            }
        }
        found
    }

    fn own_endpoints(&self) -> impl Iterator<Item = &Arc<BrandEndpoint>> {
        self.portals.iter().flat_map(|portal| &portal.endpoints).chain(&self.endpoints)
    }

    /// The brand that says where the data is: this one, or the one that it belongs to.
    fn source(&self) -> Option<&Self> {
        let says_itself = !self.portals.is_empty() || !self.endpoints.is_empty();
        if says_itself { Some(self) } else { self.parent.as_deref() }
    }
}

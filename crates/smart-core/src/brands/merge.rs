//! One list of cards out of many bundles.

use super::brand::Brand;
use super::brand_endpoint::BrandEndpoint;
use super::bundle::BrandBundle;
use super::portal::Portal;
use crate::discovery::BrandIdentifier;
use std::collections::HashMap;
use std::sync::Arc;

/// A bundle and how it was come by.
#[derive(Debug, Clone, Copy)]
pub struct BrandSource<'a> {
    /// The bundle.
    pub bundle: &'a BrandBundle,
    /// How it was come by.
    pub origin: BrandOrigin<'a>,
}

/// How a bundle was come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrandOrigin<'a> {
    /// A list that a vendor or somebody else put together.
    Consolidated,
    /// Linked from a server's own `smart-configuration`.
    Server {
        /// `user_access_brand_identifier` of that document.
        primary: Option<&'a BrandIdentifier>,
    },
}

/// How much the word of a source counts for a brand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BrandRank {
    /// It stands in a collected list.
    Consolidated,
    /// It stands in a bundle that some server's document links to.
    Linked,
    /// It is the primary brand of the server whose document links to the bundle.
    Primary,
}

/// A brand as an app shows it: one card, with a way to connect for each portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrandCard {
    /// Name, logo and whatever else is shown: of the first source of the highest rank.
    pub brand: Arc<Brand>,
    /// The portals of all sources of this rank, each once.
    pub portals: Vec<Portal>,
    /// Endpoints that belong to no portal, each once.
    pub endpoints: Vec<Arc<BrandEndpoint>>,
    /// The rank of the sources that the card is made of.
    pub rank: BrandRank,
    /// The same brand out of sources of a lower rank. Nothing of it is on the card.
    pub superseded: Vec<Arc<Brand>>,
}

/// Merges bundles into cards.
///
/// Brands are the same when they share an identifier with a system. A brand out of a bundle that a server's own document
/// links to wins over the same brand in a collected list, wholly: a list of somebody else cannot put a further way to
/// connect onto its card (requirement BR-02). Sources of one rank add their portals to one card, as where a hospital has
/// portals of two vendors. Endpoints with an address that an own document describes are described by that document
/// everywhere.
///
/// Cards come in the order of their ranks, the highest first, and of the sources.
pub fn merge(sources: &[BrandSource<'_>]) -> Vec<BrandCard> {
    let mut merged = Merged { cards: Vec::new(), by_identifier: HashMap::new(), own_endpoints: own_endpoints(sources) };
    for rank in [BrandRank::Primary, BrandRank::Linked, BrandRank::Consolidated] {
        for source in sources {
            for brand in source.bundle.brands.iter().filter(|brand| source.rank(brand) == rank) {
                merged.add(brand, rank);
            }
        }
    }
    merged.cards
}

impl BrandSource<'_> {
    fn rank(&self, brand: &Arc<Brand>) -> BrandRank {
        match self.origin {
            BrandOrigin::Consolidated => BrandRank::Consolidated,
            BrandOrigin::Server { primary } => match self.bundle.primary(primary) {
                Ok(found) if Arc::ptr_eq(found, brand) => BrandRank::Primary,
                _ => BrandRank::Linked,
            },
        }
    }
}

/// The endpoints of the servers' own documents, by address.
fn own_endpoints(sources: &[BrandSource<'_>]) -> HashMap<String, Arc<BrandEndpoint>> {
    let mut found = HashMap::new();
    for source in sources.iter().filter(|source| source.origin != BrandOrigin::Consolidated) {
        for endpoint in &source.bundle.endpoints {
            found.entry(endpoint.address.normalised().to_owned()).or_insert_with(|| endpoint.clone());
        }
    }
    found
}

struct Merged {
    cards: Vec<BrandCard>,
    by_identifier: HashMap<(String, String), usize>,
    own_endpoints: HashMap<String, Arc<BrandEndpoint>>,
}

impl Merged {
    fn add(&mut self, brand: &Arc<Brand>, rank: BrandRank) {
        let keys = keys(brand);
        let card = self.card(brand, rank);
        let at = keys.iter().find_map(|key| self.by_identifier.get(key)).copied();
        let at = match at.and_then(|at| Some((at, self.cards.get_mut(at)?))) {
            // A brand that a higher source describes adds nothing, and its other identifiers say nothing of the card.
            Some((_, known)) if known.rank > rank => return known.superseded.push(brand.clone()),
            Some((at, known)) => {
                known.absorb(card);
                at
            }
            None => {
                self.cards.push(card);
                self.cards.len() - 1
            }
        };
        for key in keys {
            self.by_identifier.entry(key).or_insert(at);
        }
    }

    fn card(&self, brand: &Arc<Brand>, rank: BrandRank) -> BrandCard {
        let own = |endpoint: &Arc<BrandEndpoint>| {
            self.own_endpoints.get(endpoint.address.normalised()).unwrap_or(endpoint).clone()
        };
        let portals: Vec<Portal> = brand
            .access_portals()
            .iter()
            .map(|portal| Portal { endpoints: portal.endpoints.iter().map(own).collect(), ..portal.clone() })
            .collect();
        let in_portal = |endpoint: &BrandEndpoint| portals.iter().any(|p| p.leads_to(endpoint));
        let endpoints = brand.access_endpoints().into_iter().map(own).filter(|e| !in_portal(e)).collect();
        BrandCard { brand: brand.clone(), portals, endpoints, rank, superseded: Vec::new() }
    }
}

impl BrandCard {
    /// Adds what another source of the same rank has.
    fn absorb(&mut self, other: Self) {
        for portal in other.portals {
            if !self.portals.iter().any(|known| known.is_the_same(&portal)) {
                self.portals.push(portal);
            }
        }
        let portals = &self.portals;
        self.endpoints.retain(|endpoint| !portals.iter().any(|portal| portal.leads_to(endpoint)));
        for endpoint in other.endpoints {
            let known = self.endpoints.iter().any(|known| known.address == endpoint.address)
                || self.portals.iter().any(|portal| portal.leads_to(&endpoint));
            if !known {
                self.endpoints.push(endpoint);
            }
        }
    }
}

impl Portal {
    fn leads_to(&self, endpoint: &BrandEndpoint) -> bool {
        self.endpoints.iter().any(|own| own.address == endpoint.address)
    }

    fn is_the_same(&self, other: &Self) -> bool {
        self.name == other.name
            && self.url == other.url
            && self.endpoints.iter().all(|endpoint| other.leads_to(endpoint))
            && other.endpoints.iter().all(|endpoint| self.leads_to(endpoint))
    }
}

/// The identifiers that tell brands apart across bundles: a value without a system could be anybody's.
fn keys(brand: &Brand) -> Vec<(String, String)> {
    brand.identifiers.iter().filter_map(|i| Some((i.system.clone()?, i.value.clone()))).collect()
}

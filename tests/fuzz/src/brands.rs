//! Bundles of brands: never an endpoint without TLS, what is read can be written and read again, and no brand of a list
//! gets onto the card of a server's own brand.

use smart_core::brands::{BrandBundle, BrandOrigin, BrandRank, BrandSource, merge};
use smart_core::url_policy::UrlPolicy;

/// Tries `body` as a bundle.
pub fn hold(body: &[u8]) {
    let url = "https://ehr.example/brands.json".parse().expect("a URL");
    let parse = |body: &[u8]| BrandBundle::parse(&url, body, UrlPolicy::HttpsOnly);
    let Ok(bundle) = parse(body) else { return };
    assert!(bundle.endpoints.iter().all(|endpoint| endpoint.address.url().scheme() == "https"));
    let written = serde_json::to_vec(&bundle.to_object()).expect("a bundle can be written");
    let again = parse(&written).expect("and read again");
    assert_eq!((&again.brands, &again.endpoints), (&bundle.brands, &bundle.endpoints));
    let own = BrandSource { bundle: &bundle, origin: BrandOrigin::Server { primary: None } };
    let list = BrandSource { bundle: &again, origin: BrandOrigin::Consolidated };
    let cards = merge(&[list, own]);
    let own_cards = cards.iter().filter(|card| card.rank != BrandRank::Consolidated).count();
    assert!(own_cards <= bundle.brands.len() && cards.len() <= 2 * bundle.brands.len());
    for card in &cards {
        let _ = (card.brand.access_portals(), card.brand.access_endpoints());
        assert!(
            card.rank == BrandRank::Consolidated
                || bundle.brands.iter().any(|brand| std::sync::Arc::ptr_eq(brand, &card.brand))
        );
    }
}

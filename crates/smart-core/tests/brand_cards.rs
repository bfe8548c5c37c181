//! Merging bundles of brands, through the public API.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

mod brand_support;

use brand_support::{bundle, endpoint, identifier, organization, portal, read};
use proptest::prelude::*;
use serde_json::{Value, json};
use smart_core::brands::{BrandBundle, BrandCard, BrandOrigin, BrandRank, BrandSource, merge};
use smart_core::discovery::BrandIdentifier;

fn named(value: &str) -> BrandIdentifier {
    serde_json::from_value(identifier(value)).unwrap()
}

fn listed(bundle: &BrandBundle) -> BrandSource<'_> {
    BrandSource { bundle, origin: BrandOrigin::Consolidated }
}

fn linked<'a>(bundle: &'a BrandBundle, primary: Option<&'a BrandIdentifier>) -> BrandSource<'a> {
    BrandSource { bundle, origin: BrandOrigin::Server { primary } }
}

/// A bundle with one brand, one portal and one endpoint.
fn one(id: &str, own: &str, portal_name: &str, address: &str) -> BrandBundle {
    read(&bundle(&[
        organization(
            id,
            json!({
                "identifier": [identifier(own)], "extension": [portal(portal_name, json!([]), &["Endpoint/e"])],
                "endpoint": [{"reference": "Endpoint/e"}],
            }),
        ),
        endpoint("e", address, &["4.0.1"]),
    ]))
}

fn portals(card: &BrandCard) -> Vec<(&str, Vec<&str>)> {
    card.portals
        .iter()
        .map(|p| (p.name.value().unwrap().as_str(), p.endpoints.iter().map(|e| e.address.as_str()).collect()))
        .collect()
}

/// BR-02 (SMART, brands; I@415-416): where a server's own document links to a brand, a collected list's word on it does not
/// count: neither its name nor a further way to connect.
#[test]
fn own_document_wins_over_a_collected_list() {
    let own = one("own", "https://good.example", "Own Portal", "https://ehr.example/r4");
    let list = read(&bundle(&[
        organization(
            "listed",
            json!({
                "identifier": [identifier("https://good.example")],
                "extension": [portal("Listed Portal", json!([]), &["Endpoint/evil"])],
            }),
        ),
        organization("other", json!({"identifier": [identifier("https://other.example")]})),
        endpoint("evil", "https://evil.example/r4", &["4.0.1"]),
    ]));
    for sources in [[linked(&own, None), listed(&list)], [listed(&list), linked(&own, None)]] {
        let cards = merge(&sources);
        assert_eq!(
            cards.iter().map(|card| card.rank).collect::<Vec<_>>(),
            [BrandRank::Primary, BrandRank::Consolidated]
        );
        assert_eq!(cards[0].brand.id.as_deref(), Some("own"));
        assert_eq!(portals(&cards[0]), [("Own Portal", vec!["https://ehr.example/r4"])]);
        assert_eq!(cards[0].superseded.iter().map(|brand| brand.id.as_deref()).collect::<Vec<_>>(), [Some("listed")]);
        assert_eq!(cards[1].brand.id.as_deref(), Some("other"));
    }
}

/// BR-02 (SMART, brands): the Endpoint of the server's own document is taken wherever its address occurs.
#[test]
fn own_endpoint_wins_everywhere() {
    let own = one("own", "https://good.example", "P", "https://EHR.example/r4/");
    let mut entry = endpoint("e", "https://ehr.example/r4", &["1.0.2"]);
    entry["resource"]["status"] = json!("off");
    let list = read(&bundle(&[organization("affiliate", json!({"endpoint": [{"reference": "Endpoint/e"}]})), entry]));
    let cards = merge(&[listed(&list), linked(&own, None)]);
    let affiliate = cards.iter().find(|card| card.brand.id.as_deref() == Some("affiliate")).unwrap();
    assert_eq!(affiliate.endpoints, own.endpoints);
    assert!(affiliate.endpoints[0].speaks("4.0") && affiliate.endpoints[0].is_active());
}

/// BR-02, BR-03: the server whose primary brand it is knows it better than a server that merely lists it.
#[test]
fn primary_wins_over_linked() {
    let primary = one("p", "https://good.example", "Primary", "https://good.example/r4");
    let list_of_vendor = one("v", "https://good.example", "Of the vendor", "https://vendor.example/r4");
    let nobody = named("https://vendor.example");
    let cards = merge(&[linked(&list_of_vendor, Some(&nobody)), linked(&primary, None)]);
    assert_eq!((cards.len(), cards[0].rank, portals(&cards[0])[0].0), (1, BrandRank::Primary, "Primary"));
    assert_eq!(cards[0].superseded.len(), 1);
    let alone = merge(&[linked(&list_of_vendor, Some(&nobody))]);
    assert_eq!(alone[0].rank, BrandRank::Linked);
}

/// BR-02 (SMART, brands, example 3): two servers of one hospital, each with its own document, make one card with both portals;
/// what both have comes once.
#[test]
fn portals_of_one_rank_come_together() {
    let adults = one("a", "https://hospital.example", "Adults", "https://one.example/r4");
    let children = one("b", "https://hospital.example", "Children", "https://two.example/r4");
    let cards = merge(&[linked(&adults, None), linked(&children, None), linked(&adults, None)]);
    let [card] = cards.as_slice() else { panic!("one card") };
    assert_eq!(card.brand.id.as_deref(), Some("a"));
    assert_eq!(
        portals(card),
        [("Adults", vec!["https://one.example/r4"]), ("Children", vec!["https://two.example/r4"])]
    );
    assert!(card.endpoints.is_empty() && card.superseded.is_empty());
}

/// BR-02: brands without a shared identifier of a system stay apart, and a list cannot tie two brands together.
#[test]
fn brands_are_not_glued_together() {
    let bare = |id: &str| organization(id, json!({"identifier": [{"value": "1"}]}));
    assert_eq!(merge(&[listed(&read(&bundle(&[bare("a"), bare("b"), organization("c", json!({}))])))]).len(), 3);
    let one_brand = one("one", "https://one.example", "One", "https://one.example/r4");
    let two = one("two", "https://two.example", "Two", "https://two.example/r4");
    let both = json!({"identifier": [identifier("https://one.example"), identifier("https://two.example")]});
    let glue = read(&bundle(&[organization("glue", both)]));
    let cards = merge(&[listed(&glue), linked(&one_brand, None), linked(&two, None)]);
    assert_eq!(cards.len(), 2);
    assert_eq!((portals(&cards[0])[0].0, portals(&cards[1])[0].0), ("One", "Two"));
    assert_eq!((cards[0].superseded.len(), cards[1].superseded.len()), (1, 0));
}

proptest! {
    /// BR-02: in any order of the sources each brand of a server's own document is on a card, no card of such a brand has
    /// anything of a list, and each brand of a list is on a card or superseded.
    #[test]
    fn no_list_gets_onto_a_servers_card(of_servers in prop::collection::vec(0..5_usize, 0..4), of_lists in prop::collection::vec(0..5_usize, 0..4)) {
        let own = |kind: &str, list: &[usize]| -> Vec<BrandBundle> {
            let bundle = |(at, brand): (usize, &usize)| {
                one(&format!("{kind}{at}"), &format!("https://b{brand}.example"), kind, &format!("https://{kind}{at}.example/r4"))
            };
            list.iter().enumerate().map(bundle).collect()
        };
        let (servers, lists) = (own("server", &of_servers), own("list", &of_lists));
        let sources: Vec<_> = lists.iter().map(listed).chain(servers.iter().map(|b| linked(b, None))).collect();
        let cards = merge(&sources);
        let mut brands: Vec<usize> = of_servers.iter().chain(&of_lists).copied().collect();
        brands.sort_unstable();
        brands.dedup();
        prop_assert_eq!(cards.len(), brands.len());
        let mut connects = 0;
        for card in &cards {
            let expected = if card.rank == BrandRank::Consolidated { "list" } else { "server" };
            for portal in &card.portals {
                prop_assert_eq!(portal.name.value().unwrap(), expected);
                connects += portal.endpoints.len();
            }
            connects += card.superseded.len();
            prop_assert!(card.rank != BrandRank::Consolidated || card.superseded.is_empty());
        }
        prop_assert_eq!(connects, of_servers.len() + of_lists.len());
    }
}

/// BR-03: a published bundle is what apps read, with references within one server.
#[test]
fn published_bundle_refers_within_itself() {
    let bundle = one("a", "https://a.example", "P", "https://ehr.example/r4");
    let written = Value::from(bundle.to_object());
    assert_eq!(written["type"], "collection");
    assert_eq!(written["entry"][0]["resource"]["endpoint"], json!([{"reference": "Endpoint/e"}]));
    let endpoint = &written["entry"][1]["resource"];
    assert_eq!(endpoint["connectionType"]["code"], "hl7-fhir-rest");
    assert_eq!(endpoint["payloadType"][0]["coding"][0]["code"], "none");
    assert_eq!(read(&written), bundle);
}

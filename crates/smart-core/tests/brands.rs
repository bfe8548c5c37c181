//! Bundles of user-access brands, through the public API.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

mod brand_support;

use brand_support::{bundle, endpoint, identifier, organization, portal, read, url};
use proptest::prelude::*;
use serde_json::{Value, json};
use smart_core::brands::{
    AbsentReason, BrandAnswer, BrandBundle, BrandBundleFetch, BrandCategory, BrandError, Logo, Portal, Stated,
};
use smart_core::discovery::DiscoveryOptions;
use smart_core::entity_tag::EntityTag;
use smart_core::leniency::Leniency;
use smart_core::url_policy::UrlPolicy;

fn notes(bundle: &BrandBundle) -> Vec<(Leniency, Option<usize>)> {
    bundle.notes.iter().map(|note| (note.leniency, note.entry)).collect()
}

fn portal_names(portals: &[Portal]) -> Vec<&str> {
    portals.iter().map(|portal| portal.name.value().unwrap().as_str()).collect()
}

/// BR-01, F-132 (SMART, brands, caching): no token, `If-None-Match` with the tag that is held, and 304 keeps what is held.
#[test]
fn bundles_are_fetched_without_a_token_and_by_tag() {
    let url = url();
    let fetch = BrandBundleFetch { url: &url, known: None, policy: UrlPolicy::HttpsOnly };
    let request = fetch.request().unwrap();
    assert_eq!(
        (request.method().as_str(), request.uri()),
        ("GET", &"https://brands.example/all.json?v=1".parse::<http::Uri>().unwrap())
    );
    assert_eq!(request.headers().keys().map(http::HeaderName::as_str).collect::<Vec<_>>(), ["accept"]);
    let body = bundle(&[]).to_string();
    let BrandAnswer::New { etag, .. } = fetch.parse(200, Some("W/\"7\""), body.as_bytes()).unwrap() else {
        panic!("a bundle")
    };
    let etag = etag.unwrap();
    let again = BrandBundleFetch { known: Some(&etag), ..fetch };
    assert_eq!(again.request().unwrap().headers()["if-none-match"], "W/\"7\"");
    assert_eq!(again.parse(304, Some("W/\"7\""), b"").unwrap(), BrandAnswer::NotModified);
    assert!(matches!(fetch.parse(304, None, b""), Err(BrandError::Status { status: 304, .. })), "nothing is held");
    let without = fetch.parse(200, Some("7"), body.as_bytes()).unwrap();
    assert!(matches!(without, BrandAnswer::New { etag: None, .. }), "a malformed tag is none");
    assert_eq!(EntityTag::parse("W/\"7\"").unwrap(), etag);
}

/// BR-01: other answers are told apart; errors do not show the query.
#[test]
fn other_answers_are_typed() {
    let url = url();
    let fetch = BrandBundleFetch { url: &url, known: None, policy: UrlPolicy::HttpsOnly };
    let error = |status, body: &str| fetch.parse(status, None, body.as_bytes()).unwrap_err();
    assert!(error(503, "").is_retryable() && !error(404, "").is_retryable());
    assert!(matches!(error(302, ""), BrandError::Status { status: 302, .. }));
    assert!(matches!(error(200, "<html>"), BrandError::Json { .. }));
    let patient = error(200, r#"{"resourceType":"Patient"}"#);
    assert_eq!(patient, BrandError::NotABundle { url: "https://brands.example/all.json".into() });
}

/// BR-03 (SMART, brands, example 1): a laboratory with one portal and many places; each member is read.
#[test]
fn a_laboratory_with_many_places() {
    let bundle = read(&bundle(&[
        organization(
            "labs",
            json!({
                "identifier": [identifier("https://labs.example"), {"system": "urn:npi", "value": "17"}],
                "alias": ["Example Labs of the North", "Old Labs"],
                "type": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/organization-type", "code": "laboratory", "display": "Laboratory"}]}],
                "address": [{"city": "Madison", "state": "WI", "country": "US"}, {"postalCode": "02139"}, {"line": ["1 Main St", "Suite 2"]}, {}],
                "extension": [
                    {"url": "http://hl7.org/fhir/StructureDefinition/organization-brand", "extension": [
                        {"url": "brandLogo", "valueUrl": "data:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg'/>"},
                        {"url": "brandLogo", "valueUrl": "https://labs.example/logo.png"},
                        {"url": "brandLogoLicense", "valueUrl": "https://labs.example/license"},
                        {"url": "brandBundle", "valueUrl": "https://labs.example/brands.json"},
                    ]},
                    portal("Labs Central", json!([
                        {"url": "portalUrl", "valueUrl": "https://central.labs.example"},
                        {"url": "portalDescription", "valueMarkdown": "For *everybody*."},
                        {"url": "portalLogo", "valueUrl": "https://labs.example/portal.png"},
                        {"url": "portalLogoLicense", "valueUrl": "https://labs.example/portal-license"},
                    ]), &["Endpoint/labs-r4"]),
                ],
                "endpoint": [{"reference": "Endpoint/labs-r4"}],
            }),
        ),
        endpoint("labs-r4", "https://fhir.labs.example/r4", &["4.0.1"]),
    ]));
    assert_eq!(notes(&bundle), []);
    assert_eq!(bundle.timestamp.as_deref(), Some("2026-01-02T03:04:05Z"));
    let brand = bundle.primary(None).unwrap();
    assert_eq!(brand.name, Stated::Value("Brand labs".to_owned()));
    assert_eq!(brand.website.value().unwrap().as_str(), "https://labs.example/");
    assert_eq!((brand.aliases.len(), brand.identifiers.len(), brand.addresses.len()), (2, 2, 3));
    assert_eq!(brand.addresses[2].line, ["1 Main St", "Suite 2"]);
    assert_eq!(
        brand.categories,
        [BrandCategory {
            system: Some("http://terminology.hl7.org/CodeSystem/organization-type".into()),
            code: "laboratory".into(),
            display: Some("Laboratory".into())
        }]
    );
    assert!(matches!(brand.logos.as_slice(), [Logo::Embedded(_), Logo::Remote(_)]));
    assert_eq!((brand.logo_licenses.len(), brand.brand_bundles.len()), (1, 1));
    let [portal] = brand.access_portals() else { panic!("one portal") };
    assert_eq!((portal.description.as_deref(), portal.logos.len()), (Some("For *everybody*."), 1));
    assert_eq!(portal.url.value().unwrap().as_str(), "https://central.labs.example/");
    let [endpoint] = portal.endpoints.as_slice() else { panic!("one endpoint") };
    assert!(endpoint.speaks("4.0") && endpoint.speaks("4") && !endpoint.speaks("5.0") && endpoint.is_active());
    assert_eq!(endpoint.developer_pages.len(), 1);
}

/// BR-03 (SMART, brands, example 2): affiliates of a health system use its portal, which has two endpoints.
#[test]
fn affiliates_use_the_portal_of_their_health_system() {
    let affiliate = |id: &str| {
        organization(
            id,
            json!({"partOf": {"reference": "Organization/health"}, "identifier": [identifier(&format!("https://{id}.example"))]}),
        )
    };
    let bundle = read(&bundle(&[
        affiliate("clinic"),
        organization(
            "health",
            json!({
                "identifier": [identifier("https://health.example")],
                "extension": [portal("My Health", json!([]), &["Endpoint/r4", "Endpoint/r2"])],
                "endpoint": [{"reference": "Endpoint/r2"}, {"reference": "Endpoint/r4"}],
            }),
        ),
        affiliate("hospital"),
        endpoint("r2", "https://ehr.example/r2", &["1.0.2"]),
        endpoint("r4", "https://ehr.example/r4", &["4.0.1"]),
    ]));
    assert_eq!(notes(&bundle), []);
    assert_eq!(bundle.primary(None).unwrap_err(), BrandError::PrimaryNotNamed { count: 3 });
    for brand in &bundle.brands {
        assert_eq!(portal_names(brand.access_portals()), ["My Health"], "{:?}", brand.id);
        let addresses: Vec<&str> = brand.access_endpoints().iter().map(|e| e.address.as_str()).collect();
        assert_eq!(addresses, ["https://ehr.example/r4", "https://ehr.example/r2"]);
    }
    let parent = bundle.brands[0].parent.as_ref().unwrap();
    assert_eq!((parent.id.as_deref(), parent.parent.is_none()), (Some("health"), true));
}

/// BR-03 (SMART, brands, example 3): one hospital with two portals of two vendors, referred to by absolute references.
#[test]
fn a_hospital_with_two_portals() {
    let adult = "https://one.example/Endpoint/hospital";
    let child = "https://two.example/Endpoint/hospital";
    let mut first = endpoint("hospital", "https://one.example/r4", &["4.0.1"]);
    let mut second = endpoint("hospital", "https://two.example/r4", &["4.0.1"]);
    (first["fullUrl"], second["fullUrl"]) = (json!(adult), json!(child));
    let bundle = read(&bundle(&[
        organization(
            "hospital",
            json!({
                "extension": [portal("Adults", json!([]), &[adult]), portal("Children", json!([]), &[child])],
                "endpoint": [{"reference": adult}, {"reference": child}],
            }),
        ),
        first,
        second,
    ]));
    assert_eq!(notes(&bundle), []);
    let brand = bundle.primary(None).unwrap();
    let portals: Vec<(&str, &str)> = brand
        .portals
        .iter()
        .map(|portal| (portal.name.value().unwrap().as_str(), portal.endpoints[0].address.as_str()))
        .collect();
    assert_eq!(portals, [("Adults", "https://one.example/r4"), ("Children", "https://two.example/r4")]);
}

/// BR-03 (SMART, brands, example 4, metadata in smart-configuration): of two brands with one endpoint the identifier says
/// which is the server's; it must be exactly one.
#[test]
fn primary_brand_is_the_one_with_the_identifier() {
    let brand = |id: &str, own: &Value| {
        organization(
            id,
            json!({"identifier": [own, {"value": "shared"}], "endpoint": [{"reference": "Endpoint/both"}]}),
        )
    };
    let (one, two) = (identifier("https://one.example"), identifier("https://two.example"));
    let bundle = read(&bundle(&[
        brand("one", &one),
        brand("two", &two),
        endpoint("both", "https://ehr.example/r4", &["4.0.1"]),
    ]));
    let primary = |value: &Value| bundle.primary(Some(&serde_json::from_value(value.clone()).unwrap()));
    assert_eq!(primary(&one).unwrap().id.as_deref(), Some("one"));
    assert_eq!(primary(&json!({"value": "https://two.example"})).unwrap().id.as_deref(), Some("two"), "of any system");
    let other_system = json!({"system": "urn:other", "value": "https://one.example"});
    assert_eq!(primary(&other_system).unwrap_err(), BrandError::PrimaryNotUnique { count: 0 });
    assert_eq!(primary(&json!({"value": "shared"})).unwrap_err(), BrandError::PrimaryNotUnique { count: 2 });
    assert_eq!(bundle.brands[0].endpoints, bundle.brands[1].endpoints);
}

/// BR-03 (SMART, brands, data absent reasons): a required value may be missing for two reasons; others are noted.
#[test]
fn absent_reasons_are_read() {
    let absent = |reason: &str| json!({"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": reason}]});
    let name_part = json!({"url": "portalName", "_valueString": absent("asked-unknown")});
    let url_part = json!({"url": "portalUrl", "extension": absent("asked-declined")["extension"]});
    let unnamed = json!({"url": "http://hl7.org/fhir/StructureDefinition/organization-portal", "extension": [name_part, url_part]});
    let mut brand = organization(
        "a",
        json!({"telecom": [{"system": "url", "_value": absent("asked-declined")}], "extension": [unnamed]}),
    );
    let found = read(&bundle(std::slice::from_ref(&brand)));
    assert_eq!(notes(&found), []);
    assert_eq!(found.brands[0].website.absent_reason(), Some(&AbsentReason::AskedDeclined));
    let portal = &found.brands[0].portals[0];
    assert_eq!(portal.name, Stated::Absent(AbsentReason::AskedUnknown));
    assert_eq!(portal.url.absent_reason(), Some(&AbsentReason::AskedDeclined));

    brand["resource"]["telecom"] = json!([absent("masked")]);
    brand["resource"]["name"] = Value::Null;
    let found = read(&bundle(&[brand]));
    assert_eq!(found.brands[0].website, Stated::Absent(AbsentReason::Other("masked".into())));
    assert_eq!(notes(&found), [(Leniency::BrandAbsentReason, Some(0)), (Leniency::BrandNameMissing, Some(0))]);
}

/// BR-03, DI-13: what cannot be used is left out and noted with its entry; the rest of the bundle is read.
#[test]
fn unusable_parts_are_left_out() {
    let mut kind = endpoint("dicom", "https://img.example/dicom", &[]);
    kind["resource"]["connectionType"]["code"] = json!("dicom-wado-rs");
    let mut newer = endpoint("r5", "https://ehr.example/r5", &["5.0.0"]);
    newer["resource"]["connectionType"] = json!([{"coding": [{"code": "hl7-fhir-rest"}]}]);
    let logos = json!({"url": "http://hl7.org/fhir/StructureDefinition/organization-brand", "extension": [
        {"url": "brandLogo", "valueUrl": "javascript:alert(1)"}, {"url": "brandLogo", "valueUrl": "data:text/html,<script>"},
        {"url": "brandBundle", "valueUrl": "http://a.example/brands.json"},
    ]});
    let mut document = bundle(&[
        organization(
            "a",
            json!({
                "telecom": [{"system": "url", "value": "not a url"}], "extension": [logos],
                "endpoint": [{"reference": "Endpoint/http"}, {"reference": "https://elsewhere.example/Endpoint/r5"}, {"display": "x"}, {"reference": "Endpoint/r5"}],
            }),
        ),
        endpoint("http", "http://ehr.example/r4", &["4.0.1"]),
        kind,
        newer,
        json!({"fullUrl": "https://ehr.example/Endpoint/r5", "resource": {"resourceType": "Endpoint", "address": "https://evil.example"}}),
        json!({"fullUrl": "urn:uuid:1"}),
        json!({"resource": {"resourceType": "Location"}}),
    ]);
    document["type"] = json!("searchset");
    let found = read(&document);
    assert_eq!(found.endpoints.iter().map(|e| e.address.as_str()).collect::<Vec<_>>(), ["https://ehr.example/r5"]);
    let brand = &found.brands[0];
    assert_eq!((brand.endpoints.len(), brand.logos.len(), brand.brand_bundles.len()), (1, 0, 0));
    assert_eq!(brand.website, Stated::Missing);
    let count = |leniency| notes(&found).iter().filter(|note| note.0 == leniency).count();
    assert!(notes(&found).contains(&(Leniency::BrandBundleType, None)));
    assert!(notes(&found).contains(&(Leniency::BrandEndpointUnusable, Some(1))));
    assert_eq!(count(Leniency::BrandEndpointUnusable), 2);
    assert_eq!(count(Leniency::BrandEntryUnreadable), 2);
    assert_eq!(count(Leniency::BrandReferenceUnresolved), 3);
    assert_eq!(count(Leniency::BrandUrlUnusable), 4);
}

/// BR-03: a reference means the entry of its own server; with the same id on two servers none is guessed.
#[test]
fn references_are_never_guessed() {
    let at = |server: &str, mut entry: Value, id: &str| {
        let resource_type = entry["resource"]["resourceType"].as_str().unwrap().to_owned();
        entry["fullUrl"] = json!(format!("{server}/{resource_type}/{id}"));
        entry
    };
    let uses = |id: &str| organization(id, json!({"endpoint": [{"reference": "Endpoint/e"}]}));
    let two = "https://two.example/fhir";
    let found = read(&bundle(&[
        at("https://one.example", uses("a"), "a"),
        at(two, uses("b"), "b"),
        at("https://three.example", uses("c"), "c"),
        at("https://one.example", endpoint("e", "https://one.example/r4", &[]), "e"),
        at(two, endpoint("e", "https://two.example/r4", &[]), "e"),
    ]));
    let address = |index: usize| found.brands[index].endpoints.first().map(|e| e.address.as_str().to_owned());
    assert_eq!(address(0).as_deref(), Some("https://one.example/r4"));
    assert_eq!(address(1).as_deref(), Some("https://two.example/r4"));
    assert_eq!(address(2), None);
    assert_eq!(notes(&found), [(Leniency::BrandReferenceUnresolved, Some(2))]);
}

/// BR-03: a brand below two others takes the nearer one's portals; one that belongs to itself belongs to none.
#[test]
fn hierarchy_has_two_levels() {
    let below =
        |id: &str, parent: &str| organization(id, json!({"partOf": {"reference": format!("Organization/{parent}")}}));
    let found = read(&bundle(&[
        below("a", "b"),
        below("b", "c"),
        organization("c", json!({"extension": [portal("C", json!([]), &[])]})),
        below("d", "d"),
        below("e", "nobody"),
    ]));
    assert!(found.brands[0].access_portals().is_empty());
    assert_eq!(portal_names(found.brands[1].access_portals()), ["C"]);
    assert!(found.brands[3].parent.is_none() && found.brands[4].parent.is_none());
    assert_eq!(
        notes(&found),
        [
            (Leniency::BrandParentDepth, Some(0)),
            (Leniency::BrandReferenceUnresolved, Some(3)),
            (Leniency::BrandReferenceUnresolved, Some(4)),
        ]
    );
}

/// BR-03: the part names of the extension's first version are read.
#[test]
fn old_names_of_portal_parts_are_read() {
    let parts =
        json!([{"url": "url", "valueUrl": "https://p.example"}, {"url": "description", "valueString": "For all."}]);
    let found = read(&bundle(&[organization("a", json!({"extension": [portal("P", parts, &[])]}))]));
    let portal = &found.brands[0].portals[0];
    assert_eq!((portal.description.as_deref(), portal.url.value().is_some()), (Some("For all."), true));
    assert_eq!(notes(&found), [(Leniency::BrandPortalOldNames, Some(0)); 2]);
}

/// BR-04 (SMART, brands, metadata): an endpoint leads to discovery, at its address and without a token, and to nothing else.
#[test]
fn endpoint_leads_to_discovery_only() {
    let found = read(&bundle(&[endpoint("e", "https://ehr.example/r4/", &["4.0.1"])]));
    let request = found.endpoints[0].discovery(DiscoveryOptions::default()).request().unwrap();
    assert_eq!(request.uri(), "https://ehr.example/r4/.well-known/smart-configuration");
    assert!(!request.headers().contains_key("authorization"));
}

fn any_entry() -> impl Strategy<Value = Value> {
    let id = prop::sample::select(&["a", "b", "c d", ""][..]);
    let server = prop::sample::select(&["https://one.example", "https://two.example/fhir", "x", "urn:uuid:"][..]);
    let reference = prop::sample::select(
        &[
            "Endpoint/a",
            "Endpoint/b",
            "https://one.example/Endpoint/a",
            "Organization/a",
            "Organization/b",
            "https://one.example/Organization/b",
            "Endpoint/a/_history/1",
            "#a",
            "",
        ][..],
    );
    let address =
        prop::sample::select(&["https://ehr.example/r4", "https://ehr.example/r4/", "http://x.example", ""][..]);
    let text =
        prop::sample::select(&["", "x", "https://p.example/a b", "data:image/png;base64,AA", "asked-declined"][..]);
    (any::<bool>(), id, server, prop::collection::vec(reference, 0..4), address, prop::collection::vec(text, 6)).prop_map(
        |(is_endpoint, id, server, references, address, texts)| {
            let resource_type = if is_endpoint { "Endpoint" } else { "Organization" };
            let list: Vec<Value> = references.iter().map(|reference| json!({"reference": reference})).collect();
            let absent = json!({"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": texts[0]}]});
            let mut resource = json!({
                "resourceType": resource_type, "id": id, "name": texts[1], "_name": absent,
                "telecom": [{"system": "url", "value": texts[2], "_value": absent}], "alias": [texts[3]],
                "identifier": [{"system": texts[4], "value": texts[5]}],
                "extension": [
                    {"url": "http://hl7.org/fhir/StructureDefinition/organization-portal", "extension": [
                        {"url": "portalName", "valueString": texts[3], "_valueString": absent}, {"url": "portalUrl", "valueUrl": texts[2]},
                        {"url": "portalLogo", "valueUrl": texts[4]}, {"url": "portalEndpoint", "valueReference": list.first()},
                    ]},
                    {"url": "http://hl7.org/fhir/StructureDefinition/organization-brand", "extension": [{"url": "brandLogo", "valueUrl": texts[5]}]},
                    {"url": "http://hl7.org/fhir/StructureDefinition/endpoint-fhir-version", "valueCode": texts[4]},
                ],
                "partOf": list.last(),
            });
            if is_endpoint {
                resource["address"] = json!(address);
            } else {
                resource["endpoint"] = json!(list);
            }
            json!({"fullUrl": format!("{server}/{resource_type}/{id}"), "resource": resource})
        },
    )
}

proptest! {
    /// BR-03, BR-04: whatever a bundle holds, each endpoint that is read is https, the primary brand is never a guess, and
    /// what is written is read again the same.
    #[test]
    fn what_is_read_is_written_and_read_again(entries in prop::collection::vec(any_entry(), 0..6)) {
        let found = read(&bundle(&entries));
        prop_assert!(found.endpoints.iter().all(|endpoint| endpoint.address.url().scheme() == "https"));
        prop_assert_eq!(found.primary(None).is_ok(), found.brands.len() == 1);
        let again = read(&Value::from(found.to_object()));
        prop_assert_eq!(&again.brands, &found.brands);
        prop_assert_eq!(&again.endpoints, &found.endpoints);
    }
}

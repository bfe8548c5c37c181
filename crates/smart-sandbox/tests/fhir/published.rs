//! Brands and style, fetched as a client fetches them.

use crate::world::World;
use bytes::Bytes;
use http::Request;
use smart_core::brands::{BrandAnswer, BrandBundleFetch};
use smart_core::discovery::SmartConfiguration;
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::style::{StyleDocument, style_request};
use smart_core::url_policy::UrlPolicy;
use smart_sandbox::browser::Person;
use smart_sandbox::{Offers, SandboxConfig};

/// SMART, brands: discovery leads to the bundle, whose primary brand leads back to this server; a known version is not sent
/// again, and any page may read it.
#[tokio::test]
async fn brands_lead_to_this_server() {
    let world = World::with(SandboxConfig { offers: Offers::ALL, ..SandboxConfig::default() }).await;
    let base = FhirBaseUrl::parse_with(&world.sandbox.fhir_base(), UrlPolicy::AllowLoopbackHttp).unwrap();
    let body = world.get(".well-known/smart-configuration", "").await.body.to_string();
    let found = SmartConfiguration::parse(body.as_bytes(), &base, UrlPolicy::AllowLoopbackHttp).unwrap().configuration;
    let url = found.user_access_brand_bundle.unwrap();
    let fetch = BrandBundleFetch { url: &url, known: None, policy: UrlPolicy::AllowLoopbackHttp };
    let answer = world.http.fetch(fetch.request().unwrap()).await.unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    let etag = answer.headers()["etag"].to_str().unwrap();
    let BrandAnswer::New { bundle, etag } = fetch.parse(200, Some(etag), answer.body()).unwrap() else { panic!() };
    assert!(bundle.notes.is_empty(), "{:?}", bundle.notes);
    let primary = bundle.primary(found.user_access_brand_identifier.as_ref()).unwrap();
    assert_eq!(primary.name.value().unwrap(), "Saltmere Example Hospital");
    assert_eq!((primary.portals.len(), primary.access_endpoints()[0].address.as_str()), (2, base.as_str()));
    assert!(bundle.brands.iter().any(|brand| brand.parent.as_ref() == Some(primary)));
    let again = BrandBundleFetch { url: &url, known: etag.as_ref(), policy: UrlPolicy::AllowLoopbackHttp };
    assert_eq!(world.http.fetch(again.request().unwrap()).await.unwrap().status(), 304);
}

/// SMART, styling: the token answer leads to a style that is whole, readable by any page, and marked with its version.
#[tokio::test]
async fn the_style_is_served() {
    let world = World::with(SandboxConfig { offers: Offers::ALL, ..SandboxConfig::default() }).await;
    let url = world.token_answer("launch/patient patient/*.rs", Person::default()).await["smart_style_url"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let answer = world.http.fetch(style_request(&url).unwrap()).await.unwrap();
    let style = StyleDocument::parse(&url, answer.status().as_u16(), answer.body()).unwrap();
    assert_eq!((style.unusable().count(), style.custom_properties().len(), style.leniencies.len()), (0, 9, 0));
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    let known = Request::get(url.as_str()).header("if-none-match", &answer.headers()["etag"]);
    assert_eq!(world.http.fetch(known.body(Bytes::new()).unwrap()).await.unwrap().status(), 304);
    let plain = World::start().await;
    assert_eq!(
        plain.get(&format!("{}/smart-style.json", plain.sandbox.fhir_base().replace("/fhir", "")), "").await.status,
        404
    );
}

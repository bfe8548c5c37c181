//! What the sandbox publishes for everybody, without a token: the brands of its hospital, and how its EHR looks.

use crate::data::{HOSPITAL, HOSPITAL_IDENTIFIER};
use crate::quirks::Extra;
use crate::shared::Shared;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::Value;
use smart_core::brands::{Brand, BrandAddress, BrandBundle, BrandCategory, BrandEndpoint, Logo, Portal, Stated};
use smart_core::discovery::BrandIdentifier;
use smart_core::entity_tag::EntityTag;
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::style::{StyleDocument, StyleProperty};
use smart_core::url_policy::UrlPolicy;
use std::sync::Arc;
use url::Url;

/// Where the brands are, below the origin.
pub(crate) const BRANDS: &str = "/brands.json";
/// Where the style is, below the origin.
pub(crate) const STYLE: &str = "/smart-style.json";

/// Neither document changes while a sandbox runs.
const TAG: &str = "W/\"1\"";
const DAY: &str = "2026-01-01T00:00:00Z";

/// The routes of what is offered.
pub(crate) fn router(shared: &Shared) -> Router<Arc<Shared>> {
    let mut router = Router::new();
    if shared.offers.brands {
        router = router.route(BRANDS, get(brands));
    }
    let named = shared.quirks.answer.extra.iter().any(|(_, extra)| *extra == Extra::StyleUrl);
    if shared.offers.style || named {
        router = router.route(STYLE, get(style));
    }
    router
}

/// The identifier of the brand that this server belongs to.
pub(crate) fn primary_brand() -> BrandIdentifier {
    BrandIdentifier { system: Some("urn:ietf:rfc:3986".to_owned()), value: HOSPITAL_IDENTIFIER.to_owned() }
}

async fn brands(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    match bundle(&shared) {
        Some(bundle) => document(&headers, "application/fhir+json", "max-age=3600", &bundle.to_object().into()),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn style(headers: HeaderMap) -> Response {
    let style = StyleDocument::default()
        .with(StyleProperty::ColorBackground, "#fdfdfb")
        .with(StyleProperty::ColorError, "#9e2d2d")
        .with(StyleProperty::ColorHighlight, "#1f6f8b")
        .with(StyleProperty::ColorSuccess, "#2d7a4f")
        .with(StyleProperty::ColorText, "#222b30")
        .with(StyleProperty::DimBorderRadius, "4px")
        .with(StyleProperty::DimFontSize, "15px")
        .with(StyleProperty::DimSpacingSize, "16px")
        .with(StyleProperty::FontFamilyBody, "'Source Sans 3', Arial, sans-serif");
    match serde_json::to_value(&style) {
        Ok(style) => document(&headers, "application/json", "max-age=31536000, immutable", &style),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A document with its tag; 304 for who has it already.
fn document(headers: &HeaderMap, kind: &'static str, cached: &'static str, body: &Value) -> Response {
    let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let same = |tag: &str| match (EntityTag::parse(tag), EntityTag::parse(TAG)) {
        (Ok(known), Ok(own)) => known.is_same_version(&own),
        _ => tag.trim() == "*",
    };
    let mut response = if known.split(',').any(same) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(CONTENT_TYPE, kind)], body.to_string()).into_response()
    };
    response.headers_mut().insert(ETAG, HeaderValue::from_static(TAG));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(cached));
    response
}

/// A hospital with two portals, and a practice that belongs to it.
fn bundle(shared: &Shared) -> Option<BrandBundle> {
    let address = FhirBaseUrl::parse_with(&shared.fhir_base, UrlPolicy::AllowLoopbackHttp).ok()?;
    let url = |text: &str| Url::parse(text).map_or(Stated::Missing, Stated::Value);
    let name = |text: &str| Stated::Value(text.to_owned());
    let full = |kind: &str, id: &str| Some(format!("https://hospital.example/brands/{kind}/{id}"));
    let category = BrandCategory {
        system: Some("http://terminology.hl7.org/CodeSystem/organization-type".to_owned()),
        code: "prov".to_owned(),
        display: Some("Healthcare Provider".to_owned()),
    };
    let place = |line: &str| BrandAddress {
        line: vec![line.to_owned()],
        city: Some("Saltmere".to_owned()),
        postal_code: Some("00110".to_owned()),
        ..BrandAddress::default()
    };
    let endpoint = Arc::new(BrandEndpoint {
        full_url: full("Endpoint", "sandbox"),
        name: Some("FHIR R4 sandbox".to_owned()),
        developer_pages: Url::parse("https://hospital.example/developers").into_iter().collect(),
        ..BrandEndpoint::new("sandbox", address, "4.0.1")
    });
    let portal = |title: &str, page: &str| Portal {
        name: name(title),
        url: url(page),
        endpoints: vec![endpoint.clone()],
        ..Portal::default()
    };
    let hospital = Arc::new(Brand {
        full_url: full("Organization", "hospital"),
        identifiers: vec![primary_brand()],
        aliases: vec!["Saltmere General".to_owned()],
        website: url(HOSPITAL_IDENTIFIER),
        categories: vec![category.clone()],
        addresses: vec![place("1 Infirmary Hill")],
        logos: Logo::parse("https://hospital.example/logo.svg").into_iter().collect(),
        portals: vec![
            portal("Saltmere Patients", "https://hospital.example/portal"),
            portal("Saltmere Children", "https://hospital.example/children"),
        ],
        endpoints: vec![endpoint.clone()],
        ..Brand::new("hospital", HOSPITAL)
    });
    let practice = Brand {
        full_url: full("Organization", "practice"),
        website: url("https://practice.hospital.example"),
        categories: vec![category],
        addresses: vec![place("14 Harbour Lane")],
        parent: Some(hospital.clone()),
        ..Brand::new("practice", "Harbour Lane Practice")
    };
    Some(BrandBundle {
        timestamp: Some(DAY.to_owned()),
        last_updated: Some(DAY.to_owned()),
        brands: vec![hospital, Arc::new(practice)],
        endpoints: vec![endpoint],
        notes: Vec::new(),
    })
}

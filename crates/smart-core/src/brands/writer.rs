//! For those who publish brands: writing a bundle.

use super::brand::{Brand, BrandAddress, BrandCategory};
use super::brand_endpoint::BrandEndpoint;
use super::bundle::BrandBundle;
use super::portal::Portal;
use super::references::{id_in, server_of};
use super::stated::Stated;
use super::{ENDPOINT_FHIR_VERSION, ORGANIZATION_BRAND, ORGANIZATION_PORTAL};
use crate::fhir_json::DATA_ABSENT_REASON;
use serde_json::{Map, Value, json};
use url::Url;

impl BrandBundle {
    /// The bundle as FHIR. References are relative within one server, else absolute; resources without an id and without a
    /// `full_url` cannot be referred to.
    pub fn to_object(&self) -> Map<String, Value> {
        let mut bundle = object("Bundle");
        put(&mut bundle, "meta", self.last_updated.as_ref().map(|time| json!({"lastUpdated": time})));
        put(&mut bundle, "type", Some("collection".into()));
        put(&mut bundle, "timestamp", self.timestamp.as_deref().map(Value::from));
        let brands = self.brands.iter().map(|brand| (&brand.full_url, organization(brand)));
        let endpoints = self.endpoints.iter().map(|e| (&e.full_url, endpoint(e)));
        let entries = brands.chain(endpoints).map(|(full_url, resource)| {
            let mut entry = Map::new();
            put(&mut entry, "fullUrl", full_url.as_deref().map(Value::from));
            put(&mut entry, "resource", Some(resource));
            Value::Object(entry)
        });
        put(&mut bundle, "entry", list(entries));
        bundle
    }
}

fn organization(brand: &Brand) -> Value {
    let mut resource = object("Organization");
    put(&mut resource, "id", brand.id.as_deref().map(Value::from));
    put(&mut resource, "extension", list(branding(brand).into_iter().chain(portals(brand))));
    let identifiers = brand.identifiers.iter().filter_map(|identifier| serde_json::to_value(identifier).ok());
    put(&mut resource, "identifier", list(identifiers));
    put(&mut resource, "active", brand.active.map(Value::from));
    let categories: Vec<Value> = brand.categories.iter().map(category).collect();
    put(&mut resource, "type", list(categories.into_iter().map(|coding| json!({"coding": [coding]}))));
    stated(&mut resource, "name", &brand.name, String::as_str);
    put(&mut resource, "alias", list(brand.aliases.iter().map(|alias| alias.as_str().into())));
    if brand.website != Stated::Missing {
        let mut telecom = Map::new();
        put(&mut telecom, "system", Some("url".into()));
        stated(&mut telecom, "value", &brand.website, Url::as_str);
        put(&mut resource, "telecom", Some(json!([telecom])));
    }
    put(&mut resource, "address", list(brand.addresses.iter().map(address)));
    let parent = brand.parent.as_ref().and_then(|parent| {
        reference("Organization", parent.full_url.as_deref(), parent.id.as_deref(), brand.full_url.as_deref())
    });
    put(&mut resource, "partOf", parent);
    put(&mut resource, "endpoint", list(brand.endpoints.iter().filter_map(|e| to_endpoint(e, brand))));
    Value::Object(resource)
}

fn branding(brand: &Brand) -> Option<Value> {
    let logos = brand.logos.iter().map(|logo| part("brandLogo", "valueUrl", logo.as_str().into()));
    let licenses = brand.logo_licenses.iter().map(|url| part("brandLogoLicense", "valueUrl", url.as_str().into()));
    let bundles = brand.brand_bundles.iter().map(|url| part("brandBundle", "valueUrl", url.as_str().into()));
    let parts = list(logos.chain(licenses).chain(bundles))?;
    Some(json!({"url": ORGANIZATION_BRAND, "extension": parts}))
}

fn portals(brand: &Brand) -> impl Iterator<Item = Value> {
    brand.portals.iter().map(|portal| json!({"url": ORGANIZATION_PORTAL, "extension": portal_parts(portal, brand)}))
}

fn portal_parts(portal: &Portal, brand: &Brand) -> Vec<Value> {
    let mut parts = Vec::new();
    let mut stated_part = |name: &str, write: &dyn Fn(&mut Map<String, Value>)| {
        let mut part = Map::new();
        part.insert("url".to_owned(), name.into());
        write(&mut part);
        if part.len() > 1 {
            parts.push(Value::Object(part));
        }
    };
    stated_part("portalName", &|part| stated(part, "valueString", &portal.name, String::as_str));
    stated_part("portalUrl", &|part| stated(part, "valueUrl", &portal.url, Url::as_str));
    let description =
        portal.description.iter().map(|text| part("portalDescription", "valueMarkdown", text.as_str().into()));
    parts.extend(description);
    parts.extend(portal.logos.iter().map(|logo| part("portalLogo", "valueUrl", logo.as_str().into())));
    parts.extend(portal.logo_licenses.iter().map(|url| part("portalLogoLicense", "valueUrl", url.as_str().into())));
    let endpoints = portal.endpoints.iter().filter_map(|endpoint| to_endpoint(endpoint, brand));
    parts.extend(endpoints.map(|reference| part("portalEndpoint", "valueReference", reference)));
    parts
}

fn endpoint(endpoint: &BrandEndpoint) -> Value {
    let mut resource = object("Endpoint");
    put(&mut resource, "id", endpoint.id.as_deref().map(Value::from));
    let versions = endpoint.fhir_versions.iter().map(|v| part(ENDPOINT_FHIR_VERSION, "valueCode", v.as_str().into()));
    put(&mut resource, "extension", list(versions));
    put(&mut resource, "status", endpoint.status.as_deref().map(Value::from));
    let kind =
        json!({"system": "http://terminology.hl7.org/CodeSystem/endpoint-connection-type", "code": "hl7-fhir-rest"});
    put(&mut resource, "connectionType", Some(kind));
    put(&mut resource, "name", endpoint.name.as_deref().map(Value::from));
    let pages = endpoint.developer_pages.iter().map(|url| json!({"system": "url", "value": url.as_str()}));
    put(&mut resource, "contact", list(pages));
    let none = json!([{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/endpoint-payload-type", "code": "none"}]}]);
    put(&mut resource, "payloadType", Some(none));
    put(&mut resource, "address", Some(endpoint.address.as_str().into()));
    Value::Object(resource)
}

fn to_endpoint(endpoint: &BrandEndpoint, brand: &Brand) -> Option<Value> {
    reference("Endpoint", endpoint.full_url.as_deref(), endpoint.id.as_deref(), brand.full_url.as_deref())
}

/// A reference to a resource from an entry: relative where both lie on one server, else by `fullUrl`, else by the id.
fn reference(resource_type: &str, full_url: Option<&str>, id: Option<&str>, from: Option<&str>) -> Option<Value> {
    let relative = full_url.and_then(|url| url.strip_prefix(from.and_then(server_of)?));
    let relative = relative.filter(|relative| id_in(relative, resource_type).is_some());
    let by_id = || id.map(|id| format!("{resource_type}/{id}"));
    let reference = relative.or(full_url).map(str::to_owned).or_else(by_id)?;
    Some(json!({"reference": reference}))
}

fn object(resource_type: &str) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("resourceType".to_owned(), resource_type.into());
    object
}

fn put(object: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        object.insert(name.to_owned(), value);
    }
}

fn list(items: impl Iterator<Item = Value>) -> Option<Value> {
    let items: Vec<Value> = items.collect();
    (!items.is_empty()).then(|| items.into())
}

fn part(name: &str, member: &str, value: Value) -> Value {
    let mut part = Map::new();
    part.insert("url".to_owned(), name.into());
    part.insert(member.to_owned(), value);
    Value::Object(part)
}

/// Writes a value, or beside its place why it is not there.
fn stated<T>(object: &mut Map<String, Value>, name: &str, value: &Stated<T>, text: impl Fn(&T) -> &str) {
    match value {
        Stated::Value(value) => put(object, name, Some(text(value).into())),
        Stated::Absent(reason) => {
            let reason = json!({"extension": [{"url": DATA_ABSENT_REASON, "valueCode": reason.as_str()}]});
            put(object, &format!("_{name}"), Some(reason));
        }
        Stated::Missing => {}
    }
}

fn category(category: &BrandCategory) -> Value {
    let mut coding = Map::new();
    put(&mut coding, "system", category.system.as_deref().map(Value::from));
    put(&mut coding, "code", Some(category.code.as_str().into()));
    put(&mut coding, "display", category.display.as_deref().map(Value::from));
    Value::Object(coding)
}

fn address(address: &BrandAddress) -> Value {
    let mut value = Map::new();
    put(&mut value, "line", list(address.line.iter().map(|line| line.as_str().into())));
    put(&mut value, "city", address.city.as_deref().map(Value::from));
    put(&mut value, "state", address.state.as_deref().map(Value::from));
    put(&mut value, "postalCode", address.postal_code.as_deref().map(Value::from));
    put(&mut value, "country", address.country.as_deref().map(Value::from));
    Value::Object(value)
}

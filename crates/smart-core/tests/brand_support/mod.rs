//! Bundles of brands for tests.
#![allow(dead_code, clippy::unwrap_used, reason = "each test binary uses its part, and reports by panicking")]

use serde_json::{Value, json};
use smart_core::brands::BrandBundle;
use smart_core::url_policy::UrlPolicy;
use url::Url;

pub(crate) fn url() -> Url {
    "https://brands.example/all.json?v=1".parse().unwrap()
}

pub(crate) fn read(document: &Value) -> BrandBundle {
    BrandBundle::parse(&url(), document.to_string().as_bytes(), UrlPolicy::HttpsOnly).unwrap()
}

pub(crate) fn bundle(entries: &[Value]) -> Value {
    json!({"resourceType": "Bundle", "type": "collection", "timestamp": "2026-01-02T03:04:05Z", "entry": entries})
}

pub(crate) fn identifier(value: &str) -> Value {
    json!({"system": "urn:ietf:rfc:3986", "value": value})
}

/// An entry with a brand that has a name and a website, and `members`.
pub(crate) fn organization(id: &str, members: Value) -> Value {
    let mut resource = json!({
        "resourceType": "Organization", "id": id, "name": format!("Brand {id}"), "active": true,
        "telecom": [{"system": "url", "value": format!("https://{id}.example")}],
    });
    let Value::Object(members) = members else { return resource };
    resource.as_object_mut().unwrap().extend(members);
    json!({"fullUrl": format!("https://ehr.example/Organization/{id}"), "resource": resource})
}

pub(crate) fn endpoint(id: &str, address: &str, versions: &[&str]) -> Value {
    let version = |version: &&str| json!({"url": "http://hl7.org/fhir/StructureDefinition/endpoint-fhir-version", "valueCode": version});
    json!({
        "fullUrl": format!("https://ehr.example/Endpoint/{id}"),
        "resource": {
            "resourceType": "Endpoint", "id": id, "status": "active", "name": format!("FHIR of {id}"), "address": address,
            "extension": versions.iter().map(version).collect::<Vec<_>>(),
            "connectionType": {"system": "http://terminology.hl7.org/CodeSystem/endpoint-connection-type", "code": "hl7-fhir-rest"},
            "contact": [{"system": "url", "value": "https://developers.ehr.example"}, {"system": "email", "value": "a@ehr.example"}],
            "payloadType": [{"coding": [{"code": "none"}]}],
        },
    })
}

pub(crate) fn portal(name: &str, parts: Value, endpoints: &[&str]) -> Value {
    let mut all = vec![json!({"url": "portalName", "valueString": name})];
    if let Value::Array(parts) = parts {
        all.extend(parts);
    }
    all.extend(endpoints.iter().map(|e| json!({"url": "portalEndpoint", "valueReference": {"reference": e}})));
    json!({"url": "http://hl7.org/fhir/StructureDefinition/organization-portal", "extension": all})
}

//! The CapabilityStatement.

use crate::data::DataSet;
use serde_json::{Value, json};
use smart_core::discovery::OAUTH_URIS;

/// What the API can do, with the endpoints in the extension that old clients read.
pub(crate) fn statement(data: &DataSet, base: &str, issuer: &str) -> Value {
    let uri = |name: &str, path: &str| json!({"url": name, "valueUri": format!("{issuer}{path}")});
    let parameter = |name: &str, kind: &str| json!({"name": name, "type": kind});
    let resources: Vec<Value> = data
        .resource_types()
        .into_iter()
        .map(|resource_type| {
            json!({"type": resource_type, "interaction": [{"code": "read"}, {"code": "search-type"}], "versioning": "no-version",
                   "searchParam": [parameter("_id", "token"), parameter("patient", "reference"), parameter("code", "token"), parameter("date", "date")]})
        })
        .collect();
    json!({
        "resourceType": "CapabilityStatement", "status": "active", "date": "2026-01-01", "kind": "instance",
        "software": {"name": "smart-sandbox", "version": env!("CARGO_PKG_VERSION")}, "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"], "implementation": {"description": "SMART sandbox", "url": base},
        "rest": [{"mode": "server", "security": {
            "cors": true,
            "service": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/restful-security-service", "code": "SMART-on-FHIR"}]}],
            "extension": [{"url": OAUTH_URIS, "extension": [
                uri("authorize", "/authorize"), uri("token", "/token"), uri("introspect", "/introspect"), uri("revoke", "/revoke")]}]
        }, "resource": resources}]
    })
}

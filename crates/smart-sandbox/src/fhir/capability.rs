//! The CapabilityStatement: what is served, and no more.

use super::resource_types::{RESOURCE_TYPES, is_served};
use super::search::parameters;
use crate::shared::Shared;
use serde_json::{Value, json};
use smart_core::discovery::OAUTH_URIS;

const INTERACTIONS: [&str; 8] =
    ["read", "vread", "update", "patch", "delete", "history-instance", "history-type", "create"];

/// What the API can do, with the endpoints in the extension that old clients read.
pub(crate) fn statement(shared: &Shared) -> Value {
    let paths = &shared.quirks.paths;
    let uri = |name: &str, path: &str| json!({"url": name, "valueUri": format!("{}{path}", shared.origin)});
    let mut security = json!({"cors": true});
    if shared.quirks.documents.oauth_uris {
        let mut uris = vec![uri("authorize", &paths.authorize), uri("token", &paths.token)];
        uris.extend(paths.introspect.as_deref().map(|path| uri("introspect", path)));
        uris.extend(paths.revoke.as_deref().map(|path| uri("revoke", path)));
        let system = "http://terminology.hl7.org/CodeSystem/restful-security-service";
        security = json!({
            "cors": true,
            "service": [{"coding": [{"system": system, "code": "SMART-on-FHIR"}]}],
            "extension": [{"url": OAUTH_URIS, "extension": uris}],
        });
    }
    let resources: Vec<Value> =
        RESOURCE_TYPES.iter().filter(|name| is_served(name)).map(|name| resource(name)).collect();
    let interactions = ["transaction", "batch", "search-system", "history-system"].map(|code| json!({"code": code}));
    json!({
        "resourceType": "CapabilityStatement", "status": "active", "date": "2026-01-01", "kind": "instance",
        "software": {"name": "smart-sandbox", "version": env!("CARGO_PKG_VERSION")}, "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"], "patchFormat": ["application/json-patch+json", "application/fhir+json"],
        "implementation": {"description": "SMART sandbox", "url": shared.fhir_base},
        "rest": [{
            "mode": "server", "security": security, "resource": resources,
            "interaction": interactions,
            "operation": [{"name": "export", "definition": export("export")}],
        }],
    })
}

/// The definition of a bulk export (Bulk Data Access, export).
fn export(name: &str) -> String {
    format!("http://hl7.org/fhir/uv/bulkdata/OperationDefinition/{name}")
}

fn resource(resource_type: &str) -> Value {
    let interactions: Vec<Value> =
        INTERACTIONS.iter().chain(&["search-type"]).map(|code| json!({"code": code})).collect();
    let all: Vec<_> = parameters(resource_type).collect();
    let search: Vec<Value> = all.iter().map(|it| json!({"name": it.name, "type": it.kind.as_str()})).collect();
    let references = all.iter().filter(|it| it.kind.as_str() == "reference");
    let includes: Vec<Value> = references.map(|it| format!("{resource_type}:{}", it.name).into()).collect();
    let mut operations = vec![json!({
        "name": "validate", "definition": "http://hl7.org/fhir/OperationDefinition/Resource-validate",
        "documentation": super::structure::COVERED,
    })];
    if resource_type == "Patient" {
        let definition = "http://hl7.org/fhir/OperationDefinition/Patient-everything";
        operations.push(json!({"name": "everything", "definition": definition}));
        operations.push(json!({"name": "export", "definition": export("patient-export")}));
    }
    if resource_type == "Group" {
        operations.push(json!({"name": "export", "definition": export("group-export")}));
    }
    let mut resource = json!({
        "type": resource_type, "interaction": interactions, "versioning": "versioned", "readHistory": true,
        "updateCreate": true, "conditionalCreate": true, "conditionalRead": "full-support", "conditionalUpdate": true,
        "conditionalDelete": "single", "searchParam": search, "operation": operations,
    });
    if !includes.is_empty() {
        super::structure::set_member(&mut resource, "searchInclude", includes.into());
    }
    resource
}

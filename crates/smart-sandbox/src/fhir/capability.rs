//! The CapabilityStatement.

use crate::shared::Shared;
use serde_json::{Value, json};
use smart_core::discovery::OAUTH_URIS;

/// What the API can do, with the endpoints in the extension that old clients read.
pub(crate) fn statement(shared: &Shared) -> Value {
    let (data, paths) = (&shared.data, &shared.quirks.paths);
    let uri = |name: &str, path: &str| json!({"url": name, "valueUri": format!("{}{path}", shared.origin)});
    let parameter = |name: &str, kind: &str| json!({"name": name, "type": kind});
    let resources: Vec<Value> = data
        .resource_types()
        .into_iter()
        .map(|resource_type| {
            json!({"type": resource_type, "interaction": [{"code": "read"}, {"code": "search-type"}], "versioning": "no-version",
                   "searchParam": [parameter("_id", "token"), parameter("patient", "reference"), parameter("code", "token"), parameter("date", "date")]})
        })
        .collect();
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
    json!({
        "resourceType": "CapabilityStatement", "status": "active", "date": "2026-01-01", "kind": "instance",
        "software": {"name": "smart-sandbox", "version": env!("CARGO_PKG_VERSION")}, "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "implementation": {"description": "SMART sandbox", "url": shared.fhir_base},
        "rest": [{"mode": "server", "security": security, "resource": resources}],
    })
}

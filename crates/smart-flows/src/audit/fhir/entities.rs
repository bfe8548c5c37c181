//! What it was about.

use super::codes::{ENTITY_TYPE, KIND, OBJECT_ROLE, USER_AGENT_TYPE, coding};
use super::export::FhirAudit;
use crate::audit::event::{AuditEvent, RequestLine, RestInteraction};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The entities of an event: patient, resource or query, token, session.
pub(super) fn entities(event: &AuditEvent, export: &FhirAudit, patient: Option<&str>) -> Vec<Value> {
    let mut entities = Vec::new();
    if let Some(request) = event.request() {
        if let Some(id) = patient {
            entities.push(json!({
                "what": {"reference": format!("Patient/{id}"), "type": "Patient"},
                "type": coding(ENTITY_TYPE, "1", "Person"),
                "role": coding(OBJECT_ROLE, "1", "Patient"),
            }));
        }
        let is_search =
            matches!(request.interaction(), Some(RestInteraction::SearchType | RestInteraction::SearchSystem));
        entities.push(if is_search { query(event, request, export) } else { data(request, export) });
    } else if let Some(token) = event.token() {
        let mut detail = vec![json!({"type": "kind", "valueString": token.kind().as_str()})];
        if let Some(scopes) = event.scopes().filter(|scopes| !scopes.as_slice().is_empty()) {
            detail.push(json!({"type": "scope", "valueString": scopes.to_string()}));
        }
        entities.push(json!({
            "what": {"identifier": {"system": "urn:ietf:rfc:3986", "value": token.to_string()}},
            "type": coding(USER_AGENT_TYPE, "UserOauthAgent", "User OAuth Agent participant"),
            "detail": detail,
        }));
    }
    if let Some(session) = event.session() {
        entities.push(json!({
            "what": {"identifier": {"value": session.to_string()}},
            "type": coding(KIND, "session", "Session"),
        }));
    }
    entities
}

/// A search: what was asked as base64, masked unless the app has opted in, and the masked line to be read.
fn query(event: &AuditEvent, request: &RequestLine, export: &FhirAudit) -> Value {
    let masked = request.to_string();
    let line = if export.search_values { request.exposed() } else { masked.clone() };
    // The line with the whole URL in it, as BALP's examples have it.
    let asked = match (event.fhir_base(), line.split_once(' ')) {
        (Some(base), Some((verb, target))) => {
            format!("{verb} {}/{}", base.normalised(), target.trim_start_matches('/'))
        }
        _ => line,
    };
    json!({
        "type": coding(ENTITY_TYPE, "2", "System Object"),
        "role": coding(OBJECT_ROLE, "24", "Query"),
        "description": masked,
        "query": STANDARD.encode(asked),
    })
}

/// A resource, by its type alone unless the app has opted in.
fn data(request: &RequestLine, export: &FhirAudit) -> Value {
    let id = request.exposed_id().filter(|_| export.references);
    let what = match (request.resource_type(), id) {
        (Some(name), Some(id)) => json!({"reference": format!("{name}/{id}"), "type": name}),
        (Some(name), None) => json!({"type": name, "display": format!("{name}, its id is not recorded")}),
        (None, _) => json!({"display": "of several types, or not a resource"}),
    };
    json!({
        "what": what,
        "type": coding(ENTITY_TYPE, "2", "System Object"),
        "role": coding(OBJECT_ROLE, "4", "Domain Resource"),
        "description": request.to_string(),
    })
}

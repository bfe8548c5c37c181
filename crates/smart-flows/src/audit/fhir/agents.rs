//! Who took part.

use super::codes::{DICOM, PARTICIPATION, PROVENANCE_PARTICIPANT, USER_AGENT_TYPE, coding};
use super::source::AuditSource;
use crate::audit::event::{AuditEvent, AuditUser, EndpointRole, RequestLine, RestInteraction};
use serde_json::{Map, Value, json};

/// The agents of an event: client, server, and the user where there is one. With BALP's types for a request, and the
/// client a second time as the application, so that all events of a client can be found by one type.
pub(super) fn agents(event: &AuditEvent, source: &AuditSource) -> Vec<Value> {
    let asks = (DICOM, "110153", "Source Role ID");
    let gets = (DICOM, "110152", "Destination Role ID");
    let (client, server, user) = match event.request().map(RequestLine::interaction) {
        None => (APPLICATION, gets, RECIPIENT),
        // The data flows to the client.
        Some(Some(RestInteraction::Read | RestInteraction::Vread)) => (gets, asks, RECIPIENT),
        Some(Some(RestInteraction::Delete)) => {
            (APPLICATION, (PROVENANCE_PARTICIPANT, "custodian", "Custodian"), AUTHOR)
        }
        Some(Some(RestInteraction::Create | RestInteraction::Update | RestInteraction::Patch)) => (asks, gets, AUTHOR),
        Some(_) => (asks, gets, RECIPIENT),
    };
    // The token of a request stands with who used it.
    let token = event.token().filter(|_| event.request().is_some()).map(|token| token.to_string());
    let (users, services) = match event.user() {
        Some(user) => (Some((user, token)), None),
        None => (None, token),
    };
    let who = who_client(event, source);
    let in_two = client != APPLICATION && event.client_id().is_some();
    let mut first = agent(client, &who, users.is_none(), services.as_deref().filter(|_| !in_two));
    first.insert("network".to_owned(), source.network());
    let mut agents = vec![first];
    agents.extend(server_agent(event, server));
    if in_two {
        agents.push(agent(APPLICATION, &who, false, services.as_deref()));
    }
    if let Some((known, token)) = users {
        agents.push(agent(user, &who_user(known), true, token.as_deref()));
    }
    agents.into_iter().map(Value::Object).collect()
}

type Code = (&'static str, &'static str, &'static str);

const APPLICATION: Code = (DICOM, "110150", "Application");
const RECIPIENT: Code = (PARTICIPATION, "IRCP", "information recipient");
const AUTHOR: Code = (PARTICIPATION, "AUT", "author (originator)");

fn agent((system, code, display): Code, who: &Value, requestor: bool, policy: Option<&str>) -> Map<String, Value> {
    let mut agent = Map::new();
    agent.insert("type".to_owned(), json!({"coding": [coding(system, code, display)]}));
    agent.insert("who".to_owned(), who.clone());
    agent.insert("requestor".to_owned(), requestor.into());
    if let Some(policy) = policy {
        agent.insert("policy".to_owned(), json!([policy]));
    }
    agent
}

fn who_client(event: &AuditEvent, source: &AuditSource) -> Value {
    match event.client_id() {
        Some(id) => json!({"identifier": {"value": id}, "display": source.app}),
        None => json!({"display": source.app}),
    }
}

fn who_user(user: &AuditUser) -> Value {
    json!({"identifier": {"system": user.issuer(), "value": user.name()}})
}

/// The authorization server where one of its endpoints was asked, else the FHIR server.
fn server_agent(event: &AuditEvent, kind: Code) -> Option<Map<String, Value>> {
    let of_fhir =
        [EndpointRole::Fhir, EndpointRole::BulkFile, EndpointRole::SmartConfiguration, EndpointRole::Metadata];
    let (kind, address) = match event.endpoint().filter(|endpoint| !of_fhir.contains(&endpoint.role())) {
        Some(endpoint) => ((USER_AGENT_TYPE, "AuthzOauthService", "OAuth Authorization Server"), endpoint.origin()),
        None => (kind, event.fhir_base()?.as_str()),
    };
    let mut server =
        agent(kind, &json!({"identifier": {"system": "urn:ietf:rfc:3986", "value": address}}), false, None);
    server.insert("network".to_owned(), json!({"address": address, "type": "5"}));
    Some(server)
}

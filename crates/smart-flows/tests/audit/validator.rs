//! Whether a resource has the structure of an R4 `AuditEvent`, and that of the BALP profiles that it claims.
//!
//! The elements are those of FHIR R4 (4.0.1, auditevent.html), the profiles those of IHE BALP 1.1.4
//! (<https://profiles.ihe.net/ITI/BALP>): Read, Create, Update, Delete, Query, each also with a patient, and
//! OAUTHaccessTokenUse.Comprehensive. What both demand of the structure is checked; which codes a server knows is not.

use serde_json::Value;

/// What an element holds.
#[derive(Clone, Copy)]
enum Is {
    Text,
    Uri,
    Bool,
    Instant,
    Base64,
    Code(&'static [&'static str]),
    Object(&'static [Element]),
}

/// An element: name, least and greatest number, what it holds.
type Element = (&'static str, usize, usize, Is);

const MANY: usize = usize::MAX;

const CODING: &[Element] =
    &[("system", 1, 1, Is::Uri), ("code", 1, 1, Is::Text), ("display", 0, 1, Is::Text), ("version", 0, 1, Is::Text)];
const CONCEPT: &[Element] = &[("coding", 0, MANY, Is::Object(CODING)), ("text", 0, 1, Is::Text)];
const IDENTIFIER: &[Element] = &[("system", 0, 1, Is::Uri), ("value", 1, 1, Is::Text)];
const REFERENCE: &[Element] = &[
    ("reference", 0, 1, Is::Text),
    ("type", 0, 1, Is::Text),
    ("identifier", 0, 1, Is::Object(IDENTIFIER)),
    ("display", 0, 1, Is::Text),
];
const NETWORK: &[Element] = &[("address", 0, 1, Is::Text), ("type", 0, 1, Is::Code(&["1", "2", "3", "4", "5"]))];
const AGENT: &[Element] = &[
    ("type", 0, 1, Is::Object(CONCEPT)),
    ("who", 0, 1, Is::Object(REFERENCE)),
    ("requestor", 1, 1, Is::Bool),
    ("policy", 0, MANY, Is::Uri),
    ("network", 0, 1, Is::Object(NETWORK)),
];
const SOURCE: &[Element] =
    &[("site", 0, 1, Is::Text), ("observer", 1, 1, Is::Object(REFERENCE)), ("type", 0, MANY, Is::Object(CODING))];
const DETAIL: &[Element] = &[("type", 1, 1, Is::Text), ("valueString", 1, 1, Is::Text)];
const ENTITY: &[Element] = &[
    ("what", 0, 1, Is::Object(REFERENCE)),
    ("type", 0, 1, Is::Object(CODING)),
    ("role", 0, 1, Is::Object(CODING)),
    ("name", 0, 1, Is::Text),
    ("description", 0, 1, Is::Text),
    ("query", 0, 1, Is::Base64),
    ("detail", 0, MANY, Is::Object(DETAIL)),
];
const META: &[Element] = &[("profile", 0, MANY, Is::Uri)];
const AUDIT_EVENT: &[Element] = &[
    ("resourceType", 1, 1, Is::Code(&["AuditEvent"])),
    ("id", 0, 1, Is::Text),
    ("meta", 0, 1, Is::Object(META)),
    ("type", 1, 1, Is::Object(CODING)),
    ("subtype", 0, MANY, Is::Object(CODING)),
    ("action", 0, 1, Is::Code(&["C", "R", "U", "D", "E"])),
    ("recorded", 1, 1, Is::Instant),
    ("outcome", 0, 1, Is::Code(&["0", "4", "8", "12"])),
    ("outcomeDesc", 0, 1, Is::Text),
    ("agent", 1, MANY, Is::Object(AGENT)),
    ("source", 1, 1, Is::Object(SOURCE)),
    ("entity", 0, MANY, Is::Object(ENTITY)),
];

/// What is wrong with a resource; empty where nothing is.
pub(crate) fn problems(resource: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    object("AuditEvent", resource, AUDIT_EVENT, &mut problems);
    let id = resource["id"].as_str().unwrap_or("x");
    if id.len() > 64 || !id.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.')) {
        problems.push(format!("id `{id}`"));
    }
    for entity in list(resource, "entity") {
        // Invariant sev-1.
        if entity.get("name").is_some() && entity.get("query").is_some() {
            problems.push("entity: a name and a query".to_owned());
        }
        // Reference: at least one of reference, identifier and display.
        let what = entity.get("what");
        if what.is_some_and(|what| ["reference", "identifier", "display"].iter().all(|name| what.get(name).is_none())) {
            problems.push("entity.what names nothing".to_owned());
        }
    }
    for profile in list(&resource["meta"], "profile") {
        let url = profile.as_str().unwrap_or_default();
        match url.strip_prefix("https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.") {
            Some("OAUTHaccessTokenUse.Comprehensive") => token_use(resource, &mut problems),
            Some(name) => match rest_profile(name) {
                Some(rest) => rest.check(resource, &mut problems),
                None => problems.push(format!("unknown profile {url}")),
            },
            None => problems.push(format!("unknown profile {url}")),
        }
    }
    problems
}

fn object(path: &str, value: &Value, elements: &[Element], problems: &mut Vec<String>) {
    let Some(members) = value.as_object() else {
        problems.push(format!("{path} is no object"));
        return;
    };
    if members.is_empty() {
        problems.push(format!("{path} is empty"));
    }
    for name in members.keys().filter(|name| elements.iter().all(|(known, ..)| known != name)) {
        problems.push(format!("{path}.{name} is not known"));
    }
    for (name, least, most, is) in elements {
        let path = format!("{path}.{name}");
        let values: Vec<&Value> = match (members.get(*name), most) {
            (None, _) => Vec::new(),
            (Some(value), 1) => vec![value],
            (Some(Value::Array(values)), _) => {
                if values.is_empty() {
                    problems.push(format!("{path} is empty"));
                }
                values.iter().collect()
            }
            (Some(_), _) => {
                problems.push(format!("{path} is no array"));
                continue;
            }
        };
        if values.len() < *least {
            problems.push(format!("{path} is missing"));
        }
        for value in values {
            primitive_or_object(&path, value, *is, problems);
        }
    }
}

fn primitive_or_object(path: &str, value: &Value, is: Is, problems: &mut Vec<String>) {
    use base64::Engine as _;
    let text = value.as_str().filter(|text| !text.is_empty());
    let good = match is {
        Is::Object(elements) => return object(path, value, elements, problems),
        Is::Bool => value.is_boolean(),
        Is::Text => text.is_some(),
        Is::Uri => text.is_some_and(|text| text.contains(':') && !text.contains(char::is_whitespace)),
        Is::Code(codes) => text.is_some_and(|text| codes.contains(&text)),
        Is::Instant => text.is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok() && text.len() >= 20),
        Is::Base64 => text.is_some_and(|text| base64::engine::general_purpose::STANDARD.decode(text).is_ok()),
    };
    if !good {
        problems.push(format!("{path} is `{value}`"));
    }
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn is_coding(coding: &Value, (system, code): (&str, &str)) -> bool {
    coding["system"] == system && coding["code"] == code
}

const DICOM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const INTERACTION: &str = "http://hl7.org/fhir/restful-interaction";
const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
const ENTITY_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
const OBJECT_ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";

/// What a profile of a RESTful interaction fixes.
struct RestProfile {
    interactions: &'static [&'static str],
    action: &'static str,
    client: (&'static str, &'static str),
    server: (&'static str, &'static str),
    users: &'static [&'static str],
    is_query: bool,
    patient: bool,
}

fn rest_profile(name: &str) -> Option<RestProfile> {
    let (patient, plain) = name.strip_prefix("Patient").map_or((false, name), |plain| (true, plain));
    let (source, destination) = ((DICOM, "110153"), (DICOM, "110152"));
    let custodian = ("http://terminology.hl7.org/CodeSystem/provenance-participant-type", "custodian");
    let (interactions, action, client, server): (&[&str], _, _, _) = match plain {
        "Read" => (&["read", "vread"], "R", destination, source),
        "Create" => (&["create"], "C", source, destination),
        "Update" => (&["update", "patch"], "U", source, destination),
        "Delete" => (&["delete"], "D", (DICOM, "110150"), custodian),
        "Query" => (&["search", "search-type", "search-system"], "E", source, destination),
        _ => return None,
    };
    let users: &[&str] = if matches!(plain, "Read" | "Query") { &["IRCP"] } else { &["AUT", "INF", "CST"] };
    Some(RestProfile { interactions, action, client, server, users, is_query: plain == "Query", patient })
}

impl RestProfile {
    fn check(&self, resource: &Value, problems: &mut Vec<String>) {
        let mut demand = |holds: bool, what: &str| {
            if !holds {
                problems.push(format!("profile: {what}"));
            }
        };
        demand(
            is_coding(&resource["type"], ("http://terminology.hl7.org/CodeSystem/audit-event-type", "rest")),
            "type",
        );
        let interactions = list(resource, "subtype").iter().filter(|subtype| {
            self.interactions.iter().any(|interaction| is_coding(subtype, (INTERACTION, interaction)))
        });
        demand(interactions.count() == 1, "one subtype of the interaction");
        demand(resource["action"] == self.action, "action");
        demand(resource["outcome"] == "0", "outcome");

        let agents = list(resource, "agent");
        demand(agents.len() >= 2, "two agents");
        let typed = |(system, code): (&str, &str)| -> Vec<&Value> {
            let is_typed =
                |agent: &&Value| list(&agent["type"], "coding").iter().any(|coding| is_coding(coding, (system, code)));
            agents.iter().filter(is_typed).collect()
        };
        for (what, code) in [("client", self.client), ("server", self.server)] {
            let found = typed(code);
            demand(found.len() == 1, &format!("one {what}"));
            let whole = |agent: &&Value| agent["who"].is_object() && agent["network"].is_object();
            demand(found.iter().all(whole), &format!("who and network of the {what}"));
        }
        let users: Vec<_> = self.users.iter().flat_map(|code| typed((PARTICIPATION, code))).collect();
        demand(users.len() <= 1, "one user at most");
        let good =
            |user: &&Value| user["who"].is_object() && user["requestor"] == true && user.get("network").is_none();
        demand(users.iter().all(good), "the user");

        let entities = list(resource, "entity");
        let of = |code| entities.iter().filter(move |entity| is_coding(&entity["type"], (ENTITY_TYPE, code)));
        let objects: Vec<_> = of("2").collect();
        demand(objects.len() == 1, "one object or query");
        let role =
            |entity: &Value, codes: &[&str]| codes.iter().any(|code| is_coding(&entity["role"], (OBJECT_ROLE, code)));
        let whole = |entity: &&Value| {
            if self.is_query {
                role(entity, &["24"])
                    && entity["query"].is_string()
                    && ["what", "lifecycle", "detail"].iter().all(|name| entity.get(name).is_none())
            } else {
                role(entity, &["4", "3", "20"]) && entity["what"].is_object()
            }
        };
        demand(objects.iter().all(whole), "the object or query");
        let patients: Vec<_> = of("1").collect();
        let named = |entity: &&Value| {
            role(entity, &["1"])
                && entity["what"]["reference"].as_str().is_some_and(|reference| reference.starts_with("Patient/"))
        };
        demand(patients.len() == usize::from(self.patient) && patients.iter().all(named), "the patient");
    }
}

fn token_use(resource: &Value, problems: &mut Vec<String>) {
    let of = |(system, code): (&str, &str)| -> Vec<&Value> {
        list(resource, "agent")
            .iter()
            .filter(|agent| list(&agent["type"], "coding").iter().any(|coding| is_coding(coding, (system, code))))
            .collect()
    };
    let clients = of((DICOM, "110150"));
    if clients.len() != 1 || !clients.iter().all(|client| client["who"]["identifier"]["value"].is_string()) {
        problems.push("token use: one application with its client id".to_owned());
    }
    let users = of((PARTICIPATION, "IRCP"));
    let whole = |user: &&Value| {
        user["who"]["identifier"].is_object() && user["requestor"] == true && list(user, "policy").len() == 1
    };
    if users.len() > 1 || !users.iter().all(whole) {
        problems.push("token use: the user with the token's id".to_owned());
    }
}

mod tests {
    use super::super::support::{context, recorded, request, token};
    use super::problems;
    use http::Method;
    use serde_json::{Value, json};
    use smart_flows::audit::{AuditKind, AuditSource, FhirAudit};

    type Spoil = fn(&mut Value);

    fn good() -> Value {
        let entry = context().entry(AuditKind::ResourceAccessed);
        let event = recorded(entry.request(request(&Method::GET, "Patient/ada-1")).token(token()).status(200));
        let export = FhirAudit::new(AuditSource::new("Intake", "ws-12")).with_patient_references();
        export.resource(&event).into_json()
    }

    /// The validator is one: it finds each thing that is taken away from a good resource, or made wrong in it.
    #[test]
    fn the_validator_finds_what_is_wrong() {
        assert_eq!(problems(&good()), Vec::<String>::new());
        let spoils: &[(&str, Spoil)] = &[
            ("no type", |r| _ = r.as_object_mut().unwrap().remove("type")),
            ("no time", |r| _ = r.as_object_mut().unwrap().remove("recorded")),
            ("no agents", |r| r["agent"] = json!([])),
            ("no observer", |r| _ = r["source"].as_object_mut().unwrap().remove("observer")),
            ("no requestor", |r| _ = r["agent"][0].as_object_mut().unwrap().remove("requestor")),
            ("no network", |r| _ = r["agent"][0].as_object_mut().unwrap().remove("network")),
            ("no who", |r| _ = r["agent"][1].as_object_mut().unwrap().remove("who")),
            ("an element that is none", |r| r["severity"] = json!("info")),
            ("a day is no instant", |r| r["recorded"] = json!("2027-01-15")),
            ("another action", |r| r["action"] = json!("E")),
            ("another outcome", |r| r["outcome"] = json!("4")),
            ("no such outcome", |r| r["outcome"] = json!("1")),
            ("no interaction", |r| r["subtype"] = json!([{"system": "http://x.example", "code": "read"}])),
            ("two clients", |r| r["agent"][3] = r["agent"][0].clone()),
            ("a user without subject", |r| _ = r["agent"][3].as_object_mut().unwrap().remove("who")),
            ("no patient", |r| _ = r["entity"].as_array_mut().unwrap().remove(0)),
            ("no object", |r| _ = r["entity"].as_array_mut().unwrap().remove(1)),
            ("a patient who is a group", |r| r["entity"][0]["what"]["reference"] = json!("Group/1")),
            ("a name and a query", |r| {
                r["entity"][1]["name"] = json!("x");
                r["entity"][1]["query"] = json!("eA==");
            }),
            ("no base64", |r| r["entity"][1]["query"] = json!("*")),
            ("a profile that nobody knows", |r| r["meta"]["profile"] = json!(["https://x.example/y"])),
            ("not enough for token use", |r| {
                let profile = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.OAUTHaccessTokenUse.Comprehensive";
                r["meta"]["profile"] = json!([profile]);
                r["agent"][3].as_object_mut().unwrap().remove("policy");
            }),
        ];
        for (what, spoil) in spoils {
            let mut spoiled = good();
            spoil(&mut spoiled);
            assert_ne!(problems(&spoiled), Vec::<String>::new(), "{what}");
        }
    }
}

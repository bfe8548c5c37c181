//! Reading and writing single resources.

use crate::world::{World, observation, patient};
use serde_json::{Value, json};
use smart_sandbox::{SandboxConfig, SandboxError, StorageLimits};

/// FHIR R4, http: a resource is created, read, updated, deleted and read in its versions.
#[tokio::test]
async fn a_resource_lives_through_its_versions() {
    let world = World::start().await;
    let token = world.staff().await;
    let created = world.post("Observation", &token, &observation("p1001", "one")).await;
    assert_eq!((created.status, created.header("etag")), (201, "W/\"1\""));
    let id = created.id().to_owned();
    assert_eq!(created.header("location"), world.url(&format!("Observation/{id}/_history/1")));
    assert_eq!(created.header("last-modified"), "Fri, 15 Jan 2027 08:00:00 GMT");
    assert_eq!(created.body["meta"], json!({"versionId": "1", "lastUpdated": "2027-01-15T08:00:00Z"}));
    world.advance(5);
    let path = format!("Observation/{id}");
    let mut changed = created.body.clone();
    changed["code"]["text"] = "two".into();
    let updated = world.put(&path, &token, &changed).await;
    assert_eq!((updated.status, updated.header("etag"), updated.header("location")), (200, "W/\"2\"", ""));
    let read = world.get(&path, &token).await;
    assert_eq!((read.status, &read.body["code"]["text"], read.header("etag")), (200, &"two".into(), "W/\"2\""));
    assert_eq!(read.body["meta"]["lastUpdated"], "2027-01-15T08:00:05Z");
    let first = world.get(&format!("{path}/_history/1"), &token).await;
    assert_eq!((first.status, &first.body["code"]["text"]), (200, &"one".into()));
    assert_eq!(world.get(&format!("{path}/_history/9"), &token).await.status, 404);
    let deleted = world.delete(&path, &token).await;
    assert_eq!((deleted.status, deleted.header("etag")), (204, "W/\"3\""));
    assert_eq!(world.get(&path, &token).await.status, 410);
    assert_eq!(world.get(&format!("{path}/_history/3"), &token).await.status, 410);
    assert_eq!(world.get(&format!("{path}/_history/2"), &token).await.status, 200);
    assert_eq!(world.delete(&path, &token).await.status, 204, "what is deleted stays deleted");
    assert_eq!(world.delete("Observation/never", &token).await.status, 404);
    let again = world.put(&path, &token, &changed).await;
    assert_eq!((again.status, again.header("etag")), (201, "W/\"4\""), "an update brings it back");
}

/// A sandbox has its own resources: what one app makes is not in another sandbox, and the built-in people stay as they are.
#[tokio::test]
async fn sandboxes_share_nothing() {
    let (one, other) = (World::start().await, World::start().await);
    let token = one.staff().await;
    let mut patient = one.get("Patient/p1001", &token).await.body;
    patient["gender"] = "unknown".into();
    assert_eq!(one.put("Patient/p1001", &token, &patient).await.status, 200);
    let token = other.staff().await;
    assert_ne!(other.get("Patient/p1001", &token).await.body["gender"], "unknown");
}

/// FHIR R4, http, cread: a version that is known is not sent again.
#[tokio::test]
async fn reads_are_conditional() {
    let world = World::start().await;
    let token = world.staff().await;
    let created = world.post("Observation", &token, &observation("p1001", "x")).await;
    let path = format!("Observation/{}", created.id());
    for (name, value, status) in [
        ("if-none-match", "W/\"1\"", 304),
        ("if-none-match", "\"1\"", 304),
        ("if-none-match", "W/\"2\"", 200),
        ("if-modified-since", "Fri, 15 Jan 2027 08:00:00 GMT", 304),
        ("if-modified-since", "Fri, 15 Jan 2027 07:59:59 GMT", 200),
        ("if-modified-since", "not a date", 200),
    ] {
        let read = world.ask("GET", &path, &token).header(name, value).send().await;
        assert_eq!(read.status, status, "{name}: {value}");
        assert!(status == 200 || (read.body.is_null() && read.header("etag") == "W/\"1\""));
    }
}

/// FHIR R4, http, concurrency: an update of another version than the one that is there is refused.
#[tokio::test]
async fn versions_are_compared() {
    let world = World::start().await;
    let token = world.staff().await;
    let created = world.post("Observation", &token, &observation("p1001", "x")).await;
    let path = format!("Observation/{}", created.id());
    for (tag, status) in [("W/\"1\"", 200), ("W/\"1\"", 412), ("W/\"2\"", 200), ("3", 412), ("*", 200)] {
        let updated = world.ask("PUT", &path, &token).header("if-match", tag).json(&created.body).send().await;
        assert_eq!(updated.status, status, "{tag}");
    }
    let new = json!({"resourceType": "Basic", "id": "mine", "code": {"text": "x"}});
    for (path, header, tag, status) in [
        ("Basic/mine", "if-match", "W/\"1\"", 412),
        ("Basic/mine", "if-none-match", "*", 201),
        ("Basic/mine", "if-none-match", "*", 412),
    ] {
        assert_eq!(world.ask("PUT", path, &token).header(header, tag).json(&new).send().await.status, status, "{tag}");
    }
    let stale = world.ask("DELETE", &path, &token).header("if-match", "W/\"1\"").send().await;
    assert_eq!((stale.status, stale.issue().0), (412, "conflict"));
    assert_eq!(world.ask("DELETE", &path, &token).header("if-match", "W/\"4\"").send().await.status, 204);
}

/// FHIR R4, http, ccreate, cupdate, cdelete: conditions that match nothing, one or several resources.
#[tokio::test]
async fn writes_are_conditional() {
    let world = World::start().await;
    let token = world.staff().await;
    let condition = "identifier=https://h.example/n|1";
    let create = async |number: &str| {
        let asked = world.ask("POST", "Patient", &token).header("if-none-exist", condition);
        asked.json(&patient(number)).send().await
    };
    let first = create("1").await;
    let second = create("1").await;
    assert_eq!((first.status, second.status, second.id()), (201, 200, first.id()));
    assert!(second.header("location").ends_with("/_history/1"));
    let path = "Patient?identifier=https://h.example/n|2";
    let made = world.put(path, &token, &patient("2")).await;
    let mut changed = patient("2");
    changed["gender"] = "other".into();
    let updated = world.put(path, &token, &changed).await;
    assert_eq!((made.status, updated.status, updated.id()), (201, 200, made.id()));
    changed["id"] = "another".into();
    assert_eq!(world.put(path, &token, &changed).await.status, 400);
    let chosen = json!({"resourceType": "Basic", "id": "chosen", "code": {"coding": [{"code": "c"}]}});
    assert_eq!(world.put("Basic?code=c", &token, &chosen).await.id(), "chosen");
    world.post("Patient", &token, &patient("2")).await;
    assert_eq!(world.put(path, &token, &patient("2")).await.status, 412);
    let several = world.delete(path, &token).await;
    assert_eq!((several.status, several.issue().0), (412, "multiple-matches"));
    assert_eq!(world.delete("Patient?identifier=https://h.example/n|1", &token).await.status, 204);
    assert_eq!(world.get(&format!("Patient/{}", first.id()), &token).await.status, 410);
    assert_eq!(world.delete("Patient?identifier=https://h.example/n|1", &token).await.status, 204);
    for path in ["Patient", "Patient?_count=1", "Patient?made-up=1", "Patient?identifier=1&made-up=2"] {
        let refused = world.delete(path, &token).await.status;
        assert!([400, 412].contains(&refused), "{path} would delete anything: {refused}");
    }
}

/// FHIR R4, http, ops: what a write answers with is as the client prefers.
#[tokio::test]
async fn preferences_are_followed() {
    let world = World::start().await;
    let token = world.staff().await;
    for (preference, resource_type) in [
        ("return=minimal", None),
        ("return=representation", Some("Observation")),
        ("return=OperationOutcome", Some("OperationOutcome")),
        ("respond-async, return=minimal; handling=lenient", None),
    ] {
        let asked = world.ask("POST", "Observation", &token).header("prefer", preference);
        let created = asked.json(&observation("p1001", "x")).send().await;
        assert_eq!((created.status, created.header("etag")), (201, "W/\"1\""));
        assert_eq!(created.body["resourceType"].as_str(), resource_type, "{preference}");
    }
}

/// FHIR R4, http, status codes: each refusal has its status and an OperationOutcome.
#[tokio::test]
async fn refusals_have_their_status() {
    let world = World::start().await;
    let token = world.staff().await;
    let fine = observation("p1001", "x").to_string();
    let json = "application/fhir+json";
    for (method, path, kind, body, status) in [
        ("POST", "Observation", json, "{", 400),
        ("POST", "Observation", json, "{\"resourceType\": \"Patient\"}", 400),
        ("POST", "Observation", json, "{\"resourceType\": \"Observation\"}", 422),
        ("POST", "Observation", json, "", 400),
        ("POST", "Observation", "text/xml", "<Observation/>", 415),
        ("POST", "Observation/_search", json, "{}", 415),
        ("PATCH", "Patient/p1001", "application/json", "[]", 400),
        ("PATCH", "Patient/p1001", "text/plain", "x", 415),
        ("PUT", "Observation/x", json, fine.as_str(), 400),
        ("PUT", "Observation/x_y", json, fine.as_str(), 404),
        ("POST", "Observation/x", json, fine.as_str(), 405),
        ("POST", "Nonsense", json, "{\"resourceType\": \"Nonsense\"}", 404),
        ("GET", "Nonsense", json, "", 404),
        ("GET", "Parameters", json, "", 404),
        ("GET", "Patient/p1001?_format=xml", json, "", 406),
        ("GET", "Patient/p1001/Observation", json, "", 404),
        ("POST", "Patient/$made-up", json, "{}", 404),
        ("POST", "", json, "{\"resourceType\": \"Patient\"}", 400),
        ("POST", "", json, "{\"resourceType\": \"Bundle\", \"type\": \"document\"}", 400),
    ] {
        let answered = world.ask(method, path, &token).body(kind, body).send().await;
        assert_eq!(answered.status, status, "{method} {path} {body}: {}", answered.body);
        assert!(!answered.issue().1.is_empty());
    }
    let xml = world.ask("GET", "Patient/p1001", &token).header("accept", "application/fhir+xml").send().await;
    assert_eq!(xml.status, 406);
    let large = world.ask("POST", "Observation", &token).body(json, &"x".repeat(8 * 1024 * 1024 + 1)).send().await;
    assert_eq!(large.status, 413);
}

/// FHIR R4, http, concurrency: of many updates of the same version at the same time one is done.
#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_updates_wins() {
    let world = World::start().await;
    let token = world.staff().await;
    let created = world.post("Observation", &token, &observation("p1001", "x")).await;
    let path = format!("Observation/{}", created.id());
    let one = async || {
        let asked = world.ask("PUT", &path, &token).header("if-match", "W/\"1\"");
        asked.json(&created.body).send().await.status
    };
    let (a, b, c, d) = tokio::join!(one(), one(), one(), one());
    let mut statuses = [a, b, c, d];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412]);
}

/// A page of another origin may do all of this: a preflight allows the methods and the headers.
#[tokio::test]
async fn other_origins_may_write() {
    let world = World::start().await;
    let preflight =
        world.ask("OPTIONS", "Observation/1", "").header("access-control-request-method", "PATCH").send().await;
    for method in ["PUT", "PATCH", "DELETE"] {
        assert!(preflight.header("access-control-allow-methods").contains(method));
    }
    for header in ["if-match", "if-none-exist", "prefer", "authorization"] {
        assert!(preflight.header("access-control-allow-headers").contains(header));
    }
    assert!(preflight.header("access-control-expose-headers").contains("last-modified"));
}

/// A test puts resources in and looks at them past all scopes; what is not sound is refused.
#[tokio::test]
async fn tests_put_resources_in() {
    let world = World::start().await;
    let token = world.staff().await;
    let reference = world.sandbox.put_resource(&observation("p1001", "x").to_string()).unwrap();
    let read = world.get(&reference, &token).await;
    assert_eq!((read.status, read.header("etag")), (200, "W/\"1\""));
    assert_eq!(world.sandbox.put_resource(&read.body.to_string()).unwrap(), reference);
    assert_eq!(world.get(&reference, &token).await.header("etag"), "W/\"2\"");
    let held: Value = serde_json::from_str(&world.sandbox.resource(&reference).unwrap()).unwrap();
    assert_eq!(held["meta"]["versionId"], "2");
    assert_eq!((world.sandbox.resource("Patient/never"), world.sandbox.resource("Patient")), (None, None));
    for wrong in ["{", "{}", "{\"resourceType\": \"Observation\"}"] {
        assert!(matches!(world.sandbox.put_resource(wrong), Err(SandboxError::Resource(_))), "{wrong}");
    }
}

/// What is over the limits of the store is refused, and nothing is stored.
#[tokio::test]
async fn the_store_is_bounded() {
    let storage = StorageLimits { resources: 2, ..StorageLimits::default() };
    let world = World::with(SandboxConfig { storage, ..SandboxConfig::default() }).await;
    let token = world.staff().await;
    let before = world.get("Observation?_summary=count", &token).await.body["total"].as_u64().unwrap();
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(world.post("Observation", &token, &observation("p1001", "x")).await.status);
    }
    assert_eq!(statuses, [201, 201, 507]);
    let after = world.get("Observation?_summary=count", &token).await;
    assert_eq!((after.body["total"].as_u64().unwrap(), after.entries().len()), (before + 2, 0));
}

/// FHIR R4, capabilities: what the CapabilityStatement says is what is served.
#[tokio::test]
async fn capabilities_are_what_is_served() {
    let world = World::start().await;
    let token = world.staff().await;
    let statement = world.get("metadata", &token).await.body;
    let resources = statement["rest"][0]["resource"].as_array().unwrap();
    assert_eq!(resources.len(), 145);
    for resource in resources {
        let resource_type = resource["type"].as_str().unwrap();
        let asked = world.ask("GET", &format!("{resource_type}?_count=1"), &token).header("prefer", "handling=strict");
        assert_eq!(asked.send().await.status, 200, "{resource_type}");
    }
    let observation = resources.iter().find(|it| it["type"] == "Observation").unwrap();
    for parameter in observation["searchParam"].as_array().unwrap() {
        let (name, kind) = (parameter["name"].as_str().unwrap(), parameter["type"].as_str().unwrap());
        let value = if kind == "date" { "2025" } else { "1" };
        let asked =
            world.ask("GET", &format!("Observation?{name}={value}"), &token).header("prefer", "handling=strict");
        assert_eq!(asked.send().await.status, 200, "{name}");
    }
    for include in observation["searchInclude"].as_array().unwrap() {
        let path = format!("Observation?_count=1&_include={}", include.as_str().unwrap());
        assert_eq!(world.ask("GET", &path, &token).header("prefer", "handling=strict").send().await.status, 200);
    }
}

/// FHIR R4, operations: `$validate` says what is wrong, and what it looked at.
#[tokio::test]
async fn resources_are_validated() {
    let world = World::start().await;
    let token = world.staff().await;
    let wrong = json!({"resourceType": "Observation", "status": "done", "note": []});
    let validated = world.post("Observation/$validate", &token, &wrong).await;
    let issues = validated.body["issue"].as_array().unwrap();
    let expressions: Vec<_> = issues.iter().filter_map(|issue| issue["expression"][0].as_str()).collect();
    assert_eq!(validated.status, 200);
    assert_eq!(expressions, ["Observation.code", "Observation.status", "Observation.note"]);
    assert!(issues.last().unwrap()["diagnostics"].as_str().unwrap().contains("not checked: profiles"));
    let parameters = json!({"resourceType": "Parameters", "parameter": [
        {"name": "mode", "valueCode": "create"}, {"name": "resource", "resource": observation("p1001", "x")}]});
    let fine = world.post("Observation/$validate", &token, &parameters).await;
    assert_eq!((fine.status, fine.body["issue"].as_array().unwrap().len()), (200, 1));
    assert_eq!(world.get("Patient/p1001/$validate", &token).await.body["issue"][0]["severity"], "information");
}

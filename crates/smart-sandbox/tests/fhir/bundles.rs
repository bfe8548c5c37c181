//! Batches and transactions.

use crate::world::{World, observation, patient};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

fn entry(method: &str, url: &str) -> Value {
    json!({"request": {"method": method, "url": url}})
}

fn with(method: &str, url: &str, full_url: &str, resource: &Value) -> Value {
    json!({"fullUrl": full_url, "resource": resource, "request": {"method": method, "url": url}})
}

/// FHIR R4, http, transaction: ids are given out, and references by urn lead to them.
#[tokio::test]
async fn urn_references_become_ids() {
    let world = World::start().await;
    let token = world.staff().await;
    let (one, two) = ("urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", "urn:uuid:1c3151bd-1cbf-4d64-b04d-cd9187a4c6e1");
    let mut result = observation("x", "x");
    result["subject"]["reference"] = one.into();
    result["hasMember"] = json!([{"reference": two}]);
    result["performer"] = json!([{"reference": "Practitioner?identifier=9900000017"}]);
    let mut member = observation("x", "y");
    member["subject"]["reference"] = one.into();
    let entries = [
        with("POST", "Observation", "urn:uuid:2c3151bd-1cbf-4d64-b04d-cd9187a4c6e2", &result),
        with("POST", "Observation", two, &member),
        with("POST", "Patient", one, &patient("77")),
    ];
    let done = world.bundle("transaction", &token, &entries).await;
    assert_eq!((done.status, &done.body["type"]), (200, &"transaction-response".into()), "{}", done.body);
    let places: Vec<_> =
        done.entries().iter().map(|entry| entry["response"]["location"].as_str().unwrap().to_owned()).collect();
    assert!(
        done.entries()
            .iter()
            .all(|entry| entry["response"]["status"] == "201 Created" && entry.get("resource").is_none())
    );
    let stored = world.get(&places[0], &token).await.body;
    let relative = |place: &str| place.split("/fhir/").nth(1).unwrap().split("/_history").next().unwrap().to_owned();
    assert_eq!(stored["subject"]["reference"], relative(&places[2]));
    assert_eq!(stored["hasMember"][0]["reference"], relative(&places[1]));
    assert_eq!(stored["performer"][0]["reference"], "Practitioner/pr2001");
}

/// FHIR R4, http, transaction: all is done, or nothing: one fault undoes the rest.
#[tokio::test]
async fn transactions_are_atomic() {
    let world = World::start().await;
    let token = world.staff().await;
    let fine = with("POST", "Observation", "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", &observation("p1001", "x"));
    let mut dangling = observation("p1001", "x");
    dangling["encounter"] = json!({"reference": "urn:uuid:9c3151bd-1cbf-4d64-b04d-cd9187a4c6e9"});
    let mut unknown = observation("p1001", "x");
    unknown["subject"]["reference"] = "Patient?identifier=none-of-this".into();
    let unsound = json!({"resourceType": "Observation"});
    for (bad, status) in [
        (entry("GET", "Observation/never"), 404),
        (with("POST", "Observation", "", &unsound), 422),
        (with("POST", "Observation", "", &dangling), 400),
        (with("POST", "Observation", "", &unknown), 412),
        (
            json!({"resource": observation("p1001", "x"), "request": {"method": "PUT", "url": "Observation/p1001-01-bp", "ifMatch": "W/\"7\""}}),
            400,
        ),
        (entry("DELETE", "Observation/never"), 404),
        (entry("BREW", "Observation"), 400),
        (json!({"resource": observation("p1001", "x")}), 400),
    ] {
        let done =
            world.bundle("transaction", &token, &[fine.clone(), entry("DELETE", "Patient/p1002"), bad.clone()]).await;
        assert_eq!(done.status, status, "{bad}: {}", done.body);
        assert!(done.issue().1.starts_with("entry 2"), "{}", done.body);
    }
    let twice = [entry("DELETE", "Patient/p1002"), entry("DELETE", "Patient/p1002")];
    assert_eq!(world.bundle("transaction", &token, &twice).await.status, 400);
    assert_eq!(world.get("Patient/p1002", &token).await.status, 200, "nothing was deleted");
    assert_eq!(world.get("Observation?_lastUpdated=ge2027", &token).await.body["total"], 0, "nothing was made");
}

/// FHIR R4, http, transaction processing rules: deletes come first and reads last, whatever the order of the entries.
#[tokio::test]
async fn transactions_have_their_order() {
    let world = World::start().await;
    let token = world.staff().await;
    let mut changed = world.get("Patient/p1001", &token).await.body;
    changed["gender"] = "other".into();
    let entries = [
        entry("GET", "Patient?gender=other"),
        with("PUT", "Patient/p1001", "", &changed),
        with("POST", "Patient", "", &patient("5")),
        entry("DELETE", "Patient?identifier=MRN-1003"),
        entry("GET", "Patient?identifier=https://h.example/n|5,MRN-1003&_count=5"),
    ];
    let done = world.bundle("transaction", &token, &entries).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let statuses: Vec<_> = done.entries().iter().map(|entry| entry["response"]["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["200 OK", "200 OK", "201 Created", "204 No Content", "200 OK"]);
    assert_eq!(done.entries()[0]["resource"]["entry"][0]["resource"]["id"], "p1001");
    assert_eq!(done.entries()[4]["resource"]["total"], 1, "{}", done.entries()[4]);
}

/// FHIR R4, http, transaction: conditional creates and updates in a transaction find what is there.
#[tokio::test]
async fn transactions_are_conditional() {
    let world = World::start().await;
    let token = world.staff().await;
    let urn = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0";
    let mut about = observation("x", "x");
    about["subject"]["reference"] = urn.into();
    let create = |number: &str| {
        let mut entry = with("POST", "Patient", urn, &patient(number));
        entry["request"]["ifNoneExist"] = format!("identifier=https://h.example/n|{number}").into();
        entry
    };
    let mut ids = Vec::new();
    for status in ["201 Created", "200 OK"] {
        let entries = [with("PUT", "Observation?code:text=x&date:missing=true", "", &about), create("9")];
        let done = world.bundle("transaction", &token, &entries).await;
        assert_eq!(done.entries()[1]["response"]["status"], status, "{}", done.body);
        assert_eq!(done.entries()[0]["response"]["status"], status, "{}", done.body);
        let found = world.get("Observation?code:text=x&date:missing=true", &token).await;
        assert_eq!(found.ids().len(), 1);
        ids.push(found.entries()[0]["resource"]["subject"]["reference"].clone());
    }
    assert_eq!(ids[0], ids[1], "both are about the same patient");
}

/// FHIR R4, http, batch: each entry is for itself; patches come in a Binary or as Parameters.
#[tokio::test]
async fn batch_entries_are_independent() {
    let world = World::start().await;
    let token = world.staff().await;
    let data = STANDARD.encode("[{\"op\": \"replace\", \"path\": \"/gender\", \"value\": \"other\"}]");
    let binary = json!({"resourceType": "Binary", "contentType": "application/json-patch+json", "data": data});
    let entries = [
        entry("GET", "Patient/p1001"),
        entry("GET", "Patient/never"),
        with("PATCH", "Patient/p1001", "", &binary),
        with("POST", "Observation", "", &json!({"resourceType": "Observation"})),
        json!({"request": {"method": "GET", "url": world.url("Patient/p1001"), "ifNoneMatch": "W/\"2\""}}),
        with("POST", "", "", &json!({"resourceType": "Bundle", "type": "batch"})),
    ];
    let done = world.bundle("batch", &token, &entries).await;
    let statuses: Vec<_> = done.entries().iter().map(|entry| entry["response"]["status"].as_str().unwrap()).collect();
    assert_eq!(
        statuses,
        ["200 OK", "404 Not Found", "200 OK", "422 Unprocessable Entity", "304 Not Modified", "400 Bad Request"]
    );
    assert_eq!(done.entries()[1]["response"]["outcome"]["resourceType"], "OperationOutcome");
    assert_eq!(world.get("Patient/p1001", &token).await.body["gender"], "other");
    let many: Vec<Value> = (0..501).map(|_| entry("GET", "Patient/p1001")).collect();
    assert_eq!(world.bundle("batch", &token, &many).await.status, 413);
}

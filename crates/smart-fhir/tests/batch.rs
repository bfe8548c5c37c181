//! Batches and transactions.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

mod support;

use http::Method;
use serde_json::{Value, json};
use smart_core::entity_tag::EntityTag;
use smart_fhir::{Batch, FhirError, FhirPathPatch, JsonPatch, RawResource, RefusalKind, Return, SearchQuery};
use support::{BASE, Tokens, authorizations, client, client_with, tokens, urls};

fn patient() -> Value {
    json!({"resourceType": "Patient", "name": [{"family": "Smith"}]})
}

fn answer(entries: &Value) -> String {
    json!({"resourceType": "Bundle", "type": "transaction-response", "entry": entries}).to_string()
}

/// F-108, FR-09 (FHIR R4, http.html#transaction): every kind of entry is written as the specification has it, resources in
/// their own octets, names among the entries resolved by the server.
#[tokio::test]
async fn every_kind_of_entry_is_written() {
    let (transport, client) = client();
    let tag = EntityTag::of_version("2").unwrap();
    let by_identifier = SearchQuery::new("Patient").token("identifier", "urn:x", "7");
    let mut transaction = Batch::transaction();
    let created = transaction.create(&patient());
    transaction.if_none_exist(created, &by_identifier);
    let observation = json!({"resourceType": "Observation", "subject": {"reference": created.reference()}});
    let other = transaction.create(&observation);
    let decimal = r#"{"resourceType":"Observation","id":"3","valueQuantity":{"value":1.50}}"#;
    let updated = transaction.update(&RawResource::parse(decimal).unwrap());
    transaction.if_match(updated, &tag);
    transaction.update_where(&by_identifier, &patient());
    transaction.patch("Patient", "4", &FhirPathPatch::new().delete("Patient.photo").into());
    transaction.patch("Patient", "5", &JsonPatch::new().remove("/photo").into());
    transaction.delete("Basic", "6");
    transaction.delete_where(&by_identifier);
    transaction.read("Patient", "8");
    transaction.search(&SearchQuery::new("Observation").param("patient", "8"));
    transaction.returning(Return::Minimal);
    assert_eq!((transaction.len(), transaction.is_empty(), other.at()), (10, false, 1));

    transport.respond_fhir(answer(&json!(vec![json!({"response": {"status": "200"}}); 10])));
    client.submit(&transaction).await.unwrap();
    let request = &transport.requests()[0];
    assert_eq!((request.method(), request.uri().to_string()), (&Method::POST, BASE.to_owned()));
    assert_eq!(
        (&request.headers()["content-type"], &request.headers()["prefer"]),
        (&"application/fhir+json".parse().unwrap(), &"return=minimal".parse().unwrap())
    );
    assert!(String::from_utf8_lossy(request.body()).contains(decimal));
    let bundle: Value = serde_json::from_slice(request.body()).unwrap();
    assert_eq!((&bundle["resourceType"], &bundle["type"]), (&json!("Bundle"), &json!("transaction")));
    let entries = bundle["entry"].as_array().unwrap();
    let requests: Vec<_> = entries.iter().map(|entry| entry["request"].clone()).collect();
    let expected = json!([
        {"method": "POST", "url": "Patient", "ifNoneExist": "identifier=urn:x%7C7"},
        {"method": "POST", "url": "Observation"},
        {"method": "PUT", "url": "Observation/3", "ifMatch": "W/\"2\""},
        {"method": "PUT", "url": "Patient?identifier=urn:x%7C7"},
        {"method": "PATCH", "url": "Patient/4"},
        {"method": "PATCH", "url": "Patient/5"},
        {"method": "DELETE", "url": "Basic/6"},
        {"method": "DELETE", "url": "Patient?identifier=urn:x%7C7"},
        {"method": "GET", "url": "Patient/8"},
        {"method": "GET", "url": "Observation?patient=8"},
    ]);
    assert_eq!(Value::from(requests), expected);
    assert_eq!(entries[0]["fullUrl"], created.reference());
    assert_eq!(entries[1]["resource"]["subject"]["reference"], created.reference());
    assert_eq!(entries[2]["fullUrl"], format!("{BASE}/Observation/3"));
    assert!(entries[3]["fullUrl"].as_str().unwrap().starts_with("urn:uuid:"));
    assert_eq!(entries[4]["resource"]["resourceType"], "Parameters");
    let binary = &entries[5]["resource"];
    assert_eq!(
        (&binary["resourceType"], &binary["contentType"]),
        (&json!("Binary"), &json!("application/json-patch+json"))
    );
    assert_eq!(binary["data"], "W3sib3AiOiJyZW1vdmUiLCJwYXRoIjoiL3Bob3RvIn1d");
    assert!(entries[6..].iter().all(|entry| entry.get("resource").is_none() && entry.get("fullUrl").is_none()));
    assert!(!format!("{transaction:?}").contains("Smith"));
}

/// F-108, FR-21 (FHIR R4, http.html#transaction-response): each answer is that of its request, with location, version and
/// resource, or with its error.
#[tokio::test]
async fn answers_are_matched_to_requests() {
    let (transport, client) = client();
    let mut batch = Batch::new();
    let created = batch.create(&patient());
    let read = batch.read("Patient", "8");
    let refused = batch.delete("Patient", "9");
    let found = batch.search(&SearchQuery::new("Patient").param("name", "Smith"));
    let outcome = json!({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "conflict", "diagnostics": "Smith"}]});
    let page = json!({"resourceType": "Bundle", "type": "searchset", "total": 7, "entry": [{"resource": {"resourceType": "Patient", "id": "8"}}]});
    transport.respond_fhir(answer(&json!([
        {"response": {"status": "201 Created", "location": "Patient/77/_history/1", "etag": "W/\"1\"", "lastModified": "2026-01-01T00:00:00Z"}},
        {"resource": {"resourceType": "Patient", "id": "8"}, "response": {"status": "200"}},
        {"response": {"status": "409 Conflict", "outcome": outcome}},
        {"resource": page, "response": {"status": "200 OK"}},
    ])));
    let answer = client.submit(&batch).await.unwrap();
    let stored = answer.get(created).unwrap();
    assert!(stored.is_created() && stored.status() == 201);
    assert_eq!(stored.location().unwrap().reference(), "Patient/77");
    assert_eq!((stored.etag().unwrap().opaque(), stored.last_modified()), ("1", Some("2026-01-01T00:00:00Z")));
    assert_eq!(answer.get(read).unwrap().to::<Value>().unwrap()["id"], "8");
    assert_eq!(answer.get(found).unwrap().bundle().unwrap().total(), Some(7));
    let error = answer.get(refused).unwrap_err();
    assert_eq!((error.at, error.status, error.kind), (2, 409, RefusalKind::Conflict));
    assert!(error.outcome.as_ref().unwrap().has_code("conflict"));
    assert!(error.to_string().contains("error conflict") && !format!("{error} {error:?} {answer:?}").contains("Smith"));
    assert_eq!(answer.errors().count(), 1);
    assert_eq!(answer.at(9).unwrap_err().status, 404);
}

/// FR-12, F-108 (patient safety): another resource than the one that an entry reads is not handed out.
#[tokio::test]
async fn another_resource_in_an_entry_is_not_handed_out() {
    let (transport, client) = client();
    let mut batch = Batch::new();
    let entries: Vec<_> = ["1", "2", "3"].iter().map(|id| batch.read("Patient", id)).collect();
    transport.respond_fhir(answer(&json!([
        {"resource": {"resourceType": "Patient", "id": "2"}, "response": {"status": "200"}},
        {"resource": {"resourceType": "Basic", "id": "2"}, "response": {"status": "200"}},
        {"response": {"status": "200"}},
    ])));
    let answer = client.submit(&batch).await.unwrap();
    for entry in entries {
        assert!(answer.get(entry).unwrap_err().problem.is_some());
    }
    assert!(answer.entries().iter().all(|entry| entry.resource().is_none()));
}

/// F-108: an answer that lacks entries, or their status, is an error that says it may have been done.
#[tokio::test]
async fn answers_that_cannot_be_matched_are_told() {
    let mut batch = Batch::new();
    batch.create(&patient());
    batch.delete("Patient", "9");
    let good = json!({"response": {"status": "200"}});
    for entries in [
        json!([good]),
        json!([good, good, good]),
        json!([]),
        json!([good, {}]),
        json!([good, {"response": {"status": "x"}}]),
        json!([good, 1]),
    ] {
        let (transport, client) = client();
        transport.respond_fhir(answer(&entries));
        let error = client.submit(&batch).await.unwrap_err();
        assert!(error.may_have_had_effect() && error.endpoint().is_some(), "{error:?}");
    }
}

/// F-108 (FHIR R4, http.html#transaction; patient safety): what cannot be right is refused before anything is sent.
#[tokio::test]
async fn impossible_bundles_are_not_sent() {
    let (transport, client) = client();
    let about =
        |reference: String| json!({"resourceType": "Observation", "id": "1", "subject": {"reference": reference}});
    let unknown = "urn:uuid:00000000-0000-4000-8000-000000000000".to_owned();
    let mut bundles = Vec::new();
    bundles.push(Batch::new());

    let mut batch = Batch::new();
    let created = batch.create(&patient());
    batch.create(&about(created.reference()));
    bundles.push(batch);

    let mut dangling = Batch::transaction();
    dangling.create(&about(unknown));
    bundles.push(dangling);

    let mut twice = Batch::transaction();
    twice.update(&about("Patient/1".to_owned()));
    twice.delete("Observation", "1");
    bundles.push(twice);

    for bad in
        [json!({"no": "type"}), json!({"resourceType": "Patient", "id": "../x"}), json!({"resourceType": "Patient"})]
    {
        let mut batch = Batch::new();
        batch.update(&bad);
        bundles.push(batch);
    }
    let mut everything = Batch::new();
    everything.delete_where(&SearchQuery::new("Patient"));
    bundles.push(everything);

    let mut outside = Batch::new();
    outside.read("Patient", "../Basic/1");
    bundles.push(outside);

    let mut versioned = Batch::new();
    let created = versioned.create(&patient());
    versioned.if_match(created, &EntityTag::of_version("1").unwrap());
    bundles.push(versioned);

    let mut conditional = Batch::new();
    let deleted = conditional.delete("Patient", "1");
    conditional.if_none_exist(deleted, &SearchQuery::new("Patient").param("name", "x"));
    bundles.push(conditional);

    for bundle in bundles {
        let error = client.submit(&bundle).await.unwrap_err();
        assert!(matches!(error, FhirError::Entry { .. } | FhirError::InvalidRequest { .. }), "{bundle:?}: {error:?}");
        assert!(!error.may_have_had_effect());
    }
    assert!(urls(&transport).is_empty());
}

/// FR-18, F-102: an entry that was not granted keeps the whole bundle from being sent, and is named.
#[tokio::test]
async fn entries_that_were_not_granted_are_named() {
    let (transport, _, client) = client_with(Tokens { denies: Some("Patient"), ..tokens() });
    let mut batch = Batch::new();
    batch.read("Basic", "1");
    batch.create(&patient());
    let error = client.submit(&batch).await.unwrap_err();
    assert!(matches!(error, FhirError::Entry { at: 1, .. }), "{error:?}");
    assert_eq!(error.needed_scope(), Some("patient/Patient.c"));
    assert!(urls(&transport).is_empty());
}

/// FR-19, F-101, D-18: a batch that only reads is repeated as a read is, another one is not; a refused token is renewed for
/// both.
#[tokio::test]
async fn only_reading_batches_are_repeated() {
    let (mut reads, mut writes) = (Batch::new(), Batch::new());
    reads.search(&SearchQuery::new("Patient"));
    writes.create(&patient());
    for (batch, sent) in [(reads, 3), (writes, 2)] {
        let (transport, client) = client();
        transport.respond_with(401, &[], "").respond_with(503, &[], "");
        transport.respond_fhir(answer(&json!([{"response": {"status": "200"}}])));
        assert_eq!(client.submit(&batch).await.is_ok(), sent == 3);
        assert_eq!(authorizations(&transport).len(), sent);
        assert_eq!(authorizations(&transport)[1].as_deref(), Some("Bearer token-2"));
    }
}

/// F-108: a Bundle that is there already goes as it is; its answers are matched and checked in the same way.
#[tokio::test]
async fn a_bundle_goes_as_it_is() {
    let (transport, client) = client();
    let text = r#"{"resourceType":"Bundle", "type":"batch","entry":[
        {"request":{"method":"GET","url":"Patient/1"}},
        {"resource":{"resourceType":"Observation","valueQuantity":{"value":1.50}},"request":{"method":"POST","url":"Observation"}}]}"#;
    let bundle = RawResource::parse(text).unwrap();
    transport.respond_fhir(answer(&json!([
        {"resource": {"resourceType": "Patient", "id": "2"}, "response": {"status": "200"}},
        {"response": {"status": "201", "location": "Observation/9"}}])));
    let answers = client.submit_bundle(&bundle).await.unwrap();
    assert_eq!(transport.requests()[0].body(), text);
    assert!(answers.at(0).unwrap_err().problem.is_some());
    assert_eq!(answers.at(1).unwrap().location().unwrap().reference(), "Observation/9");

    let entry = |method: &str, url: &str| json!({"request": {"method": method, "url": url}});
    for (kind, entries) in [
        ("collection", json!([entry("GET", "Patient/1")])),
        ("batch", json!([])),
        ("batch", json!([{}])),
        ("batch", json!([entry("TRACE", "Patient/1")])),
        ("transaction", json!([entry("GET", "https://evil.example/Patient/1")])),
        ("transaction", json!([entry("GET", "../Patient/1")])),
        ("transaction", json!([entry("GET", "/Patient/1")])),
    ] {
        let bundle = json!({"resourceType": "Bundle", "type": kind, "entry": entries});
        assert!(client.submit_bundle(&bundle).await.is_err(), "{bundle}");
    }
    assert_eq!(urls(&transport).len(), 1);
    let (transport, _, denied) = client_with(Tokens { denies: Some("Patient"), ..tokens() });
    assert!(matches!(denied.submit_bundle(&bundle).await, Err(FhirError::Entry { at: 0, .. })));
    assert!(urls(&transport).is_empty());
}

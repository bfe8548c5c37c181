//! Reading what references lead to.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

mod support;

use serde_json::{Value, json};
use smart_fhir::{FhirError, ReferenceError, Resolver};
use smart_http::Timer as _;
use std::time::Duration;
use support::{BASE, client, client_with, patient, tokens, urls};

/// FR-22 (FHIR R4, references.html): a reference is read once for a while, however it is written; the number held is bounded.
#[tokio::test]
async fn references_are_read_once() {
    let (transport, timer, client) = client_with(tokens());
    let resolver = Resolver::new(client).with_limits(2, Duration::from_secs(60));
    transport.respond_fhir(patient("1"));
    for reference in ["Patient/1", &format!("{BASE}/Patient/1"), "Patient/1"] {
        assert_eq!(resolver.read(reference).await.unwrap().id(), Some("1"));
    }
    assert_eq!(urls(&transport).len(), 1);
    transport.respond_fhir(patient("2")).respond_fhir(patient("3")).respond_fhir(patient("1"));
    for reference in ["Patient/2", "Patient/3", "Patient/1", "Patient/3"] {
        resolver.read(reference).await.unwrap();
    }
    assert_eq!(urls(&transport).len(), 4, "the oldest gave way");
    timer.sleep(Duration::from_secs(60)).await;
    transport.respond_fhir(patient("3"));
    resolver.read("Patient/3").await.unwrap();
    resolver.clear();
    transport.respond_fhir(patient("3"));
    resolver.clone().read("Patient/3").await.unwrap();
    assert_eq!(urls(&transport).len(), 6);
    assert_eq!(format!("{resolver:?}"), "Resolver { held: 1, .. }");
}

/// FR-22, FR-03 (FHIR R4, references.html): contained, logical, urn and foreign references are told apart; none is fetched.
#[tokio::test]
async fn elements_of_every_kind_are_resolved() {
    let (transport, client) = client();
    let resolver = Resolver::new(client);
    let resource = json!({"resourceType": "Observation", "contained": [{"resourceType": "Patient", "id": "p"}]});
    let read = |element: Value| {
        let (resolver, resource) = (resolver.clone(), resource.clone());
        async move { resolver.read_element(&element, &resource).await }
    };
    assert_eq!(read(json!({"reference": "#p"})).await.unwrap()["id"], "p");
    assert_eq!(read(json!({"reference": "#"})).await.unwrap(), resource);
    for (element, expected) in [
        (json!({"reference": "#q"}), ReferenceError::Contained),
        (json!({"identifier": {"value": "7"}}), ReferenceError::Logical),
        (json!({"display": "Smith"}), ReferenceError::Malformed),
        (json!({"reference": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"}), ReferenceError::Urn),
        (
            json!({"reference": "https://other.example/Patient/1"}),
            ReferenceError::Elsewhere { origin: "https://other.example".to_owned() },
        ),
    ] {
        let error = read(element.clone()).await.unwrap_err();
        assert!(matches!(&error, FhirError::Reference(reason) if *reason == expected), "{element}: {error:?}");
    }
    assert!(urls(&transport).is_empty());
    transport.respond_fhir(patient("1"));
    assert_eq!(read(json!({"reference": "Patient/1"})).await.unwrap()["id"], "1");
}

/// FR-22, F-108: many references are read in one batch, each thing once, in their order; what the batch does not give is read
/// by itself.
#[tokio::test]
async fn many_references_go_in_one_batch() {
    let (transport, client) = client();
    let resolver = Resolver::new(client);
    let entry = |id: &str| json!({"resource": {"resourceType": "Patient", "id": id}, "response": {"status": "200"}});
    let answer = json!({"resourceType": "Bundle", "type": "batch-response", "entry": [entry("1"), entry("2"), {"response": {"status": "404"}}]});
    transport.respond_fhir(answer.to_string()).respond_with(404, &[], "");
    let references = ["Patient/1", "Patient/2", "Patient/1", "Patient/3", "https://other.example/Patient/1"];
    let read = resolver.read_many(&references).await;
    let ids: Vec<_> = read.iter().map(|result| result.as_ref().ok().and_then(|resource| resource.id())).collect();
    assert_eq!(ids, [Some("1"), Some("2"), Some("1"), None, None]);
    assert!(read[3].as_ref().unwrap_err().is_not_found());
    assert!(matches!(read[4], Err(FhirError::Reference(ReferenceError::Elsewhere { .. }))));
    assert_eq!(urls(&transport), [BASE.to_owned(), format!("{BASE}/Patient/3")]);
    let body: Value = serde_json::from_slice(transport.requests()[0].body()).unwrap();
    assert_eq!(body["entry"].as_array().unwrap().len(), 3);
}

/// FR-22: a server without batches is asked one by one.
#[tokio::test]
async fn without_batches_references_are_read_one_by_one() {
    let (transport, client) = client();
    let resolver = Resolver::new(client);
    transport.respond_with(405, &[], "").respond_fhir(patient("1")).respond_fhir(patient("2"));
    let read = resolver.read_many(&["Patient/1", "Patient/2"]).await;
    assert!(read.iter().all(Result::is_ok));
    assert_eq!(urls(&transport)[1..], [format!("{BASE}/Patient/1"), format!("{BASE}/Patient/2")]);
}

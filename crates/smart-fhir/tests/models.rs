//! The models of the crate `fhir-model`, as types of resources.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test reports by panicking, its helpers too")]

mod support;

use serde_json::{Value, json};
use smart_fhir::models::resources::{Observation, Patient};
use smart_fhir::{FhirError, SearchQuery};
use support::{client, patient};

/// F-104 (FHIR R4, http.html): a typed model is read, changed and written back with its `resourceType`.
#[tokio::test]
async fn a_model_is_read_and_written() {
    let (transport, client) = client();
    let sent = json!({"resourceType": "Patient", "id": "1", "active": true, "name": [{"family": "Smith"}]});
    transport.respond_with(200, &[("content-type", "application/fhir+json")], sent.to_string());
    transport.respond_with(200, &[("content-type", "application/fhir+json")], sent.to_string());
    let mut read: Patient = client.read("Patient", "1").await.unwrap();
    assert_eq!(read.id.as_deref(), Some("1"));
    read.active = Some(false);
    client.update(&read).send().await.unwrap();
    let written: Value = serde_json::from_slice(transport.requests()[1].body()).unwrap();
    assert_eq!(written["resourceType"], "Patient");
    assert_eq!((written["active"].as_bool(), written["name"][0]["family"].as_str()), (Some(false), Some("Smith")));
}

/// F-104, FR-03 (FHIR R4, http.html#read): a model of another type than was asked for is an error, not an empty resource.
#[tokio::test]
async fn another_type_is_not_read_into_a_model() {
    let (transport, client) = client();
    transport.respond_with(200, &[("content-type", "application/fhir+json")], patient("1"));
    let read: Result<Observation, FhirError> = client.read("Patient", "1").await;
    assert!(read.is_err());
}

/// F-106 (FHIR R4, search.html): a search gives typed models over its pages.
#[tokio::test]
async fn a_search_gives_models() {
    let (transport, client) = client();
    let bundle = json!({
        "resourceType": "Bundle", "type": "searchset",
        "entry": [{"resource": {"resourceType": "Patient", "id": "1"}, "search": {"mode": "match"}}],
    });
    transport.respond_with(200, &[("content-type", "application/fhir+json")], bundle.to_string());
    let mut found = client.search(SearchQuery::new("Patient")).typed::<Patient>();
    let first = futures_util::StreamExt::next(&mut found).await.unwrap().unwrap();
    assert_eq!(first.id.as_deref(), Some("1"));
    assert!(futures_util::StreamExt::next(&mut found).await.is_none());
}

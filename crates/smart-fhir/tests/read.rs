//! Reads, references and the capability statement.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

mod support;

use serde::Deserialize;
use serde_json::{Value, json};
use smart_fhir::{FhirError, FhirMediaType, ReferenceError, ResourceType};
use smart_http::Timer as _;
use std::time::Duration;
use support::{BASE, authorizations, client, client_with, patient, tokens, urls};

#[derive(Debug, Deserialize, PartialEq)]
struct Patient {
    id: String,
}

#[derive(Debug, Deserialize)]
struct Strict {
    #[expect(dead_code, reason = "only its shape counts")]
    name: Vec<String>,
}

impl ResourceType for Patient {
    const TYPE: &'static str = "Patient";
}

/// FR-01, FR-02 (RFC 6750, 2.1): the token is sent as a Bearer header, marked sensitive, and nowhere in URL or body.
#[tokio::test]
async fn the_token_is_sent_as_a_header_only() {
    let (transport, client) = client();
    transport.respond_fhir(patient("1"));
    let read: Patient = client.read("Patient", "1").await.unwrap();
    assert_eq!(read.id, "1");
    let request = transport.requests().remove(0);
    assert_eq!((request.method().as_str(), request.uri().to_string()), ("GET", format!("{BASE}/Patient/1")));
    assert_eq!(request.headers()["authorization"], "Bearer token-1");
    assert!(request.headers()["authorization"].is_sensitive());
    assert!(!request.uri().to_string().contains("token-1") && request.body().is_empty());
}

/// FR-07 (FHIR R4, http.html#mime-type): FHIR JSON is asked for, under its older name on DSTU2 servers.
#[tokio::test]
async fn fhir_json_is_asked_for() {
    let (transport, client) = client();
    transport.respond_fhir(patient("1")).respond_fhir(patient("1"));
    client.read::<Value>("Patient", "1").await.unwrap();
    client.with_media_type(FhirMediaType::Dstu2).read::<Value>("Patient", "1").await.unwrap();
    let accepts: Vec<_> = transport.requests().iter().map(|r| r.headers()["accept"].clone()).collect();
    assert_eq!(accepts, ["application/fhir+json", "application/json+fhir"]);
}

/// FR-07: plain JSON is taken; a login page or XML with status 200 is a typed error.
#[tokio::test]
async fn replies_that_are_no_json_are_told_apart() {
    let (transport, client) = client();
    transport.respond_with(200, &[("content-type", "application/json;charset=utf-8")], patient("1"));
    client.read::<Value>("Patient", "1").await.unwrap();
    for content_type in ["text/html; charset=utf-8", "application/fhir+xml"] {
        transport.respond_with(200, &[("content-type", content_type)], "<html>Smith</html>");
        let error = client.read::<Value>("Patient", "1").await.unwrap_err();
        assert!(matches!(error, FhirError::NotFhirJson { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("Smith"));
    }
}

/// FR-08: resources of any FHIR version are read as JSON or as the caller's type.
#[tokio::test]
async fn any_version_is_read_as_json_or_as_a_type() {
    let (transport, client) = client();
    let dstu2 = json!({"resourceType": "MedicationOrder", "id": "m", "dateWritten": "2015-01-15"});
    let r5 = json!({"resourceType": "Transport", "id": "t", "status": "in-progress", "_status": {"id": "x"}});
    for resource in [dstu2, r5] {
        transport.respond_fhir(resource.to_string());
        let (name, id) = (resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        assert_eq!(client.read::<Value>(name, id).await.unwrap(), resource);
    }
    transport.respond_fhir(patient("1"));
    assert_eq!(client.read_typed::<Patient>("1").await.unwrap(), Patient { id: "1".to_owned() });
    transport.respond_fhir(json!({"resourceType": "Patient", "id": "1", "name": {"family": "Smith"}}).to_string());
    let error = client.read::<Strict>("Patient", "1").await.unwrap_err();
    assert!(matches!(error, FhirError::WrongShape { .. }) && !format!("{error} {error:?}").contains("Smith"));
}

/// FR-12 (FHIR R4, datatypes id): a wrong type or id is refused before anything is sent.
#[tokio::test]
async fn wrong_types_and_ids_are_not_sent() {
    let (transport, client) = client();
    for (resource_type, id) in [("Patient", "../Observation/1"), ("Patient", ".."), ("Patient", ""), ("../x", "1")] {
        assert!(client.read::<Value>(resource_type, id).await.is_err());
    }
    assert!(client.vread::<Value>("Patient", "1", "2/..").await.is_err());
    assert!(transport.requests().is_empty());
}

/// FR-12 (patient safety): another resource than the one asked for is not handed out.
#[tokio::test]
async fn another_resource_is_not_handed_out() {
    let (transport, client) = client();
    let outcome = json!({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "not-found"}]});
    for body in [
        patient("2"),
        patient("A"),
        json!({"resourceType": "Observation", "id": "a"}).to_string(),
        json!({"resourceType": "Patient"}).to_string(),
        json!({"id": "a"}).to_string(),
        outcome.to_string(),
    ] {
        transport.respond_fhir(body);
        let error = client.read::<Value>("Patient", "a").await.unwrap_err();
        assert!(matches!(error, FhirError::OtherResource { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("Smith"));
    }
    assert_eq!(urls(&transport).len(), 6);
}

/// FR-12 (patient safety): a body with a member twice, or cut short, is refused.
#[tokio::test]
async fn ambiguous_and_broken_json_is_refused() {
    let (transport, client) = client();
    for body in [r#"{"resourceType":"Patient","id":"1","id":"2"}"#, r#"{"resourceType":"Patient","id":"1""#, "[]", ""] {
        transport.respond_fhir(body);
        let error = client.read::<Value>("Patient", "1").await.unwrap_err();
        assert!(matches!(error, FhirError::BadJson { .. }), "{error:?}");
    }
}

/// FR-09 (FHIR R4, http.html#vread): a version is read at its own URL.
#[tokio::test]
async fn a_version_is_read() {
    let (transport, client) = client();
    transport.respond_fhir(patient("1"));
    client.vread::<Value>("Patient", "1", "7").await.unwrap();
    assert_eq!(urls(&transport), [format!("{BASE}/Patient/1/_history/7")]);
}

/// FR-22 (FHIR R4, references.html): references to this server are read, relative and absolute, with a version too.
#[tokio::test]
async fn references_to_this_server_are_read() {
    let (transport, client) = client();
    for reference in ["Patient/1".to_owned(), format!("{BASE}/Patient/1"), "Patient/1/_history/3".to_owned()] {
        transport.respond_fhir(patient("1"));
        client.read_ref::<Value>(&reference).await.unwrap();
    }
    assert_eq!(urls(&transport)[..2], [format!("{BASE}/Patient/1"), format!("{BASE}/Patient/1")]);
    assert_eq!(urls(&transport)[2], format!("{BASE}/Patient/1/_history/3"));
}

/// FR-03, FR-22 (SMART, app launch step 6): references elsewhere, into the resource, and URNs are typed errors, and
/// nothing is sent.
#[tokio::test]
async fn references_elsewhere_are_not_followed() {
    let (transport, client) = client();
    for (reference, expected) in [
        (
            "https://other.example/fhir/Patient/Smith",
            ReferenceError::Elsewhere { origin: "https://other.example".into() },
        ),
        ("https://ehr.example/t2/r4/Patient/Smith", ReferenceError::Elsewhere { origin: "https://ehr.example".into() }),
        ("#Smith", ReferenceError::Contained),
        ("urn:uuid:Smith", ReferenceError::Urn),
        ("urn:oid:1.2", ReferenceError::Urn),
        ("Patient?name=Smith", ReferenceError::Malformed),
    ] {
        let error = client.read_ref::<Value>(reference).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("Smith"), "{error:?}");
        let FhirError::Reference(error) = error else { panic!("{error:?}") };
        assert_eq!(error, expected, "{reference}");
    }
    assert!(transport.requests().is_empty());
}

/// FR-03, TK-14: `get` takes paths and URLs below the base, and refuses the rest without a request.
#[tokio::test]
async fn get_stays_below_the_base() {
    let (transport, client) = client();
    let absolute = format!("{BASE}/Patient/1");
    for path in
        ["Patient/1?_summary=true", "/Patient/1", &absolute, "//evil.example/x", "Patient?url=https://x.example/"]
    {
        transport.respond_fhir(patient("1"));
        client.get(path).await.unwrap();
    }
    let sent = urls(&transport);
    assert!(sent.iter().all(|url| url.starts_with(&format!("{BASE}/"))), "{sent:?}");
    assert!(authorizations(&transport).iter().all(Option::is_some));
    for path in [
        "https://other.example/fhir/Patient/1",
        "HTTPS://other.example/fhir",
        "http://ehr.example/t1/r4/Patient/1",
        "../../t2/r4/Patient/1",
        "Patient/%2e%2e/%2E%2e/x",
        "..\\..\\t2",
        "https://[",
    ] {
        let error = client.get(path).await.unwrap_err();
        assert!(matches!(error, FhirError::OutsideBase { .. }), "{path}: {error:?}");
    }
    assert_eq!(urls(&transport).len(), sent.len());
}

/// FR-09 (FHIR R4, http.html#capabilities): the capability statement is read, under its old name too.
#[tokio::test]
async fn capabilities_are_read() {
    let (transport, client) = client();
    transport
        .respond_fhir(r#"{"resourceType":"CapabilityStatement"}"#)
        .respond_fhir(r#"{"resourceType":"Conformance"}"#);
    client.capabilities().await.unwrap();
    client.with_media_type(FhirMediaType::Dstu2).capabilities().await.unwrap();
    assert_eq!(urls(&transport), vec![format!("{BASE}/metadata"); 2]);
    transport.respond_fhir(patient("1"));
    assert!(client.capabilities_anew().await.is_err());
}

/// FR-09 (FHIR R4, http.html#capabilities): the statement is asked for once an hour by a client and its clones, or anew when
/// that is wanted.
#[tokio::test]
async fn capabilities_are_cached() {
    let (transport, timer, client) = client_with(tokens());
    let statement = |fhir: &str| json!({"resourceType": "CapabilityStatement", "fhirVersion": fhir}).to_string();
    transport.respond_fhir(statement("4.0.1")).respond_fhir(statement("4.3.0")).respond_fhir(statement("5.0.0"));
    assert_eq!(client.capabilities().await.unwrap()["fhirVersion"], "4.0.1");
    timer.sleep(Duration::from_mins(59)).await;
    assert_eq!(client.clone().capabilities().await.unwrap()["fhirVersion"], "4.0.1");
    timer.sleep(Duration::from_mins(1)).await;
    assert_eq!(client.capabilities().await.unwrap()["fhirVersion"], "4.3.0");
    assert_eq!(client.capabilities_anew().await.unwrap()["fhirVersion"], "5.0.0");
    assert_eq!(client.capabilities().await.unwrap()["fhirVersion"], "5.0.0");
    assert_eq!(urls(&transport).len(), 3);
}

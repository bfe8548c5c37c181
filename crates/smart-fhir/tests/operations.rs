//! Operations.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

mod support;

use http::Method;
use serde_json::{Value, json};
use smart_fhir::{FhirError, Operation};
use support::{BASE, client, client_with, page, tokens, urls};

fn parameters() -> Value {
    json!({"resourceType": "Parameters", "parameter": [{"name": "x", "valueString": "y"}]})
}

/// FR-09, F-108 (FHIR R4, operations.html): operations of the system, of a type and of a resource, by GET and by POST.
#[tokio::test]
async fn operations_are_called_at_their_place() {
    let (transport, client) = client();
    for (operation, method, url) in [
        (Operation::new("$convert").param("a b", "c&d"), Method::GET, "$convert?a%20b=c%26d"),
        (Operation::new("lookup").on_type("CodeSystem").param("code", "x"), Method::GET, "CodeSystem/$lookup?code=x"),
        (Operation::new("$lastn").on("Patient", "1").body(&parameters()), Method::POST, "Patient/1/$lastn"),
        (Operation::new("$reindex").by_post(), Method::POST, "$reindex"),
    ] {
        transport.respond_fhir(parameters().to_string());
        let answer = client.operate::<Value>(&operation).await.unwrap();
        assert_eq!(answer.resource().as_ref().unwrap()["parameter"][0]["valueString"], "y");
        let request = transport.requests().pop().unwrap();
        assert_eq!((request.method(), request.uri().to_string()), (&method, format!("{BASE}/{url}")));
        let is_body = url.contains("lastn");
        assert_eq!(request.headers().contains_key("content-type"), is_body);
        assert_eq!(request.body().is_empty(), !is_body);
    }
    transport.respond_with(204, &[], "");
    assert!(client.operate::<Value>(&Operation::new("$x").by_post()).await.unwrap().resource().is_none());
}

/// FR-12 (FHIR R4, operations.html): a name that leads elsewhere is refused, and a body that is no resource.
#[tokio::test]
async fn impossible_operations_are_not_sent() {
    let (transport, client) = client();
    for operation in [
        Operation::new(""),
        Operation::new("$"),
        Operation::new("../x"),
        Operation::new("a/b"),
        Operation::new("..").on_type("Patient"),
        Operation::new("x").on("Patient", ".."),
        Operation::new("x").on_type("../Patient"),
        Operation::new("x").body(&json!({"no": "type"})),
    ] {
        assert!(client.operate::<Value>(&operation).await.is_err(), "{operation:?}");
    }
    assert!(urls(&transport).is_empty());
}

/// FR-19: an operation by POST is repeated only where it is said to change nothing.
#[tokio::test]
async fn only_safe_operations_are_repeated() {
    for (operation, sent) in
        [(Operation::new("x"), 2), (Operation::new("x").by_post(), 1), (Operation::new("x").by_post().safe(), 2)]
    {
        let (transport, _, client) = client_with(tokens());
        transport.respond_with(503, &[], "").respond_with(204, &[], "");
        assert_eq!(client.operate::<Value>(&operation).await.is_ok(), sent == 2);
        assert_eq!(urls(&transport).len(), sent, "{operation:?}");
    }
}

/// FR-09, F-108 (FHIR R4, patient-operation-everything.html): all about a patient, over its pages.
#[tokio::test]
async fn everything_is_read_over_pages() {
    let (transport, client) = client();
    let first = json!({"resourceType": "Bundle", "link": [{"relation": "next", "url": "?page=2"}], "entry": [
        {"resource": {"resourceType": "Patient", "id": "1"}}, {"resource": {"resourceType": "Basic", "id": "2"}}]});
    transport.respond_fhir(first.to_string()).respond_fhir(page(&["3"], None));
    assert_eq!(client.everything("1").collect_all().await.unwrap().len(), 3);
    assert_eq!(urls(&transport)[0], format!("{BASE}/Patient/1/$everything"));
}

/// FR-17, F-108 (FHIR R4, resource-operation-validate.html): the issues of a validation are its result, whatever the status.
#[tokio::test]
async fn a_validation_gives_its_issues() {
    let (transport, client) = client();
    let outcome = |severity: &str, code: &str| {
        json!({"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code}]}).to_string()
    };
    let patient = json!({"resourceType": "Patient", "name": 1});
    let kind = ("content-type", "application/fhir+json");
    transport.respond_with(200, &[kind], outcome("information", "informational"));
    assert!(!client.validate(&patient).await.unwrap().is_error());
    assert_eq!(transport.requests()[0].uri().path(), "/t1/r4/Patient/$validate");
    for status in [200, 400, 422] {
        transport.respond_with(status, &[kind], outcome("error", "structure"));
        let issues = client.validate(&patient).await.unwrap();
        assert!(issues.is_error() && issues.has_code("structure") && !issues.has_code("value"));
    }
    transport.respond_with(404, &[kind], outcome("error", "not-supported"));
    assert!(client.validate(&patient).await.unwrap_err().is_not_found());
    transport.respond_fhir(parameters().to_string());
    assert!(matches!(client.validate(&patient).await, Err(FhirError::InvalidResponse { .. })));
}

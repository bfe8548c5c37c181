//! Create, update, patch and delete, with their conditions.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

mod support;

use http::{HeaderName, Method, Request, header};
use serde_json::{Value, json};
use smart_core::entity_tag::EntityTag;
use smart_fhir::{
    Conditional, FhirError, FhirPathPatch, Handling, JsonPatch, RawResource, ReadOptions, RefusalKind, Return,
    SearchQuery, Summary,
};
use smart_http::{ConnectFailure, Endpoint, HttpError, Phase};
use support::{BASE, Tokens, authorizations, client, client_with, patient, tokens, urls};

fn smith() -> Value {
    json!({"resourceType": "Patient", "id": "1", "name": [{"family": "Smith"}]})
}

fn by_identifier() -> SearchQuery {
    SearchQuery::new("Patient").token("identifier", "urn:x", "7")
}

fn tag() -> EntityTag {
    EntityTag::of_version("2").unwrap()
}

const STORED: &[(&str, &str)] = &[
    ("content-type", "application/fhir+json"),
    ("etag", "W/\"3\""),
    ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ("location", "https://ehr.example/t1/r4/Patient/1/_history/3"),
    ("x-request-id", "req-7"),
];

/// FR-09, FR-21, F-104 (FHIR R4, http.html#create): a resource is posted as it is; the answer has version, date,
/// location and request id.
#[tokio::test]
async fn a_resource_is_created() {
    let (transport, client) = client();
    transport.respond_with(201, STORED, smith().to_string());
    let answer = client.create(&smith()).send().await.unwrap();
    let request = &transport.requests()[0];
    assert_eq!((request.method(), request.uri().to_string()), (&Method::POST, format!("{BASE}/Patient")));
    assert_eq!(request.headers()["content-type"], "application/fhir+json");
    assert_eq!(request.headers()["accept"], "application/fhir+json");
    assert_eq!(request.headers()["authorization"], "Bearer token-1");
    assert_eq!(request.body(), &smith().to_string());
    assert!(answer.is_created() && answer.status() == 201);
    assert_eq!(answer.resource().as_ref().unwrap()["id"], "1");
    let location = answer.location().unwrap();
    assert_eq!((location.reference().as_str(), location.version().unwrap().as_str()), ("Patient/1", "3"));
    assert_eq!((answer.etag().unwrap().as_str(), answer.version().as_deref()), ("W/\"3\"", Some("3")));
    assert_eq!(answer.last_modified(), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
    assert_eq!(answer.request_id(), Some("req-7"));
    assert!(!format!("{answer:?} {:?}", client.create(&smith())).contains("Smith"));
}

/// FR-21 (FHIR R4, http.html#create): a relative location is read, and the version where there is no tag.
#[tokio::test]
async fn a_relative_location_is_read() {
    let (transport, client) = client();
    for location in ["Patient/9/_history/4", "/t1/r4/Patient/9/_history/4"] {
        transport.respond_with(201, &[("location", location)], "");
        let answer = client.create(&smith()).returning(Return::Minimal).send().await.unwrap();
        assert_eq!(answer.location().unwrap().reference(), "Patient/9");
        assert!(answer.location().unwrap().is_here());
        assert_eq!((answer.version().as_deref(), answer.resource()), (Some("4"), &None));
    }
    transport.respond_with(201, &[("content-location", "Patient/9")], "").respond_with(
        201,
        &[("location", "nowhere")],
        "",
    );
    assert_eq!(client.create(&smith()).send().await.unwrap().location().unwrap().reference(), "Patient/9");
    assert!(client.create(&smith()).send().await.unwrap().location().is_none());
}

/// FR-14, F-107 (FHIR R4, http.html#ccreate): a conditional create has its criteria in `If-None-Exist`; it must say
/// something, about the same type.
#[tokio::test]
async fn a_conditional_create_has_criteria() {
    let (transport, client) = client();
    transport.respond_with(200, STORED, "");
    let answer = client.create(&smith()).if_none_exist(&by_identifier()).send().await.unwrap();
    assert!(!answer.is_created());
    assert_eq!(transport.requests()[0].headers()["if-none-exist"], "identifier=urn:x%7C7");
    for query in [SearchQuery::new("Patient"), SearchQuery::new("Practitioner").param("identifier", "7")] {
        assert!(client.create(&smith()).if_none_exist(&query).send().await.is_err());
    }
    assert_eq!(urls(&transport).len(), 1);
}

/// FR-13, F-107 (FHIR R4, http.html#concurrency): an update names the version that it replaces; another state is a conflict.
#[tokio::test]
async fn an_update_names_its_version() {
    let (transport, client) = client();
    transport.respond_with(200, STORED, smith().to_string()).respond_with(412, &[], "").respond_with(409, &[], "");
    let answer = client.update(&smith()).if_match(&tag()).send().await.unwrap();
    assert_eq!(answer.version().as_deref(), Some("3"));
    let request = &transport.requests()[0];
    assert_eq!((request.method(), request.uri().to_string()), (&Method::PUT, format!("{BASE}/Patient/1")));
    assert_eq!(request.headers()["if-match"], "W/\"2\"");
    for kind in [RefusalKind::PreconditionFailed, RefusalKind::Conflict] {
        let error = client.update(&smith()).if_match(&tag()).send().await.unwrap_err();
        assert_eq!(error.refusal().unwrap().kind(), kind);
        assert!(error.is_conflict() && !error.is_retryable() && !error.may_have_had_effect());
    }
}

/// FR-12 (FHIR R4, datatypes id): an id beyond FHIR's rule is read, changed with its version and deleted, and never chosen.
#[tokio::test]
async fn ids_beyond_the_rule_are_never_chosen() {
    let (transport, client) = client();
    let id = "e".repeat(70);
    let long = json!({"resourceType": "Patient", "id": id});
    assert!(matches!(client.update(&long).send().await, Err(FhirError::InvalidRequest { .. })));
    assert!(urls(&transport).is_empty());
    for _ in 0..4 {
        transport.respond_fhir(long.to_string());
    }
    client.read::<Value>("Patient", &id).await.unwrap();
    client.update(&long).if_match(&tag()).send().await.unwrap();
    client.patch("Patient", &id, &JsonPatch::new().remove("/photo").into()).send().await.unwrap();
    client.delete("Patient", &id).send().await.unwrap();
    assert_eq!(urls(&transport), vec![format!("{BASE}/Patient/{id}"); 4]);
}

/// FR-14, F-107 (FHIR R4, http.html#cond-update): conditional update, patch and delete have their criteria in the URL.
#[tokio::test]
async fn conditional_writes_have_criteria() {
    let (transport, client) = client();
    let patch = JsonPatch::new().remove("/photo").into();
    for _ in 0..3 {
        transport.respond_with(204, &[], "");
    }
    client.update_where(&by_identifier(), &smith()).send().await.unwrap();
    client.patch_where(&by_identifier(), &patch).send().await.unwrap();
    client.delete_where(&by_identifier()).if_match(&tag()).send().await.unwrap();
    assert_eq!(urls(&transport), vec![format!("{BASE}/Patient?identifier=urn:x%7C7"); 3]);
    let methods: Vec<_> = transport.requests().iter().map(|request| request.method().clone()).collect();
    assert_eq!(methods, [Method::PUT, Method::PATCH, Method::DELETE]);
    let all = SearchQuery::new("Patient");
    assert!(client.update_where(&all, &smith()).send().await.is_err());
    assert!(client.patch_where(&all, &patch).send().await.is_err());
    assert!(client.delete_where(&all).send().await.is_err());
    assert!(client.update_where(&SearchQuery::new("Observation").param("code", "x"), &smith()).send().await.is_err());
    assert_eq!(urls(&transport).len(), 3);
}

/// FR-16, FR-13 (FHIR R4, http.html#patch): patches go under their content types, with the version that is meant.
#[tokio::test]
async fn patches_have_their_content_type() {
    let (transport, client) = client();
    let json_patch = JsonPatch::new().replace("/active", &false).into();
    let fhirpath = FhirPathPatch::new().replace("Patient.active", ("valueBoolean", false)).into();
    for (patch, content_type) in [(json_patch, "application/json-patch+json"), (fhirpath, "application/fhir+json")] {
        transport.respond_fhir(smith().to_string());
        let answer = client.patch("Patient", "1", &patch).if_match(&tag()).send().await.unwrap();
        assert_eq!(answer.resource().as_ref().unwrap()["id"], "1");
        let request = transport.requests().pop().unwrap();
        assert_eq!((request.method(), request.uri().path()), (&Method::PATCH, "/t1/r4/Patient/1"));
        assert_eq!(
            (&request.headers()["content-type"], &request.headers()["if-match"]),
            (&content_type.parse().unwrap(), &"W/\"2\"".parse().unwrap())
        );
    }
    assert!(client.patch("Patient", "1", &JsonPatch::new().into()).send().await.is_err());
    assert_eq!(urls(&transport).len(), 2);
}

/// FR-09, F-104 (FHIR R4, http.html#delete): a delete is a success with or without a body.
#[tokio::test]
async fn a_resource_is_deleted() {
    let (transport, client) = client();
    let outcome =
        json!({"resourceType": "OperationOutcome", "issue": [{"severity": "information", "code": "informational"}]});
    transport.respond_with(204, &[], "").respond_with(202, &[], "").respond_fhir(outcome.to_string());
    for status in [204, 202, 200] {
        let answer = client.delete("Patient", "1").send().await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(answer.outcome().is_some(), status == 200);
    }
    assert!(transport.requests().iter().all(|request| request.method() == Method::DELETE && request.body().is_empty()));
    assert!(client.delete("Patient", "../Observation/1").send().await.is_err());
}

/// FR-15 (FHIR R4, http.html#ops): what the answer should have is said, and any of the three is read, an empty body too.
#[tokio::test]
async fn preferences_are_said_and_any_answer_is_read() {
    let (transport, client) = client();
    let outcome =
        json!({"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "business-rule"}]});
    for (preference, body) in [
        (Return::Minimal, String::new()),
        (Return::Representation, smith().to_string()),
        (Return::OperationOutcome, outcome.to_string()),
    ] {
        transport.respond_fhir(body);
        let answer = client.update(&smith()).returning(preference).handling(Handling::Strict).send().await.unwrap();
        assert_eq!(answer.resource().is_some(), preference == Return::Representation);
        assert_eq!(answer.outcome().is_some(), preference == Return::OperationOutcome);
    }
    let preferences: Vec<Vec<_>> = transport
        .requests()
        .iter()
        .map(|request| {
            request.headers().get_all("prefer").iter().map(|value| value.to_str().unwrap().to_owned()).collect()
        })
        .collect();
    let with = |preference: &str| vec![preference.to_owned(), "handling=strict".to_owned()];
    assert_eq!(preferences, [with("return=minimal"), with("return=representation"), with("return=OperationOutcome")]);
}

/// FR-12 (patient safety): what a write gives back in place of the resource is an error that says it may have been done.
#[tokio::test]
async fn another_resource_in_the_answer_is_told() {
    let (transport, client) = client();
    for (content_type, body) in [
        ("application/fhir+json", patient("2")),
        ("application/fhir+json", json!({"resourceType": "Observation", "id": "1"}).to_string()),
        ("application/fhir+json", "{\"resourceType\":\"Patient\"".to_owned()),
        ("text/html", "<html>log in</html>".to_owned()),
    ] {
        transport.respond_with(200, &[("content-type", content_type)], body);
        let error = client.update(&smith()).send().await.unwrap_err();
        assert!(error.may_have_had_effect() && !error.is_retryable(), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("Smith"));
    }
}

/// FR-19, D-18 (RFC 9110, 9.2.2): a write is sent again only where the try before certainly had no effect.
#[tokio::test]
async fn writes_are_not_repeated_where_they_may_have_had_an_effect() {
    let endpoint = || Endpoint::of(&http::Uri::from_static("https://ehr.example/t1/r4/Patient"));
    let refused = HttpError::Connect { endpoint: endpoint(), kind: ConnectFailure::Refused, reason: "r".into() };
    let broken = HttpError::Interrupted { endpoint: endpoint(), phase: Phase::Headers, reason: "r".into() };
    for (error, sent) in [(refused, 2), (broken, 1)] {
        let (transport, _, client) = client_with(tokens());
        transport.fail(error).respond_with(201, &[], "");
        let outcome = client.create(&smith()).send().await;
        assert_eq!((urls(&transport).len(), outcome.is_ok()), (sent, sent == 2));
        assert!(outcome.err().is_none_or(|error| error.may_have_had_effect()));
    }
    for (status, sent) in [(429, 2), (503, 1), (502, 1), (500, 1)] {
        let (transport, _, client) = client_with(tokens());
        transport.respond_with(status, &[("retry-after", "1")], "").respond_with(201, &[], "");
        let outcome = client.create(&smith()).send().await;
        assert_eq!((urls(&transport).len(), outcome.is_ok()), (sent, sent == 2), "{status}");
    }
}

/// F-101, FR-18 (RFC 9110, 15.5.2): a 401 says that the request was not applied, so a write is sent once more with the
/// renewed token, its body as it was.
#[tokio::test]
async fn a_refused_token_is_renewed_for_writes_too() {
    let (transport, client) = client();
    transport.respond_with(401, &[], "").respond_with(201, &[], "");
    client.create(&smith()).send().await.unwrap();
    let sent = authorizations(&transport);
    assert_eq!(sent, [Some("Bearer token-1".to_owned()), Some("Bearer token-2".to_owned())]);
    let requests = transport.requests();
    assert_eq!((requests[0].body(), requests[0].uri()), (requests[1].body(), requests[1].uri()));

    transport.respond_with(401, &[], "").respond_with(401, &[], "").respond_with(201, &[], "");
    assert!(client.create(&smith()).send().await.unwrap_err().needs_reauthorization());
    assert_eq!(transport.remaining(), 1);
}

/// FR-04: a write that is redirected is not sent on.
#[tokio::test]
async fn redirected_writes_are_not_followed() {
    for status in [301, 307, 308] {
        let (transport, client) = client();
        transport.respond_with(status, &[("location", "/t1/r4/elsewhere")], "").respond_with(201, &[], "");
        let error = client.create(&smith()).send().await.unwrap_err();
        assert_eq!((error.refusal().unwrap().status(), urls(&transport).len()), (status, 1));
    }
}

/// FR-18, F-102: what was not granted is not sent, whichever interaction.
#[tokio::test]
async fn writes_that_were_not_granted_are_not_sent() {
    let (transport, _, client) = client_with(Tokens { denies: Some("Patient"), ..tokens() });
    let patch = JsonPatch::new().remove("/photo").into();
    for error in [
        client.create(&smith()).send().await.unwrap_err(),
        client.update(&smith()).send().await.unwrap_err(),
        client.patch("Patient", "1", &patch).send().await.unwrap_err(),
        client.delete("Patient", "1").send().await.unwrap_err(),
        client.read_answer::<Value>("Patient", "1").await.unwrap_err(),
    ] {
        assert!(matches!(&error, FhirError::Authorize { error, .. } if error.is_not_permitted()), "{error:?}");
        assert_eq!(error.needed_scope(), Some("patient/Patient.c"));
    }
    assert!(urls(&transport).is_empty());
}

/// F-102 (FHIR R4, http.html#Status-Codes): a 403 whose outcome names a scope tells it; other words are none.
#[tokio::test]
async fn a_scope_in_the_outcome_is_told() {
    let (transport, client) = client();
    for (text, scope) in [
        ("insufficient scope: patient/Observation.rs is required", Some("patient/Observation.rs")),
        ("Access denied (needs `user/*.read`).", Some("user/*.read")),
        ("Dr. Smith may not see patient/1.", None),
        ("no", None),
    ] {
        let outcome = json!({"resourceType": "OperationOutcome", "issue": [
            {"severity": "error", "code": "forbidden", "diagnostics": text}]});
        transport.respond_with(
            403,
            &[("content-type", "application/fhir+json"), ("x-request-id", "r-1")],
            outcome.to_string(),
        );
        let error = client.read::<Value>("Observation", "1").await.unwrap_err();
        assert_eq!(error.needed_scope(), scope, "{text}");
        assert_eq!(error.refusal().unwrap().request_id(), Some("r-1"));
        assert!(error.to_string().contains("r-1") && !error.to_string().contains("Smith"));
    }
}

/// FR-14, F-107 (FHIR R4, http.html#cread): a conditional read tells that nothing was modified as a value.
#[tokio::test]
async fn what_was_not_modified_is_a_value() {
    let (transport, client) = client();
    transport.respond_with(200, STORED, patient("1")).respond_with(304, &[], "").respond_with(304, &[], "");
    let first = client.read_answer::<Value>("Patient", "1").await.unwrap();
    let known =
        ReadOptions::new().if_none_match(&first.etag().unwrap()).if_modified_since(first.last_modified().unwrap());
    let again = client.read_with::<Value>("Patient", "1", &known).await.unwrap();
    assert!(matches!(again, Conditional::NotModified));
    let headers = transport.requests()[1].headers().clone();
    assert_eq!(
        (&headers["if-none-match"], &headers["if-modified-since"]),
        (&"W/\"3\"".parse().unwrap(), &"Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap())
    );
    // Nobody asked.
    assert!(client.read_answer::<Value>("Patient", "1").await.is_err());
    transport.respond_with(200, STORED, patient("1"));
    let newer = client.read_with::<Value>("Patient", "1", &known).await.unwrap().modified().unwrap();
    assert_eq!((newer.version().as_deref(), &newer.resource()["id"]), (Some("3"), &json!("1")));
}

/// FR-15, F-103 (FHIR R4, search.html#summary): parts, versions and headers of the caller's own; its `Accept` is kept.
#[tokio::test]
async fn parts_and_headers_are_asked_for() {
    let (transport, client) = client();
    let id = HeaderName::from_static("x-request-id");
    let options = ReadOptions::new().version("2").summary(Summary::Text).elements(["name", "birthDate"]);
    let options = options.header(header::ACCEPT, "application/fhir+json; fhirVersion=4.0").header(id, "mine");
    transport.respond_fhir(patient("1"));
    client.read_with::<Value>("Patient", "1", &options).await.unwrap();
    let request = &transport.requests()[0];
    assert_eq!(
        request.uri().to_string(),
        format!("{BASE}/Patient/1/_history/2?_summary=text&_elements=name,birthDate")
    );
    assert_eq!(request.headers()["accept"], "application/fhir+json; fhirVersion=4.0");
    assert_eq!(request.headers()["x-request-id"], "mine");
    let broken = ReadOptions::new().header(header::ACCEPT, "a\r\nb");
    assert!(matches!(client.read_with::<Value>("Patient", "1", &broken).await, Err(FhirError::InvalidRequest { .. })));

    transport.respond_fhir(patient("1"));
    client.with_format_parameter().read::<Value>("Patient", "1").await.unwrap();
    assert!(urls(&transport)[1].ends_with("/Patient/1?_format=application%2Ffhir%2Bjson"));
}

/// F-103, D-18: a request of the caller's own goes as it is, `Accept` and body included, with the token of the session
/// and no other, below the base only.
#[tokio::test]
async fn the_callers_request_goes_as_it_is() {
    let (transport, client) = client();
    let body = b"\xff\x00 any octets".as_slice();
    let request = |uri: &str| {
        let request = Request::post(uri).header("accept", "application/pdf").header("authorization", "Basic x");
        request.header("content-type", "application/dicom").body(body.into()).unwrap()
    };
    transport.respond_with(401, &[], "").respond_with(418, &[("x", "y")], "tea");
    let response = client.send(request("/Binary")).await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["x"], response.body().as_ref()),
        (418, &"y".parse().unwrap(), &b"tea"[..])
    );
    for sent in transport.requests() {
        assert_eq!((sent.method(), sent.uri().to_string()), (&Method::POST, format!("{BASE}/Binary")));
        assert_eq!((sent.body().as_ref(), &sent.headers()["accept"]), (body, &"application/pdf".parse().unwrap()));
        assert_eq!(sent.headers()["content-type"], "application/dicom");
    }
    assert_eq!(authorizations(&transport), [Some("Bearer token-1".to_owned()), Some("Bearer token-2".to_owned())]);
    for elsewhere in ["https://evil.example/t1/r4/Binary", "https://ehr.example/t2/r4/Binary", "/../t2/x"] {
        assert!(matches!(client.send(request(elsewhere)).await, Err(FhirError::OutsideBase { .. })), "{elsewhere}");
    }
    assert_eq!(urls(&transport).len(), 2);
}

/// FR-08 (FHIR R4, datatypes decimal): what is read and written back as it came has lost no digit.
#[tokio::test]
async fn decimals_keep_every_digit() {
    let (transport, client) = client();
    let text =
        r#"{"resourceType":"Observation","id":"1", "valueQuantity": {"value": 1.50, "x": 0.12345678901234567890}}"#;
    transport.respond_fhir(text).respond_fhir(text).respond_with(200, &[], "");
    let read: RawResource = client.read("Observation", "1").await.unwrap();
    let lossy: Value = client.read("Observation", "1").await.unwrap();
    assert_eq!(lossy["valueQuantity"]["value"].to_string(), "1.5");
    client.update(&read).send().await.unwrap();
    assert_eq!(transport.requests()[2].body(), text);
}

//! The order of requests, and what each answer leads to.

use super::fixtures::{base, codes, smart_2_0};
use http::StatusCode;
use serde_json::json;
use smart_core::discovery::{
    Discovered, Discovery, DiscoveryError, DiscoveryOptions, Endpoint, EndpointOverrides, FindingCode as Code, Source,
    Step, metadata_request, oauth_metadata_request, openid_configuration_request, smart_configuration_request,
};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::issuer::Issuer;

fn begin() -> Discovery {
    Discovery::new(base(), DiscoveryOptions::default())
}

fn second() -> Discovery {
    match begin().next_step(StatusCode::NOT_FOUND, None, b"").unwrap() {
        Step::Next(next) => *next,
        Step::Done(_) => panic!("nothing was found"),
    }
}

fn done(step: Result<Step, DiscoveryError>) -> Discovered {
    match step.unwrap_or_else(|error| panic!("{error}")) {
        Step::Done(server) => *server,
        Step::Next(_) => panic!("that is the end"),
    }
}

/// DI-02, DI-01 (SMART, app launch step 3; conformance): a GET for JSON with one header and no credentials.
#[test]
fn discovery_request_carries_no_credentials() {
    for (given, url) in [
        ("https://ehr.example/r4", "https://ehr.example/r4/.well-known/smart-configuration"),
        ("https://ehr.example/r4/", "https://ehr.example/r4/.well-known/smart-configuration"),
        ("https://ehr.example", "https://ehr.example/.well-known/smart-configuration"),
        ("https://EHR.example:443/t1/r4//", "https://ehr.example/t1/r4/.well-known/smart-configuration"),
        ("https://ehr.example:8443/", "https://ehr.example:8443/.well-known/smart-configuration"),
    ] {
        let base = FhirBaseUrl::parse(given).unwrap();
        let request = Discovery::new(base.clone(), DiscoveryOptions::default()).request().unwrap();
        assert_eq!(request.uri(), smart_configuration_request(&base).unwrap().uri());
        assert_eq!((request.method(), request.uri().to_string().as_str()), (&http::Method::GET, url), "{given}");
        let headers: Vec<_> = request.headers().iter().map(|(n, v)| (n.as_str(), v.to_str().unwrap())).collect();
        assert_eq!(headers, [("accept", "application/json")], "no Authorization, no cookie, nothing of one's own");
        assert!(request.body().is_empty());
    }
}

/// DI-02, DI-14, DI-21 (SMART 1.0, conformance; OpenID Connect Discovery 4; RFC 8414 3): the other documents' requests.
#[test]
fn requests_of_the_other_documents_carry_no_credentials() {
    let issuer = Issuer::parse("https://login.example/t1").unwrap();
    for (request, uri, accept) in [
        (
            metadata_request(&base()).unwrap(),
            "https://ehr.example/r4/metadata",
            "application/fhir+json, application/json;q=0.9",
        ),
        (
            openid_configuration_request(&issuer).unwrap(),
            "https://login.example/t1/.well-known/openid-configuration",
            "application/json",
        ),
        (
            oauth_metadata_request(&issuer).unwrap(),
            "https://login.example/.well-known/oauth-authorization-server/t1",
            "application/json",
        ),
    ] {
        assert_eq!((request.method(), request.uri().to_string().as_str()), (&http::Method::GET, uri));
        let headers: Vec<_> = request.headers().iter().map(|(n, v)| (n.as_str(), v.to_str().unwrap())).collect();
        assert_eq!(headers, [("accept", accept)]);
    }
}

/// DI-19 (SMART, CORS; Fetch, CORS-safelisted request headers): a browser sends each of them to another origin without asking
/// first: a GET whose one header is `Accept`, of at most 128 octets, none of them unsafe there.
#[test]
fn browsers_need_no_preflight() {
    let issuer = Issuer::parse("https://login.example/t1").unwrap();
    for request in [
        smart_configuration_request(&base()).unwrap(),
        metadata_request(&base()).unwrap(),
        openid_configuration_request(&issuer).unwrap(),
        oauth_metadata_request(&issuer).unwrap(),
    ] {
        assert_eq!(request.method(), http::Method::GET);
        for (name, value) in request.headers() {
            assert_eq!(name, "accept");
            let unsafe_octet = |octet: &u8| *octet < 0x20 || b"\"():<>?@[\\]{}\x7f".contains(octet);
            assert!(value.len() <= 128 && !value.as_bytes().iter().any(unsafe_octet), "{value:?}");
        }
    }
}

/// DI-15, F-07 (SMART, conformance): the document wins; the CapabilityStatement is asked when there is none, and only then.
#[test]
fn metadata_is_asked_only_when_the_document_is_absent() {
    let body = smart_2_0().to_string();
    let server = done(begin().next_step(StatusCode::OK, Some("application/json"), body.as_bytes()));
    assert_eq!(server.source, Source::WellKnown);
    for status in [StatusCode::NOT_FOUND, StatusCode::GONE] {
        let Ok(Step::Next(next)) = begin().next_step(status, Some("text/html"), b"<html>") else { panic!("{status}") };
        assert_eq!(next.request().unwrap().uri(), "https://ehr.example/r4/metadata");
        let statement = super::statements::r4().to_string();
        assert_eq!(
            done(next.next_step(StatusCode::OK, None, statement.as_bytes())).source,
            Source::CapabilityStatement
        );
    }
    for status in [204, 301, 302, 400, 401, 403, 405, 408, 429, 500, 502, 503, 504] {
        let status = StatusCode::from_u16(status).unwrap();
        for step in [begin(), second()] {
            let error = step.next_step(status, Some("application/json"), body.as_bytes()).unwrap_err();
            assert!(matches!(error, DiscoveryError::Status { status: s, .. } if s == status.as_u16()), "{error}");
            assert_eq!(error.is_retryable(), matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504), "{status}");
        }
    }
}

/// DI-15: a broken document is no missing one: no other is asked for, and the error says which is broken, and how.
#[test]
fn broken_document_is_not_skipped() {
    for (body, what) in [
        ("<!DOCTYPE html><html><title>Sign in</title>", "an HTML page"),
        ("  <HTML>", "an HTML page"),
        ("<?xml version=\"1.0\"?><Conformance/>", "an XML document"),
        ("<?xml version=\"1.0\"?><!DOCTYPE x><html xmlns=\"x\">", "an HTML page"),
        ("", "an empty body"),
        (" \r\n", "an empty body"),
        ("\u{feff}", "an empty body"),
        ("[]", "JSON that is no object"),
        ("\"x\"", "JSON that is no object"),
        ("null", "JSON that is no object"),
        ("not found", "something else"),
        ("\u{0}\u{1}", "something else"),
    ] {
        for step in [begin(), second()] {
            let document = step.request().unwrap().uri().to_string();
            let error = step.next_step(StatusCode::OK, Some("application/json"), body.as_bytes()).unwrap_err();
            assert_eq!(error, DiscoveryError::NotJson { document, what }, "{body:?}");
        }
    }
    for body in ["{", "{\"token_endpoint\":", "{} trailing", "{\"a\":1,\"a\":2}", "{\"a\":\u{1}}"] {
        for step in [begin(), second()] {
            let document = step.request().unwrap().uri().to_string();
            let error = step.next_step(StatusCode::OK, Some("application/json"), body.as_bytes()).unwrap_err();
            assert!(matches!(&error, DiscoveryError::Json { document: d, .. } if *d == document), "{error}");
            assert!(error.to_string().contains("line 1"), "{error}");
            assert!(!error.is_retryable());
        }
    }
}

/// DI-15, F-07: no document at all; the error names the base and a next step.
#[test]
fn neither_document_is_there() {
    for status in [StatusCode::NOT_FOUND, StatusCode::GONE] {
        let error = second().next_step(status, None, b"").unwrap_err();
        let DiscoveryError::NotFound { base, status: shown } = &error else { panic!("{error}") };
        assert_eq!((base.as_str(), *shown), ("https://ehr.example/r4", status.as_u16()));
        assert!(error.to_string().contains("check the base URL"), "{error}");
    }
}

/// DI-03 (SMART, conformance): the content type decides nothing; another than JSON's is reported.
#[test]
fn any_content_type_is_read() {
    let body = smart_2_0().to_string();
    let read = |content_type| done(begin().next_step(StatusCode::OK, content_type, body.as_bytes()));
    for good in [
        "application/json",
        "application/json;charset=utf-8",
        "Application/JSON ; charset=\"UTF-8\"",
        " application/json",
    ] {
        assert!(codes(&read(Some(good))).is_empty(), "{good}");
    }
    for other in [None, Some(""), Some("text/plain"), Some("application/fhir+json"), Some("text/html; charset=x")] {
        let server = read(other);
        assert_eq!(codes(&server), [Code::ContentType], "{other:?}");
        assert_eq!(server.configuration.token_endpoint.as_str(), "https://login.ehr.example/token");
    }
    let hostile = format!("text/\u{1b}{}", "x".repeat(10_000));
    let message = &read(Some(&hostile)).report.findings[0].message;
    assert!(message.len() < 300 && !message.contains('\u{1b}'), "{message}");
}

/// DI-15, F-09: with a token endpoint of the caller's, a server that publishes nothing can be used; no fault is hidden.
#[test]
fn server_that_publishes_nothing_is_used_by_overrides() {
    let token = "https://own.example/token".parse().unwrap();
    let options = DiscoveryOptions {
        overrides: EndpointOverrides::new().endpoint(Endpoint::Token, token),
        ..DiscoveryOptions::default()
    };
    let first = Discovery::new(base(), options.clone());
    assert!(first.clone().next_step(StatusCode::INTERNAL_SERVER_ERROR, None, b"").is_err());
    let Ok(Step::Next(second)) = first.next_step(StatusCode::NOT_FOUND, None, b"") else { panic!("the next") };
    let server = done(second.clone().next_step(StatusCode::NOT_FOUND, None, b""));
    assert_eq!(server.source, Source::Overrides);
    assert_eq!(server.configuration.token_endpoint.as_str(), "https://own.example/token");
    assert_eq!(codes(&server), [Code::EndpointOverridden]);
    let without_smart = json!({"resourceType": "CapabilityStatement"}).to_string();
    assert_eq!(done(second.next_step(StatusCode::OK, None, without_smart.as_bytes())).source, Source::Overrides);
    assert_eq!(Discovered::from_overrides(&base(), &options).unwrap().source, Source::Overrides);
    let none = Discovered::from_overrides(&base(), &DiscoveryOptions::default());
    assert!(matches!(none, Err(DiscoveryError::Missing { member: "token_endpoint", .. })));
}

//! Brands and styles over HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

use serde_json::json;
use smart_fhir::PublicDocuments;
use smart_http::mock::{MockTimer, MockTransport};
use smart_http::{HttpClient, HttpError, RetryPolicy, Timer as _};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

fn documents() -> (MockTransport, MockTimer, PublicDocuments) {
    let (transport, timer) = (MockTransport::new(), MockTimer::at(smart_core::time::Timestamp::from_unix_seconds(0)));
    let http = HttpClient::with_timer(transport.clone(), timer.clone());
    (transport, timer, PublicDocuments::new(&http).with_retries(RetryPolicy::none()))
}

fn bundle(name: &str) -> String {
    let brand =
        json!({"resourceType": "Organization", "id": "a", "name": name, "endpoint": [{"reference": "Endpoint/e"}]});
    let endpoint = json!({"resourceType": "Endpoint", "id": "e", "address": "https://ehr.example/r4"});
    json!({"resourceType": "Bundle", "type": "collection", "entry": [
        {"fullUrl": "https://ehr.example/Organization/a", "resource": brand},
        {"fullUrl": "https://ehr.example/Endpoint/e", "resource": endpoint}]})
    .to_string()
}

/// BR-01 (SMART, user-access brands): a bundle is fetched without a token, held by its tag, and asked for again by it.
#[tokio::test]
async fn brands_are_held_by_their_tag() {
    let (transport, _, documents) = documents();
    let url: Url = "https://ehr.example/brands.json".parse().unwrap();
    transport
        .respond_with(200, &[("etag", "W/\"1\"")], bundle("One"))
        .respond_with(304, &[("etag", "W/\"1\"")], "")
        .respond_with(503, &[], "")
        .respond_with(200, &[("etag", "W/\"2\"")], bundle("Two"))
        .respond_with(301, &[("location", "https://evil.example/brands.json")], "");
    let first = documents.brands(&url).await.unwrap();
    let again = documents.clone().brands(&url).await.unwrap();
    assert!(Arc::ptr_eq(&first, &again));
    assert!(documents.brands(&url).await.unwrap_err().is_retryable());
    let second = documents.brands(&url).await.unwrap();
    assert_eq!(second.brands[0].name.value().map(String::as_str), Some("Two"));
    let error = documents.brands(&url).await.unwrap_err();
    assert!(matches!(error, smart_fhir::DocumentError::Http(HttpError::CrossOriginRedirect { .. })), "{error:?}");
    let tags: Vec<_> = transport.requests().iter().map(|r| r.headers().get("if-none-match").cloned()).collect();
    let tag = |version: &str| Some(format!("W/\"{version}\"").parse().unwrap());
    assert_eq!(tags, [None, tag("1"), tag("1"), tag("1"), tag("2")]);
    assert!(transport.requests().iter().all(|request| !request.headers().contains_key("authorization")));
}

/// F-45, CX-05 (SMART, styling): a style document is fetched without a token, parsed, and used for a day; one that cannot be
/// read is an error, after which the app keeps its own.
#[tokio::test]
async fn styles_are_fetched_parsed_and_held() {
    let (transport, timer, documents) = documents();
    let url: Url = "https://ehr.example/style/v1.json".parse().unwrap();
    transport.respond_with(200, &[], r##"{"color_background":"#edeae3"}"##);
    let first = documents.style(&url).await.unwrap();
    assert!(first.css().contains("#edeae3"));
    timer.sleep(Duration::from_hours(23)).await;
    assert!(Arc::ptr_eq(&first, &documents.style(&url).await.unwrap()));
    assert_eq!(transport.requests().len(), 1);
    timer.sleep(Duration::from_hours(1)).await;
    transport.respond_with(200, &[], r##"{"color_background":"#000000"}"##);
    assert!(documents.style(&url).await.unwrap().css().contains("#000000"));
    let other: Url = "https://ehr.example/style/v2.json".parse().unwrap();
    transport.respond_with(404, &[], "").respond_with(200, &[], "<html>");
    assert!(documents.style(&other).await.is_err() && documents.style(&other).await.is_err());
    assert!(transport.requests().iter().all(|request| !request.headers().contains_key("authorization")));
    assert_eq!(format!("{documents:?}"), "PublicDocuments { brands: 0, styles: 1, .. }");
}

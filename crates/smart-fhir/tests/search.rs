//! Searches and their pages.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

mod support;

use futures_util::StreamExt as _;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use smart_fhir::{FhirError, Handling, History, RawResource, SearchMode, SearchQuery, Total};
use support::{BASE, authorizations, client, client_with, page, tokens, urls};

fn ids(resources: &[Value]) -> Vec<&str> {
    resources.iter().map(|resource| resource["id"].as_str().unwrap()).collect()
}

fn query() -> SearchQuery {
    SearchQuery::new("Observation").param("patient", "Smith").count(2)
}

/// FR-05 (FHIR R4, http.html#paging): `next` links are followed as given, outside the resource's path too, with the
/// token; relative ones from the base or the page.
#[tokio::test]
async fn next_links_are_followed_as_given() {
    let (transport, client) = client();
    let opaque = format!("{BASE}?_getpages=a|b&_getpagesoffset=2&x=%7C+%20");
    transport
        .respond_fhir(page(&["1", "2"], Some(&opaque)))
        .respond_fhir(page(&["3"], Some("Observation?page=3")))
        .respond_fhir(page(&[], Some("?page=4")))
        .respond_fhir(page(&["4"], Some("/t1/r4/_page/5")))
        .respond_fhir(page(&["5"], None));
    let all = client.search(query()).collect_all().await.unwrap();
    assert_eq!(ids(&all), ["1", "2", "3", "4", "5"]);
    let expected = [
        format!("{BASE}/Observation?patient=Smith&_count=2"),
        opaque,
        format!("{BASE}/Observation?page=3"),
        format!("{BASE}/Observation?page=4"),
        format!("{BASE}/_page/5"),
    ];
    assert_eq!(urls(&transport), expected);
    assert!(authorizations(&transport).iter().all(|header| header.as_deref() == Some("Bearer token-1")));
}

/// FR-05 (SMART, app launch step 6): a `next` link to another origin, tenant or scheme is an error after the page that
/// has it; nothing is sent there.
#[tokio::test]
async fn foreign_next_links_are_refused() {
    for next in [
        "https://evil.example/t1/r4/Observation?secret",
        "//evil.example/secret",
        "http://ehr.example/t1/r4/Observation?secret",
        "https://ehr.example:8443/t1/r4/Observation?secret",
        "https://ehr.example/t2/r4/Observation?secret",
        "/t2/secret",
        "../secret",
        "javascript:secret",
        "https://[secret",
    ] {
        let (transport, client) = client();
        transport.respond_fhir(page(&["1"], Some(next)));
        let mut search = client.search(query());
        assert_eq!(search.try_next().await.unwrap().unwrap()["id"], "1");
        let error = search.try_next().await.unwrap_err();
        assert!(matches!(error, FhirError::ForeignPage { .. }), "{next}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("secret") && error.to_string().contains("incomplete"));
        assert!(search.try_next().await.unwrap().is_none());
        assert_eq!(urls(&transport).len(), 1);
    }
}

/// FR-06 (FHIR R4, http.html#paging): a page that links to itself or to one before is an error, not an endless loop.
#[tokio::test]
async fn page_loops_are_found() {
    let first = format!("{BASE}/Observation?patient=Smith&_count=2");
    for loops in [vec![first.clone()], vec![format!("{BASE}/b"), format!("{BASE}/c"), format!("{BASE}/b#x")]] {
        let (transport, client) = client();
        for next in &loops {
            transport.respond_fhir(page(&["1"], Some(next)));
        }
        let error = client.search(query()).collect_all().await.unwrap_err();
        assert!(matches!(error, FhirError::PageLoop { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("Smith"));
        assert_eq!(urls(&transport).len(), loops.len());
    }
}

/// FR-06, FR-04 (FHIR R4, http.html#paging): after a redirect the address that answered is known too. A page that names it as
/// next is read once, and so is one that another address redirects to.
#[tokio::test]
async fn page_loops_over_redirects_are_found() {
    let moved = format!("{BASE}/Observation");
    let (transport, client) = client();
    transport
        .respond_with(302, &[("location", "/t1/r4/Observation")], "")
        .respond_fhir(page(&["1"], Some(&moved)))
        .respond_fhir(page(&["1"], None));
    let mut search = client.search(query());
    assert_eq!(search.try_next().await.unwrap().unwrap()["id"], "1");
    let error = search.try_next().await.unwrap_err();
    assert!(matches!(error, FhirError::PageLoop { .. }), "{error:?}");
    assert_eq!(urls(&transport).len(), 2);

    let (transport, client) = support::client();
    transport
        .respond_fhir(page(&["1"], Some("?page=2")))
        .respond_with(307, &[("location", "/t1/r4/Observation?patient=Smith&_count=2")], "")
        .respond_fhir(page(&["1"], Some("?page=2")));
    let mut search = client.search(query());
    assert_eq!(search.try_next().await.unwrap().unwrap()["id"], "1");
    let error = search.try_next().await.unwrap_err();
    assert!(matches!(error, FhirError::PageLoop { .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("Smith"));
    assert!(search.try_next().await.unwrap().is_none());
}

/// FR-06: pages and entries are bounded, and a result that is cut off is an error.
#[tokio::test]
async fn pages_and_entries_are_bounded() {
    let (transport, client) = client();
    transport.handle(|request| {
        let number: u32 = request.uri().query().unwrap().rsplit('=').next().unwrap().parse().unwrap();
        let body = page(&["a", "b"], Some(&format!("?page={}", number + 1)));
        Ok(http::Response::new(body.into()))
    });
    let error = client.search(query()).max_pages(3).collect_all().await.unwrap_err();
    assert!(matches!(error, FhirError::TooMany { limit: 3, what: "pages", .. }), "{error:?}");
    assert_eq!(urls(&transport).len(), 3);

    let mut entries = client.search(query()).max_entries(5).entries();
    for _ in 0..5 {
        assert!(entries.try_next().await.unwrap().is_some());
    }
    assert!(matches!(entries.try_next().await, Err(FhirError::TooMany { limit: 5, what: "entries", .. })));
    assert!(entries.try_next().await.unwrap().is_none());
    let error = client.search(query()).collect_all().await.unwrap_err();
    assert!(matches!(error, FhirError::TooMany { limit: 1000, .. }), "{error:?}");
}

/// FR-06: a page is asked for only when it is needed.
#[tokio::test]
async fn pages_are_lazy() {
    let (transport, client) = client();
    transport.respond_fhir(page(&["1", "2"], Some("?page=2"))).respond_fhir(page(&["3"], None));
    let mut search = client.search(query());
    assert!(transport.requests().is_empty());
    for _ in 0..2 {
        search.next().await.unwrap().unwrap();
        assert_eq!(transport.requests().len(), 1);
    }
    assert_eq!(search.next().await.unwrap().unwrap()["id"], "3");
    assert!(search.next().await.is_none() && search.next().await.is_none());
}

/// FR-20 (FHIR R4, search.html): matches, what comes along and outcomes are told apart; no `total` is normal.
#[tokio::test]
async fn matches_includes_and_outcomes_are_told_apart() {
    let bundle = json!({"resourceType": "Bundle", "entry": [
        {"fullUrl": "https://x.example/1", "resource": {"resourceType": "Observation", "id": "1"}, "search": {"mode": "match"}},
        {"resource": {"resourceType": "Patient", "id": "p"}, "search": {"mode": "include"}},
        {"resource": {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "suppressed"}]},
         "search": {"mode": "outcome"}},
        {"resource": {"resourceType": "Observation", "id": "2"}},
    ]})
    .to_string();
    let (transport, client) = client();
    for _ in 0..3 {
        transport.respond_fhir(bundle.clone());
    }
    let mut search = client.search(query());
    assert_eq!(search.try_next().await.unwrap().unwrap()["id"], "1");
    assert_eq!(search.try_next().await.unwrap().unwrap()["id"], "2");
    assert!(search.try_next().await.unwrap().is_none());
    assert_eq!(search.outcomes()[0].issues()[0].code(), "suppressed");

    let entries: Vec<_> = client.search(query()).entries().map(Result::unwrap).collect().await;
    assert_eq!(
        entries.iter().map(|e| e.mode).collect::<Vec<_>>(),
        [SearchMode::Match, SearchMode::Include, SearchMode::Outcome, SearchMode::Match]
    );
    assert_eq!(entries[0].full_url.as_deref(), Some("https://x.example/1"));

    let page = client.search(query()).pages().try_next().await.unwrap().unwrap();
    assert_eq!((page.total(), page.matches().count(), page.entries().len()), (None, 2, 4));
}

/// FR-08: matches are read as the caller's type; one that does not fit is an error of its own.
#[tokio::test]
async fn matches_are_read_as_a_type() {
    #[derive(Debug, Deserialize)]
    struct Observation {
        id: String,
    }
    let (transport, client) = client();
    let mut body: Value = serde_json::from_str(&page(&["1", "2", "3"], None)).unwrap();
    body["entry"][1]["resource"]["id"] = json!(["Smith"]);
    transport.respond_fhir(body.to_string());
    let all: Vec<Result<Observation, _>> = client.search(query()).typed().collect().await;
    assert_eq!((all[0].as_ref().unwrap().id.as_str(), all[2].as_ref().unwrap().id.as_str()), ("1", "3"));
    let error = all[1].as_ref().unwrap_err();
    assert!(matches!(error, FhirError::WrongShape { .. }) && !format!("{error} {error:?}").contains("Smith"));
}

/// FR-06: a page that fails ends the result with the error; what was collected is not taken for all.
#[tokio::test]
async fn a_failing_page_ends_the_result_with_its_error() {
    let (transport, client) = client();
    transport.respond_fhir(page(&["1"], Some("?page=2"))).respond_with(500, &[], "Smith");
    let mut search = client.search(query());
    search.try_next().await.unwrap().unwrap();
    assert_eq!(search.try_next().await.unwrap_err().refusal().unwrap().status(), 500);
    assert!(search.try_next().await.unwrap().is_none());

    transport.respond_fhir(page(&["1"], Some("?page=2"))).respond_fhir(r#"{"resourceType":"Patient"}"#);
    assert!(matches!(client.search(query()).collect_all().await, Err(FhirError::OtherResource { .. })));
    transport.respond_fhir(r#"{"resourceType":"Bundle","entry":[{"resource":"Smith"}]}"#);
    assert!(matches!(client.search(query()).collect_all().await, Err(FhirError::WrongShape { .. })));
}

/// FR-12: a search that cannot be sent is an error of the stream, and nothing is sent.
#[tokio::test]
async fn impossible_searches_are_not_sent() {
    let (transport, client) = client();
    let mut search = client.search(SearchQuery::new("../Patient"));
    assert!(matches!(search.try_next().await, Err(FhirError::InvalidType)));
    assert!(search.try_next().await.unwrap().is_none());
    assert!(transport.requests().is_empty());
}

/// FR-18: what was not granted is refused before it is sent, where that is known.
#[tokio::test]
async fn what_was_not_granted_is_not_sent() {
    let (transport, _, client) = client_with(support::Tokens { denies: Some("Observation"), ..tokens() });
    let errors = [
        client.search(query()).collect_all().await.unwrap_err(),
        client.read::<Value>("Observation", "1").await.unwrap_err(),
        client.get("Observation/1").await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(&error, FhirError::Authorize { error, .. } if error.is_not_permitted()), "{error:?}");
        assert!(!error.is_retryable() && !error.needs_reauthorization());
        assert!(!format!("{error} {error:?}").contains("Smith"));
    }
    assert!(transport.requests().is_empty());
}

/// FR-10, F-105 (FHIR R4, search.html): a search by POST has its criteria in the body, none in the URL, and is repeated as a
/// read is; its pages follow by GET.
#[tokio::test]
async fn a_search_goes_by_post() {
    let (transport, timer, client) = client_with(tokens());
    transport
        .respond_with(503, &[], "")
        .respond_with(401, &[], "")
        .respond_fhir(page(&["1"], Some("?page=2")))
        .respond_fhir(page(&["2"], None));
    let query = query().by_post().handling(Handling::Strict);
    assert_eq!(ids(&client.search(query).collect_all().await.unwrap()), ["1", "2"]);
    assert_eq!(timer.sleeps().len(), 1);
    let requests = transport.requests();
    for sent in &requests[..3] {
        assert_eq!((sent.method(), sent.uri().to_string()), (&Method::POST, format!("{BASE}/Observation/_search")));
        assert_eq!(sent.headers()["content-type"], "application/x-www-form-urlencoded");
        assert_eq!(sent.headers()["prefer"], "handling=strict");
        assert_eq!(sent.body(), "patient=Smith&_count=2");
    }
    assert_eq!((requests[3].method(), requests[3].uri().query()), (&Method::GET, Some("page=2")));
}

/// FR-10: a search whose URL would be too long for servers and gateways goes by POST by itself.
#[tokio::test]
async fn a_long_search_goes_by_post() {
    let (transport, client) = client();
    transport.respond_fhir(page(&[], None));
    let ids: Vec<String> = (0..400).map(|i| format!("id-{i}")).collect();
    client.search(SearchQuery::new("Observation").any_of("_id", &ids)).collect_all().await.unwrap();
    let request = &transport.requests()[0];
    assert_eq!((request.method(), request.uri().query()), (&Method::POST, None));
    assert!(request.body().starts_with(b"_id=id-0,id-1,"));
}

/// F-106, FR-06: with look-ahead so many pages are asked for ahead and no more, in order, and errors stay where they are.
#[tokio::test]
async fn look_ahead_is_bounded() {
    let (transport, client) = client();
    for at in 1..=6 {
        let ids = [format!("{at}a"), format!("{at}b")];
        transport.respond_fhir(page(&[&ids[0], &ids[1]], Some(&format!("?page={}", at + 1))));
    }
    transport.respond_with(500, &[], "");
    let mut search = client.search(query()).look_ahead(2);
    assert!(urls(&transport).is_empty());
    for (at, asked) in [3, 3, 4, 4, 5, 5, 6, 6, 7, 7].into_iter().enumerate() {
        let expected = format!("{}{}", at / 2 + 1, if at % 2 == 0 { 'a' } else { 'b' });
        assert_eq!(search.try_next().await.unwrap().unwrap()["id"], expected);
        assert_eq!(urls(&transport).len(), asked, "{expected}");
    }
    assert_eq!(
        ids(&[search.try_next().await.unwrap().unwrap(), search.try_next().await.unwrap().unwrap()]),
        ["6a", "6b"]
    );
    assert!(search.try_next().await.is_err());
    assert!(search.try_next().await.unwrap().is_none());
}

/// FR-20, FR-15: totals are told, and a count asks for nothing else.
#[tokio::test]
async fn matches_are_counted() {
    let (transport, client) = client();
    let counted = json!({"resourceType": "Bundle", "type": "searchset", "total": 42}).to_string();
    transport.respond_fhir(counted.clone()).respond_fhir(counted).respond_fhir(page(&[], None));
    assert_eq!(client.count(query()).await.unwrap(), Some(42));
    assert!(urls(&transport)[0].ends_with("&_summary=count"));
    let mut search = client.search(query().total(Total::Accurate));
    assert_eq!((search.total(), search.try_next().await.unwrap(), search.total()), (None, None, Some(42)));
    assert_eq!(client.count(query()).await.unwrap(), None);
}

/// FR-08 (FHIR R4, datatypes decimal): matches are had in the octets that came.
#[tokio::test]
async fn matches_keep_every_digit() {
    let (transport, client) = client();
    let one = r#"{"resourceType":"Observation","id":"1","valueQuantity":{"value":1.50}}"#;
    transport.respond_fhir(format!(r#"{{"resourceType":"Bundle","entry":[{{"resource":{one}}}]}}"#));
    let mut raw = client.search(query()).typed::<RawResource>();
    assert_eq!(raw.next().await.unwrap().unwrap().octets(), one);
    assert!(raw.next().await.is_none());
}

/// FR-09, F-104 (FHIR R4, http.html#history): histories of a resource, a type and all, over pages, deletions among them.
#[tokio::test]
async fn histories_are_read() {
    let (transport, client) = client();
    let first = json!({"resourceType": "Bundle", "type": "history", "link": [{"relation": "next", "url": "?page=2"}], "entry": [
        {"fullUrl": "https://ehr.example/t1/r4/Patient/1", "request": {"method": "DELETE", "url": "Patient/1"},
         "response": {"status": "204", "lastModified": "2026-01-03T00:00:00Z"}},
        {"resource": {"resourceType": "Patient", "id": "1", "meta": {"versionId": "2", "lastUpdated": "2026-01-02T00:00:00Z"}},
         "request": {"method": "PUT", "url": "Patient/1"}},
    ]});
    let second = json!({"resourceType": "Bundle", "type": "history", "entry": [
        {"resource": {"resourceType": "Patient", "id": "1"}, "request": {"method": "POST", "url": "Patient"},
         "response": {"status": "201", "etag": "W/\"1\""}}]});
    transport.respond_fhir(first.to_string()).respond_fhir(second.to_string());
    let history = History::of("Patient", "1").since("2026-01-01T00:00:00+02:00").count(2);
    let entries = client.history(history).collect_all().await.unwrap();
    let seen: Vec<_> =
        entries.iter().map(|entry| (entry.method.as_str(), entry.is_deletion(), entry.resource.is_some())).collect();
    assert_eq!(seen, [("DELETE", true, false), ("PUT", false, true), ("POST", false, true)]);
    assert_eq!(entries[0].url.as_deref(), Some("Patient/1"));
    let versions: Vec<_> = entries.iter().map(|entry| entry.etag.as_ref().map(|tag| tag.opaque().to_owned())).collect();
    assert_eq!(versions, [None, Some("2".to_owned()), Some("1".to_owned())]);
    assert_eq!(entries[1].last_modified.as_deref(), Some("2026-01-02T00:00:00Z"));
    assert_eq!(urls(&transport)[0], format!("{BASE}/Patient/1/_history?_since=2026-01-01T00:00:00%2B02:00&_count=2"));

    for (history, path) in
        [(History::of_type("Patient"), "Patient/_history"), (History::of_all().at("2026"), "_history?_at=2026")]
    {
        transport.respond_fhir(json!({"resourceType": "Bundle", "type": "history"}).to_string());
        assert!(client.history(history).collect_all().await.unwrap().is_empty());
        assert_eq!(urls(&transport).pop().unwrap(), format!("{BASE}/{path}"));
    }
    assert!(client.history(History::of("Patient", "..")).collect_all().await.is_err());
    assert!(!format!("{entries:?} {:?}", History::of("Patient", "smith")).contains("smith"));
}

/// F-105 (FHIR R4, search.html): searches of all types and in compartments; what they find are matches of any type.
#[tokio::test]
async fn all_types_and_compartments_are_searched() {
    let (transport, client) = client();
    let found = json!({"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient", "id": "1"}},
        {"resource": {"resourceType": "Basic", "id": "2"}}]});
    for (query, path) in [
        (SearchQuery::of_all_types().param("_id", "1"), "?_id=1"),
        (SearchQuery::of_all_types().within("Patient", "1"), "/Patient/1/*"),
    ] {
        transport.respond_fhir(found.to_string());
        assert_eq!(client.search(query).collect_all().await.unwrap().len(), 2);
        assert_eq!(
            urls(&transport).pop().unwrap().trim_start_matches(BASE).trim_start_matches('/'),
            path.trim_start_matches('/')
        );
    }
}

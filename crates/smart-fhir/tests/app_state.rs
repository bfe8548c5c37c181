//! App state over HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

mod support;

use http::Method;
use serde_json::{Value, json};
use smart_core::app_state::{AppState, AppStateEndpoint, AppStateError, Deletion, StateCode, StateOwner, StateSubject};
use smart_core::discovery::SmartConfiguration;
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::url_policy::UrlPolicy;
use smart_fhir::{AppStates, FhirClient, FhirError, StateError};
use support::{Tokens, authorizations, base, client, client_with, tokens, urls};

const STATES: &str = "https://state.example/fhir";
const VIEW: &str = "https://app.example/view";

fn endpoint(primary: &FhirBaseUrl) -> AppStateEndpoint {
    let document = json!({
        "token_endpoint": "https://ehr.example/token", "grant_types_supported": ["authorization_code"],
        "code_challenge_methods_supported": ["S256"], "capabilities": [],
        "associated_endpoints": [{"url": STATES, "capabilities": ["smart-app-state"]}],
    });
    let discovered = SmartConfiguration::parse(document.to_string().as_bytes(), primary, UrlPolicy::HttpsOnly);
    AppStateEndpoint::find(&discovered.unwrap()).unwrap()
}

fn states(client: &FhirClient) -> AppStates {
    AppStates::new(client, endpoint(&base())).unwrap()
}

fn code() -> StateCode {
    StateCode::new("https://app.example", "preferences").unwrap()
}

fn state() -> AppState {
    let subject = StateSubject::new(&base(), "Practitioner", "7").unwrap();
    AppState::new(code()).about(subject).with(VIEW, "list").unwrap()
}

fn stored_as(state: &AppState, id: &str, version: &str) -> Value {
    let mut basic = Value::from(state.to_basic());
    basic["id"] = json!(id);
    basic["meta"] = json!({"versionId": version});
    basic
}

/// AP-02, AP-03, AP-04 (SMART, app state): a state is created, changed and deleted at the endpoint that the EHR names, each
/// time by the version that is meant and with the session's token.
#[tokio::test]
async fn a_state_lives_at_its_endpoint() {
    let (transport, client) = client();
    let states = states(&client);
    transport.respond_with(201, &[("etag", "W/\"1\"")], stored_as(&state(), "s", "1").to_string());
    let stored = states.create(&state()).await.unwrap();
    let values = [(VIEW.to_owned(), "table".to_owned()).try_into().unwrap()];
    let changed = AppState::new(code()).about(state().subject().unwrap().clone()).with(VIEW, "table").unwrap();
    transport.respond_with(200, &[("etag", "W/\"2\"")], stored_as(&changed, "s", "2").to_string());
    let stored = states.update(&stored, &values).await.unwrap();
    assert_eq!(stored.value(VIEW), Some("table"));
    transport.respond_with(204, &[], "");
    assert_eq!(states.delete(stored).await.unwrap(), Deletion::Done);

    let sent: Vec<_> =
        transport.requests().iter().map(|request| (request.method().clone(), request.uri().to_string())).collect();
    assert_eq!(
        sent,
        [
            (Method::POST, format!("{STATES}/Basic")),
            (Method::PUT, format!("{STATES}/Basic/s")),
            (Method::DELETE, format!("{STATES}/Basic/s")),
        ]
    );
    let matches: Vec<_> = transport.requests().iter().map(|r| r.headers().get("if-match").cloned()).collect();
    assert_eq!(matches, [None, Some("W/\"1\"".parse().unwrap()), Some("W/\"2\"".parse().unwrap())]);
    assert!(authorizations(&transport).iter().all(|header| header.as_deref() == Some("Bearer token-1")));
    assert!(transport.requests().iter().all(|request| request.headers()["authorization"].is_sensitive()));
}

/// AP-03 (SMART, app state, updates): what somebody else has changed is a conflict, and nothing is sent again by itself.
#[tokio::test]
async fn a_conflict_is_told() {
    let (transport, client) = client();
    let states = states(&client);
    transport.respond_with(201, &[("etag", "W/\"1\"")], stored_as(&state(), "s", "1").to_string());
    let stored = states.create(&state()).await.unwrap();
    transport.respond_with(412, &[], "").respond_with(503, &[], "").respond_with(503, &[], "");
    assert!(states.update(&stored, &[]).await.unwrap_err().is_conflict());
    assert!(states.update(&stored, &[]).await.unwrap_err().is_retryable());
    assert!(states.create(&state()).await.unwrap_err().is_retryable());
    assert_eq!(urls(&transport).len(), 4);
}

/// AP-05, FR-06 (SMART, app state, querying): states are queried over pages; loops, pages elsewhere and states of others are
/// no result.
#[tokio::test]
async fn states_are_queried_over_pages() {
    let (transport, client) = client();
    let states = states(&client);
    let subject = state().subject().unwrap().clone();
    let page = |ids: &[&str], next: &str| {
        let entries: Vec<Value> = ids.iter().map(|id| json!({"resource": stored_as(&state(), id, "1")})).collect();
        let link = if next.is_empty() { json!([]) } else { json!([{"relation": "next", "url": next}]) };
        json!({"resourceType": "Bundle", "entry": entries, "link": link}).to_string()
    };
    transport.respond_with(503, &[], "");
    transport.respond_fhir(page(&["1", "2"], &format!("{STATES}?page=2"))).respond_fhir(page(&["3"], ""));
    let found = states.query(&code(), StateOwner::Subject(&subject)).await.unwrap();
    assert_eq!(found.iter().map(smart_core::app_state::StoredAppState::id).collect::<Vec<_>>(), ["1", "2", "3"]);
    transport.respond_fhir(page(&["1"], ""));
    assert!(states.query(&code(), StateOwner::Everybody).await.unwrap().is_empty());

    for next in ["https://evil.example/Basic", &format!("{STATES}?page=x")] {
        transport.respond_fhir(page(&["1"], next)).respond_fhir(page(&["1"], next)).respond_fhir(page(&["1"], next));
        let before = urls(&transport).len();
        let error = states.query(&code(), StateOwner::Subject(&subject)).await.unwrap_err();
        let is_elsewhere = matches!(error, StateError::State(AppStateError::NextElsewhere { .. }));
        assert!(is_elsewhere || matches!(error, StateError::Fhir(FhirError::PageLoop { .. })), "{error:?}");
        assert!(urls(&transport)[before..].iter().all(|url| url.starts_with(STATES)));
        while transport.remaining() > 0 {
            let _ = states.query(&code(), StateOwner::Everybody).await;
        }
    }
}

/// AP-05, F-101 (SMART, app state, security): a refused token is renewed once; without the right nothing is sent; a redirect is
/// not followed with the token.
#[tokio::test]
async fn the_token_is_renewed_once_and_goes_nowhere_else() {
    let (transport, client) = client();
    transport.respond_with(401, &[], "").respond_with(401, &[], "");
    let error = states(&client).create(&state()).await.unwrap_err();
    assert!(error.needs_reauthorization());
    assert_eq!(authorizations(&transport), [Some("Bearer token-1".to_owned()), Some("Bearer token-2".to_owned())]);
    transport.respond_with(307, &[("location", "https://evil.example/Basic")], "");
    let error = states(&client).create(&state()).await.unwrap_err();
    assert!(matches!(error, StateError::State(AppStateError::Redirect { .. })));
    assert_eq!(urls(&transport).len(), 3);

    let (transport, _, client) = client_with(Tokens { denies: Some("Basic"), ..tokens() });
    assert!(matches!(states(&client).create(&state()).await, Err(StateError::Fhir(FhirError::Authorize { .. }))));
    let large = AppState::new(code()).with(VIEW, "x".repeat(300_000)).unwrap();
    assert!(states(&support::client().1).create(&large).await.is_err());
    let other = FhirBaseUrl::parse("https://other.example/fhir").unwrap();
    assert!(AppStates::new(&client, endpoint(&other)).is_err());
    assert!(urls(&transport).is_empty());
}

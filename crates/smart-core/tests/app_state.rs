//! App state messages, through the public API.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

use bytes::Bytes;
use http::Request;
use proptest::prelude::*;
use serde_json::{Value, json};
use smart_core::app_state::{
    AppState, AppStateEndpoint, AppStateError, AppStatePlace, CreateState, DeleteState, Deletion, QueryState,
    SAFE_SIZE, StateCode, StateContentError, StateOwner, StateSubject, StateValue, StoredAppState, UpdateState,
};
use smart_core::context::FhirUser;
use smart_core::discovery::SmartConfiguration;
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::leniency::Leniency;
use smart_core::secret::AccessToken;
use smart_core::url_policy::UrlPolicy;

const PREFERENCES: &str = "https://app.example/preferences";

fn base() -> FhirBaseUrl {
    FhirBaseUrl::parse("https://ehr.example/r4").unwrap()
}

fn find(members: &Value) -> Result<AppStateEndpoint, AppStateError> {
    let mut document = json!({
        "token_endpoint": "https://ehr.example/token", "grant_types_supported": ["authorization_code"],
        "code_challenge_methods_supported": ["S256"], "capabilities": [],
    });
    document.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let discovered = SmartConfiguration::parse(document.to_string().as_bytes(), &base(), UrlPolicy::HttpsOnly);
    AppStateEndpoint::find(&discovered.unwrap())
}

fn endpoint() -> AppStateEndpoint {
    let entry = json!([{"url": "https://state.example/fhir", "capabilities": ["smart-app-state"]}]);
    find(&json!({"associated_endpoints": entry})).unwrap()
}

fn token() -> AccessToken {
    AccessToken::new("tok")
}

fn code() -> StateCode {
    StateCode::new("https://app.example", "display-preferences").unwrap()
}

fn subject() -> StateSubject {
    StateSubject::new(&base(), "Practitioner", "prac-777").unwrap()
}

fn state() -> AppState {
    AppState::new(code()).about(subject()).with(PREFERENCES, "{\"view\":\"problem-list\"}").unwrap()
}

/// The state as a server stores it.
fn resource(state: &AppState, id: &str, version: &str) -> Value {
    let mut basic = Value::from(state.to_basic());
    basic["id"] = json!(id);
    basic["meta"] = json!({"versionId": version, "lastUpdated": "2026-01-01T00:00:00Z", "tag": [{"code": "x"}]});
    basic
}

fn stored() -> StoredAppState {
    let (endpoint, state) = (endpoint(), state());
    let body = resource(&state, "1000", "a").to_string();
    CreateState { endpoint: &endpoint, state: &state }.parse(201, Some("W/\"a\""), body.as_bytes()).unwrap()
}

fn assert_bearer(request: &Request<Bytes>) {
    assert_eq!(request.headers()["authorization"], "Bearer tok");
    assert!(request.headers()["authorization"].is_sensitive());
    assert_eq!(request.headers()["accept"], "application/fhir+json");
}

/// AP-01, F-132 (SMART, app state, discovery; SMART 2.1): an associated endpoint, the member of 2.1, or the FHIR base.
#[test]
fn endpoint_is_found_in_its_three_places() {
    let here = json!(["smart-app-state"]);
    let there = json!([
        {"url": "https://img.example/fhir", "capabilities": ["launch-ehr"]},
        {"url": "https://state.example/fhir", "capabilities": ["smart-app-state"]},
    ]);
    for (members, base, place) in [
        (json!({"capabilities": here}), "https://ehr.example/r4", AppStatePlace::FhirBase),
        (json!({"associated_endpoints": there}), "https://state.example/fhir", AppStatePlace::Associated),
        (
            json!({"capabilities": here, "associated_endpoints": there}),
            "https://state.example/fhir",
            AppStatePlace::Associated,
        ),
        (
            json!({"capabilities": here, "smart_app_state_endpoint": "https://old.example/state"}),
            "https://old.example/state",
            AppStatePlace::Deprecated,
        ),
    ] {
        let endpoint = find(&members).unwrap();
        assert_eq!((endpoint.base().as_str(), endpoint.place()), (base, place), "{members}");
        assert_eq!(endpoint.primary(), &self::base());
    }
    assert!(matches!(find(&json!({})), Err(AppStateError::NotOffered { .. })));
    let query = json!({"smart_app_state_endpoint": "https://old.example/state?x=1"});
    assert!(matches!(find(&query), Err(AppStateError::Endpoint(_))));
}

/// AP-02 (SMART, app state, create): a POST of a Basic with one coding, an absolute subject and values, and neither id nor
/// version.
#[test]
fn create_has_code_subject_and_values_only() {
    let (endpoint, state) = (endpoint(), state());
    let request = CreateState { endpoint: &endpoint, state: &state }.request(&token()).unwrap();
    assert_eq!(
        (request.method().as_str(), request.uri()),
        ("POST", &"https://state.example/fhir/Basic".parse::<http::Uri>().unwrap())
    );
    assert_bearer(&request);
    assert_eq!(request.headers()["content-type"], "application/fhir+json");
    assert!(!request.headers().contains_key("if-match"));
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    assert_eq!(
        body,
        json!({
            "resourceType": "Basic",
            "extension": [{"url": PREFERENCES, "valueString": "{\"view\":\"problem-list\"}"}],
            "code": {"coding": [{"system": "https://app.example", "code": "display-preferences"}]},
            "subject": {"reference": "https://ehr.example/r4/Practitioner/prac-777"},
        })
    );
    let shown = format!("{state:?}");
    assert!(!shown.contains("777") && !shown.contains("problem-list"), "{shown}");
    let global = Value::from(AppState::new(code()).to_basic());
    assert_eq!((global.get("subject"), global.get("extension")), (None, None));
}

/// AP-02 (SMART, app state, create): the size is checked as it is sent, under a limit that can be raised.
#[test]
fn size_is_checked_before_sending() {
    let large = AppState::new(code()).with(PREFERENCES, "x".repeat(SAFE_SIZE)).unwrap();
    let request = |endpoint: &AppStateEndpoint| CreateState { endpoint, state: &large }.request(&token());
    let error = request(&endpoint()).unwrap_err();
    assert!(
        matches!(error, AppStateError::Content(StateContentError::TooLarge { octets, limit: SAFE_SIZE }) if octets > SAFE_SIZE)
    );
    let octets = request(&endpoint().with_size_limit(1 << 20)).unwrap().body().len();
    assert!(request(&endpoint().with_size_limit(octets)).is_ok());
    assert!(request(&endpoint().with_size_limit(octets - 1)).is_err());
}

/// AP-02 (SMART, app state, create): codes, subjects and values that could not be stored or found again are refused.
#[test]
fn parts_are_checked_when_they_are_made() {
    for (system, code) in [
        ("", "c"),
        ("https://app.example", ""),
        ("app.example", "c"),
        ("https://app.example", "a b"),
        ("https://app.example", "a|b"),
        ("https://app.example", "a,b"),
        ("https://app.example/a b", "c"),
    ] {
        assert_eq!(StateCode::new(system, code), Err(StateContentError::Code), "{system} {code}");
    }
    let parse = |text: &str| StateSubject::parse(text, &base());
    assert_eq!(parse("https://ehr.example/r4/Patient/1").unwrap().as_str(), "https://ehr.example/r4/Patient/1");
    for text in [
        "Patient/1",
        "/r4/Patient/1",
        "urn:uuid:1",
        "https://ehr.example/r4/Patient",
        "https://ehr.example/r4/Patient/",
        "",
    ] {
        assert_eq!(parse(text), Err(StateContentError::SubjectNotAbsolute), "{text}");
    }
    for text in [
        "https://other.example/r4/Patient/1",
        "https://ehr.example/r5/Patient/1",
        "https://ehr.example/r4/x/Patient/1",
        "https://ehr.example/r4/../r5/Patient/1",
        "http://ehr.example/r4/Patient/1",
    ] {
        assert!(matches!(parse(text), Err(StateContentError::SubjectElsewhere { .. })), "{text}");
    }
    assert!(
        StateSubject::new(&base(), "patient", "1").is_err() && StateSubject::new(&base(), "Patient", "a/b").is_err()
    );
    let user = |claim: &str| StateSubject::of_user(&base(), &FhirUser::resolve(&base(), claim).unwrap());
    assert_eq!(user("Practitioner/prac-777").unwrap(), subject());
    assert!(matches!(user("https://other.example/r4/Person/1"), Err(StateContentError::SubjectElsewhere { .. })));
    for (url, text, error) in [
        ("preferences", "x", StateContentError::ValueUri),
        ("https://a.example/ b", "x", StateContentError::ValueUri),
        (PREFERENCES, "", StateContentError::ValueText),
        (PREFERENCES, "a\u{0}", StateContentError::ValueText),
    ] {
        assert_eq!(StateValue::new(url, text), Err(error), "{url:?} {text:?}");
    }
    assert!(StateValue::new(PREFERENCES, "line\r\n\ttab ü").is_ok());
}

/// A change to a body, and what it is refused for.
type Changed = (fn(&mut Value), StateContentError);

/// AP-02 (SMART, app state, create): a server refuses a body that has what the server assigns, or what app state has not.
#[test]
fn server_checks_a_create() {
    let good = || Value::from(state().to_basic());
    let parse = |body: &Value| AppState::parse_create(body.to_string().as_bytes(), &base(), SAFE_SIZE);
    assert_eq!(parse(&good()).unwrap(), state());
    let with = |change: fn(&mut Value)| {
        let mut body = good();
        change(&mut body);
        parse(&body).unwrap_err()
    };
    let table: [Changed; 12] = [
        (|b| b["resourceType"] = json!("Patient"), StateContentError::NotBasic),
        (|b| b["id"] = json!("1"), StateContentError::Assigned { member: "id" }),
        (|b| b["meta"] = json!({"versionId": "1"}), StateContentError::Assigned { member: "meta.versionId" }),
        (|b| b["code"]["coding"] = json!([]), StateContentError::CodingCount { count: 0 }),
        (|b| b["code"]["coding"].as_array_mut().unwrap().push(json!({})), StateContentError::CodingCount { count: 2 }),
        (|b| b["code"]["coding"][0]["code"] = json!("a|b"), StateContentError::Code),
        (|b| b["subject"]["reference"] = json!("Practitioner/1"), StateContentError::SubjectNotAbsolute),
        (|b| b["subject"] = json!({"identifier": {"value": "1"}}), StateContentError::SubjectNotAbsolute),
        (
            |b| b["subject"]["reference"] = json!("https://other.example/r4/Practitioner/1"),
            StateContentError::SubjectElsewhere { base: "https://ehr.example/r4".into() },
        ),
        (
            |b| b["extension"][0] = json!({"url": "https://x.example", "valueInteger": 1}),
            StateContentError::Extension { at: 0 },
        ),
        (
            |b| b["extension"].as_array_mut().unwrap().push(json!({"url": "https://x.example", "extension": []})),
            StateContentError::Extension { at: 1 },
        ),
        (|b| b["author"] = json!({}), StateContentError::OtherMember { member: "author".into() }),
    ];
    for (change, error) in table {
        assert_eq!(with(change), error);
    }
    let size = good().to_string().len();
    let limited = |limit| AppState::parse_create(good().to_string().as_bytes(), &base(), limit);
    assert!(limited(size).is_ok());
    assert_eq!(limited(size - 1), Err(StateContentError::TooLarge { octets: size, limit: size - 1 }));
}

/// AP-02, AP-03 (SMART, app state, create; FHIR R4, http): the answer gives id and version; a missing ETag is made up for by
/// `meta.versionId`; a server that stored something else is told apart.
#[test]
fn stored_state_has_id_and_version() {
    let stored = stored();
    assert_eq!((stored.id(), stored.version().as_str(), stored.content()), ("1000", "W/\"a\"", &state()));
    assert_eq!(stored.value(PREFERENCES), Some("{\"view\":\"problem-list\"}"));
    assert!(stored.leniencies().is_empty() && !format!("{stored:?}").contains("777"));
    let (endpoint, state) = (endpoint(), state());
    let parse = |status, etag, body: &Value| {
        CreateState { endpoint: &endpoint, state: &state }.parse(status, etag, body.to_string().as_bytes())
    };
    let without = parse(201, None, &resource(&state, "1000", "a")).unwrap();
    assert_eq!((without.version().as_str(), without.leniencies()), ("W/\"a\"", &[Leniency::AppStateTagMissing][..]));
    assert_eq!(parse(201, Some("3"), &resource(&state, "1000", "a")).unwrap().version().as_str(), "W/\"a\"");
    let mut bare = resource(&state, "1000", "a");
    bare.as_object_mut().unwrap().remove("meta");
    assert!(matches!(
        parse(201, None, &bare),
        Err(AppStateError::Unreadable { reason: StateContentError::VersionMissing, .. })
    ));
    bare.as_object_mut().unwrap().remove("id");
    let error = parse(201, Some("W/\"a\""), &bare);
    assert!(matches!(error, Err(AppStateError::Unreadable { reason: StateContentError::IdMissing, .. })));
    let other_subject = AppState::new(code()).about(StateSubject::new(&base(), "Practitioner", "2").unwrap());
    let other_code = AppState::new(StateCode::new("https://app.example", "x").unwrap()).about(subject());
    for (other, differs) in
        [(other_subject, "subject"), (other_code, "code"), (AppState::new(code()).about(subject()), "extension")]
    {
        let altered = parse(201, None, &resource(&other, "1", "a"));
        assert!(matches!(altered, Err(AppStateError::Altered { member, .. }) if member == differs), "{differs}");
    }
    assert!(matches!(parse(201, None, &json!([])), Err(AppStateError::Unreadable { .. })));
}

/// AP-03 (SMART, app state, updates): a PUT with If-Match; id, code and subject stay, and so does what this crate does not
/// know; the version is not sent back.
#[test]
fn update_keeps_identity_and_names_the_version() {
    let endpoint = endpoint();
    let mut body = resource(&state(), "1000", "a");
    body["extension"].as_array_mut().unwrap().push(json!({"url": "https://x.example", "valueInteger": 7}));
    let state = state();
    let create = CreateState { endpoint: &endpoint, state: &state };
    let stored = create.parse(201, Some("W/\"a\""), body.to_string().as_bytes()).unwrap();
    let values = [StateValue::new(PREFERENCES, "new").unwrap(), StateValue::new("https://app.example/b", "b").unwrap()];
    let update = UpdateState { endpoint: &endpoint, stored: &stored, values: &values };
    let request = update.request(&token()).unwrap();
    assert_eq!((request.method().as_str(), request.uri().path()), ("PUT", "/fhir/Basic/1000"));
    assert_bearer(&request);
    assert_eq!(request.headers()["if-match"], "W/\"a\"");
    let sent: Value = serde_json::from_slice(request.body()).unwrap();
    assert_eq!((&sent["id"], &sent["code"], &sent["subject"]), (&json!("1000"), &body["code"], &body["subject"]));
    assert_eq!(sent["meta"], json!({"tag": [{"code": "x"}]}));
    assert_eq!(
        sent["extension"],
        json!([
            {"url": "https://x.example", "valueInteger": 7}, {"url": PREFERENCES, "valueString": "new"},
            {"url": "https://app.example/b", "valueString": "b"},
        ])
    );
    let mut answer = sent.clone();
    answer["meta"] = json!({"versionId": "b"});
    let updated = update.parse(200, Some("W/\"b\""), answer.to_string().as_bytes()).unwrap();
    assert_eq!((updated.version().as_str(), updated.value(PREFERENCES)), ("W/\"b\"", Some("new")));
    answer["id"] = json!("1001");
    let other = update.parse(200, Some("W/\"b\""), answer.to_string().as_bytes());
    assert!(matches!(other, Err(AppStateError::Altered { member: "id", .. })));
    let large = [StateValue::new(PREFERENCES, "x".repeat(SAFE_SIZE)).unwrap()];
    let too_large = UpdateState { endpoint: &endpoint, stored: &stored, values: &large }.request(&token());
    assert!(matches!(too_large, Err(AppStateError::Content(StateContentError::TooLarge { .. }))));
}

/// AP-03, AP-04 (SMART, app state, updates, deletes): each refusal says what to do next; 412 is a conflict.
#[test]
fn refusals_are_told_apart() {
    let (endpoint, stored) = (endpoint(), stored());
    let of = |status| {
        UpdateState { endpoint: &endpoint, stored: &stored, values: &[] }.parse(status, None, b"").unwrap_err()
    };
    assert!(matches!(of(412), AppStateError::Conflict { status: 412, .. }) && of(412).is_conflict());
    assert!(matches!(of(409), AppStateError::Conflict { .. }));
    assert!(matches!(of(404), AppStateError::Gone { .. }) && of(410).is_conflict());
    assert!(matches!(of(401), AppStateError::Unauthorized { .. }) && of(401).needs_new_token());
    assert!(matches!(of(403), AppStateError::Forbidden { .. }) && !of(403).is_conflict());
    assert!(matches!(of(413), AppStateError::Refused { status: 413, .. }));
    assert!(matches!(of(307), AppStateError::Redirect { .. }));
    assert!(of(503).is_retryable() && !of(412).is_retryable() && !of(501).is_retryable());
    let state = state();
    let create = |status| CreateState { endpoint: &endpoint, state: &state }.parse(status, None, b"").unwrap_err();
    assert!(matches!(create(404), AppStateError::Status { status: 404, .. }), "a create names no state");
    for error in [of(412), of(404), create(400)] {
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("https://state.example/fhir") && !shown.contains("1000"), "{shown}");
    }
}

/// AP-04 (SMART, app state, deletes): a DELETE with If-Match takes the state with it; 200 and 204 are done.
#[test]
fn delete_names_the_version_and_consumes_the_state() {
    let endpoint = endpoint();
    let delete = DeleteState::new(&endpoint, stored());
    let request = delete.request(&token()).unwrap();
    assert_eq!((request.method().as_str(), request.uri().path()), ("DELETE", "/fhir/Basic/1000"));
    assert_eq!(request.headers()["if-match"], "W/\"a\"");
    assert_bearer(&request);
    assert!(request.body().is_empty());
    for (status, deletion) in [(200, Deletion::Done), (204, Deletion::Done), (202, Deletion::Accepted)] {
        assert_eq!(DeleteState::new(&endpoint, stored()).parse(status).unwrap(), deletion);
    }
    assert!(DeleteState::new(&endpoint, stored()).parse(412).unwrap_err().is_conflict());
}

/// AP-05 (SMART, app state, querying): by code and subject, or by code and no subject; always with the token.
#[test]
fn query_is_by_code_and_owner() {
    let (endpoint, code, subject) = (endpoint(), code(), subject());
    let query = |owner| QueryState { endpoint: &endpoint, code: &code, owner }.request(&token()).unwrap();
    let request = query(StateOwner::Subject(&subject));
    assert_bearer(&request);
    assert_eq!((request.method().as_str(), request.uri().path()), ("GET", "/fhir/Basic"));
    let pairs = |request: &Request<Bytes>| {
        let pairs = url::form_urlencoded::parse(request.uri().query().unwrap().as_bytes());
        pairs.into_owned().collect::<Vec<(String, String)>>()
    };
    let code_pair = ("code".to_owned(), "https://app.example|display-preferences".to_owned());
    let subject_pair = ("subject".to_owned(), "https://ehr.example/r4/Practitioner/prac-777".to_owned());
    assert_eq!(pairs(&request), [code_pair.clone(), subject_pair]);
    let request = query(StateOwner::Everybody);
    assert_bearer(&request);
    assert!(request.uri().query().unwrap().ends_with("&subject:missing=true"), "{}", request.uri());
    assert_eq!(pairs(&request), [code_pair, ("subject:missing".to_owned(), "true".to_owned())]);
}

/// AP-05: states of another code or subject are left out, whatever the server thinks that it was asked; the next page is
/// asked for at the endpoint only.
#[test]
fn states_of_others_are_left_out() {
    let (endpoint, code, subject) = (endpoint(), code(), subject());
    let query = QueryState { endpoint: &endpoint, code: &code, owner: StateOwner::Subject(&subject) };
    let other = AppState::new(code.clone()).about(StateSubject::new(&base(), "Practitioner", "2").unwrap());
    let global = AppState::new(code.clone());
    let other_code = AppState::new(StateCode::new("https://app.example", "keys").unwrap()).about(subject.clone());
    let mut without_version = resource(&state(), "6", "a");
    without_version.as_object_mut().unwrap().remove("meta");
    let bundle = json!({
        "resourceType": "Bundle", "type": "searchset",
        "link": [{"relation": "self", "url": "x"}, {"relation": "next", "url": "https://state.example/fhir?_getpages=1"}],
        "entry": [
            {"resource": resource(&state(), "1", "a")}, {"resource": resource(&other, "2", "a")},
            {"resource": resource(&global, "3", "a")}, {"resource": resource(&other_code, "4", "a")},
            {"resource": {"resourceType": "OperationOutcome"}}, {"resource": {"resourceType": "Patient"}}, {"x": 1},
            {"resource": without_version},
        ],
    });
    let found = query.parse(200, bundle.to_string().as_bytes()).unwrap();
    assert_eq!(found.states.iter().map(StoredAppState::id).collect::<Vec<_>>(), ["1"]);
    assert_eq!(found.states[0].version().as_str(), "W/\"a\"");
    let of_others = found.leniencies.iter().filter(|note| **note == Leniency::AppStateOfAnother).count();
    assert_eq!((of_others, found.leniencies.len()), (3, 6));
    assert_bearer(&query.next_request(&found.next.unwrap(), &token()).unwrap());
    for elsewhere in ["https://evil.example/fhir?page=2", "https://state.example/other", "http://state.example/fhir"] {
        let refused = query.next_request(&elsewhere.parse().unwrap(), &token());
        assert!(matches!(refused, Err(AppStateError::NextElsewhere { .. })), "{elsewhere}");
    }
    let everybody = QueryState { owner: StateOwner::Everybody, ..query };
    assert_eq!(everybody.parse(200, bundle.to_string().as_bytes()).unwrap().states[0].id(), "3");
    assert!(query.parse(200, br#"{"resourceType":"Bundle"}"#).unwrap().states.is_empty());
    assert!(matches!(query.parse(200, b"{}"), Err(AppStateError::Unreadable { .. })));
    assert!(matches!(query.parse(404, b""), Err(AppStateError::Status { status: 404, .. })));
}

proptest! {
    /// AP-02: what can be built is what a server takes; what it takes is read again the same.
    #[test]
    fn built_states_pass_the_servers_check(
        id in "[A-Za-z0-9.-]{1,64}",
        values in prop::collection::vec(("[a-z]{1,8}", "\\PC{1,40}"), 0..4),
        about in any::<bool>(),
    ) {
        let mut state = AppState::new(code());
        if about {
            // `.` and `..` are FHIR ids that no URL can hold.
            prop_assume!(id != "." && id != "..");
            state = state.about(StateSubject::new(&base(), "Patient", &id).unwrap());
        }
        for (name, text) in values {
            state = state.with(format!("https://app.example/{name}"), text).unwrap();
        }
        let body = Value::from(state.to_basic()).to_string();
        prop_assert_eq!(AppState::parse_create(body.as_bytes(), &base(), SAFE_SIZE).unwrap(), state);
    }

    /// AP-05: of states of whatever codes and subjects just those are given that were asked for.
    #[test]
    fn only_what_was_asked_for_is_given(entries in prop::collection::vec((0..3_usize, 0..4_usize), 0..10), asked in 0..4_usize) {
        let endpoint = endpoint();
        let codes = ["a", "b", "c"].map(|code| StateCode::new("https://app.example", code).unwrap());
        let subjects: Vec<StateSubject> =
            ["1", "2", "3"].iter().map(|id| StateSubject::new(&base(), "Patient", id).unwrap()).collect();
        let states = entries.iter().enumerate().map(|(at, (code, subject))| {
            let state = AppState::new(codes[*code].clone());
            let state = subjects.get(*subject).map_or(state.clone(), |subject| state.about(subject.clone()));
            json!({"resource": resource(&state, &at.to_string(), "a")})
        });
        let bundle = json!({"resourceType": "Bundle", "entry": states.collect::<Vec<_>>()}).to_string();
        let owner = subjects.get(asked).map_or(StateOwner::Everybody, StateOwner::Subject);
        let query = QueryState { endpoint: &endpoint, code: &codes[0], owner };
        let found = query.parse(200, bundle.as_bytes()).unwrap();
        let expected: Vec<String> = entries
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.0 == 0 && entry.1 == asked)
            .map(|(at, _)| at.to_string())
            .collect();
        prop_assert_eq!(found.states.iter().map(StoredAppState::id).collect::<Vec<_>>(), expected);
        prop_assert_eq!(found.states.len() + found.leniencies.len(), entries.len());
    }
}

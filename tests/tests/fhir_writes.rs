//! The FHIR client against the sandbox's FHIR API, over HTTP: writes, versions, histories, batches, app state.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

use serde_json::{Value, json};
use smart_core::app_state::{AppState, AppStateEndpoint, AppStatePlace, StateCode, StateOwner, StateSubject};
use smart_core::redirect_uri::RedirectUri;
use smart_core::scope::Interaction;
use smart_fhir::{AppStates, Batch, FhirClient, FhirError, History, JsonPatch, ReadOptions, Return, SearchQuery};
use smart_flows::{App, PermissionPolicy, Session, SmartClient};
use smart_http::{HttpClient, HyperTransport};
use smart_on_fhir::FhirSession as _;
use smart_sandbox::browser::{AutoBrowser, Person};
use smart_sandbox::{Offers, Sandbox, SandboxConfig};

struct World {
    sandbox: Sandbox,
    smart: SmartClient,
    session: Session,
    fhir: FhirClient,
}

impl World {
    async fn new(scopes: &str) -> Self {
        Self::with(scopes, PermissionPolicy::Warn).await
    }

    async fn with(scopes: &str, policy: PermissionPolicy) -> Self {
        let offers = Offers { app_state: Some(AppStatePlace::Associated), ..Offers::default() };
        let sandbox = Sandbox::start(SandboxConfig { offers, ..SandboxConfig::default() }).await.unwrap();
        let app = App::public("demo-app").scopes(scopes).unwrap();
        let smart = SmartClient::builder(app).allow_loopback_http().permissions(policy).build();
        let launch = smart.standalone(&sandbox.fhir_base()).await.unwrap();
        let (request, pending) =
            launch.authorize(&RedirectUri::parse("http://127.0.0.1:8000/callback").unwrap()).unwrap();
        let person = AutoBrowser::new(HttpClient::new(HyperTransport::new()), Person::default());
        let callback = person.authorize(&request.url()).await.unwrap();
        let session = smart.complete(pending, callback.as_str()).await.unwrap();
        let fhir = session.fhir();
        Self { sandbox, smart, session, fhir }
    }
}

fn weight(patient: &str) -> Value {
    json!({
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "subject": {"reference": format!("Patient/{patient}")},
        "valueQuantity": {"value": 71.5, "unit": "kg"},
    })
}

/// FR-13, FR-14, FR-16, FR-21, F-104, F-107 (FHIR R4, http): a resource's whole life: made, read, changed by its version, patched,
/// looked back at, deleted.
#[tokio::test]
async fn resource_lives_and_ends() {
    let world = World::new("launch/patient patient/*.cruds").await;
    let (fhir, patient) = (&world.fhir, world.session.patient().unwrap());
    let created = fhir.create(&weight(&patient)).returning(Return::Representation).send().await.unwrap();
    assert!(created.is_created());
    let location = created.location().unwrap().reference();
    let id = location.split('/').nth(1).unwrap().to_owned();

    let read = fhir.read_answer::<Value>("Observation", &id).await.unwrap();
    let first = read.etag().unwrap();
    let unchanged =
        fhir.read_with::<Value>("Observation", &id, &ReadOptions::new().if_none_match(&first)).await.unwrap();
    assert!(unchanged.modified().is_none(), "it is as it was");

    let mut changed = read.into_resource();
    changed["valueQuantity"]["value"] = json!(72.0);
    fhir.update(&changed).if_match(&first).send().await.unwrap();
    let lost = fhir.update(&changed).if_match(&first).send().await.unwrap_err();
    assert!(lost.is_conflict(), "somebody was faster: {lost}");

    let patch = JsonPatch::new().replace("/status", &"amended").into();
    fhir.patch("Observation", &id, &patch).send().await.unwrap();
    let now: Value = fhir.read("Observation", &id).await.unwrap();
    assert_eq!((now["status"].as_str(), now["valueQuantity"]["value"].as_f64()), (Some("amended"), Some(72.0)));
    let before: Value = fhir.vread("Observation", &id, "1").await.unwrap();
    assert_eq!(before["valueQuantity"]["value"], 71.5);

    fhir.delete("Observation", &id).send().await.unwrap();
    let gone = fhir.read::<Value>("Observation", &id).await.unwrap_err();
    assert!(gone.is_not_found(), "{gone}");
    let mut versions = fhir.history(History::of("Observation", &id));
    let mut count = 0;
    while let Some(entry) = versions.try_next().await.unwrap() {
        assert_eq!(entry.resource.is_none(), count == 0, "the newest is the deletion");
        count += 1;
    }
    assert_eq!(count, 4);
}

/// FR-14, F-107 (FHIR R4, http, conditional create): what is there already is not made again.
#[tokio::test]
async fn conditional_create_makes_one() {
    let world = World::new("launch/patient patient/*.cruds").await;
    let mut resource = weight(&world.session.patient().unwrap());
    resource["identifier"] = json!([{"system": "urn:example", "value": "w-1"}]);
    let same = SearchQuery::new("Observation").token("identifier", "urn:example", "w-1");
    let first = world.fhir.create(&resource).if_none_exist(&same).send().await.unwrap();
    let second = world.fhir.create(&resource).if_none_exist(&same).send().await.unwrap();
    assert!(first.is_created() && !second.is_created());
    assert_eq!(world.fhir.count(same).await.unwrap(), Some(1));
}

/// SC-31, F-108 (FHIR R4, http, transaction): all of it or nothing, and names that entries refer to become references.
#[tokio::test]
async fn transaction_is_all_or_nothing() {
    let world = World::new("launch/patient patient/*.cruds").await;
    let patient = world.session.patient().unwrap();
    let mut transaction = Batch::transaction();
    let report = transaction.create(&json!({
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "panel"},
        "subject": {"reference": format!("Patient/{patient}")},
    }));
    let mut member = weight(&patient);
    member["derivedFrom"] = json!([{"reference": report.reference()}]);
    let member = transaction.create(&member);
    let answer = world.fhir.submit(&transaction).await.unwrap();
    let place = |entry| answer.get(entry).unwrap().location().unwrap().reference();
    let (report, member) = (place(report), place(member));
    let read: Value = world.fhir.get_as(member.split("/_history").next().unwrap()).await.unwrap();
    let report = report.split("/_history").next().unwrap().to_owned();
    assert_eq!(read["derivedFrom"][0]["reference"].as_str(), Some(report.as_str()));

    let before = world.fhir.count(SearchQuery::new("Observation")).await.unwrap();
    let mut failing = Batch::transaction();
    failing.create(&weight(&patient));
    failing.create(&weight("p1002"));
    let error = world.fhir.submit(&failing).await.unwrap_err();
    assert!(matches!(error, FhirError::Refused(_)), "another patient's record: {error}");
    assert_eq!(world.fhir.count(SearchQuery::new("Observation")).await.unwrap(), before, "nothing of it was done");
}

/// F-102, FR-18, SC-32 (SMART, scopes; RFC 6750, 3.1): what was not granted is refused by the server with the scope that it takes, and
/// by the app's own policy before it leaves.
#[tokio::test]
async fn writes_that_were_not_granted_name_their_scope() {
    let world = World::new("launch/patient patient/*.rs").await;
    let resource = weight(&world.session.patient().unwrap());
    assert!(!world.session.can(Interaction::Create, "Observation"));
    let refused = world.fhir.create(&resource).send().await.unwrap_err();
    assert_eq!(refused.needed_scope(), Some("patient/Observation.c"), "{refused}");
    let asked = world.sandbox.counts().fhir;

    let strict = World::with("launch/patient patient/*.rs", PermissionPolicy::Enforce).await;
    let held_back = strict.fhir.create(&resource).send().await.unwrap_err();
    assert_eq!(held_back.needed_scope(), Some("patient/Observation.c"), "{held_back}");
    assert_eq!(strict.sandbox.counts().fhir, 0, "nothing left");
    assert!(asked > 0);
}

/// AP-02, AP-03, AP-04 (SMART, app state): a state is made, found again, changed by its version, and somebody who was slower is told.
#[tokio::test]
async fn app_state_is_kept_at_the_server() {
    let world = World::new("launch/patient openid fhirUser patient/*.rs user/Basic.cuds").await;
    let discovered = world.smart.discover(&world.sandbox.fhir_base()).await.unwrap();
    let states = AppStates::new(&world.fhir, AppStateEndpoint::find(&discovered).unwrap()).unwrap();
    let code = StateCode::new("https://app.example", "preferences").unwrap();
    let person = StateSubject::new(world.session.fhir_base(), "Practitioner", "pr2001").unwrap();
    assert!(states.query(&code, StateOwner::Subject(&person)).await.unwrap().is_empty());
    let state = AppState::new(code.clone()).about(person.clone()).with("https://app.example/view", "list").unwrap();
    let stored = states.create(&state).await.unwrap();
    let values = [("https://app.example/view".to_owned(), "timeline".to_owned()).try_into().unwrap()];
    states.update(&stored, &values).await.unwrap();
    let slower = states.update(&stored, &values).await.unwrap_err();
    assert!(slower.is_conflict(), "{slower}");
    let found = states.query(&code, StateOwner::Subject(&person)).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].value("https://app.example/view"), Some("timeline"));
}

/// BK-48 (Bulk Data, capability documentation): what the statement of the sandbox says of exports is what a client finds there.
#[tokio::test]
async fn exports_are_found_in_the_statement() {
    let world = World::new("launch/patient patient/*.rs").await;
    let support = world.fhir.bulk().detect().await.unwrap();
    assert!(support.system && support.patient && support.group, "{support:?}");
}

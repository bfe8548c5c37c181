//! App state, used as a client uses it.

use crate::world::{Answered, World};
use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use smart_core::app_state::{
    AppState, AppStateEndpoint, AppStateError, AppStatePlace, CreateState, DeleteState, Deletion, QueryState,
    SAFE_SIZE, StateCode, StateOwner, StateSubject, StoredAppState, UpdateState,
};
use smart_core::discovery::{Discovered, SmartConfiguration};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::secret::AccessToken;
use smart_core::url_policy::UrlPolicy;
use smart_sandbox::browser::Person;
use smart_sandbox::{Offers, SandboxConfig};

struct States {
    world: World,
    endpoint: AppStateEndpoint,
}

impl States {
    async fn at(place: AppStatePlace) -> Self {
        let offers = Offers { app_state: Some(place), ..Offers::default() };
        let world = World::with(SandboxConfig { offers, ..SandboxConfig::default() }).await;
        let endpoint = AppStateEndpoint::find(&discovered(&world).await).unwrap();
        assert_eq!(endpoint.place(), place);
        Self { world, endpoint }
    }

    /// A practitioner's token.
    async fn token(&self, scope: &str, user: &str) -> AccessToken {
        let person = Person { user: user.to_owned(), ..Person::default() };
        AccessToken::new(self.world.token(scope, person).await)
    }

    fn code() -> StateCode {
        StateCode::new("https://app.example", "display").unwrap()
    }

    fn subject(&self, reference: &str) -> StateSubject {
        let (name, id) = reference.split_once('/').unwrap();
        StateSubject::new(self.endpoint.primary(), name, id).unwrap()
    }

    async fn send(&self, request: Request<Bytes>) -> (u16, Option<String>, Bytes) {
        let answer = self.world.http.fetch(request).await.unwrap();
        let etag = answer.headers().get("etag").map(|tag| tag.to_str().unwrap().to_owned());
        (answer.status().as_u16(), etag, answer.body().clone())
    }

    async fn create(
        &self,
        token: &AccessToken,
        subject: Option<&str>,
        text: &str,
    ) -> Result<StoredAppState, AppStateError> {
        let mut state = AppState::new(Self::code()).with("https://app.example/v1", text).unwrap();
        if let Some(subject) = subject {
            state = state.about(self.subject(subject));
        }
        let create = CreateState { endpoint: &self.endpoint, state: &state };
        let (status, etag, body) = self.send(create.request(token).unwrap()).await;
        create.parse(status, etag.as_deref(), &body)
    }

    async fn update(
        &self,
        token: &AccessToken,
        stored: &StoredAppState,
        text: &str,
    ) -> Result<StoredAppState, AppStateError> {
        let values = [("https://app.example/v1".to_owned(), text.to_owned()).try_into().unwrap()];
        let update = UpdateState { endpoint: &self.endpoint, stored, values: &values };
        let (status, etag, body) = self.send(update.request(token).unwrap()).await;
        update.parse(status, etag.as_deref(), &body)
    }

    async fn query(&self, token: &AccessToken, subject: Option<&str>) -> Result<Vec<StoredAppState>, AppStateError> {
        let (code, subject) = (Self::code(), subject.map(|subject| self.subject(subject)));
        let owner = subject.as_ref().map_or(StateOwner::Everybody, StateOwner::Subject);
        let query = QueryState { endpoint: &self.endpoint, code: &code, owner };
        let (status, _, body) = self.send(query.request(token).unwrap()).await;
        query.parse(status, &body).map(|found| found.states)
    }

    async fn delete(&self, token: &AccessToken, stored: StoredAppState) -> Result<Deletion, AppStateError> {
        let delete = DeleteState::new(&self.endpoint, stored);
        let (status, ..) = self.send(delete.request(token).unwrap()).await;
        delete.parse(status)
    }

    /// A request that no client of ours would send.
    async fn raw(&self, method: &str, path: &str, scope: &str, etag: Option<&str>, body: &Value) -> Answered {
        let token = self.world.token(scope, Person::default()).await;
        let asked = self.world.ask(method, self.endpoint.base().join(path).unwrap().as_str(), &token).json(body);
        let asked = match etag {
            Some(etag) => asked.header("if-match", etag),
            None => asked,
        };
        asked.send().await
    }
}

async fn discovered(world: &World) -> Discovered {
    let base = FhirBaseUrl::parse_with(&world.sandbox.fhir_base(), UrlPolicy::AllowLoopbackHttp).unwrap();
    let body = world.get(".well-known/smart-configuration", "").await.body;
    SmartConfiguration::parse(body.to_string().as_bytes(), &base, UrlPolicy::AllowLoopbackHttp).unwrap()
}

const SCOPE: &str = "user/Basic.cruds";
const ONE: &str = "Practitioner/pr2001";
const OTHER: &str = "Practitioner/pr2002";

/// SMART, app state: a state is created, found, updated and deleted, wherever discovery says that the endpoint is.
#[tokio::test]
async fn a_state_lives_through_its_versions() {
    for place in [AppStatePlace::Associated, AppStatePlace::Deprecated, AppStatePlace::FhirBase] {
        let states = States::at(place).await;
        let token = states.token(SCOPE, ONE).await;
        let first = states.create(&token, Some(ONE), "one").await.unwrap();
        let found = states.query(&token, Some(ONE)).await.unwrap();
        assert_eq!((found.len(), found[0].content().value("https://app.example/v1")), (1, Some("one")));
        let second = states.update(&token, &first, "two").await.unwrap();
        assert_ne!(first.version(), second.version());
        assert!(states.update(&token, &first, "late").await.unwrap_err().is_conflict());
        assert!(states.delete(&token, first).await.unwrap_err().is_conflict());
        let id = second.id().to_owned();
        assert_eq!(states.delete(&token, second.clone()).await.unwrap(), Deletion::Done);
        assert!(matches!(states.update(&token, &second, "x").await, Err(AppStateError::Gone { .. })));
        assert_eq!(states.query(&token, Some(ONE)).await.unwrap().len(), 0);
        let again = states.create(&token, Some(ONE), "again").await.unwrap();
        assert_ne!(again.id(), id, "an id is not used again");
    }
}

/// SMART, app state, security: nobody sees or changes what is about another user, and nobody learns that it is there.
#[tokio::test]
async fn states_of_other_users_are_invisible() {
    let states = States::at(AppStatePlace::Associated).await;
    let (mine, theirs) = (states.token(SCOPE, ONE).await, states.token(SCOPE, OTHER).await);
    let state = states.create(&mine, Some(ONE), "mine").await.unwrap();
    assert_eq!(states.query(&theirs, Some(ONE)).await.unwrap().len(), 0);
    assert!(matches!(states.update(&theirs, &state, "x").await, Err(AppStateError::Gone { status: 404, .. })));
    assert!(matches!(states.delete(&theirs, state.clone()).await, Err(AppStateError::Gone { status: 404, .. })));
    assert!(matches!(states.create(&theirs, Some(ONE), "x").await, Err(AppStateError::Forbidden { .. })));
    assert_eq!(states.query(&mine, Some(ONE)).await.unwrap(), [state]);
}

/// SMART, app state, scopes: a token of one patient opens the states about that patient, and reads the settings for all.
#[tokio::test]
async fn states_of_patients_follow_the_scopes() {
    let states = States::at(AppStatePlace::Associated).await;
    let user = states.token(SCOPE, ONE).await;
    let patient = states.token("launch/patient patient/Basic.cruds", ONE).await;
    states.create(&user, Some("Patient/p1002"), "other").await.unwrap();
    let all = states.create(&user, None, "for all").await.unwrap();
    let own = states.create(&patient, Some("Patient/p1001"), "own").await.unwrap();
    assert_eq!(states.query(&patient, Some("Patient/p1001")).await.unwrap(), std::slice::from_ref(&own));
    assert_eq!(states.query(&user, Some("Patient/p1001")).await.unwrap(), [own]);
    assert_eq!(states.query(&patient, Some("Patient/p1002")).await.unwrap(), []);
    assert_eq!(states.query(&patient, None).await.unwrap(), std::slice::from_ref(&all));
    assert!(matches!(states.create(&patient, Some("Patient/p1002"), "x").await, Err(AppStateError::Forbidden { .. })));
    assert!(matches!(states.create(&patient, None, "x").await, Err(AppStateError::Forbidden { .. })));
    assert!(matches!(states.update(&patient, &all, "x").await, Err(AppStateError::Gone { .. })));
    let reads = states.token("user/Basic.rs", ONE).await;
    assert!(matches!(states.create(&reads, Some(ONE), "x").await, Err(AppStateError::Forbidden { .. })));
    let code = states.token("user/Basic.cruds?code=https://app.example|another", ONE).await;
    assert!(matches!(states.create(&code, Some(ONE), "x").await, Err(AppStateError::Forbidden { .. })));
    let dead = AccessToken::new("made-up");
    assert!(matches!(states.query(&dead, None).await, Err(AppStateError::Unauthorized { .. })));
}

/// SMART, app state, create and updates: what breaks a rule is refused with its status.
#[tokio::test]
async fn wrong_states_are_refused() {
    let states = States::at(AppStatePlace::Associated).await;
    let subject = states.subject(ONE).as_str().to_owned();
    let coding = json!({"coding": [{"system": "https://app.example", "code": "display"}]});
    let state = json!({"resourceType": "Basic", "code": coding, "subject": {"reference": subject}});
    let with = |name: &str, value: Value| {
        let mut state = state.clone();
        state[name] = value;
        state
    };
    let large = json!([{"url": "https://app.example/v1", "valueString": "x".repeat(SAFE_SIZE)}]);
    let nobody = states.subject("Patient/never").as_str().to_owned();
    for (body, status) in [
        (with("id", "x".into()), 400),
        (with("author", json!({"reference": "Patient/p1001"})), 400),
        (with("subject", json!({"reference": "Practitioner/pr2001"})), 400),
        (with("subject", json!({"reference": "https://elsewhere.example/fhir/Practitioner/pr2001"})), 400),
        (with("subject", json!({"reference": nobody})), 400),
        (with("code", json!({"coding": []})), 400),
        (with("extension", json!([{"url": "https://app.example/v1", "valueInteger": 1}])), 400),
        (with("extension", large.clone()), 413),
        (json!("text"), 400),
    ] {
        let refused = states.raw("POST", "Basic", SCOPE, None, &body).await;
        assert_eq!(refused.status, status, "{:.200}: {}", body.to_string(), refused.body);
    }
    let made = states.raw("POST", "Basic", SCOPE, None, &state).await;
    assert_eq!((made.status, made.header("etag")), (201, "W/\"1\""));
    assert!(made.header("location").contains(&format!("/Basic/{}", made.id())));
    let path = format!("Basic/{}", made.id());
    let changed = |name: &str, value: Value| {
        let mut state = made.body.clone();
        state[name] = value;
        state
    };
    let other = json!({"coding": [{"system": "https://app.example", "code": "other"}]});
    let patient = states.subject("Patient/p1001").as_str().to_owned();
    for (etag, body, status) in [
        (None, made.body.clone(), 428),
        (Some("W/\"7\""), made.body.clone(), 412),
        (Some("W/\"1\""), changed("code", other), 412),
        (Some("W/\"1\""), changed("subject", json!({"reference": patient})), 412),
        (Some("W/\"1\""), changed("id", "another".into()), 400),
        (Some("W/\"1\""), changed("extension", large), 413),
        (Some("W/\"1\""), made.body.clone(), 200),
    ] {
        let answered = states.raw("PUT", &path, SCOPE, etag, &body).await;
        assert_eq!(answered.status, status, "{etag:?}: {}", answered.body);
    }
    assert_eq!(states.raw("DELETE", &path, SCOPE, None, &Value::Null).await.status, 428);
    for query in ["Basic", "Basic?code=a|b", "Basic?subject=x", "Basic?code=a|b&subject=x&author=y"] {
        assert_eq!(states.raw("GET", query, SCOPE, None, &Value::Null).await.status, 400, "{query}");
    }
    assert_eq!(states.raw("PATCH", &path, SCOPE, None, &json!({})).await.status, 405);
    // The FHIR API knows nothing of it.
    assert_eq!(states.world.get(&path, &states.world.staff().await).await.status, 404);
}

/// SMART, app state, discovery: a sandbox that was not asked to offers none.
#[tokio::test]
async fn app_state_is_offered_where_it_was_asked_for() {
    let world = World::start().await;
    assert!(matches!(AppStateEndpoint::find(&discovered(&world).await), Err(AppStateError::NotOffered { .. })));
}

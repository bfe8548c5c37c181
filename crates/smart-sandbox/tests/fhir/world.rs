//! What the tests share: a running sandbox on a clock of theirs, people who log in, and requests with their tokens.

use bytes::Bytes;
use http::{Method, Request, Response};
use serde_json::{Value, json};
use smart_core::pkce::CodeVerifier;
use smart_core::time::{Clock, Timestamp};
use smart_http::{HttpClient, HyperTransport};
use smart_sandbox::browser::{AutoBrowser, Person};
use smart_sandbox::{Sandbox, SandboxConfig};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use url::Url;
use url::form_urlencoded::Serializer;

const REDIRECT: &str = "https://app.example/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

struct Moved(AtomicI64);

impl Clock for Moved {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) http: HttpClient,
    clock: Arc<Moved>,
}

/// A request with a token.
pub(crate) struct Asked<'w> {
    world: &'w World,
    request: http::request::Builder,
    body: Bytes,
}

/// An answer, with its body as JSON; null where it is empty or no JSON.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Value,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(SandboxConfig::default()).await
    }

    /// A sandbox with this set-up, on a clock of the test's: 2027-01-15T08:00:00Z.
    pub(crate) async fn with(config: SandboxConfig) -> Self {
        let clock = Arc::new(Moved(AtomicI64::new(1_800_000_000)));
        let sandbox = Sandbox::start(SandboxConfig { clock: clock.clone(), ..config }).await.unwrap();
        Self { sandbox, http: HttpClient::new(HyperTransport::new()), clock }
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }

    /// The access token of a person who logs in with these scopes.
    pub(crate) async fn token(&self, scope: &str, person: Person) -> String {
        let answer = self.token_answer(scope, person).await;
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// The whole answer of the token endpoint.
    pub(crate) async fn token_answer(&self, scope: &str, person: Person) -> Value {
        let challenge = CodeVerifier::parse(VERIFIER).unwrap().challenge();
        let aud = self.sandbox.fhir_base();
        let query = form(&[
            ("response_type", "code"),
            ("client_id", "demo-app"),
            ("redirect_uri", REDIRECT),
            ("scope", scope),
            ("state", "s1"),
            ("aud", &aud),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ]);
        let url: Url = format!("{}?{query}", self.sandbox.endpoints().authorize).parse().unwrap();
        let callback = AutoBrowser::new(self.http.clone(), person).authorize(&url).await.unwrap();
        let code = callback.query_pairs().find(|(name, _)| name == "code").unwrap_or_else(|| panic!("{callback}")).1;
        let body = form(&[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", REDIRECT),
            ("client_id", "demo-app"),
            ("code_verifier", VERIFIER),
        ]);
        let request = Request::post(self.sandbox.endpoints().token)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(body))
            .unwrap();
        serde_json::from_slice(self.http.fetch(request).await.unwrap().body()).unwrap()
    }

    /// The token of a practitioner who may do everything.
    pub(crate) async fn staff(&self) -> String {
        self.token("user/*.cruds", Person::default()).await
    }

    /// The token of a practitioner's app that is bound to the record of p1001.
    pub(crate) async fn for_patient(&self, scope: &str) -> String {
        self.token(&format!("launch/patient {scope}"), Person::default()).await
    }

    /// The URL of a path below the base; a whole URL stays as it is.
    pub(crate) fn url(&self, path: &str) -> String {
        if path.starts_with("http") {
            return path.to_owned();
        }
        let slash = if path.is_empty() || path.starts_with('?') { "" } else { "/" };
        format!("{}{slash}{path}", self.sandbox.fhir_base())
    }

    pub(crate) fn ask(&self, method: &str, path: &str, token: &str) -> Asked<'_> {
        let request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(self.url(path))
            .header("authorization", format!("Bearer {token}"));
        Asked { world: self, request, body: Bytes::new() }
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answered {
        self.ask("GET", path, token).send().await
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: &Value) -> Answered {
        self.ask("POST", path, token).json(body).send().await
    }

    pub(crate) async fn put(&self, path: &str, token: &str, body: &Value) -> Answered {
        self.ask("PUT", path, token).json(body).send().await
    }

    pub(crate) async fn delete(&self, path: &str, token: &str) -> Answered {
        self.ask("DELETE", path, token).send().await
    }

    /// Does the entries of a batch or transaction.
    pub(crate) async fn bundle(&self, kind: &str, token: &str, entries: &[Value]) -> Answered {
        self.post("", token, &json!({"resourceType": "Bundle", "type": kind, "entry": entries})).await
    }
}

impl Asked<'_> {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/fhir+json", &body.to_string())
    }

    pub(crate) fn body(mut self, kind: &str, body: &str) -> Self {
        self.body = Bytes::from(body.to_owned());
        self.header("content-type", kind)
    }

    pub(crate) async fn send(self) -> Answered {
        let response: Response<Bytes> = self.world.http.fetch(self.request.body(self.body).unwrap()).await.unwrap();
        let body = serde_json::from_slice(response.body()).unwrap_or_default();
        Answered { status: response.status().as_u16(), headers: response.headers().clone(), body }
    }
}

impl Answered {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The ids of the matches, in their order.
    pub(crate) fn ids(&self) -> Vec<&str> {
        self.with_mode("match")
    }

    /// The ids of the entries with this mode.
    pub(crate) fn with_mode(&self, mode: &str) -> Vec<&str> {
        let entries = self.entries().iter().filter(|entry| entry["search"]["mode"] == mode);
        entries.map(|entry| entry["resource"]["id"].as_str().unwrap_or_default()).collect()
    }

    pub(crate) fn entries(&self) -> &[Value] {
        assert_eq!(self.body["resourceType"], "Bundle", "{}", self.body);
        self.body["entry"].as_array().map_or(&[], Vec::as_slice)
    }

    pub(crate) fn link(&self, relation: &str) -> Option<String> {
        let links = self.body["link"].as_array().unwrap();
        links.iter().find(|link| link["relation"] == relation).map(|link| link["url"].as_str().unwrap().to_owned())
    }

    /// The code and the text of the first issue.
    pub(crate) fn issue(&self) -> (&str, &str) {
        assert_eq!(self.body["resourceType"], "OperationOutcome", "{} {}", self.status, self.body);
        let issue = &self.body["issue"][0];
        (issue["code"].as_str().unwrap(), issue["diagnostics"].as_str().unwrap())
    }

    pub(crate) fn id(&self) -> &str {
        self.body["id"].as_str().unwrap_or_else(|| panic!("{} {}", self.status, self.body))
    }
}

pub(crate) fn form(parameters: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(parameters).finish()
}

/// An observation about a patient.
pub(crate) fn observation(patient: &str, text: &str) -> Value {
    json!({
        "resourceType": "Observation", "status": "final", "code": {"text": text},
        "subject": {"reference": format!("Patient/{patient}")},
    })
}

/// A patient with an identifier.
pub(crate) fn patient(number: &str) -> Value {
    json!({"resourceType": "Patient", "identifier": [{"system": "https://h.example/n", "value": number}]})
}

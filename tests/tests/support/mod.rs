//! What the tests of the sandbox share: a running one, its clock, and a person who logs in.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test binary uses its part, and reports by panicking"
)]

use bytes::Bytes;
use http::Request;
use serde_json::Value;
use smart_core::pkce::CodeVerifier;
use smart_core::random::{RandomError, SecureRandom};
use smart_core::time::{Clock, Timestamp};
use smart_http::{HttpClient, HyperTransport};
use smart_sandbox::browser::{AutoBrowser, Person};
use smart_sandbox::{Sandbox, SandboxConfig};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use url::Url;
use url::form_urlencoded::Serializer;

pub(crate) const REDIRECT: &str = "https://app.example/callback";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// Other octets at each call.
pub(crate) struct Random;

impl SecureRandom for Random {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError> {
        static CALLS: AtomicU64 = AtomicU64::new(1);
        let call = CALLS.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        for (octet, from) in buffer.iter_mut().zip(call.iter().rev().cycle()) {
            *octet = *from;
        }
        Ok(())
    }
}

/// A clock moved by hand.
pub(crate) struct Moved(AtomicI64);

impl Clock for Moved {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: Arc<Moved>,
    pub(crate) http: HttpClient,
}

impl World {
    /// A sandbox with this set-up, on a clock of the test's.
    pub(crate) async fn start(config: SandboxConfig) -> Self {
        let clock = Arc::new(Moved(AtomicI64::new(1_800_000_000)));
        let sandbox = Sandbox::start(SandboxConfig { clock: clock.clone(), ..config }).await.unwrap();
        Self { sandbox, clock, http: HttpClient::new(HyperTransport::new()) }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) async fn answer(&self, request: Request<Bytes>) -> (u16, Value) {
        let response = self.http.fetch(request).await.unwrap();
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap_or_default())
    }

    /// Posts a form to `token`, `introspect` or `revoke`.
    pub(crate) async fn post<N: AsRef<str>, V: AsRef<str>>(
        &self,
        endpoint: &str,
        form: &[(N, V)],
        authorization: Option<&str>,
    ) -> (u16, Value) {
        let endpoints = self.sandbox.endpoints();
        let url = match endpoint {
            "token" => endpoints.token,
            "introspect" => endpoints.introspect.unwrap(),
            "revoke" => endpoints.revoke.unwrap(),
            other => panic!("{other} is no endpoint"),
        };
        let mut request = Request::post(url).header("content-type", "application/x-www-form-urlencoded");
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        self.answer(request.body(Bytes::from(query(form))).unwrap()).await
    }

    /// The authorization URL of a client with PKCE; `more` is added.
    pub(crate) fn authorization_url(&self, client: &str, scope: &str, more: &[(&str, &str)]) -> Url {
        let challenge = CodeVerifier::parse(VERIFIER).unwrap().challenge();
        let aud = self.sandbox.fhir_base();
        let mut parameters = vec![
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", REDIRECT),
            ("scope", scope),
            ("state", "s1"),
            ("aud", &aud),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        parameters.extend_from_slice(more);
        format!("{}?{}", self.sandbox.endpoints().authorize, query(&parameters)).parse().unwrap()
    }

    /// The callback of a login.
    pub(crate) async fn callback(&self, client: &str, scope: &str, person: Person, more: &[(&str, &str)]) -> Url {
        let url = self.authorization_url(client, scope, more);
        AutoBrowser::new(self.http.clone(), person).authorize(&url).await.unwrap()
    }

    pub(crate) async fn code(&self, client: &str, scope: &str, person: Person) -> String {
        callback_value(&self.callback(client, scope, person, &[]).await, "code")
    }

    /// Redeems a code of a public client.
    pub(crate) async fn redeem(&self, client: &str, code: &str) -> (u16, Value) {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("client_id", client),
            ("code_verifier", VERIFIER),
        ];
        self.post("token", &form, None).await
    }

    /// The token answer of a login of a public client.
    pub(crate) async fn tokens(&self, client: &str, scope: &str, person: Person) -> Value {
        self.tokens_with(client, scope, person, &[]).await
    }

    pub(crate) async fn tokens_with(&self, client: &str, scope: &str, person: Person, more: &[(&str, &str)]) -> Value {
        let code = callback_value(&self.callback(client, scope, person, more).await, "code");
        let (status, body) = self.redeem(client, &code).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    /// Refreshes as `demo-app`.
    pub(crate) async fn refresh(&self, token: &str, more: &[(&str, &str)]) -> (u16, Value) {
        let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", "demo-app")];
        form.extend_from_slice(more);
        self.post("token", &form, None).await
    }
}

/// A parameter of a URL.
pub(crate) fn callback_value(url: &Url, name: &str) -> String {
    let found = url.query_pairs().find(|(n, _)| n == name);
    found.unwrap_or_else(|| panic!("no {name} in {url}")).1.into_owned()
}

pub(crate) fn query<N: AsRef<str>, V: AsRef<str>>(parameters: &[(N, V)]) -> String {
    Serializer::new(String::new()).extend_pairs(parameters).finish()
}

/// A place on loopback where a client publishes its keys.
pub(crate) struct KeyServer {
    port: u16,
    document: Arc<Mutex<String>>,
    requests: Arc<AtomicU64>,
}

impl KeyServer {
    pub(crate) async fn start(document: String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let it = Self { port, document: Arc::new(Mutex::new(document)), requests: Arc::default() };
        let (document, requests) = (it.document.clone(), it.requests.clone());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                // A request for keys has no body: its first octets are enough.
                let mut octets = [0; 4096];
                let _ = stream.read(&mut octets).await;
                requests.fetch_add(1, Ordering::SeqCst);
                let body = document.lock().unwrap().clone();
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
                let answer = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        it
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/jwks.json", self.port)
    }

    pub(crate) fn publish(&self, document: String) {
        *self.document.lock().unwrap() = document;
    }

    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::SeqCst)
    }
}

//! An OpenID provider with a smart-configuration, on loopback, that does as a module of the conformance suite says.

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::StatusCode;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Map, Value, json};
use smart_jwt::{KeyKind, SigningAlgorithm, SigningKey};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::form_urlencoded;

/// The client that is registered at every provider.
pub(crate) const CLIENT: &str = "rp";
/// Who logs in.
pub(crate) const SUBJECT: &str = "pr2001";

pub(crate) type Members = Map<String, Value>;

/// How ID tokens are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signed {
    Rs256,
    Es256,
    /// With octets of the right length alone: no client here has a reason to look at them.
    Hs256,
    /// Not at all.
    None,
}

/// What is special about a provider. The default does everything right.
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a habit of its own")]
pub(crate) struct Habits {
    pub(crate) signed: Signed,
    /// Whether the signature is wrong.
    pub(crate) spoils_signature: bool,
    /// Whether keys and ID tokens have a `kid`.
    pub(crate) has_kid: bool,
    /// Whether a further key of the same kind is published, before the one that signs.
    pub(crate) has_further_key: bool,
    /// Whether each ID token is signed with a key that was made for it.
    pub(crate) rotates_at_each_token: bool,
    /// The secret of the client, which is then taken by HTTP Basic alone.
    pub(crate) secret: Option<&'static str>,
    /// Changes the claims of the ID token of a login.
    pub(crate) claims: fn(&mut Members),
    /// Changes the claims of the ID token of a renewal.
    pub(crate) renewed_claims: fn(&mut Members),
    /// Changes the answer of the token endpoint.
    pub(crate) token: fn(&mut Members),
    /// Changes the claims of UserInfo.
    pub(crate) userinfo: fn(&mut Members),
    /// Changes the OpenID configuration.
    pub(crate) configuration: fn(&mut Members),
    /// Changes the parameters of the callback.
    pub(crate) callback: fn(&mut Vec<(String, String)>),
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            signed: Signed::Rs256,
            spoils_signature: false,
            has_kid: true,
            has_further_key: false,
            rotates_at_each_token: false,
            secret: None,
            claims: |_| (),
            renewed_claims: |_| (),
            token: |_| (),
            userinfo: |_| (),
            configuration: |_| (),
            callback: |_| (),
        }
    }
}

/// A request that came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) query: HashMap<String, String>,
    pub(crate) authorization: Option<String>,
    pub(crate) body: String,
}

impl Seen {
    fn form(&self) -> HashMap<String, String> {
        form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }
}

/// A running provider. It ends when it is dropped.
pub(crate) struct Provider {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    origin: String,
    jwks_path: String,
    habits: Habits,
    keys: Mutex<Vec<SigningKey>>,
    seen: Mutex<Vec<Seen>>,
    /// The authorization requests that codes and tokens stand for.
    grants: Mutex<HashMap<String, HashMap<String, String>>>,
}

impl Provider {
    pub(crate) async fn start(habits: Habits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let keys = if habits.has_further_key {
            vec![new_key(habits.signed), new_key(habits.signed)]
        } else {
            vec![new_key(habits.signed)]
        };
        let shared = Arc::new(Shared {
            origin: format!("http://{address}"),
            jwks_path: format!("/keys-of-{}", address.port()),
            habits,
            keys: Mutex::new(keys),
            seen: Mutex::default(),
            grants: Mutex::default(),
        });
        let app = Router::new().fallback(answer).with_state(shared.clone());
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { shared, task }
    }

    pub(crate) fn origin(&self) -> &str {
        &self.shared.origin
    }

    pub(crate) fn fhir_base(&self) -> String {
        format!("{}/fhir", self.shared.origin)
    }

    pub(crate) fn jwks_path(&self) -> &str {
        &self.shared.jwks_path
    }

    /// The secret that the client has here.
    pub(crate) fn secret(&self) -> Option<&'static str> {
        self.shared.habits.secret
    }

    /// Other keys from now on.
    pub(crate) fn rotate_keys(&self) {
        self.shared.rotate_keys();
    }

    /// The requests that came to a path.
    pub(crate) fn seen(&self, path: &str) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().iter().filter(|seen| seen.path == path).cloned().collect()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn new_key(signed: Signed) -> SigningKey {
    let (kind, algorithm) = match signed {
        Signed::Es256 => (KeyKind::EcP256, SigningAlgorithm::Es256),
        _ => (KeyKind::Rsa2048, SigningAlgorithm::Rs256),
    };
    SigningKey::generate(kind).unwrap().with_algorithm(algorithm).unwrap()
}

fn object(value: Value) -> Members {
    match value {
        Value::Object(members) => members,
        other => panic!("{other} is no object"),
    }
}

fn json_of(status: StatusCode, value: &Value) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 64 * 1024).await.unwrap();
    let query = head.uri.query().unwrap_or_default();
    let seen = Seen {
        path: head.uri.path().to_owned(),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        authorization: head.headers.get(AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned()),
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    shared.seen.lock().unwrap().push(seen.clone());
    match seen.path.as_str() {
        "/fhir/.well-known/smart-configuration" => json_of(StatusCode::OK, &shared.smart_configuration()),
        "/.well-known/openid-configuration" => json_of(StatusCode::OK, &shared.openid_configuration()),
        "/authorize" => shared.authorize(&seen),
        "/token" => shared.token(&seen),
        "/userinfo" => shared.userinfo(&seen),
        "/register" => shared.register(&seen),
        path if path == shared.jwks_path => json_of(StatusCode::OK, &shared.jwks()),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

impl Shared {
    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    fn smart_configuration(&self) -> Value {
        json!({
            "issuer": self.origin,
            // Not where the keys are: that stands in the OpenID configuration.
            "jwks_uri": self.at("/no-keys-here"),
            "authorization_endpoint": self.at("/authorize"),
            "token_endpoint": self.at("/token"),
            "registration_endpoint": self.at("/register"),
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
            "capabilities": [
                "launch-standalone", "client-public", "client-confidential-symmetric", "sso-openid-connect", "permission-offline",
            ],
        })
    }

    fn openid_configuration(&self) -> Value {
        let algorithm = match self.habits.signed {
            Signed::Rs256 => "RS256",
            Signed::Es256 => "ES256",
            Signed::Hs256 => "HS256",
            Signed::None => "none",
        };
        let mut configuration = object(json!({
            "issuer": self.origin,
            "jwks_uri": self.at(&self.jwks_path),
            "authorization_endpoint": self.at("/authorize"),
            "token_endpoint": self.at("/token"),
            "userinfo_endpoint": self.at("/userinfo"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [algorithm],
        }));
        (self.habits.configuration)(&mut configuration);
        configuration.into()
    }

    fn jwks(&self) -> Value {
        let published = |key: &SigningKey| {
            let mut key = object(key.public_jwk().to_json());
            if !self.habits.has_kid {
                key.remove("kid");
            }
            key
        };
        json!({"keys": self.keys.lock().unwrap().iter().map(published).collect::<Vec<_>>()})
    }

    fn rotate_keys(&self) {
        *self.keys.lock().unwrap() = vec![new_key(self.habits.signed)];
    }

    /// Keeps what a code or token stands for.
    fn grant(&self, kind: &str, request: &HashMap<String, String>) -> String {
        let mut grants = self.grants.lock().unwrap();
        let name = format!("{kind}-{}", grants.len());
        grants.insert(name.clone(), request.clone());
        name
    }

    fn authorize(&self, seen: &Seen) -> Response {
        let code = self.grant("code", &seen.query);
        let mut parameters = vec![
            ("code".to_owned(), code),
            ("state".to_owned(), seen.query["state"].clone()),
            ("iss".to_owned(), self.origin.clone()),
        ];
        (self.habits.callback)(&mut parameters);
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        Redirect::to(&format!("{}?{query}", seen.query["redirect_uri"])).into_response()
    }

    fn token(&self, seen: &Seen) -> Response {
        let form = seen.form();
        let is_known = match self.habits.secret {
            Some(secret) => {
                let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{secret}")));
                seen.authorization.as_ref() == Some(&basic) && !form.contains_key("client_secret")
            }
            None => form.get("client_id").is_some_and(|id| id == CLIENT),
        };
        if !is_known {
            return json_of(StatusCode::UNAUTHORIZED, &json!({"error": "invalid_client"}));
        }
        let is_renewal = form["grant_type"] == "refresh_token";
        let presented = if is_renewal { &form["refresh_token"] } else { &form["code"] };
        let Some(request) = self.grants.lock().unwrap().remove(presented) else {
            return json_of(StatusCode::BAD_REQUEST, &json!({"error": "invalid_grant"}));
        };
        let mut claims = self.claims(&request);
        let change = if is_renewal { self.habits.renewed_claims } else { self.habits.claims };
        change(&mut claims);
        let mut answer = object(json!({
            "access_token": self.grant("access", &request),
            "refresh_token": self.grant("refresh", &request),
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": request["scope"],
            "id_token": self.id_token(&claims),
        }));
        (self.habits.token)(&mut answer);
        json_of(StatusCode::OK, &answer.into())
    }

    fn claims(&self, request: &HashMap<String, String>) -> Members {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        object(json!({
            "iss": self.origin,
            "sub": SUBJECT,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": request.get("nonce"),
            "fhirUser": self.at(&format!("/fhir/Practitioner/{SUBJECT}")),
        }))
    }

    fn id_token(&self, claims: &Members) -> String {
        if self.habits.rotates_at_each_token {
            self.rotate_keys();
        }
        let keys = self.keys.lock().unwrap();
        let key = keys.last().unwrap();
        let (algorithm, kid) = match self.habits.signed {
            Signed::Rs256 | Signed::Es256 => {
                (key.algorithm().as_str(), Some(key.key_id()).filter(|_| self.habits.has_kid))
            }
            Signed::Hs256 => ("HS256", None),
            Signed::None => ("none", None),
        };
        let mut header = object(json!({"alg": algorithm, "typ": "JWT"}));
        header.extend(kid.map(|kid| ("kid".to_owned(), kid.into())));
        let part = |members: &Members| URL_SAFE_NO_PAD.encode(serde_json::to_vec(members).unwrap());
        let input = format!("{}.{}", part(&header), part(claims));
        let mut signature = match self.habits.signed {
            Signed::Rs256 | Signed::Es256 => key.sign(input.as_bytes()).unwrap(),
            Signed::Hs256 => vec![7; 32],
            Signed::None => Vec::new(),
        };
        if self.habits.spoils_signature {
            for octet in &mut signature {
                *octet ^= 0x5a;
            }
        }
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// UserInfo, for those who bring the token in the header.
    fn userinfo(&self, seen: &Seen) -> Response {
        let token = seen.authorization.as_deref().and_then(|header| header.strip_prefix("Bearer "));
        let grant = token.and_then(|token| self.grants.lock().unwrap().get(token).cloned());
        let Some(request) = grant else { return StatusCode::UNAUTHORIZED.into_response() };
        let mut claims = object(json!({"sub": SUBJECT}));
        if request["scope"].split(' ').any(|scope| scope == "profile") {
            claims.insert("name".to_owned(), "Ada Example".into());
        }
        (self.habits.userinfo)(&mut claims);
        json_of(StatusCode::OK, &claims.into())
    }

    fn register(&self, seen: &Seen) -> Response {
        let mut metadata = object(serde_json::from_str(&seen.body).unwrap());
        metadata.insert("client_id".to_owned(), CLIENT.into());
        metadata.insert("client_secret".to_owned(), self.habits.secret.into());
        metadata.insert("client_secret_expires_at".to_owned(), 0.into());
        json_of(StatusCode::CREATED, &metadata.into())
    }
}

//! The token endpoint.

use super::discovery::json_response;
use crate::config::{Client, Misbehaviour};
use crate::shared::{Counted, Grant, Issued, Refresh, Shared, State as Given, random_text};
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, PRAGMA, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Map, Value, json};
use smart_core::pkce::CodeVerifier;
use smart_core::scope::{Scope, Scopes};
use smart_core::secret::ClientSecret;
use smart_jwt::{KeyKind, SigningAlgorithm, SigningKey, sign_jwt};
use std::collections::HashMap;
use std::sync::Arc;
use url::form_urlencoded;

pub(super) type Form = HashMap<String, String>;

/// An OAuth error: status, code, description.
pub(super) struct Refused(pub(super) StatusCode, pub(super) &'static str, pub(super) &'static str);

impl Refused {
    pub(super) fn bad(error: &'static str, description: &'static str) -> Self {
        Self(StatusCode::BAD_REQUEST, error, description)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = json_response(self.0, &json!({"error": self.1, "error_description": self.2}));
        if self.0 == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"sandbox\""));
        }
        no_store(response)
    }
}

pub(super) fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

pub(crate) async fn token(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: String) -> Response {
    shared.count(Counted::Token);
    if shared.misbehaves(Misbehaviour::RedirectToken) {
        return Redirect::temporary("https://evil.example/token").into_response();
    }
    if shared.misbehaves(Misbehaviour::HtmlToken) {
        return axum::response::Html("<!DOCTYPE html><p>maintenance</p>").into_response();
    }
    match answer(&shared, &headers, &body) {
        Ok(body) => no_store(json_response(StatusCode::OK, &body)),
        Err(refused) => refused.into_response(),
    }
}

fn answer(shared: &Shared, headers: &HeaderMap, body: &str) -> Result<Value, Refused> {
    let form = read_form(headers, body)?;
    let client = authenticate(shared, headers, &form)?;
    match form.get("grant_type").map(String::as_str) {
        Some("authorization_code") => redeem(shared, client, &form),
        Some("refresh_token") => refresh(shared, client, &form),
        Some(_) => Err(Refused::bad("unsupported_grant_type", "authorization_code and refresh_token are offered")),
        None => Err(Refused::bad("invalid_request", "grant_type is missing")),
    }
}

pub(super) fn read_form(headers: &HeaderMap, body: &str) -> Result<Form, Refused> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !content_type.starts_with("application/x-www-form-urlencoded") {
        return Err(Refused::bad("invalid_request", "the body must be application/x-www-form-urlencoded"));
    }
    let mut form = Form::new();
    for (name, value) in form_urlencoded::parse(body.as_bytes()) {
        if form.insert(name.into_owned(), value.into_owned()).is_some() {
            return Err(Refused::bad("invalid_request", "a parameter is repeated"));
        }
    }
    Ok(form)
}

/// The client of a request: by Basic authentication, or by its id when it is public.
pub(super) fn authenticate<'s>(shared: &'s Shared, headers: &HeaderMap, form: &Form) -> Result<&'s Client, Refused> {
    let refused = || {
        Refused(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            "the client is unknown, or did not authenticate as registered",
        )
    };
    let basic = headers.get(AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| v.strip_prefix("Basic "));
    let Some(basic) = basic else {
        let client = form.get("client_id").and_then(|id| shared.client(id)).ok_or_else(refused)?;
        return if client.secret.is_none() { Ok(client) } else { Err(refused()) };
    };
    let decoded = STANDARD.decode(basic).ok().and_then(|d| String::from_utf8(d).ok()).ok_or_else(refused)?;
    let (id, secret) = decoded.split_once(':').ok_or_else(refused)?;
    let decode =
        |text: &str| form_urlencoded::parse(format!("x={text}").as_bytes()).next().map(|(_, v)| v.into_owned());
    let client = decode(id).and_then(|id| shared.client(&id)).ok_or_else(refused)?;
    match (decode(secret).map(ClientSecret::new), &client.secret) {
        (Some(given), Some(right)) if given == ClientSecret::new(right.as_str()) => Ok(client),
        _ => Err(refused()),
    }
}

fn redeem(shared: &Shared, client: &Client, form: &Form) -> Result<Value, Refused> {
    let invalid = |why| Refused::bad("invalid_grant", why);
    let text = |name: &str| form.get(name).map(String::as_str).filter(|v| !v.is_empty());
    let code = text("code").ok_or(Refused::bad("invalid_request", "code is missing"))?;
    let verifier =
        text("code_verifier").ok_or(Refused::bad("invalid_request", "code_verifier is missing: PKCE is required"))?;
    let verifier =
        CodeVerifier::parse(verifier).map_err(|_| Refused::bad("invalid_request", "code_verifier is malformed"))?;
    let mut state = shared.state();
    let Some(stored) = state.codes.get(code) else { return Err(invalid("the code is unknown")) };
    if let Some(grant) = stored.redeemed.clone() {
        // Somebody else has the code: what was issued on it is taken back (RFC 6749, section 4.1.2).
        state.revoke_grant(&grant);
        return Err(invalid("the code was used before"));
    }
    let login = stored.login.clone();
    if shared.now() >= stored.expires_at {
        return Err(invalid("the code has expired"));
    }
    if login.client_id != client.id {
        return Err(invalid("the code was issued to another client"));
    }
    if text("redirect_uri") != Some(login.redirect_uri.as_str()) {
        return Err(invalid("redirect_uri is not the one of the authorization request"));
    }
    if !login.challenge.is_met_by(&verifier) {
        return Err(invalid("code_verifier does not meet the code_challenge"));
    }
    let grant_id = random_text();
    if let Some(stored) = state.codes.get_mut(code) {
        stored.redeemed = Some(grant_id.clone());
    }
    let grant = Grant {
        client_id: client.id.clone(),
        scopes: granted(&login.scopes, login.user.as_deref().unwrap_or_default()),
        user: login.user.unwrap_or_default(),
        patient: login.patient,
        encounter: login.launch.and_then(|l| l.encounter),
        nonce: login.nonce,
        revoked: false,
    };
    state.grants.insert(grant_id.clone(), grant.clone());
    issue(shared, &mut state, &grant_id, &grant, true)
}

/// A person may grant what they have: no `system/`, and a patient nothing beyond their own record.
fn granted(asked: &Scopes, user: &str) -> Scopes {
    let is_patient = user.starts_with("Patient/");
    asked
        .iter()
        .filter(|scope| match scope {
            Scope::Resource(resource) => match resource.level() {
                smart_core::scope::Level::System => false,
                smart_core::scope::Level::User => !is_patient,
                smart_core::scope::Level::Patient => true,
            },
            Scope::Other(_) => false,
            _ => true,
        })
        .cloned()
        .collect()
}

fn refresh(shared: &Shared, client: &Client, form: &Form) -> Result<Value, Refused> {
    let invalid = |why| Refused::bad("invalid_grant", why);
    let token = form.get("refresh_token").ok_or(Refused::bad("invalid_request", "refresh_token is missing"))?;
    let mut state = shared.state();
    let (grant_id, used) = state
        .refresh_tokens
        .get(token)
        .map(|r| (r.grant.clone(), r.used))
        .ok_or(invalid("the refresh token is unknown"))?;
    let grant = state.grants.get(&grant_id).cloned().ok_or(invalid("the grant is unknown"))?;
    if grant.client_id != client.id {
        return Err(invalid("the refresh token was issued to another client"));
    }
    if used {
        // Two holders of one token: nobody can tell which is the thief (RFC 9700, section 4.14.2).
        state.revoke_grant(&grant_id);
        return Err(invalid("the refresh token was used before; the grant is revoked"));
    }
    if grant.revoked {
        return Err(invalid("the grant was revoked"));
    }
    let mut narrowed = grant.clone();
    if let Some(scope) = form.get("scope").filter(|s| !s.is_empty()) {
        let asked: Scopes = scope.parse().map_err(|_| Refused::bad("invalid_scope", "a scope is malformed"))?;
        if !grant.scopes.covers_all(&asked) {
            return Err(Refused::bad("invalid_scope", "more was asked for than was granted"));
        }
        narrowed.scopes = asked;
    }
    if let Some(held) = state.refresh_tokens.get_mut(token) {
        held.used = true;
    }
    issue(shared, &mut state, &grant_id, &narrowed, false)
}

fn issue(shared: &Shared, state: &mut Given, grant_id: &str, grant: &Grant, first: bool) -> Result<Value, Refused> {
    let now = shared.now();
    let access = state.secret();
    let expires_at = now.saturating_add(shared.access_lifetime);
    state
        .access_tokens
        .insert(access.clone(), Issued { grant: grant_id.to_owned(), since: now, expires_at, revoked: false });
    let lifetime = shared.access_lifetime.as_secs();
    let mut body = Map::new();
    body.insert("access_token".into(), access.as_str().into());
    body.insert(
        "token_type".into(),
        if shared.misbehaves(Misbehaviour::TokenTypeMac) { "mac" } else { "Bearer" }.into(),
    );
    body.insert(
        "expires_in".into(),
        if shared.misbehaves(Misbehaviour::ExpiresInString) { lifetime.to_string().into() } else { lifetime.into() },
    );
    if !shared.misbehaves(Misbehaviour::OmitScope) {
        body.insert("scope".into(), grant.scopes.to_string().into());
    }
    if let Some(patient) = grant.patient.as_ref().filter(|_| !shared.misbehaves(Misbehaviour::OmitPatient)) {
        body.insert("patient".into(), patient.as_str().into());
        body.insert("need_patient_banner".into(), true.into());
    }
    if let Some(encounter) = &grant.encounter {
        body.insert("encounter".into(), encounter.as_str().into());
    }
    if grant.scopes.contains(&Scope::OfflineAccess) || grant.scopes.contains(&Scope::OnlineAccess) {
        let refresh = state.secret();
        state.refresh_tokens.insert(refresh.clone(), Refresh { grant: grant_id.to_owned(), used: false });
        body.insert("refresh_token".into(), refresh.into());
    }
    if first && grant.scopes.contains(&Scope::OpenId) {
        let token = id_token(shared, grant, &access).ok_or(Refused(
            StatusCode::INTERNAL_SERVER_ERROR,
            "server_error",
            "the ID token cannot be signed",
        ))?;
        state.secrets.push(token.clone());
        body.insert("id_token".into(), token.into());
    }
    Ok(Value::Object(body))
}

fn id_token(shared: &Shared, grant: &Grant, access_token: &str) -> Option<String> {
    let now = shared.now().as_unix_seconds();
    let digest = ring::digest::digest(&ring::digest::SHA256, access_token.as_bytes());
    let mut claims = json!({
        "iss": shared.issuer, "sub": grant.user.replace('/', "-").to_lowercase(), "aud": grant.client_id, "iat": now, "exp": now + 300,
        "at_hash": URL_SAFE_NO_PAD.encode(digest.as_ref().get(..16)?),
    });
    let members = claims.as_object_mut()?;
    if grant.scopes.contains(&Scope::FhirUser) {
        members.insert("fhirUser".into(), format!("{}/{}", shared.fhir_base, grant.user).into());
    }
    if let Some(nonce) = &grant.nonce {
        let nonce = if shared.misbehaves(Misbehaviour::WrongNonce) { "another-nonce" } else { nonce.as_str() };
        members.insert("nonce".into(), nonce.into());
    }
    if shared.misbehaves(Misbehaviour::AlgNone) {
        let encode = |value: &str| URL_SAFE_NO_PAD.encode(value);
        return Some(format!("{}.{}.", encode("{\"alg\":\"none\"}"), encode(&claims.to_string())));
    }
    if shared.misbehaves(Misbehaviour::ForeignKey) {
        let foreign = SigningKey::generate(KeyKind::Rsa2048).ok()?.with_algorithm(SigningAlgorithm::Rs256).ok()?;
        return sign_jwt(&foreign.with_kid(shared.keys.signing().key_id()).ok()?, "JWT", claims.as_object()?).ok();
    }
    sign_jwt(&shared.keys.signing(), "JWT", claims.as_object()?).ok()
}

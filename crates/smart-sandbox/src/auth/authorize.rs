//! The authorization endpoint: checks the request before a person sees anything.

use super::html::error_page;
use crate::config::{Client, Misbehaviour};
use crate::shared::{Counted, Login, Shared, random_text};
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::header::{LOCATION, SET_COOKIE};
use http::{HeaderValue, StatusCode};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::pkce::CodeChallenge;
use smart_core::scope::{Scope, Scopes};
use smart_core::url_policy::UrlPolicy;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use url::{Url, form_urlencoded};

/// How long a person may take.
const LOGIN_LIFETIME: Duration = Duration::from_secs(600);

pub(crate) async fn by_get(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Response {
    begin(&shared, query.as_deref().unwrap_or_default())
}

pub(crate) async fn by_post(State(shared): State<Arc<Shared>>, body: String) -> Response {
    begin(&shared, &body)
}

fn begin(shared: &Shared, text: &str) -> Response {
    shared.count(Counted::Authorize);
    let mut parameters = HashMap::new();
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        if parameters.insert(name.clone().into_owned(), value.into_owned()).is_some() {
            return error_page(StatusCode::BAD_REQUEST, &format!("The app sent the parameter {name} twice."));
        }
    }
    // Until client and redirect URI are known to belong together, nothing is sent anywhere (RFC 6749, 4.1.2.1).
    let Some(client) = parameters.get("client_id").and_then(|id| shared.client(id)) else {
        return error_page(StatusCode::BAD_REQUEST, "The app is not registered here (client_id).");
    };
    let Some(redirect_uri) = parameters.get("redirect_uri").filter(|uri| client.allows_redirect(uri)) else {
        return error_page(
            StatusCode::BAD_REQUEST,
            "The address to return to is not registered for this app (redirect_uri).",
        );
    };
    let state = parameters.get("state").cloned().unwrap_or_default();
    match check(shared, client, &parameters) {
        Err((error, description)) => {
            redirect(shared, redirect_uri, &state, &[("error", error), ("error_description", description)])
        }
        Ok(mut login) => {
            login.redirect_uri.clone_from(redirect_uri);
            login.state = state;
            let (id, cookie) = (random_text(), login.cookie.clone());
            shared.state().logins.insert(id.clone(), login);
            let mut response = see_other(&format!("/auth/login?login={id}"));
            if let Ok(value) = HeaderValue::from_str(&format!("sandbox={cookie}; Path=/auth; HttpOnly; SameSite=Lax")) {
                response.headers_mut().insert(SET_COOKIE, value);
            }
            response
        }
    }
}

fn check(
    shared: &Shared,
    client: &Client,
    parameters: &HashMap<String, String>,
) -> Result<Login, (&'static str, &'static str)> {
    let text = |name: &str| parameters.get(name).map(String::as_str).filter(|v| !v.is_empty());
    if text("response_type") != Some("code") {
        return Err(("unsupported_response_type", "only response_type=code is offered"));
    }
    if text("state").is_none() {
        return Err(("invalid_request", "state is missing"));
    }
    let challenge = text("code_challenge").ok_or(("invalid_request", "code_challenge is missing: PKCE is required"))?;
    let challenge = CodeChallenge::parse(challenge, text("code_challenge_method"))
        .map_err(|_| ("invalid_request", "code_challenge must be S256"))?;
    let aud = text("aud").ok_or(("invalid_request", "aud is missing"))?;
    let own = FhirBaseUrl::parse_with(&shared.fhir_base, UrlPolicy::AllowLoopbackHttp);
    let asked = FhirBaseUrl::parse_with(aud, UrlPolicy::AllowLoopbackHttp);
    if !matches!((own, asked), (Ok(own), Ok(asked)) if own == asked) {
        return Err(("invalid_request", "aud is not this server's FHIR base URL"));
    }
    let scopes: Scopes =
        text("scope").unwrap_or_default().parse().map_err(|_| ("invalid_scope", "a scope is malformed"))?;
    let launch = match (text("launch"), scopes.contains(&Scope::LAUNCH)) {
        (Some(id), true) => Some(
            shared.state().launches.remove(id).ok_or(("invalid_request", "launch is unknown or was used before"))?,
        ),
        (None, true) => {
            return Err(("invalid_request", "the scope launch needs the launch parameter of an EHR launch"));
        }
        (_, false) => None,
    };
    Ok(Login {
        client_id: client.id.clone(),
        redirect_uri: String::new(),
        state: String::new(),
        scopes,
        nonce: text("nonce").map(str::to_owned),
        challenge,
        patient: launch.as_ref().and_then(|l| l.patient.clone()),
        launch,
        cookie: random_text(),
        user: None,
        expires_at: shared.now().saturating_add(LOGIN_LIFETIME),
    })
}

/// Sends the browser back to the app, with state and issuer (RFC 9207).
pub(super) fn redirect(shared: &Shared, redirect_uri: &str, state: &str, parameters: &[(&str, &str)]) -> Response {
    let Ok(mut url) = Url::parse(redirect_uri) else {
        return error_page(StatusCode::BAD_REQUEST, "The address to return to is no address.");
    };
    let state = if shared.misbehaves(Misbehaviour::WrongState) { "another-state" } else { state };
    let issuer =
        if shared.misbehaves(Misbehaviour::WrongIssuer) { "https://evil.example" } else { shared.issuer.as_str() };
    url.query_pairs_mut().extend_pairs(parameters).append_pair("state", state).append_pair("iss", issuer);
    see_other(url.as_str())
}

pub(super) fn see_other(target: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(value) = HeaderValue::from_str(target) {
        response.headers_mut().insert(LOCATION, value);
    }
    response
}

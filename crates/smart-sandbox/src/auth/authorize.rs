//! The authorization endpoint: checks the request before a person sees anything.

use super::html::error_page;
use super::launcher;
use crate::client::Client;
use crate::config::Misbehaviour;
use crate::quirks::{AudRule, LaunchRule, RefreshGiven};
use crate::shared::{Counted, Launch, Login, Shared, random_text};
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::header::{LOCATION, SET_COOKIE};
use http::{HeaderValue, StatusCode};
use smart_core::authorize::{AuthorizationResponse, CallbackOutcome};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::issuer::Issuer;
use smart_core::pkce::CodeChallenge;
use smart_core::redirect_uri::RedirectUri;
use smart_core::scope::{Scope, Scopes};
use smart_core::url_policy::UrlPolicy;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use url::form_urlencoded;

/// How long a person may take.
const LOGIN_LIFETIME: Duration = Duration::from_secs(600);

/// How a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Get,
    Post,
}

/// What is wrong with a request: OAuth's error, and a description.
type Wrong = (&'static str, &'static str);

pub(crate) async fn by_get(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Response {
    begin(&shared, query.as_deref().unwrap_or_default(), By::Get)
}

pub(crate) async fn by_post(State(shared): State<Arc<Shared>>, body: String) -> Response {
    begin(&shared, &body, By::Post)
}

fn begin(shared: &Shared, text: &str, by: By) -> Response {
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
    if by == By::Post && !shared.quirks.authorization.post_standalone && !parameters.contains_key("launch") {
        return error_page(StatusCode::METHOD_NOT_ALLOWED, "Outside of an EHR launch this takes no POST.");
    }
    match check(shared, client, &parameters) {
        Err((error, description)) => redirect(shared, redirect_uri, &state, refusal(error, description)),
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

fn check(shared: &Shared, client: &Client, parameters: &HashMap<String, String>) -> Result<Login, Wrong> {
    let text = |name: &str| parameters.get(name).map(String::as_str).filter(|v| !v.is_empty());
    let rules = &shared.quirks.authorization;
    if text("response_type") != Some("code") {
        return Err(("unsupported_response_type", "only response_type=code is offered"));
    }
    if text("state").is_none() {
        return Err(("invalid_request", "state is missing"));
    }
    let challenge = match text("code_challenge") {
        Some(challenge) => Some(
            CodeChallenge::parse(challenge, text("code_challenge_method"))
                .map_err(|_| ("invalid_request", "code_challenge must be S256"))?,
        ),
        None if rules.pkce_required => return Err(("invalid_request", "code_challenge is missing: PKCE is required")),
        None => None,
    };
    check_aud(shared, text("aud"))?;
    let scopes: Scopes =
        text("scope").unwrap_or_default().parse().map_err(|_| ("invalid_scope", "a scope is malformed"))?;
    check_prefixes(shared, &scopes)?;
    let launch = launch(shared, text("launch"), scopes.contains(&Scope::LAUNCH))?;
    let refresh_asked = match shared.quirks.refresh.given {
        RefreshGiven::Parameter(name, value) => text(name) == Some(value),
        RefreshGiven::Scope | RefreshGiven::ScopeOfConfidential => false,
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
        refresh_asked,
        cookie: random_text(),
        user: None,
        expires_at: shared.now().saturating_add(LOGIN_LIFETIME),
    })
}

fn check_aud(shared: &Shared, aud: Option<&str>) -> Result<(), Wrong> {
    let rule = shared.quirks.authorization.aud;
    let Some(aud) = aud else {
        return if rule == AudRule::Ignored { Ok(()) } else { Err(("invalid_request", "aud is missing")) };
    };
    let parse = |base: &str| FhirBaseUrl::parse_with(base, UrlPolicy::AllowLoopbackHttp);
    let same = match rule {
        AudRule::SameServer => matches!((parse(&shared.fhir_base), parse(aud)), (Ok(own), Ok(asked)) if own == asked),
        AudRule::Literal => aud == shared.fhir_base,
        AudRule::Ignored => true,
    };
    if same { Ok(()) } else { Err(("invalid_request", "aud is not this server's FHIR base URL")) }
}

/// Some servers know a scope only with the resource in front of it that it is for.
fn check_prefixes(shared: &Shared, scopes: &Scopes) -> Result<(), Wrong> {
    let prefix = format!("{}/", shared.fhir_root);
    let known = |scope: &Scope| match scope {
        Scope::OpenId | Scope::Profile | Scope::OfflineAccess => true,
        other => other.as_str().starts_with(&prefix),
    };
    if !shared.quirks.scopes.resource_prefix || scopes.iter().all(known) {
        Ok(())
    } else {
        Err(("invalid_scope", "a scope does not begin with the resource that it is for"))
    }
}

fn launch(shared: &Shared, value: Option<&str>, scope: bool) -> Result<Option<Launch>, Wrong> {
    match (value, scope) {
        (Some(value), true) => {
            let found = match shared.quirks.authorization.launch {
                LaunchRule::Issued => shared.state().launches.remove(value),
                LaunchRule::LauncherCode => launcher::decoded(value),
            };
            found.map(Some).ok_or(("invalid_request", "launch is unknown or was used before"))
        }
        (None, true) => Err(("invalid_request", "the scope launch needs the launch parameter of an EHR launch")),
        (_, false) => Ok(None),
    }
}

/// Sends the browser back to the app, with state and issuer (RFC 9207).
pub(super) fn redirect(shared: &Shared, redirect_uri: &str, state: &str, outcome: CallbackOutcome) -> Response {
    let state = if shared.misbehaves(Misbehaviour::WrongState) { "another-state" } else { state };
    let issuer =
        if shared.misbehaves(Misbehaviour::WrongIssuer) { "https://evil.example" } else { shared.issuer.as_str() };
    let issuer = shared.quirks.documents.iss_parameter.then_some(issuer);
    let answer = AuthorizationResponse {
        outcome,
        state: Some(smart_core::state::State::new(state)),
        iss: issuer.and_then(|issuer| Issuer::parse_with(issuer, UrlPolicy::AllowLoopbackHttp).ok()),
    };
    match RedirectUri::parse(redirect_uri).and_then(|redirect_uri| answer.redirect_url(&redirect_uri)) {
        Ok(url) => see_other(url.as_str()),
        Err(_) => error_page(StatusCode::BAD_REQUEST, "The address to return to is no address."),
    }
}

pub(super) fn refusal(error: &str, description: &str) -> CallbackOutcome {
    CallbackOutcome::Error { error: error.into(), description: Some(description.to_owned()), uri: None }
}

pub(super) fn see_other(target: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(value) = HeaderValue::from_str(target) {
        response.headers_mut().insert(LOCATION, value);
    }
    response
}

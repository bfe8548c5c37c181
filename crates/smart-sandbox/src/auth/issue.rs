//! The answer of the token endpoint.

use super::form::Refused;
use super::id_token::id_token;
use crate::config::Misbehaviour;
use crate::published::STYLE;
use crate::quirks::{Banner, Extra, IdTokenOnRefresh, Rotation};
use crate::shared::{Grant, Issued, Refresh, Renewal, Shared, State};
use http::StatusCode;
use serde_json::{Map, Value, json};
use smart_core::context::LaunchContext;
use smart_core::scope::Scope;
use smart_core::secret::{AccessToken, RawIdToken, RefreshToken};
use smart_core::token::TokenResponse;
use std::time::Duration;
use url::Url;

/// Whether these are the first tokens of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum First {
    Yes,
    No,
}

/// Issues tokens on a grant. `grant` has the scopes of this token: fewer than the stored one's after a refresh that asked for
/// less.
pub(super) fn issue(
    shared: &Shared,
    state: &mut State,
    grant_id: &str,
    grant: &Grant,
    first: First,
) -> Result<Value, Refused> {
    let now = shared.now();
    let access = state.secret();
    let lifetime = lifetime(shared, grant);
    let expires_at = now.saturating_add(lifetime);
    let issued =
        Issued { grant: grant_id.to_owned(), scopes: grant.scopes.clone(), since: now, expires_at, revoked: false };
    state.access_tokens.insert(access.clone(), issued);
    let mut response = TokenResponse::new(AccessToken::new(access.as_str()), grant.scopes.clone(), now);
    response.expires_in = Some(lifetime);
    response.context = context(shared, grant);
    response.refresh_token = refresh_token(shared, state, grant_id, grant, first).map(RefreshToken::new);
    let on_refresh = shared.quirks.id_token.on_refresh;
    if grant.scopes.contains(&Scope::OpenId) && (first == First::Yes || on_refresh != IdTokenOnRefresh::Never) {
        let bare = first == First::No && on_refresh == IdTokenOnRefresh::WithoutAudience;
        let failed =
            || Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "the ID token cannot be signed");
        let token = id_token(shared, grant, &access, bare).ok_or_else(failed)?;
        state.secrets.push(token.clone());
        response.id_token = Some(RawIdToken::new(token));
    }
    Ok(distorted(shared, lifetime, response.to_object()))
}

/// Makes the answer as other servers do, or as wrong as the sandbox was asked to be.
fn distorted(shared: &Shared, lifetime: Duration, mut body: Map<String, Value>) -> Value {
    if shared.misbehaves(Misbehaviour::TokenTypeMac) {
        body.insert("token_type".into(), "mac".into());
    }
    if shared.misbehaves(Misbehaviour::OmitExpiresIn) {
        body.remove("expires_in");
    } else if shared.misbehaves(Misbehaviour::ExpiresInString) {
        body.insert("expires_in".into(), lifetime.as_secs().to_string().into());
    }
    if !shared.quirks.answer.has_scope || shared.misbehaves(Misbehaviour::OmitScope) {
        body.remove("scope");
    }
    Value::Object(body)
}

fn lifetime(shared: &Shared, grant: &Grant) -> Duration {
    let usual = if grant.user.is_some() { shared.access_lifetime } else { shared.backend_lifetime };
    shared.quirks.answer.lifetime.map_or(usual, Duration::from_secs)
}

/// Launch context, and what this server puts beside it. A backend service has none.
fn context(shared: &Shared, grant: &Grant) -> LaunchContext {
    let Some(user) = &grant.user else { return LaunchContext::default() };
    let answer = &shared.quirks.answer;
    let mut context = LaunchContext { encounter: grant.encounter.clone(), ..LaunchContext::default() };
    if !shared.misbehaves(Misbehaviour::OmitPatient) {
        context.patient.clone_from(&grant.patient);
    }
    if context.patient.is_some() {
        match answer.banner {
            Banner::Boolean => context.need_patient_banner = Some(true),
            Banner::Text => {
                context.other.insert("need_patient_banner".into(), "true".into());
            }
            Banner::Absent => {}
        }
    }
    if shared.offers.style {
        context.smart_style_url = Url::parse(&format!("{}{STYLE}", shared.origin)).ok();
    }
    for (name, extra) in answer.extra {
        let value = match extra {
            Extra::Text(text) => (*text).into(),
            Extra::Number(number) => (*number).into(),
            Extra::Patient => grant.patient.as_deref().into(),
            Extra::User => user.rsplit('/').next().into(),
            Extra::UserReference => json!({"reference": user}),
            Extra::State => grant.state.as_str().into(),
            // Real ones are https: this one is on loopback.
            Extra::StyleUrl => format!("{}{STYLE}", shared.origin).into(),
        };
        if !value.is_null() {
            context.other.insert((*name).to_owned(), value);
        }
    }
    context
}

fn refresh_token(shared: &Shared, state: &mut State, grant_id: &str, grant: &Grant, first: First) -> Option<String> {
    let again = shared.quirks.refresh.rotation != Rotation::Kept;
    if grant.renewal == Renewal::Never || !(first == First::Yes || again) {
        return None;
    }
    let token = state.secret();
    let expires_at = shared.refresh_lifetime.map(|lifetime| shared.now().saturating_add(lifetime));
    let refresh = Refresh { grant: grant_id.to_owned(), used: false, used_at: None, successor: None, expires_at };
    state.refresh_tokens.insert(token.clone(), refresh);
    Some(token)
}

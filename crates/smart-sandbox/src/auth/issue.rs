//! The answer of the token endpoint.

use super::form::Refused;
use super::id_token::id_token;
use crate::config::Misbehaviour;
use crate::quirks::{Banner, Extra, IdTokenOnRefresh, Rotation};
use crate::shared::{Grant, Issued, Refresh, Renewal, Shared, State};
use http::StatusCode;
use serde_json::{Map, Value, json};
use smart_core::scope::Scope;
use std::time::Duration;

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
    let mut body = Map::new();
    body.insert("access_token".into(), access.as_str().into());
    let token_type = if shared.misbehaves(Misbehaviour::TokenTypeMac) { "mac" } else { "Bearer" };
    body.insert("token_type".into(), token_type.into());
    let seconds = lifetime.as_secs();
    let as_text = shared.misbehaves(Misbehaviour::ExpiresInString);
    body.insert("expires_in".into(), if as_text { seconds.to_string().into() } else { seconds.into() });
    if shared.quirks.answer.has_scope && !shared.misbehaves(Misbehaviour::OmitScope) {
        body.insert("scope".into(), grant.scopes.to_string().into());
    }
    context(shared, grant, &mut body);
    if let Some(refresh) = refresh_token(shared, state, grant_id, grant, first) {
        body.insert("refresh_token".into(), refresh.into());
    }
    let on_refresh = shared.quirks.id_token.on_refresh;
    if grant.scopes.contains(&Scope::OpenId) && (first == First::Yes || on_refresh != IdTokenOnRefresh::Never) {
        let bare = first == First::No && on_refresh == IdTokenOnRefresh::WithoutAudience;
        let failed =
            || Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "the ID token cannot be signed");
        let token = id_token(shared, grant, &access, bare).ok_or_else(failed)?;
        state.secrets.push(token.clone());
        body.insert("id_token".into(), token.into());
    }
    Ok(Value::Object(body))
}

fn lifetime(shared: &Shared, grant: &Grant) -> Duration {
    let usual = if grant.user.is_some() { shared.access_lifetime } else { shared.backend_lifetime };
    shared.quirks.answer.lifetime.map_or(usual, Duration::from_secs)
}

/// Launch context, and what this server puts beside it. A backend service has none.
fn context(shared: &Shared, grant: &Grant, body: &mut Map<String, Value>) {
    let Some(user) = &grant.user else { return };
    let answer = &shared.quirks.answer;
    if let Some(patient) = grant.patient.as_ref().filter(|_| !shared.misbehaves(Misbehaviour::OmitPatient)) {
        body.insert("patient".into(), patient.as_str().into());
        match answer.banner {
            Banner::Boolean => body.insert("need_patient_banner".into(), true.into()),
            Banner::Text => body.insert("need_patient_banner".into(), "true".into()),
            Banner::Absent => None,
        };
    }
    if let Some(encounter) = &grant.encounter {
        body.insert("encounter".into(), encounter.as_str().into());
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
            Extra::StyleUrl => format!("{}/smart-style.json", shared.origin).into(),
        };
        if !value.is_null() {
            body.insert((*name).to_owned(), value);
        }
    }
}

fn refresh_token(shared: &Shared, state: &mut State, grant_id: &str, grant: &Grant, first: First) -> Option<String> {
    let again = shared.quirks.refresh.rotation != Rotation::Kept;
    if grant.renewal == Renewal::Never || !(first == First::Yes || again) {
        return None;
    }
    let token = state.secret();
    let expires_at = shared.refresh_lifetime.map(|lifetime| shared.now().saturating_add(lifetime));
    state.refresh_tokens.insert(token.clone(), Refresh { grant: grant_id.to_owned(), used: false, expires_at });
    Some(token)
}

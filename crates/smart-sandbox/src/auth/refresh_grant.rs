//! Refreshing an access token.

use super::form::{Form, Refused, field};
use super::issue::{First, issue};
use crate::client::Client;
use crate::quirks::Rotation;
use crate::shared::{Life, Refresh, Shared, State};
use serde_json::Value;
use smart_core::scope::Scopes;

pub(super) fn refresh(shared: &Shared, client: &Client, form: &Form) -> Result<Value, Refused> {
    let rules = &shared.quirks.refresh;
    let dead = |why| Refused::bad(rules.dead, why);
    let token = field(form, "refresh_token").ok_or(Refused::bad("invalid_request", "refresh_token is missing"))?;
    let now = shared.now();
    let mut state = shared.state();
    let held = state.refresh_tokens.get(token).cloned().ok_or(dead("the refresh token is unknown"))?;
    let grant_id = held.grant.clone();
    let grant = state.grants.get(&grant_id).cloned().ok_or(dead("the grant is unknown"))?;
    if grant.client_id != client.id {
        return Err(dead("the refresh token was issued to another client"));
    }
    let again = held.used.then(|| retried(shared, &state, &held)).flatten();
    if held.used && again.is_none() {
        // Two holders of one token: nobody can tell which is the thief (RFC 9700, section 4.14.2).
        state.revoke_grant(&grant_id);
        return Err(dead("the refresh token was used before; the grant is revoked"));
    }
    if grant.life != Life::Whole {
        return Err(dead("the grant was revoked, or the person's session has ended"));
    }
    if held.expires_at.is_some_and(|expires| now >= expires) {
        return Err(dead("the refresh token has expired"));
    }
    let mut narrowed = grant;
    if let Some(scope) = field(form, "scope") {
        let asked: Scopes = scope.parse().map_err(|_| Refused::bad("invalid_scope", "a scope is malformed"))?;
        if !narrowed.scopes.covers_all(&asked) {
            return Err(Refused::bad("invalid_scope", "more was asked for than was granted"));
        }
        narrowed.scopes = asked;
    }
    if let Some(lost) = again {
        state.refresh_tokens.remove(&lost);
    }
    let body = issue(shared, &mut state, &grant_id, &narrowed, First::No)?;
    if let Some(held) = state.refresh_tokens.get_mut(token) {
        held.used = rules.rotation == Rotation::Replaced;
        held.used_at.get_or_insert(now);
        held.successor = body.get("refresh_token").and_then(Value::as_str).map(str::to_owned);
        held.expires_at = shared.refresh_lifetime.map(|lifetime| now.saturating_add(lifetime));
    }
    Ok(body)
}

/// The successor that was lost on its way, where a client may ask again: within the leeway, and as long as nobody has used it.
fn retried(shared: &Shared, state: &State, held: &Refresh) -> Option<String> {
    let (leeway, used_at) = (shared.refresh_leeway?, held.used_at?);
    let successor = held.successor.as_ref()?;
    let unused = state.refresh_tokens.get(successor).is_some_and(|next| !next.used);
    (unused && shared.now() < used_at.saturating_add(leeway)).then(|| successor.clone())
}

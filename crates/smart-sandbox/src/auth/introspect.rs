//! Introspection and revocation.

use super::client_auth::authenticate;
use super::form::{Refused, no_store, read_form};
use super::id_token::{fhir_user, subject};
use crate::shared::{Counted, Grant, Life, Shared};
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use smart_core::context::LaunchContext;
use smart_core::introspection::{ActiveToken, Introspection};
use std::sync::Arc;

pub(crate) async fn introspect(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: String) -> Response {
    shared.count(Counted::Introspect);
    match examine(&shared, &headers, &body).await {
        Ok(introspection) => introspection.to_response().map(Body::from),
        Err(refused) => refused.into_response(),
    }
}

async fn examine(shared: &Shared, headers: &HeaderMap, body: &str) -> Result<Introspection, Refused> {
    let form = read_form(headers, body)?;
    let bearer = headers.get(AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| v.strip_prefix("Bearer "));
    // SMART 2.2: a bearer token of an app will do; else the client authenticates, and has to have a secret.
    match bearer {
        Some(bearer) => {
            let dead =
                || Refused::new(StatusCode::UNAUTHORIZED, "invalid_token", "the bearer token is expired or revoked");
            shared.access(bearer).ok_or_else(dead)?;
        }
        None if !shared.quirks.documents.introspection_by_bearer
            && authenticate(shared, headers, &form).await?.is_confidential() => {}
        None => {
            return Err(Refused::new(
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                "introspection needs a bearer token, or a client that can show who it is",
            ));
        }
    }
    let token = form.get("token").ok_or(Refused::bad("invalid_request", "token is missing"))?;
    let state = shared.state();
    let now = shared.now();
    if let Some(grant) = state.live_refresh(token, now) {
        return Ok(Introspection::Active(Box::new(of_grant(shared, grant))));
    }
    let Some((issued, grant)) = state.live(token, now) else { return Ok(Introspection::Inactive) };
    Ok(Introspection::Active(Box::new(ActiveToken {
        scope: Some(issued.scopes.clone()),
        token_type: Some("Bearer".to_owned()),
        expires_at: Some(issued.expires_at),
        issued_at: Some(issued.since),
        fhir_user: grant.user.as_deref().and_then(|user| fhir_user(shared, user)),
        context: LaunchContext {
            patient: grant.patient.clone(),
            encounter: grant.encounter.clone(),
            ..LaunchContext::default()
        },
        ..of_grant(shared, grant)
    })))
}

/// What holds for each token of a grant.
fn of_grant(shared: &Shared, grant: &Grant) -> ActiveToken {
    ActiveToken {
        scope: Some(grant.scopes.clone()),
        client_id: Some(grant.client_id.as_str().into()),
        iss: Some(shared.issuer.clone()),
        sub: Some(grant.user.as_deref().map_or_else(|| grant.client_id.clone(), subject)),
        ..ActiveToken::default()
    }
}

pub(crate) async fn revoke(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: String) -> Response {
    shared.count(Counted::Revoke);
    match take_back(&shared, &headers, &body).await {
        Ok(()) => no_store(StatusCode::OK.into_response()),
        Err(refused) => refused.into_response(),
    }
}

/// A refresh token takes its whole grant with it (RFC 7009, section 2.1), an access token only itself; unknown tokens are
/// revoked already.
async fn take_back(shared: &Shared, headers: &HeaderMap, body: &str) -> Result<(), Refused> {
    let form = read_form(headers, body)?;
    let client = authenticate(shared, headers, &form).await?;
    let token = form.get("token").ok_or(Refused::bad("invalid_request", "token is missing"))?;
    let mut state = shared.state();
    let belongs =
        |state: &crate::shared::State, grant: &str| state.grants.get(grant).is_some_and(|g| g.client_id == client.id);
    if let Some(grant) = state.refresh_tokens.get(token).map(|r| r.grant.clone()) {
        if belongs(&state, &grant) {
            if shared.quirks.refresh.revokes_access {
                state.revoke_grant(&grant);
            } else if let Some(grant) = state.grants.get_mut(&grant)
                && grant.life == Life::Whole
            {
                grant.life = Life::LastTokens;
            }
        }
    } else if let Some(grant) = state.access_tokens.get(token).map(|t| t.grant.clone())
        && belongs(&state, &grant)
        && shared.quirks.refresh.revokes_access
        && let Some(issued) = state.access_tokens.get_mut(token)
    {
        issued.revoked = true;
    }
    Ok(())
}

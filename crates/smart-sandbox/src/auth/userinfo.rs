//! Who logged in (OpenID Connect Core, section 5.3).

use super::discovery::json_response;
use super::form::no_store;
use super::id_token::{fhir_user, subject};
use crate::accounts;
use crate::shared::Shared;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::Map;
use smart_core::scope::Scope;
use smart_core::userinfo::UserInfo;
use std::sync::Arc;

pub(crate) async fn userinfo(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let bearer = headers.get(AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| v.strip_prefix("Bearer "));
    let Some(bearer) = bearer else { return challenge(StatusCode::UNAUTHORIZED, "Bearer realm=\"sandbox\"") };
    let state = shared.state();
    let Some((_, grant)) = state.live(bearer, shared.now()) else {
        return challenge(StatusCode::UNAUTHORIZED, "Bearer realm=\"sandbox\", error=\"invalid_token\"");
    };
    let (Some(user), true) = (&grant.user, grant.scopes.contains(&Scope::OpenId)) else {
        let text = "Bearer realm=\"sandbox\", error=\"insufficient_scope\", scope=\"openid\"";
        return challenge(StatusCode::FORBIDDEN, text);
    };
    let may_know = grant.scopes.contains(&Scope::FhirUser);
    let fhir_user = may_know.then(|| fhir_user(&shared, user)).flatten();
    let mut claims = UserInfo { sub: subject(user), fhir_user, other: Map::new() };
    if let Some(account) = accounts::user(&shared.data, user) {
        claims.other.insert("name".into(), account.name.into());
    }
    no_store(json_response(StatusCode::OK, &claims.to_object().into()))
}

fn challenge(status: StatusCode, text: &'static str) -> Response {
    let mut response = no_store(status.into_response());
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(text));
    response
}

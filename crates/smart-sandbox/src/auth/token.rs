//! The token endpoint.

use super::backend_grant::client_credentials;
use super::client_auth::authenticate;
use super::code_grant::redeem;
use super::discovery::json_response;
use super::form::{Refused, field, no_store, read_form};
use super::refresh_grant::refresh;
use crate::config::Misbehaviour;
use crate::shared::{Counted, Shared};
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use std::sync::Arc;

pub(crate) async fn token(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: String) -> Response {
    shared.count(Counted::Token);
    if shared.misbehaves(Misbehaviour::RedirectToken) {
        return Redirect::temporary("https://evil.example/token").into_response();
    }
    if shared.misbehaves(Misbehaviour::HtmlToken) {
        return axum::response::Html("<!DOCTYPE html><p>maintenance</p>").into_response();
    }
    match answer(&shared, &headers, &body).await {
        Ok(body) => no_store(json_response(StatusCode::OK, &body)),
        Err(refused) => refused.with_page(shared.quirks.answer.error_uri).into_response(),
    }
}

async fn answer(shared: &Shared, headers: &HeaderMap, body: &str) -> Result<Value, Refused> {
    let form = read_form(headers, body)?;
    let client = authenticate(shared, headers, &form).await?;
    match field(&form, "grant_type") {
        Some("authorization_code") => redeem(shared, client, &form),
        Some("refresh_token") => refresh(shared, client, &form),
        Some("client_credentials") => client_credentials(shared, client, &form),
        Some(_) => Err(Refused::bad(
            "unsupported_grant_type",
            "authorization_code, refresh_token and client_credentials are offered",
        )),
        None => Err(Refused::bad("invalid_request", "grant_type is missing")),
    }
}

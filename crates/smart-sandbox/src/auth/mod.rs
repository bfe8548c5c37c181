//! The authorization server.

mod authorize;
pub(crate) mod discovery;
mod html;
mod introspect;
mod pages;
mod token;

use crate::shared::Shared;
use axum::Router;
use axum::routing::{get, post};
use std::sync::Arc;

/// What is below `/auth`.
pub(crate) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/auth/.well-known/openid-configuration", get(discovery::openid_configuration))
        .route("/auth/jwks", get(discovery::jwks))
        .route("/auth/authorize", get(authorize::by_get).post(authorize::by_post))
        .route("/auth/login", get(pages::login).post(pages::logged_in))
        .route("/auth/patient", get(pages::patient).post(pages::patient_chosen))
        .route("/auth/consent", get(pages::consent).post(pages::decided))
        .route("/auth/style.css", get(html::style))
        .route("/auth/token", post(token::token))
        .route("/auth/introspect", post(introspect::introspect))
        .route("/auth/revoke", post(introspect::revoke))
}

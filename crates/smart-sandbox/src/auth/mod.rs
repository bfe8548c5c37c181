//! The authorization server.

mod authorize;
mod backend_grant;
mod client_auth;
mod client_keys;
mod code_grant;
pub(crate) mod discovery;
mod form;
mod granting;
mod html;
mod id_token;
mod introspect;
mod issue;
mod launcher;
mod pages;
mod refresh_grant;
mod token;
mod userinfo;

pub(crate) use client_keys::ClientKeySets;

use crate::quirks::Quirks;
use crate::shared::Shared;
use axum::Router;
use axum::routing::{get, post};
use std::sync::Arc;

/// The page by which a person starts an app.
pub(crate) const LAUNCHER: &str = "/launcher";

/// The protocol's endpoints, where the server has them, and the pages of this sandbox.
pub(crate) fn router(quirks: &Quirks) -> Router<Arc<Shared>> {
    let paths = &quirks.paths;
    let openid = format!("{}/.well-known/openid-configuration", paths.issuer.trim_end_matches('/'));
    let mut router = Router::new()
        .route(&openid, get(discovery::openid_configuration))
        .route(&paths.keys, get(discovery::jwks))
        .route(&paths.authorize, get(authorize::by_get).post(authorize::by_post))
        .route(&paths.token, post(token::token))
        .route("/auth/login", get(pages::login).post(pages::logged_in))
        .route("/auth/patient", get(pages::patient).post(pages::patient_chosen))
        .route("/auth/consent", get(pages::consent).post(pages::decided))
        .route("/auth/style.css", get(html::style))
        .route(LAUNCHER, get(launcher::page).post(launcher::start));
    if let Some(path) = &paths.introspect {
        router = router.route(path, post(introspect::introspect));
    }
    if let Some(path) = &paths.revoke {
        router = router.route(path, post(introspect::revoke));
    }
    if let Some(path) = &paths.userinfo {
        router = router.route(path, get(userinfo::userinfo));
    }
    router
}

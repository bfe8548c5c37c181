//! The documents that clients discover the sandbox by.

use crate::config::Misbehaviour;
use crate::shared::{Counted, Shared};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};
use smart_core::discovery::{Capability, SmartConfiguration};
use smart_core::issuer::Issuer;
use smart_core::url_policy::UrlPolicy;
use std::sync::Arc;

/// What the sandbox can do.
const CAPABILITIES: &[&str] = &[
    "launch-ehr",
    "launch-standalone",
    "authorize-post",
    "client-public",
    "client-confidential-symmetric",
    "sso-openid-connect",
    "context-ehr-patient",
    "context-ehr-encounter",
    "context-standalone-patient",
    "permission-offline",
    "permission-patient",
    "permission-user",
    "permission-v1",
    "permission-v2",
];

pub(crate) async fn smart_configuration(State(shared): State<Arc<Shared>>) -> Response {
    shared.count(Counted::Discovery);
    let url = |path: &str| format!("{}{path}", shared.issuer).parse();
    let (Ok(token), Ok(issuer)) = (url("/token"), Issuer::parse_with(&shared.issuer, UrlPolicy::AllowLoopbackHttp))
    else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let texts = |values: &[&str]| Some(values.iter().map(|v| (*v).to_owned()).collect());
    let mut document = SmartConfiguration::new(token);
    document.issuer = Some(issuer);
    document.jwks_uri = url("/jwks").ok();
    document.authorization_endpoint = url("/authorize").ok();
    document.introspection_endpoint = url("/introspect").ok();
    document.revocation_endpoint = url("/revoke").ok();
    document.grant_types_supported = texts(&["authorization_code", "refresh_token"]);
    document.token_endpoint_auth_methods_supported = Some(vec!["client_secret_basic".into()]);
    document.response_types_supported = texts(&["code"]);
    document.scopes_supported = texts(&[
        "openid",
        "fhirUser",
        "launch",
        "launch/patient",
        "offline_access",
        "online_access",
        "patient/*.rs",
        "user/*.rs",
    ]);
    document.code_challenge_methods_supported =
        texts(if shared.misbehaves(Misbehaviour::NoS256) { &["plain"] } else { &["S256"] });
    document.capabilities = CAPABILITIES.iter().map(|c| Capability::from(*c)).collect();
    document.authorization_response_iss_parameter_supported = Some(true);
    match serde_json::to_value(&document) {
        Ok(document) => json_response(StatusCode::OK, &document),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

pub(crate) async fn openid_configuration(State(shared): State<Arc<Shared>>) -> Response {
    let issuer = &shared.issuer;
    json_response(
        StatusCode::OK,
        &json!({
            "issuer": issuer, "jwks_uri": format!("{issuer}/jwks"), "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"), "response_types_supported": ["code"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"], "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
        }),
    )
}

pub(crate) async fn jwks(State(shared): State<Arc<Shared>>) -> Response {
    shared.count(Counted::Jwks);
    json_response(StatusCode::OK, &shared.keys.published())
}

pub(crate) fn json_response(status: StatusCode, body: &Value) -> Response {
    let mut response = (status, body.to_string()).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

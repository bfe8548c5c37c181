//! The documents that clients discover the sandbox by.

use crate::app_state;
use crate::config::Misbehaviour;
use crate::published::{BRANDS, primary_brand};
use crate::shared::{Counted, Shared};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value};
use smart_core::app_state::AppStatePlace;
use smart_core::discovery::{AssociatedEndpoint, Capability, IssuerMetadata, SmartConfiguration};
use smart_core::issuer::Issuer;
use smart_core::url_policy::UrlPolicy;
use std::sync::Arc;
use url::Url;

pub(crate) async fn smart_configuration(State(shared): State<Arc<Shared>>) -> Response {
    shared.count(Counted::Discovery);
    match document(&shared).and_then(|document| serde_json::to_value(&document).ok()) {
        Some(document) => json_response(StatusCode::OK, &document),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn document(shared: &Shared) -> Option<SmartConfiguration> {
    let (paths, published) = (&shared.quirks.paths, &shared.quirks.documents);
    let url = |path: &str| Url::parse(&format!("{}{path}", shared.origin)).ok();
    let texts = |values: Option<&[&str]>| values.map(|values| values.iter().map(|v| (*v).to_owned()).collect());
    let mut document = SmartConfiguration::new(url(&paths.token)?);
    if published.issuer_and_keys {
        document.issuer = Some(Issuer::parse_with(&shared.issuer, UrlPolicy::AllowLoopbackHttp).ok()?);
        document.jwks_uri = url(&paths.keys);
    }
    document.authorization_endpoint = url(&paths.authorize);
    document.introspection_endpoint = paths.introspect.as_deref().filter(|_| published.introspection).and_then(url);
    document.revocation_endpoint = paths.revoke.as_deref().and_then(url);
    document.grant_types_supported = texts(published.grants);
    document.token_endpoint_auth_methods_supported =
        published.auth_methods.map(|methods| methods.iter().map(|method| (*method).into()).collect());
    if published.auth_methods_alias {
        document.other.insert("token_endpoint_auth_methods".to_owned(), published.auth_methods.into());
    }
    if published.auth_methods.is_some_and(|methods| methods.contains(&"private_key_jwt")) {
        document.token_endpoint_auth_signing_alg_values_supported = texts(Some(&["RS384", "ES384"]));
    }
    document.response_types_supported = texts(published.response_types);
    document.scopes_supported = texts(published.scopes);
    document.code_challenge_methods_supported =
        if shared.misbehaves(Misbehaviour::NoS256) { texts(Some(&["plain"])) } else { texts(published.pkce_methods) };
    document.capabilities = published.capabilities.iter().map(|c| Capability::from(*c)).collect();
    offered(shared, &mut document);
    document.authorization_response_iss_parameter_supported = published.iss_parameter.then_some(true);
    Some(document)
}

/// What is offered beside what this kind of server does.
fn offered(shared: &Shared, document: &mut SmartConfiguration) {
    let url = |path: &str| Url::parse(&format!("{}{path}", shared.origin)).ok();
    let offers = shared.offers;
    if offers.brands {
        document.user_access_brand_bundle = url(BRANDS);
        document.user_access_brand_identifier = Some(primary_brand());
    }
    let mut add = |capability: Capability| {
        if !document.capabilities.contains(&capability) {
            document.capabilities.push(capability);
        }
    };
    if offers.style {
        add(Capability::ContextStyle);
    }
    let Some(place) = offers.app_state else { return };
    let endpoint = url(app_state::path(place, &shared.quirks.paths.fhir));
    match place {
        AppStatePlace::Associated => {
            let at = |url| AssociatedEndpoint { url, capabilities: vec![Capability::SmartAppState], other: Map::new() };
            document.associated_endpoints.extend(endpoint.map(at));
        }
        AppStatePlace::Deprecated => {
            add(Capability::SmartAppState);
            document.smart_app_state_endpoint = endpoint;
        }
        AppStatePlace::FhirBase => add(Capability::SmartAppState),
    }
}

pub(crate) async fn openid_configuration(State(shared): State<Arc<Shared>>) -> Response {
    match issuer_document(&shared).and_then(|document| serde_json::to_value(&document).ok()) {
        Some(document) => json_response(StatusCode::OK, &document),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn issuer_document(shared: &Shared) -> Option<IssuerMetadata> {
    let paths = &shared.quirks.paths;
    let url = |path: &str| Url::parse(&format!("{}{path}", shared.origin)).ok();
    let texts = |values: &[&str]| Some(values.iter().map(|v| (*v).to_owned()).collect());
    let mut document = IssuerMetadata::new(Issuer::parse_with(&shared.issuer, UrlPolicy::AllowLoopbackHttp).ok()?);
    document.jwks_uri = url(&paths.keys);
    document.authorization_endpoint = url(&paths.authorize);
    document.token_endpoint = url(&paths.token);
    document.userinfo_endpoint = paths.userinfo.as_deref().and_then(url);
    document.response_types_supported = texts(&["code"]);
    document.subject_types_supported = texts(&["public"]);
    document.id_token_signing_alg_values_supported = texts(&["RS256"]);
    if shared.quirks.documents.iss_parameter {
        document.code_challenge_methods_supported = texts(&["S256"]);
        document.authorization_response_iss_parameter_supported = Some(true);
    }
    Some(document)
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

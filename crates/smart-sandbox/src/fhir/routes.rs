//! The routes of the FHIR API.

use super::access::Access;
use super::capability::statement;
use super::outcome::{insufficient_scope, refuse, resource, unauthorized};
use super::search::{matches_parameter, value_list};
use crate::auth::discovery;
use crate::quirks::{FhirAccess, Quirks};
use crate::shared::{Counted, Shared};
use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use smart_core::scope::Interaction;
use std::sync::Arc;
use url::form_urlencoded;

const DEFAULT_COUNT: usize = 20;
const MAX_COUNT: usize = 200;

/// What is below the FHIR base.
pub(crate) fn router(quirks: &Quirks) -> Router<Arc<Shared>> {
    let base = &quirks.paths.fhir;
    let root = if base.is_empty() { "/" } else { base };
    let mut router = Router::new()
        .route(&format!("{base}/metadata"), get(metadata))
        .route(root, get(page))
        .route(&format!("{base}/{{resource_type}}"), get(search))
        .route(&format!("{base}/{{resource_type}}/{{id}}"), get(read));
    // Where it is not published it is no resource either, which would take a token to be told so.
    let path = format!("{base}/.well-known/smart-configuration");
    let published = quirks.documents.smart_configuration;
    router = router.route(&path, if published { get(discovery::smart_configuration) } else { get(nothing) });
    router.fallback(nothing)
}

async fn nothing() -> Response {
    refuse(StatusCode::NOT_FOUND, "not-found", "there is nothing here")
}

async fn metadata(State(shared): State<Arc<Shared>>) -> Response {
    resource(StatusCode::OK, &statement(&shared))
}

async fn read(
    State(shared): State<Arc<Shared>>,
    Path((resource_type, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    shared.count(Counted::Fhir);
    let access = match access(&shared, &headers) {
        Ok(access) => access,
        Err(refused) => return *refused,
    };
    let Some(grant) = access.grant(Interaction::Read, &resource_type) else {
        return insufficient_scope(&format!("patient/{resource_type}.r"));
    };
    match shared.data.get(&resource_type, &id) {
        Some(found) if grant.opens(found) => resource(StatusCode::OK, found.content()),
        // Whether another patient's resource exists is nobody's business.
        _ => refuse(
            StatusCode::NOT_FOUND,
            "not-found",
            &format!("there is no {resource_type} with this id, or the token does not open it"),
        ),
    }
}

async fn search(
    State(shared): State<Arc<Shared>>,
    Path(resource_type): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    run(&shared, &headers, &resource_type, query.as_deref().unwrap_or_default(), 0)
}

/// A page of a search: the link is opaque to clients, and holds the search that it continues.
async fn page(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let value = |name: &str| {
        form_urlencoded::parse(query.as_deref().unwrap_or_default().as_bytes())
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.into_owned())
    };
    let continued = value("_getpages")
        .and_then(|pages| URL_SAFE_NO_PAD.decode(pages).ok())
        .and_then(|text| String::from_utf8(text).ok())
        .and_then(|text| text.split_once('?').map(|(t, q)| (t.to_owned(), q.to_owned())));
    match (continued, value("_offset").and_then(|o| o.parse().ok())) {
        (Some((resource_type, query)), Some(offset)) => run(&shared, &headers, &resource_type, &query, offset),
        _ => refuse(
            StatusCode::NOT_FOUND,
            "not-supported",
            "a search of the whole system is not supported, and this is no page",
        ),
    }
}

fn run(shared: &Shared, headers: &HeaderMap, resource_type: &str, query: &str, offset: usize) -> Response {
    shared.count(Counted::Fhir);
    let access = match access(shared, headers) {
        Ok(access) => access,
        Err(refused) => return *refused,
    };
    let all = shared.data.all(resource_type);
    if all.is_empty() {
        return refuse(StatusCode::NOT_FOUND, "not-supported", &format!("there is no resource type {resource_type}"));
    }
    let Some(grant) = access.grant(Interaction::SearchType, resource_type) else {
        return insufficient_scope(&format!("patient/{resource_type}.s"));
    };
    let strict = headers.get("prefer").and_then(|v| v.to_str().ok()).is_some_and(|p| p.contains("handling=strict"));
    let (mut found, mut used): (Vec<&Value>, Vec<(String, String)>) =
        (all.iter().filter(|r| grant.opens(r)).map(|r| r.content()).collect(), Vec::new());
    let mut count = DEFAULT_COUNT;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if name == "_count" {
            match value.parse::<usize>() {
                Ok(asked) => count = asked.clamp(1, MAX_COUNT),
                Err(_) => return refuse(StatusCode::BAD_REQUEST, "invalid", "_count is no number"),
            }
        } else if name != "_format" {
            let values = value_list(&value);
            let known = all.first().is_some_and(|r| matches_parameter(r.content(), &name, &values).is_some());
            if !known && strict {
                return refuse(
                    StatusCode::BAD_REQUEST,
                    "not-supported",
                    &format!("the search parameter {name} is not supported for {resource_type}"),
                );
            }
            if !known {
                continue;
            }
            found.retain(|r| matches_parameter(r, &name, &values) == Some(true));
        }
        used.push((name.into_owned(), value.into_owned()));
    }
    bundle(shared, resource_type, &found, &used, offset, count)
}

fn bundle(
    shared: &Shared,
    resource_type: &str,
    found: &[&Value],
    used: &[(String, String)],
    offset: usize,
    count: usize,
) -> Response {
    let base = &shared.fhir_root;
    let query: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(used).finish();
    let mut links = vec![json!({"relation": "self", "url": format!("{base}/{resource_type}?{query}")})];
    if offset + count < found.len() {
        let pages = URL_SAFE_NO_PAD.encode(format!("{resource_type}?{query}"));
        links.push(json!({"relation": "next", "url": format!("{base}?_getpages={pages}&_offset={}", offset + count)}));
    }
    let entries: Vec<Value> = found
        .iter()
        .skip(offset)
        .take(count)
        .map(|r| {
            let id = r.get("id").and_then(Value::as_str).unwrap_or_default();
            json!({"fullUrl": format!("{base}/{resource_type}/{id}"), "resource": r, "search": {"mode": "match"}})
        })
        .collect();
    resource(
        StatusCode::OK,
        &json!({"resourceType": "Bundle", "type": "searchset", "total": found.len(), "link": links, "entry": entries}),
    )
}

fn access(shared: &Shared, headers: &HeaderMap) -> Result<Access, Box<Response>> {
    if shared.quirks.fhir == FhirAccess::Open {
        return Ok(Access::everything());
    }
    let Some(header) = headers.get(AUTHORIZATION) else { return Err(Box::new(unauthorized(false))) };
    let token = header.to_str().ok().and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token)
    });
    let access = token.and_then(|token| shared.access(token));
    let access = access.ok_or_else(|| Box::new(unauthorized(true).into_response()))?;
    Ok(if shared.quirks.fhir == FhirAccess::AnyToken { Access::everything() } else { access })
}

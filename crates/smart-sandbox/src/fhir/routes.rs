//! The routes of the FHIR API: from HTTP to a request, and back.

use super::access::Access;
use super::answer::{Answer, Fault};
use super::bundle::process;
use super::capability::statement;
use super::context::Context;
use super::perform::{change, look};
use super::request::{Body, Conditions, FhirRequest, Preferences, Returned, Target, pairs};
use super::spoil::{instead, spoil};
use crate::auth::discovery;
use crate::quirks::{FhirAccess, Quirks};
use crate::shared::{Counted, Shared};
use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{any, get};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Method, StatusCode};
use std::collections::HashSet;
use std::sync::Arc;

/// A body may have 8 MiB.
const MAX_BODY: usize = 8 * 1024 * 1024;

/// What is below the FHIR base.
pub(crate) fn router(quirks: &Quirks) -> Router<Arc<Shared>> {
    let base = &quirks.paths.fhir;
    let mut router = Router::new()
        .route(&format!("{base}/metadata"), get(metadata))
        .route(&format!("{base}/"), any(serve))
        .route(&format!("{base}/{{*path}}"), any(serve));
    if !base.is_empty() {
        router = router.route(base, any(serve));
    }
    // Where it is not published it is no resource either, which would take a token to be told so.
    let path = format!("{base}/.well-known/smart-configuration");
    let published = quirks.documents.smart_configuration;
    router = router.route(&path, if published { get(discovery::smart_configuration) } else { get(nothing) });
    router.fallback(nothing)
}

async fn nothing() -> Response {
    Fault::not_found("there is nothing here").into_answer().into_response(false)
}

async fn metadata(State(shared): State<Arc<Shared>>) -> Response {
    Answer::made(StatusCode::OK, statement(&shared)).into_response(false)
}

async fn serve(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    shared.count(Counted::Fhir);
    let pretty = request.uri().query().is_some_and(|query| query.split('&').any(|pair| pair == "_pretty=true"));
    let fault = shared.faults.next();
    if let Some(fault) = &fault
        && let Some(response) = instead(&shared, fault).await
    {
        return response;
    }
    let here = request.uri().path_and_query().map_or("", |here| here.as_str());
    let here = here.strip_prefix(&shared.quirks.paths.fhir).unwrap_or_default().to_owned();
    let mut answer = answer(&shared, request).await.unwrap_or_else(Fault::into_answer);
    if let Some(fault) = &fault {
        spoil(&shared, fault, &here, &mut answer);
    }
    answer.into_response(pretty)
}

async fn answer(shared: &Shared, request: Request) -> Result<Answer, Fault> {
    // Before anything is read: nobody without a token makes the sandbox work.
    let access = access(shared, request.headers())?;
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().strip_prefix(&shared.quirks.paths.fhir).unwrap_or_default();
    let target = Target::parse(path)?;
    let query = parts.uri.query().unwrap_or_default();
    check_format(&parts.headers, query)?;
    let body = axum::body::to_bytes(body, MAX_BODY).await.map_err(|_| {
        let text = format!("the body has more than {MAX_BODY} octets, or broke off");
        Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "too-long", text)
    })?;
    let is_bundle = target == Target::System && parts.method == Method::POST;
    let otherwise = if is_bundle { Returned::Minimal } else { Returned::Representation };
    let mut request = FhirRequest {
        method: if parts.method == Method::HEAD { Method::GET } else { parts.method },
        target,
        query: pairs(query),
        conditions: Conditions::of(&parts.headers),
        preferences: Preferences::of(&parts.headers, otherwise),
        body: Body::Nothing,
        offset: 0,
        assigned: None,
    };
    read_body(&parts.headers, &body, &mut request)?;
    let mut context = Context { access: &access, root: &shared.fhir_root, now: shared.now(), pending: HashSet::new() };
    if is_bundle {
        let Body::Resource(bundle) = &request.body else { return Err(Fault::bad("there is no Bundle")) };
        return shared.change(|resources| process(&mut context, resources, bundle, request.preferences));
    }
    if request.is_change() {
        return shared.change(|resources| change(&context, resources, &request));
    }
    look(&context, &shared.resources(), &request)
}

/// Whether JSON will do, by `_format` and `Accept`.
fn check_format(headers: &HeaderMap, query: &str) -> Result<(), Fault> {
    let is_json = |kind: &str| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        matches!(kind, "json" | "application/json" | "application/fhir+json" | "text/json" | "*/*" | "application/*")
            // A plus that was not encoded comes as a blank.
            || kind == "application/fhir json"
    };
    let format = pairs(query).into_iter().find(|(name, _)| name == "_format").map(|(_, value)| value);
    let fits = if let Some(format) = format {
        is_json(&format)
    } else {
        let mut accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
        accepted.peek().is_none() || accepted.any(|value| value.split(',').any(is_json))
    };
    if fits {
        return Ok(());
    }
    Err(Fault::new(StatusCode::NOT_ACCEPTABLE, "not-supported", "this server speaks application/fhir+json"))
}

/// Reads the body as what it has to be for this request.
fn read_body(headers: &HeaderMap, body: &Bytes, request: &mut FhirRequest) -> Result<(), Fault> {
    if body.is_empty() || request.method == Method::GET || request.method == Method::DELETE {
        return Ok(());
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_search = matches!(request.target, Target::TypeSearch(_) | Target::SystemSearch);
    let is_fhir = matches!(kind.as_str(), "application/fhir+json" | "application/json");
    let json = || {
        serde_json::from_slice(body)
            .map_err(|_| Fault::new(StatusCode::BAD_REQUEST, "structure", "the body is no JSON"))
    };
    match kind.as_str() {
        "application/x-www-form-urlencoded" if is_search => {
            let form = std::str::from_utf8(body).map_err(|_| Fault::bad("the form is no text"))?;
            check_format(&HeaderMap::new(), form)?;
            request.query.extend(pairs(form));
        }
        "application/json-patch+json" if request.method == Method::PATCH => request.body = Body::Patch(json()?),
        _ if is_fhir && !is_search => request.body = Body::Resource(json()?),
        _ => {
            let wanted = match request.method {
                _ if is_search => "application/x-www-form-urlencoded",
                Method::PATCH => "application/json-patch+json, or Parameters as application/fhir+json",
                _ => "application/fhir+json",
            };
            let text = format!("the body has to be {wanted}");
            return Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-supported", text));
        }
    }
    Ok(())
}

/// What the token of a request opens.
///
/// # Errors
/// 401.
pub(crate) fn access(shared: &Shared, headers: &HeaderMap) -> Result<Access, Fault> {
    if shared.quirks.fhir == FhirAccess::Open {
        return Ok(Access::everything());
    }
    let header = headers.get(AUTHORIZATION).ok_or_else(|| Fault::unauthorized(false))?;
    let token = header.to_str().ok().and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token)
    });
    let access = token.and_then(|token| shared.access(token)).ok_or_else(|| Fault::unauthorized(true))?;
    Ok(if shared.quirks.fhir == FhirAccess::AnyToken { Access::everything() } else { access })
}

//! The endpoint: create, update, delete, read, and search by code and subject.

use super::path;
use super::rights::Rights;
use crate::data::{Repository, Version};
use crate::fhir::{Access, Answer, Conditions, Fault, access, is_id, unescaped};
use crate::shared::Shared;
use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use smart_core::app_state::{AppState, SAFE_SIZE, StateContentError, StateSubject};
use smart_core::fhir_base::FhirBaseUrl;
use smart_core::scope::Interaction;
use smart_core::url_policy::UrlPolicy;
use std::sync::Arc;
use url::form_urlencoded;

/// The routes, where app state is offered.
pub(crate) fn router(shared: &Shared) -> Router<Arc<Shared>> {
    let Some(place) = shared.offers.app_state else { return Router::new() };
    let base = path(place, &shared.quirks.paths.fhir);
    Router::new()
        .route(&format!("{base}/Basic"), get(query).post(create).fallback(not_allowed))
        .route(&format!("{base}/Basic/{{id}}"), get(read).put(update).delete(delete).fallback(not_allowed))
}

async fn not_allowed() -> Response {
    let text = "app state is created, read, updated, deleted, and searched by GET";
    done(Err(Fault::new(StatusCode::METHOD_NOT_ALLOWED, "not-supported", text)))
}

fn done(result: Result<Answer, Fault>) -> Response {
    result.unwrap_or_else(Fault::into_answer).into_response(false)
}

/// The states of this sandbox.
fn with_states<T>(shared: &Shared, work: impl FnOnce(&mut Repository) -> T) -> T {
    work(&mut shared.states())
}

async fn create(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    done(access(&shared, &headers).and_then(|access| created(&shared, &access, &body)))
}

fn created(shared: &Shared, access: &Access, body: &[u8]) -> Result<Answer, Fault> {
    let rights = Rights::of(access, Interaction::Create)?;
    let state = parsed(shared, body)?;
    let mut content = Value::Object(state.to_basic());
    if !rights.open(state.subject(), &content) {
        return Err(Fault::out_of_reach());
    }
    let exists =
        state.subject().is_none_or(|subject| shared.resources().live(subject.resource_type(), subject.id()).is_some());
    if !exists {
        return Err(Fault::bad("the subject is not there"));
    }
    let version = with_states(shared, |states| {
        set(&mut content, "id", states.fresh_id("Basic").into());
        states.store(content, shared.now())
    });
    let version =
        version.map_err(|full| Fault::new(StatusCode::INSUFFICIENT_STORAGE, "too-costly", full.to_string()))?;
    let answer = Answer::of(StatusCode::CREATED, &version);
    let base = base(shared);
    let id = version.resource.id();
    Ok(Answer { location: Some(format!("{base}/Basic/{id}/_history/{}", version.number)), ..answer })
}

async fn update(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    done(access(&shared, &headers).and_then(|access| updated(&shared, &access, &id, &headers, &body)))
}

/// Id, code and subject of a state stay what they are (SMART App Launch 2.2, app state, updates).
fn updated(shared: &Shared, access: &Access, id: &str, headers: &HeaderMap, body: &[u8]) -> Result<Answer, Fault> {
    let rights = Rights::of(access, Interaction::Update)?;
    with_states(shared, |states| {
        let before = found(shared, states, &rights, id)?;
        wanted(headers, &before)?;
        if body.len() > SAFE_SIZE {
            return Err(refused(&StateContentError::TooLarge { octets: body.len(), limit: SAFE_SIZE }));
        }
        let mut sent: Value = serde_json::from_slice(body).map_err(|_| Fault::bad("the body is no JSON"))?;
        if sent.get("id").and_then(Value::as_str) != Some(id) {
            return Err(Fault::bad("the state has to have the id that stands in the URL"));
        }
        if let Some(members) = sent.as_object_mut() {
            members.shift_remove("id");
            members.shift_remove("meta");
        }
        let state = parsed(shared, sent.to_string().as_bytes())?;
        let stored = stored(shared, &before)?;
        if state.code() != stored.code() || state.subject() != stored.subject() {
            return Err(Fault::precondition("conflict", "the code and the subject of a state cannot change"));
        }
        let mut content = Value::Object(state.to_basic());
        if !rights.open(state.subject(), &content) {
            return Err(Fault::out_of_reach());
        }
        set(&mut content, "id", id.into());
        let full = |full: crate::data::StorageFull| {
            Fault::new(StatusCode::INSUFFICIENT_STORAGE, "too-costly", full.to_string())
        };
        Ok(Answer::of(StatusCode::OK, &states.store(content, shared.now()).map_err(full)?))
    })
}

async fn delete(State(shared): State<Arc<Shared>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    done(access(&shared, &headers).and_then(|access| deleted(&shared, &access, &id, &headers)))
}

fn deleted(shared: &Shared, access: &Access, id: &str, headers: &HeaderMap) -> Result<Answer, Fault> {
    let rights = Rights::of(access, Interaction::Delete)?;
    with_states(shared, |states| {
        let before = found(shared, states, &rights, id)?;
        wanted(headers, &before)?;
        states.delete("Basic", id, shared.now());
        Ok(Answer::empty(StatusCode::NO_CONTENT))
    })
}

async fn read(State(shared): State<Arc<Shared>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let read = access(&shared, &headers).and_then(|access| {
        let rights = Rights::of(&access, Interaction::Read)?;
        let version = with_states(&shared, |states| found(&shared, states, &rights, &id))?;
        Ok(Answer::of(StatusCode::OK, &version))
    });
    done(read)
}

async fn query(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let query = query.unwrap_or_default();
    done(access(&shared, &headers).and_then(|access| queried(&shared, &access, &query)))
}

/// By code, and by subject or its absence (SMART App Launch 2.2, app state, querying). States about others are not there.
fn queried(shared: &Shared, access: &Access, query: &str) -> Result<Answer, Fault> {
    let rights = Rights::of(access, Interaction::SearchType)?;
    let (mut code, mut subject) = (None, None);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match name.as_ref() {
            "code" => code = Some(unescaped(&value).into_owned()),
            "subject" => subject = Some(Some(unescaped(&value).into_owned())),
            "subject:missing" if value == "true" => subject = Some(None),
            "_format" => {}
            _ => {
                return Err(Fault::not_supported("app state is searched by code, and subject or subject:missing=true"));
            }
        }
    }
    let (Some(code), Some(subject)) = (code, subject) else {
        return Err(Fault::bad("app state is searched by code, and subject or subject:missing=true"));
    };
    let (base, primary) = (base(shared), primary(shared)?);
    let entries: Vec<Value> = with_states(shared, |states| {
        let all = states.all("Basic").filter(|it| {
            let state = AppState::parse_create(&bare(it.content()), &primary, usize::MAX);
            state.is_ok_and(|state| {
                state.code().to_string() == code
                    && state.subject().map(StateSubject::as_str) == subject.as_deref()
                    && rights.open(state.subject(), it.content())
            })
        });
        let entry = |content: &Value, id: &str| json!({"fullUrl": format!("{base}/Basic/{id}"), "resource": content, "search": {"mode": "match"}});
        all.map(|it| entry(it.content(), it.id())).collect()
    });
    let mut bundle = json!({
        "resourceType": "Bundle", "type": "searchset", "total": entries.len(),
        "link": [{"relation": "self", "url": format!("{base}/Basic?{query}")}],
    });
    if !entries.is_empty() {
        set(&mut bundle, "entry", entries.into());
    }
    Ok(Answer::made(StatusCode::OK, bundle))
}

/// The newest version of a state that the token opens.
fn found(shared: &Shared, states: &Repository, rights: &Rights<'_>, id: &str) -> Result<Version, Fault> {
    let nothing = || Fault::not_found("there is no state with this id, or the token does not open it");
    let version = states.newest("Basic", id).filter(|_| is_id(id)).ok_or_else(nothing)?;
    let state = stored(shared, version)?;
    if !rights.open(state.subject(), version.resource.content()) {
        return Err(nothing());
    }
    if version.is_deletion() {
        return Err(Fault::new(StatusCode::GONE, "deleted", "the state was deleted; its id is not used again"));
    }
    Ok(version.clone())
}

/// Whether the client means the version that is there.
fn wanted(headers: &HeaderMap, version: &Version) -> Result<(), Fault> {
    match Conditions::of(headers).if_match {
        None => Err(Fault::new(StatusCode::PRECONDITION_REQUIRED, "required", "If-Match has to name the version")),
        Some(tags) if Conditions::names(&tags, version.number) => Ok(()),
        Some(_) => Err(Fault::precondition("conflict", "the state has another version than If-Match says")),
    }
}

fn parsed(shared: &Shared, body: &[u8]) -> Result<AppState, Fault> {
    AppState::parse_create(body, &primary(shared)?, SAFE_SIZE).map_err(|error| refused(&error))
}

fn stored(shared: &Shared, version: &Version) -> Result<AppState, Fault> {
    let state = AppState::parse_create(&bare(version.resource.content()), &primary(shared)?, usize::MAX);
    state.map_err(|error| Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "exception", error.to_string()))
}

/// A stored state as it was sent: without what the server assigned.
fn bare(content: &Value) -> Vec<u8> {
    let mut content = content.clone();
    if let Some(members) = content.as_object_mut() {
        members.shift_remove("id");
        members.shift_remove("meta");
    }
    content.to_string().into_bytes()
}

/// The EHR's own FHIR base, where the subjects lie.
fn primary(shared: &Shared) -> Result<FhirBaseUrl, Fault> {
    let failed = |error: smart_core::url_policy::UrlError| {
        Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "exception", error.to_string())
    };
    FhirBaseUrl::parse_with(&shared.fhir_base, UrlPolicy::AllowLoopbackHttp).map_err(failed)
}

fn refused(error: &StateContentError) -> Fault {
    let (status, code) = match error {
        StateContentError::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too-long"),
        _ => (StatusCode::BAD_REQUEST, "invalid"),
    };
    Fault::new(status, code, error.to_string())
}

fn base(shared: &Shared) -> String {
    let place = shared.offers.app_state.unwrap_or(smart_core::app_state::AppStatePlace::FhirBase);
    format!("{}{}", shared.origin, path(place, &shared.quirks.paths.fhir))
}

fn set(content: &mut Value, name: &str, value: Value) {
    if let Some(members) = content.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

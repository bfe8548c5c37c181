//! Kick-off, status and delete.

use super::content::{Content, type_of};
use super::{BulkMode, has_token};
use crate::fhir::{refuse, unauthorized};
use crate::shared::{Shared, random_text};
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_LOCATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use url::form_urlencoded;

/// The parameters that are known.
const PARAMETERS: [&str; 12] = [
    "_outputFormat",
    "_since",
    "_until",
    "_type",
    "_elements",
    "patient",
    "includeAssociatedData",
    "_typeFilter",
    "organizeOutputBy",
    "allowPartialManifests",
    "_minimumFileSize",
    "_maximumFileSize",
];
/// How many polls it takes with [`BulkMode::Slow`].
const SLOW_POLLS: u64 = 5;
/// How many exports a sandbox remembers.
const MAX_JOBS: usize = 1000;

/// An export.
pub(super) struct Job {
    /// The numbers of its files.
    pub(super) files: Vec<u32>,
    request: String,
    transaction_time: String,
    is_partial: bool,
    polls: u64,
    /// How often the links were given out anew.
    pub(super) generation: u64,
    /// How many files were asked for since.
    pub(super) used: u64,
    separate: bool,
}

pub(super) async fn system(State(shared): State<Arc<Shared>>, request: KickOff) -> Response {
    kick_off(&shared, "$export", &request)
}

pub(super) async fn patients(State(shared): State<Arc<Shared>>, request: KickOff) -> Response {
    kick_off(&shared, "Patient/$export", &request)
}

pub(super) async fn group(State(shared): State<Arc<Shared>>, Path(id): Path<String>, request: KickOff) -> Response {
    if id == "none" {
        return refuse(StatusCode::NOT_FOUND, "not-found", "there is no such group");
    }
    kick_off(&shared, &format!("Group/{id}/$export"), &request)
}

/// What a kick-off brings.
pub(super) struct KickOff {
    method: Method,
    headers: HeaderMap,
    query: String,
    body: Bytes,
}

impl<S: Send + Sync> axum::extract::FromRequest<S> for KickOff {
    type Rejection = Response;

    async fn from_request(request: axum::extract::Request, state: &S) -> Result<Self, Response> {
        let (method, headers) = (request.method().clone(), request.headers().clone());
        let query = request.uri().query().unwrap_or_default().to_owned();
        let body = Bytes::from_request(request, state).await.map_err(IntoResponse::into_response)?;
        Ok(Self { method, headers, query, body })
    }
}

impl KickOff {
    /// The parameters, of the query or of a Parameters resource.
    fn parameters(&self) -> Option<Vec<(String, String)>> {
        if self.method == Method::GET {
            return Some(form_urlencoded::parse(self.query.as_bytes()).into_owned().collect());
        }
        let resource: Value = serde_json::from_slice(&self.body).ok()?;
        if resource.get("resourceType").and_then(Value::as_str) != Some("Parameters") {
            return None;
        }
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let each = |parameter: &Value| {
            let members = parameter.as_object()?;
            let value = members.iter().find(|(name, _)| name.starts_with("value"))?.1;
            Some((members.get("name")?.as_str()?.to_owned(), text(value)))
        };
        resource
            .get("parameter")
            .and_then(Value::as_array)
            .map_or(Some(Vec::new()), |all| all.iter().map(each).collect())
    }

    fn prefers(&self, preference: &str) -> bool {
        let values = self.headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split([',', ';'])).any(|one| one.trim() == preference)
    }
}

fn kick_off(shared: &Shared, path: &str, request: &KickOff) -> Response {
    let bulk = &shared.bulk;
    let number = bulk.counts.kick_offs.fetch_add(1, Ordering::SeqCst);
    if !has_token(shared, &request.headers) {
        return unauthorized(request.headers.contains_key(http::header::AUTHORIZATION));
    }
    if bulk.config.is(BulkMode::Throttled) && number == 0 {
        return throttled();
    }
    let accepts = request.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    if accepts != Some("application/fhir+json") || !request.prefers("respond-async") {
        return refuse(
            StatusCode::BAD_REQUEST,
            "invalid",
            "an export wants Accept: application/fhir+json and Prefer: respond-async",
        );
    }
    let Some(parameters) = request.parameters() else {
        return refuse(StatusCode::BAD_REQUEST, "invalid", "the body is no Parameters resource");
    };
    let unknown = parameters.iter().find(|(name, _)| !PARAMETERS.contains(&name.as_str()));
    if let Some((name, _)) = unknown.filter(|_| !request.prefers("handling=lenient")) {
        return refuse(StatusCode::BAD_REQUEST, "not-supported", &format!("the parameter {name} is not supported"));
    }
    let values = |wanted: &str| -> Vec<&str> {
        let of_name = parameters.iter().filter(|(name, _)| name == wanted);
        of_name.flat_map(|(_, value)| value.split(',')).collect()
    };
    let types = values("_type");
    let files = (0..bulk.config.files).filter(|number| types.is_empty() || types.contains(&type_of(*number))).collect();
    let job = Job {
        files,
        request: format!("{}/{path}?{}", shared.fhir_root, request.query),
        transaction_time: jiff::Timestamp::from_second(shared.now().as_unix_seconds())
            .map_or_else(|_| String::new(), |time| time.to_string()),
        is_partial: bulk.config.is(BulkMode::Partial) && values("allowPartialManifests") == ["true"],
        polls: 0,
        generation: 0,
        used: 0,
        separate: request.prefers("separate-export-status"),
    };
    let id = random_text();
    let separate = job.separate;
    let mut jobs = bulk.jobs();
    if jobs.len() >= MAX_JOBS {
        return throttled();
    }
    jobs.insert(id.clone(), job);
    let mut response = StatusCode::ACCEPTED.into_response();
    if let Ok(location) = HeaderValue::from_str(&format!("{}/bulk/status/{id}", shared.origin)) {
        response.headers_mut().insert(CONTENT_LOCATION, location);
    }
    if separate {
        response
            .headers_mut()
            .insert("preference-applied", HeaderValue::from_static("respond-async, separate-export-status"));
    }
    response
}

pub(super) fn throttled() -> Response {
    let mut response = refuse(StatusCode::TOO_MANY_REQUESTS, "throttled", "too many requests");
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

fn gone() -> Response {
    refuse(StatusCode::NOT_FOUND, "not-found", "there is no such export")
}

pub(super) async fn delete(State(shared): State<Arc<Shared>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    shared.bulk.counts.deletes.fetch_add(1, Ordering::SeqCst);
    if !has_token(&shared, &headers) {
        return unauthorized(headers.contains_key(http::header::AUTHORIZATION));
    }
    match shared.bulk.jobs().remove(&id) {
        Some(_) => StatusCode::ACCEPTED.into_response(),
        None => gone(),
    }
}

pub(super) async fn status(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let bulk = &shared.bulk;
    bulk.counts.polls.fetch_add(1, Ordering::SeqCst);
    if !has_token(&shared, &headers) {
        return unauthorized(headers.contains_key(http::header::AUTHORIZATION));
    }
    let mut jobs = bulk.jobs();
    let Some(job) = jobs.get_mut(&id) else { return gone() };
    job.polls += 1;
    if bulk.config.is(BulkMode::Throttled) && job.polls == 2 {
        return throttled();
    }
    if bulk.config.is(BulkMode::Faults) && job.polls <= 2 {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "transient", "come again");
    }
    if bulk.config.is(BulkMode::Failing) {
        return refuse(StatusCode::INTERNAL_SERVER_ERROR, "processing", "the export failed");
    }
    let needed = if bulk.config.is(BulkMode::Slow) { SLOW_POLLS } else { 1 };
    if job.polls <= needed {
        let progress = format!("{} of {needed} steps done", job.polls - 1);
        let mut response = StatusCode::ACCEPTED.into_response();
        if job.separate {
            response = StatusCode::OK.into_response();
            response.headers_mut().insert("x-export-status", HeaderValue::from_static("202 Accepted"));
        }
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("0"));
        if let Ok(progress) = HeaderValue::from_str(&progress) {
            response.headers_mut().insert("x-progress", progress);
        }
        return response;
    }
    let second = query.as_deref() == Some("page=2");
    if bulk.config.is(BulkMode::Expiring) && !second && job.used > 0 {
        (job.generation, job.used) = (job.generation + 1, 0);
    }
    let mut response = manifest(&shared, &id, job, second).to_string().into_response();
    let separate = job.separate;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if separate {
        headers.insert("x-export-status", HeaderValue::from_static("200 OK"));
    }
    response
}

fn manifest(shared: &Shared, id: &str, job: &Job, second: bool) -> Value {
    let bulk = &shared.bulk;
    let origin = bulk.elsewhere.get().map_or_else(|| shared.origin.clone(), |address| format!("http://{address}"));
    let url = |name: &str| format!("{origin}/bulk/files/{id}/{}/{name}", job.generation);
    let half = job.files.len().div_ceil(2);
    let (first, last) = job.files.split_at(half);
    let files = match (job.is_partial, second) {
        (true, false) => first,
        (true, true) => last,
        (false, _) => job.files.as_slice(),
    };
    let output = files.iter().map(|number| {
        let content = Content::new(bulk.config.seed, *number, bulk.config.file_size);
        json!({"type": type_of(*number), "url": url(&number.to_string()), "count": content.lines()})
    });
    let one = |is: bool, kind: &str, name: &str| {
        if is && !second { json!([{"type": kind, "url": url(name)}]) } else { json!([]) }
    };
    let mut manifest = json!({
        "transactionTime": job.transaction_time,
        "request": job.request,
        "requiresAccessToken": !bulk.is_elsewhere(),
        "output": output.collect::<Vec<_>>(),
        "error": one(bulk.config.is(BulkMode::Errors), "OperationOutcome", "errors"),
        "deleted": one(bulk.config.is(BulkMode::Deleted), "Bundle", "deleted"),
    });
    if let Some(members) = manifest.as_object_mut()
        && job.is_partial
        && !second
    {
        let next = format!("{}/bulk/status/{id}?page=2", shared.origin);
        members.insert("link".to_owned(), json!([{"relation": "next", "url": next}]));
    }
    manifest
}

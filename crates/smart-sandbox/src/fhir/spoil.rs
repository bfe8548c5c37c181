//! How the faults that were asked for look on the wire.

use super::answer::{Answer, Content, Fault, http_date};
use super::resource_types::is_id;
use super::search::page_url;
use crate::data::Repository;
use crate::faults::{FhirFault, RetryAfter};
use crate::shared::Shared;
use axum::response::{Html, IntoResponse, Response};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

const MAX_OVERSIZE: usize = 256 * 1024 * 1024;

/// What comes in place of an answer. `None`: the request goes on.
pub(super) async fn instead(shared: &Shared, fault: &FhirFault) -> Option<Response> {
    let busy = |status: StatusCode, code: &'static str, after: RetryAfter| {
        let fault = Fault::new(status, code, "the sandbox was asked to answer so");
        let mut response = fault.into_answer().into_response(false);
        let after = match after {
            RetryAfter::Absent => None,
            RetryAfter::Seconds(seconds) => Some(seconds.to_string()),
            RetryAfter::Date(seconds) => {
                Some(http_date(shared.now().saturating_add(Duration::from_secs(seconds.into()))))
            }
        };
        if let Some(value) = after.and_then(|after| HeaderValue::from_str(&after).ok()) {
            response.headers_mut().insert(RETRY_AFTER, value);
        }
        response
    };
    match fault {
        FhirFault::Slow(time) => {
            tokio::time::sleep(*time).await;
            None
        }
        FhirFault::TooManyRequests(after) => Some(busy(StatusCode::TOO_MANY_REQUESTS, "throttled", *after)),
        FhirFault::Unavailable(after) => Some(busy(StatusCode::SERVICE_UNAVAILABLE, "transient", *after)),
        FhirFault::HtmlPage => Some(Html("<!DOCTYPE html><title>Sign in</title><p>maintenance</p>").into_response()),
        FhirFault::Unauthorized => Some(Fault::unauthorized(true).into_answer().into_response(false)),
        FhirFault::Oversized(octets) => {
            let filling = "x".repeat((*octets).min(MAX_OVERSIZE));
            let bundle = json!({"resourceType": "Bundle", "type": "searchset", "id": filling});
            Some(Answer::made(StatusCode::OK, bundle).into_response(false))
        }
        FhirFault::NextAt(_) | FhirFault::NextIsSelf | FhirFault::EndlessPages | FhirFault::WrongPatient => None,
    }
}

/// Spoils an answer. `here` is the path and query that were asked for, below the base.
pub(super) fn spoil(shared: &Shared, fault: &FhirFault, here: &str, answer: &mut Answer) {
    if !answer.status.is_success() {
        return;
    }
    let Some(mut body) = answer.content.value().cloned() else { return };
    let root = &shared.fhir_root;
    match fault {
        FhirFault::WrongPatient => exchange(&shared.resources(), &mut body),
        FhirFault::NextAt(url) => set_next(&mut body, url),
        FhirFault::NextIsSelf => set_next(&mut body, &format!("{root}{here}")),
        FhirFault::EndlessPages => {
            let (path, query) = this_search(here);
            let link = page_url(root, path, query, 0);
            set_next(&mut body, &format!("{link}&_page={}", shared.counted(crate::shared::Counted::Fhir)));
        }
        _ => return,
    }
    answer.content = Content::Made(body);
}

/// The path and parameters of the search that a request is about, be it the search itself or a page of it.
fn this_search(here: &str) -> (String, Vec<(String, String)>) {
    let (path, query) = here.split_once('?').unwrap_or((here, ""));
    let query = super::request::pairs(query);
    match super::search::Page::parse(&query) {
        Some(page) => (page.path, page.query),
        None => (path.trim_matches('/').trim_end_matches("/_search").to_owned(), query),
    }
}

fn set_next(bundle: &mut Value, url: &str) {
    if bundle.get("type").is_none_or(|kind| kind != "searchset") {
        return;
    }
    if let Some(links) = bundle.get_mut("link").and_then(Value::as_array_mut) {
        links.retain(|link| link.get("relation").is_none_or(|relation| relation != "next"));
        links.push(json!({"relation": "next", "url": url}));
    }
}

/// Puts another patient in place of whoever the answer is about.
fn exchange(resources: &Repository, body: &mut Value) {
    let mut all = resources.all("Patient");
    let text = body.to_string();
    let is_meant = |id: &str| text.contains(&format!("Patient/{id}\"")) || text.contains(&format!("\"id\":\"{id}\""));
    if let Some(other) = all.find(|patient| !is_meant(patient.id())) {
        replace(body, other.id(), other.content());
    }
}

fn replace(value: &mut Value, id: &str, patient: &Value) {
    match value {
        Value::Object(members) if members.get("resourceType").is_some_and(|name| name == "Patient") => {
            *value = patient.clone();
        }
        Value::Object(members) => {
            for (name, inner) in members.iter_mut() {
                match inner {
                    Value::String(text) if name == "reference" || name == "fullUrl" => {
                        if let Some((before, old)) = text.rsplit_once("Patient/")
                            && is_id(old)
                        {
                            *text = format!("{before}Patient/{id}");
                        }
                    }
                    inner => replace(inner, id, patient),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|inner| replace(inner, id, patient)),
        _ => {}
    }
}

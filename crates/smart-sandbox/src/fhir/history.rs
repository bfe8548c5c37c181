//! The history of a resource, of a type, or of everything.

use super::answer::{Answer, Fault};
use super::context::Context;
use super::read::not_there;
use super::request::{FhirRequest, Target, served_type};
use super::search::page_url;
use crate::data::{Change, Repository, Version, instant};
use http::StatusCode;
use serde_json::{Value, json};
use smart_core::scope::Interaction;

const DEFAULT_COUNT: usize = 20;
const MAX_COUNT: usize = 200;

pub(super) fn history(context: &Context<'_>, resources: &Repository, request: &FhirRequest) -> Result<Answer, Fault> {
    let (found, path) = match &request.target {
        Target::History(name, id) => {
            let grant = context.access.grant(Interaction::HistoryInstance, name)?;
            served_type(name)?;
            let versions = resources.versions(name, id).iter().filter(|version| grant.opens(&version.resource));
            let versions: Vec<&Version> = versions.collect();
            if versions.is_empty() {
                return Err(not_there(name));
            }
            (versions, format!("{name}/{id}/_history"))
        }
        Target::TypeHistory(name) => {
            let grant = context.access.grant(Interaction::HistoryType, name)?;
            served_type(name)?;
            let versions = resources.every_version(Some(name)).filter(|version| grant.opens(&version.resource));
            (versions.collect(), format!("{name}/_history"))
        }
        _ => {
            let grant = context.access.grant_on_all(Interaction::HistorySystem)?;
            let versions = resources.every_version(None).filter(|version| grant.opens(&version.resource));
            (versions.collect(), "_history".to_owned())
        }
    };
    bundle(context, request, found, path)
}

fn bundle(
    context: &Context<'_>,
    request: &FhirRequest,
    mut found: Vec<&Version>,
    path: String,
) -> Result<Answer, Fault> {
    let mut count = DEFAULT_COUNT;
    for (name, value) in &request.query {
        match name.as_str() {
            "_count" => match value.parse::<usize>() {
                Ok(asked) => count = asked.clamp(1, MAX_COUNT),
                Err(_) => return Err(Fault::bad("_count is no number")),
            },
            "_since" => {
                let since = value.replace(' ', "+").parse::<jiff::Timestamp>();
                let since = since.map_err(|_| Fault::bad("_since is no instant"))?.as_second();
                found.retain(|version| version.at.as_unix_seconds() >= since);
            }
            "_format" | "_pretty" => {}
            _ if request.preferences.strict => {
                return Err(Fault::not_supported("a history takes _count and _since"));
            }
            _ => {}
        }
    }
    found.sort_unstable_by_key(|version| std::cmp::Reverse((version.at, version.sequence)));
    let root = context.root;
    let mut links = vec![json!({"relation": "self", "url": format!("{root}/{path}")})];
    let next = request.offset.saturating_add(count);
    if next < found.len() {
        links.push(json!({"relation": "next", "url": page_url(root, path, request.query.clone(), next)}));
    }
    let entries: Vec<Value> =
        found.iter().skip(request.offset).take(count).map(|version| entry(root, version)).collect();
    let mut bundle = json!({"resourceType": "Bundle", "type": "history", "total": found.len(), "link": links});
    if !entries.is_empty()
        && let Some(members) = bundle.as_object_mut()
    {
        members.insert("entry".to_owned(), entries.into());
    }
    Ok(Answer::made(StatusCode::OK, bundle))
}

fn entry(root: &str, version: &Version) -> Value {
    let reference = version.resource.reference();
    let (method, url, status) = match version.change {
        Change::Created if version.number == 1 => ("POST", version.resource.resource_type().to_owned(), "201 Created"),
        Change::Created => ("PUT", reference.clone(), "201 Created"),
        Change::Updated => ("PUT", reference.clone(), "200 OK"),
        Change::Deleted => ("DELETE", reference.clone(), "204 No Content"),
    };
    let mut entry = json!({"fullUrl": format!("{root}/{reference}")});
    if let Some(members) = entry.as_object_mut() {
        if !version.is_deletion() {
            members.insert("resource".to_owned(), version.resource.content().clone());
        }
        members.insert("request".to_owned(), json!({"method": method, "url": url}));
        let etag = format!("W/\"{}\"", version.number);
        members.insert(
            "response".to_owned(),
            json!({"status": status, "etag": etag, "lastModified": instant(version.at)}),
        );
    }
    entry
}

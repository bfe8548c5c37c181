//! `Patient/$everything`: a patient's record as far as the token opens it.

use super::answer::{Answer, Fault};
use super::context::Context;
use super::read::{gone, not_there};
use super::request::FhirRequest;
use super::search::{Found, local_reference, page_url};
use crate::data::{Repository, each_reference};
use http::StatusCode;
use serde_json::{Value, json};
use smart_core::scope::Interaction;
use std::collections::BTreeSet;

const DEFAULT_COUNT: usize = 1000;

/// The patient, what is about them, and the people and places that it refers to.
pub(super) fn everything(
    context: &Context<'_>,
    resources: &Repository,
    id: &str,
    request: &FhirRequest,
) -> Result<Answer, Fault> {
    let grant = context.access.grant(Interaction::Read, "Patient")?;
    let patient = match resources.newest("Patient", id).filter(|version| grant.opens(&version.resource)) {
        None => return Err(not_there("Patient")),
        Some(version) if version.is_deletion() => return Err(gone()),
        Some(version) => &version.resource,
    };
    let (mut types, mut since, mut count) = (None, i64::MIN, DEFAULT_COUNT);
    for (name, value) in &request.query {
        match name.as_str() {
            "_type" => types = Some(value.split(',').collect::<Vec<_>>()),
            "_since" => {
                let instant = value.replace(' ', "+").parse::<jiff::Timestamp>();
                since = instant.map_err(|_| Fault::bad("_since is no instant"))?.as_second();
            }
            "_count" => {
                let asked = value.parse::<usize>().map_err(|_| Fault::bad("_count is no number"))?;
                count = asked.clamp(1, DEFAULT_COUNT);
            }
            "_format" | "_pretty" => {}
            _ => {
                let name = smart_core::untrusted::shown(name, 40);
                return Err(Fault::not_supported(format!("$everything does not take {name}: it would give too much")));
            }
        }
    }
    let is_wanted = |name: &str| types.as_ref().is_none_or(|types| types.contains(&name));
    let is_new = |it: &Found<'_>| {
        resources.newest(it.resource_type(), it.id()).is_some_and(|newest| newest.at.as_unix_seconds() >= since)
    };
    let mut found: Vec<Found<'_>> = vec![patient];
    for resource_type in resources.types().filter(|name| *name != "Patient") {
        // A type that the token does not open is not part of this record.
        let Ok(grant) = context.access.grant(Interaction::SearchType, resource_type) else { continue };
        let own = resources.all(resource_type).filter(|it| it.patients().iter().any(|patient| patient == id));
        found.extend(own.filter(|it| grant.opens(it)));
    }
    let around = around(context, resources, &found);
    found.extend(around);
    found.retain(|it| is_wanted(it.resource_type()) && is_new(it));
    let (root, path) = (context.root, format!("Patient/{id}/$everything"));
    let mut links = vec![json!({"relation": "self", "url": format!("{root}/{path}")})];
    let next = request.offset.saturating_add(count);
    if next < found.len() {
        links.push(json!({"relation": "next", "url": page_url(root, path, request.query.clone(), next)}));
    }
    let entry = |it: &Found<'_>| {
        let mode = if it.patients().iter().any(|patient| patient == id) { "match" } else { "include" };
        json!({"fullUrl": format!("{root}/{}", it.reference()), "resource": it.content(), "search": {"mode": mode}})
    };
    let entries: Vec<Value> = found.iter().skip(request.offset).take(count).map(entry).collect();
    let mut bundle = json!({"resourceType": "Bundle", "type": "searchset", "total": found.len(), "link": links});
    if !entries.is_empty() {
        super::structure::set_member(&mut bundle, "entry", entries.into());
    }
    Ok(Answer::made(StatusCode::OK, bundle))
}

/// What is nobody's record and is referred to, as far as the token opens it.
fn around<'a>(context: &Context<'_>, resources: &'a Repository, found: &[Found<'a>]) -> Vec<Found<'a>> {
    let mut targets = BTreeSet::new();
    for it in found {
        each_reference(it.content(), &mut |reference| targets.extend(local_reference(reference, context.root)));
    }
    let opened = targets.into_iter().filter_map(|(name, id)| {
        let grant = context.access.grant(Interaction::Read, &name).ok()?;
        resources.live(&name, &id).filter(|it| it.patients().is_empty() && grant.opens(it))
    });
    opened.collect()
}

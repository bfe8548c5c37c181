//! Creating and updating.

use super::access::Grant;
use super::answer::{Answer, Content, Fault, outcome};
use super::context::Context;
use super::request::{Body, Conditions, FhirRequest, Returned, served_type};
use super::search::{Query, local_reference};
use super::structure::{problems, set_member};
use crate::data::{Repository, StorageFull, StoredResource, Version, each_reference};
use http::StatusCode;
use serde_json::Value;
use smart_core::scope::Interaction;
use std::sync::Arc;

pub(super) fn create(
    context: &Context<'_>,
    resources: &mut Repository,
    resource_type: &str,
    request: &FhirRequest,
) -> Result<Answer, Fault> {
    let grant = context.access.grant(Interaction::Create, resource_type)?;
    served_type(resource_type)?;
    let value = prepared(context, &request.body, resource_type)?;
    if let Some(query) = &request.conditions.if_none_exist {
        let query = super::request::pairs(query.rsplit('?').next().unwrap_or_default());
        match select(context, resources, resource_type, &query)?.as_slice() {
            [] => {}
            [id] => return Ok(existing(context, resources, resource_type, id, request)),
            _ => return Err(several()),
        }
    }
    let id = request.assigned.clone().unwrap_or_else(|| resources.fresh_id(resource_type));
    let version = put(context, resources, &grant, value, &id)?;
    Ok(written(context, request, &version, Whose::Clients))
}

/// The answer to a create where the resource is there already.
pub(super) fn existing(
    context: &Context<'_>,
    resources: &Repository,
    resource_type: &str,
    id: &str,
    request: &FhirRequest,
) -> Answer {
    let Some(version) = resources.newest(resource_type, id) else { return Answer::empty(StatusCode::OK) };
    let answer = written(context, request, version, Whose::Servers);
    Answer { status: StatusCode::OK, location: Some(location(context, version)), ..answer }
}

pub(super) fn update(
    context: &Context<'_>,
    resources: &mut Repository,
    resource_type: &str,
    id: &str,
    request: &FhirRequest,
) -> Result<Answer, Fault> {
    let grant = context.access.grant(Interaction::Update, resource_type)?;
    served_type(resource_type)?;
    let value = prepared(context, &request.body, resource_type)?;
    if value.get("id").and_then(Value::as_str) != Some(id) {
        return Err(Fault::bad("the resource has to have the id that stands in the URL"));
    }
    let before = resources.newest(resource_type, id);
    match before {
        Some(version) if grant.lets_write(&version.resource) => check_conditions(&request.conditions, Some(version))?,
        None if !grant.is_confined() => check_conditions(&request.conditions, None)?,
        // The same for what is not there and for what the token does not open, so that neither is told.
        _ => {
            let text = "there is nothing of this id that the token lets you write, and it does not let you choose ids";
            return Err(Fault::new(StatusCode::METHOD_NOT_ALLOWED, "not-supported", text));
        }
    }
    let version = put(context, resources, &grant, value, id)?;
    Ok(written(context, request, &version, Whose::Clients))
}

pub(super) fn conditional_update(
    context: &Context<'_>,
    resources: &mut Repository,
    resource_type: &str,
    request: &FhirRequest,
) -> Result<Answer, Fault> {
    let grant = context.access.grant(Interaction::Update, resource_type)?;
    served_type(resource_type)?;
    let mut value = prepared(context, &request.body, resource_type)?;
    let own = value.get("id").and_then(Value::as_str).map(str::to_owned);
    let found = match &request.assigned {
        Some(_) => Vec::new(),
        None => select(context, resources, resource_type, &request.query)?,
    };
    match (found.as_slice(), own) {
        ([], None) => {
            check_conditions(&request.conditions, None)?;
            let id = request.assigned.clone().unwrap_or_else(|| resources.fresh_id(resource_type));
            let version = put(context, resources, &grant, value, &id)?;
            Ok(written(context, request, &version, Whose::Clients))
        }
        ([], Some(id)) => update(context, resources, resource_type, &id, request),
        ([id], Some(own)) if *id != own => Err(Fault::bad("the resource that matches has another id")),
        ([id], _) => {
            set_member(&mut value, "id", id.as_str().into());
            let matched = FhirRequest {
                method: request.method.clone(),
                target: request.target.clone(),
                query: Vec::new(),
                conditions: request.conditions.clone(),
                preferences: request.preferences,
                body: Body::Resource(value),
                offset: 0,
                assigned: None,
            };
            update(context, resources, resource_type, id, &matched)
        }
        _ => Err(several()),
    }
}

/// The ids of what the token opens and a condition matches. Unknown parameters are refused: they would widen it.
pub(super) fn select(
    context: &Context<'_>,
    resources: &Repository,
    resource_type: &str,
    query: &[(String, String)],
) -> Result<Vec<String>, Fault> {
    let grant = context.access.grant(Interaction::SearchType, resource_type)?;
    let world = context.world(resources);
    let query = Query::parse(world, Some(resource_type), query, true)?;
    if !query.is_selective() {
        return Err(Fault::precondition("required", "a condition has to say what it is about"));
    }
    Ok(query.matches(world, &[resource_type], &grant).into_iter().map(|it| it.id().to_owned()).collect())
}

pub(super) fn several() -> Fault {
    Fault::precondition("multiple-matches", "the condition matches more than one resource")
}

/// Whether the version that is there is the one that the client means (FHIR R4, http, concurrency).
pub(super) fn check_conditions(conditions: &Conditions, version: Option<&Version>) -> Result<(), Fault> {
    let live = version.filter(|version| !version.is_deletion());
    let matches = |tags: &str| live.is_some_and(|version| Conditions::names(tags, version.number));
    if conditions.if_match.as_deref().is_some_and(|tags| !matches(tags)) {
        return Err(Fault::precondition("conflict", "the resource has another version than If-Match says"));
    }
    if conditions.if_none_match.as_deref().is_some_and(matches) {
        return Err(Fault::precondition("conflict", "the resource is there already"));
    }
    Ok(())
}

/// The resource of a body: of this type, whole, and with references to this server written relative.
fn prepared(context: &Context<'_>, body: &Body, resource_type: &str) -> Result<Value, Fault> {
    let Body::Resource(value) = body else { return Err(Fault::bad("the request has no resource as its body")) };
    if value.get("resourceType").and_then(Value::as_str) != Some(resource_type) {
        return Err(Fault::bad("the body is no resource of the type that stands in the URL"));
    }
    sound(context, value.clone())
}

/// The same content with references to this server written relative, if it may be stored.
pub(super) fn sound(context: &Context<'_>, mut value: Value) -> Result<Value, Fault> {
    if let Some(problem) = problems(&value).into_iter().next() {
        return Err(Fault::unprocessable(problem.code, format!("{}: {}", problem.path, problem.text)));
    }
    make_relative(&mut value, &format!("{}/", context.root));
    Ok(value)
}

fn make_relative(value: &mut Value, root: &str) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get_mut("reference")
                && let Some(relative) = reference.strip_prefix(root)
            {
                *reference = relative.to_owned();
            }
            object.values_mut().for_each(|inner| make_relative(inner, root));
        }
        Value::Array(items) => items.iter_mut().for_each(|inner| make_relative(inner, root)),
        _ => {}
    }
}

/// Stores the next version, if the token lets that be written.
pub(super) fn put(
    context: &Context<'_>,
    resources: &mut Repository,
    grant: &Grant<'_>,
    mut value: Value,
    id: &str,
) -> Result<Version, Fault> {
    set_member(&mut value, "id", id.into());
    let resource = StoredResource::new(value);
    if !grant.lets_write(&resource) {
        return Err(Fault::out_of_reach());
    }
    if grant.is_confined() {
        check_references(context, resources, grant, &resource)?;
    }
    resources.store(resource.content().clone(), context.now).map_err(|full| full_up(&full))
}

fn full_up(full: &StorageFull) -> Fault {
    Fault::new(StatusCode::INSUFFICIENT_STORAGE, "too-costly", full.to_string())
}

/// A token that opens one patient's record writes no references out of it. What is not there and what is somebody else's
/// gets the same answer.
fn check_references(
    context: &Context<'_>,
    resources: &Repository,
    grant: &Grant<'_>,
    resource: &StoredResource,
) -> Result<(), Fault> {
    let mut is_sound = true;
    each_reference(resource.content(), &mut |reference| {
        is_sound &= match local_reference(reference, context.root) {
            Some((name, id)) => {
                let is_itself = name == resource.resource_type() && id == resource.id();
                let target: Option<&Arc<StoredResource>> = resources.live(&name, &id);
                is_itself
                    || target.is_some_and(|target| grant.may_refer_to(target))
                    || context.pending.contains(&(name, id))
            }
            None => reference.starts_with('#') || reference.contains(':'),
        };
    });
    if is_sound {
        return Ok(());
    }
    let text = "a reference leads to nothing, or out of the record that the token opens";
    Err(Fault::unprocessable("not-found", text))
}

/// Whose content an answer would give back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// What the client has just sent.
    Clients,
    /// What was there before: a scope has to open it for reading.
    Servers,
}

/// The answer to a write, as the client prefers it.
pub(super) fn written(context: &Context<'_>, request: &FhirRequest, version: &Version, whose: Whose) -> Answer {
    let is_new = version.change == crate::data::Change::Created;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    let mut answer = Answer::of(status, version);
    if is_new {
        answer.location = Some(location(context, version));
    }
    let may_read = || {
        let grant = context.access.grant(Interaction::Read, version.resource.resource_type());
        grant.is_ok_and(|grant| grant.opens(&version.resource))
    };
    match request.preferences.returned {
        Returned::Representation if whose == Whose::Clients || may_read() => answer,
        Returned::Minimal | Returned::Representation => answer.without_body(),
        Returned::Outcome => {
            let text = if is_new { "the resource was created" } else { "the resource was updated" };
            Answer { content: Content::Made(outcome("information", "informational", text)), ..answer }
        }
    }
}

fn location(context: &Context<'_>, version: &Version) -> String {
    format!("{}/{}/_history/{}", context.root, version.resource.reference(), version.number)
}

//! Patching: JSON Patch, and FHIRPath Patch on simple paths.

mod fhirpath;
mod path;

use super::answer::{Answer, Fault};
use super::context::Context;
use super::read::{gone, not_there};
use super::request::{Body, FhirRequest, served_type};
use super::write::{Whose, check_conditions, put, select, several, sound, written};
use crate::data::Repository;
use json_patch::{Patch, PatchErrorKind, PatchOperation};
use serde_json::Value;
use smart_core::scope::Interaction;

/// A patch has no more operations.
const MAX_OPERATIONS: usize = 200;
/// A path of a patch has no more steps.
const MAX_STEPS: usize = 64;
/// What a patch may make of a resource, in values and octets of text, and in levels.
const MAX_SIZE: usize = 4 * 1024 * 1024;
const MAX_DEPTH: usize = 256;

pub(super) fn patch(
    context: &Context<'_>,
    resources: &mut Repository,
    resource_type: &str,
    id: &str,
    request: &FhirRequest,
) -> Result<Answer, Fault> {
    let grant = context.access.grant(Interaction::Patch, resource_type)?;
    served_type(resource_type)?;
    let before = match resources.newest(resource_type, id).filter(|version| grant.lets_write(&version.resource)) {
        None => return Err(not_there(resource_type)),
        Some(version) if version.is_deletion() => return Err(gone()),
        Some(version) => version,
    };
    check_conditions(&request.conditions, Some(before))?;
    let mut value = before.resource.content().clone();
    apply(&request.body, &mut value)?;
    let is_same = |name: &str| value.get(name) == before.resource.content().get(name);
    if !is_same("resourceType") || !is_same("id") {
        return Err(Fault::unprocessable("business-rule", "a patch must not change the type or the id"));
    }
    let value = sound(context, value)?;
    let version = put(context, resources, &grant, value, id)?;
    Ok(written(context, request, &version, Whose::Servers))
}

pub(super) fn conditional_patch(
    context: &Context<'_>,
    resources: &mut Repository,
    resource_type: &str,
    request: &FhirRequest,
) -> Result<Answer, Fault> {
    context.access.grant(Interaction::Patch, resource_type)?;
    served_type(resource_type)?;
    match select(context, resources, resource_type, &request.query)?.as_slice() {
        [] => Err(not_there(resource_type)),
        [id] => patch(context, resources, resource_type, id, request),
        _ => Err(several()),
    }
}

fn apply(body: &Body, value: &mut Value) -> Result<(), Fault> {
    match body {
        Body::Patch(operations) => json_patch(operations, value),
        Body::Resource(parameters) if parameters.get("resourceType").is_some_and(|name| name == "Parameters") => {
            fhirpath::apply(parameters, value)
        }
        _ => Err(Fault::bad("a patch is a JSON Patch, or Parameters with a FHIRPath Patch")),
    }
}

/// Done operation by operation, as a copy can double a resource and a move deepen it: a few of them would fill the memory
/// and the stack.
fn json_patch(operations: &Value, content: &mut Value) -> Result<(), Fault> {
    if operations.as_array().is_some_and(|operations| operations.len() > MAX_OPERATIONS) {
        return Err(Fault::bad(format!("a patch has at most {MAX_OPERATIONS} operations")));
    }
    let patch: Patch =
        serde_json::from_value(operations.clone()).map_err(|_| Fault::bad("the body is no JSON Patch (RFC 6902)"))?;
    for (at, operation) in patch.0.iter().enumerate() {
        if operation.path().tokens().count() > MAX_STEPS {
            return Err(Fault::bad(format!("the path of operation {at} has more than {MAX_STEPS} steps")));
        }
        json_patch::patch(content, std::slice::from_ref(operation)).map_err(|error| match error.kind {
            PatchErrorKind::TestFailed => {
                Fault::unprocessable("conflict", format!("the test of operation {at} does not hold"))
            }
            _ => Fault::unprocessable("processing", format!("operation {at} leads nowhere in this resource")),
        })?;
        let grows = matches!(operation, PatchOperation::Copy(_) | PatchOperation::Move(_));
        if grows && room_left(content, MAX_SIZE, MAX_DEPTH).is_none() {
            return Err(Fault::unprocessable("too-long", format!("operation {at} makes the resource too large")));
        }
    }
    Ok(())
}

/// What is left of `room` values and octets; `None` if they do not do, or if it is nested deeper.
fn room_left(value: &Value, room: usize, depth: usize) -> Option<usize> {
    let depth = depth.checked_sub(1)?;
    let room = room.checked_sub(1)?;
    match value {
        Value::String(text) => room.checked_sub(text.len()),
        Value::Array(items) => items.iter().try_fold(room, |room, inner| room_left(inner, room, depth)),
        Value::Object(members) => {
            members.iter().try_fold(room, |room, (name, inner)| room_left(inner, room.checked_sub(name.len())?, depth))
        }
        _ => Some(room),
    }
}

//! Deleting.

use super::answer::{Answer, Fault};
use super::context::Context;
use super::read::not_there;
use super::request::{FhirRequest, served_type};
use super::write::{check_conditions, select, several};
use crate::data::Repository;
use http::StatusCode;
use smart_core::scope::Interaction;

pub(super) fn delete(
    context: &Context<'_>,
    resources: &mut Repository,
    resource_type: &str,
    id: &str,
    request: &FhirRequest,
) -> Result<Answer, Fault> {
    let grant = context.access.grant(Interaction::Delete, resource_type)?;
    served_type(resource_type)?;
    match resources.newest(resource_type, id).filter(|version| grant.lets_write(&version.resource)) {
        None => return Err(not_there(resource_type)),
        Some(version) if version.is_deletion() => return Ok(Answer::empty(StatusCode::NO_CONTENT).about(version)),
        Some(version) => check_conditions(&request.conditions, Some(version))?,
    }
    let deleted = resources.delete(resource_type, id, context.now);
    let answer = Answer::empty(StatusCode::NO_CONTENT);
    Ok(deleted.iter().fold(answer, Answer::about))
}

/// Deletes the one resource that matches; where none does there is nothing to do.
pub(super) fn conditional_delete(
    context: &Context<'_>,
    resources: &mut Repository,
    resource_type: &str,
    request: &FhirRequest,
) -> Result<Answer, Fault> {
    // Decided first, so that a condition cannot be tried out without the right to delete.
    context.access.grant(Interaction::Delete, resource_type)?;
    served_type(resource_type)?;
    match select(context, resources, resource_type, &request.query)?.as_slice() {
        [] => Ok(Answer::empty(StatusCode::NO_CONTENT)),
        [id] => delete(context, resources, resource_type, id, request),
        _ => Err(several()),
    }
}

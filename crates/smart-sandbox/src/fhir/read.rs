//! Reading a resource, or one of its versions.

use super::answer::{Answer, Fault};
use super::context::Context;
use super::request::{Conditions, FhirRequest, served_type};
use super::search::Shape;
use crate::data::{Repository, Version};
use http::StatusCode;
use smart_core::scope::Interaction;
use std::time::{Duration, UNIX_EPOCH};

/// What is said of a resource that is not there, or that the token does not open: whether another patient's resource exists
/// is nobody's business.
pub(super) fn not_there(resource_type: &str) -> Fault {
    let resource_type = smart_core::untrusted::shown(resource_type, 40);
    Fault::not_found(format!("there is no {resource_type} with this id, or the token does not open it"))
}

/// What is said of a resource that was deleted.
pub(super) fn gone() -> Fault {
    Fault::new(StatusCode::GONE, "deleted", "the resource was deleted")
}

pub(super) fn read(
    context: &Context<'_>,
    resources: &Repository,
    resource_type: &str,
    id: &str,
    request: &FhirRequest,
) -> Result<Answer, Fault> {
    let grant = context.access.grant(Interaction::Read, resource_type)?;
    served_type(resource_type)?;
    match resources.newest(resource_type, id).filter(|version| grant.opens(&version.resource)) {
        None => Err(not_there(resource_type)),
        Some(version) if version.is_deletion() => Err(gone()),
        Some(version) if is_known(&request.conditions, version) => {
            Ok(Answer::empty(StatusCode::NOT_MODIFIED).about(version))
        }
        Some(version) => shaped(request, version),
    }
}

pub(super) fn read_version(
    context: &Context<'_>,
    resources: &Repository,
    resource_type: &str,
    id: &str,
    number: &str,
    request: &FhirRequest,
) -> Result<Answer, Fault> {
    let grant = context.access.grant(Interaction::VRead, resource_type)?;
    served_type(resource_type)?;
    let version = resources.versions(resource_type, id).iter().find(|version| version.number.to_string() == number);
    match version.filter(|version| grant.opens(&version.resource)) {
        None => Err(not_there(resource_type)),
        Some(version) if version.is_deletion() => Err(gone()),
        Some(version) => shaped(request, version),
    }
}

/// Whether the client has this version already. A tag counts more than a time (RFC 9110, section 13.1.3).
fn is_known(conditions: &Conditions, version: &Version) -> bool {
    match (&conditions.if_none_match, conditions.if_modified_since) {
        (Some(tags), _) => Conditions::names(tags, version.number),
        (None, Some(since)) => {
            let modified = Duration::from_secs(u64::try_from(version.at.as_unix_seconds()).unwrap_or(0));
            UNIX_EPOCH + modified <= since
        }
        (None, None) => false,
    }
}

fn shaped(request: &FhirRequest, version: &Version) -> Result<Answer, Fault> {
    let mut shape = Shape::Whole;
    for (name, value) in request.query.iter().filter(|(name, _)| matches!(name.as_str(), "_summary" | "_elements")) {
        match Shape::parse(name, value) {
            Some(asked) => shape = asked,
            None if request.preferences.strict => {
                return Err(Fault::not_supported(format!("this value of {name} is not supported for a read")));
            }
            None => {}
        }
    }
    if shape == Shape::Whole {
        return Ok(Answer::of(StatusCode::OK, version));
    }
    Ok(Answer::made(StatusCode::OK, shape.of(&version.resource)).about(version))
}

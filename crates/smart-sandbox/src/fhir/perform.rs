//! Each request to what serves it.

use super::answer::{Answer, Fault};
use super::context::Context;
use super::everything::everything;
use super::history::history;
use super::read::{read, read_version};
use super::request::{FhirRequest, Target, served_type};
use super::search::{Page, Query, searchset};
use super::validate::validate;
use super::{delete, patch, write};
use crate::data::Repository;
use http::{Method, StatusCode};
use smart_core::scope::Interaction;

/// Does one interaction.
///
/// # Errors
/// [`Fault`]; then nothing has changed.
pub(crate) fn perform(
    context: &Context<'_>,
    resources: &mut Repository,
    request: &FhirRequest,
) -> Result<Answer, Fault> {
    if request.is_change() { change(context, resources, request) } else { look(context, resources, request) }
}

/// Does an interaction that may change something.
///
/// # Errors
/// [`Fault`]; then nothing has changed.
pub(crate) fn change(
    context: &Context<'_>,
    resources: &mut Repository,
    request: &FhirRequest,
) -> Result<Answer, Fault> {
    match (&request.method, &request.target) {
        (&Method::POST, Target::Type(name)) => write::create(context, resources, name, request),
        (&Method::PUT, Target::Instance(name, id)) => write::update(context, resources, name, id, request),
        (&Method::PUT, Target::Type(name)) => write::conditional_update(context, resources, name, request),
        (&Method::PATCH, Target::Instance(name, id)) => patch::patch(context, resources, name, id, request),
        (&Method::PATCH, Target::Type(name)) => patch::conditional_patch(context, resources, name, request),
        (&Method::DELETE, Target::Instance(name, id)) => delete::delete(context, resources, name, id, request),
        (&Method::DELETE, Target::Type(name)) => delete::conditional_delete(context, resources, name, request),
        _ => Err(not_allowed(request)),
    }
}

/// Does an interaction that changes nothing.
///
/// # Errors
/// [`Fault`].
pub(crate) fn look(context: &Context<'_>, resources: &Repository, request: &FhirRequest) -> Result<Answer, Fault> {
    match (&request.method, &request.target) {
        (&Method::GET, Target::Instance(name, id)) => read(context, resources, name, id, request),
        (&Method::GET, Target::Version(name, id, version)) => {
            read_version(context, resources, name, id, version, request)
        }
        (&Method::GET, Target::History(..) | Target::TypeHistory(_) | Target::SystemHistory) => {
            history(context, resources, request)
        }
        (&Method::GET, Target::Type(name)) | (&Method::GET | &Method::POST, Target::TypeSearch(name)) => {
            search(context, resources, name, request)
        }
        (&Method::GET, Target::System) => match Page::parse(&request.query) {
            Some(page) => continued(context, resources, request, page),
            None => search_all(context, resources, request),
        },
        (&Method::GET | &Method::POST, Target::SystemSearch) => search_all(context, resources, request),
        (&Method::GET | &Method::POST, Target::Operation(name, id, operation))
            if name == "Patient" && operation == "$everything" =>
        {
            everything(context, resources, id, request)
        }
        (&Method::POST, Target::TypeOperation(name, operation)) if operation == "$validate" => {
            validate(context, resources, name, None, request)
        }
        (&Method::GET | &Method::POST, Target::Operation(name, id, operation)) if operation == "$validate" => {
            validate(context, resources, name, Some(id), request)
        }
        (
            _,
            Target::SystemOperation(operation)
            | Target::TypeOperation(_, operation)
            | Target::Operation(_, _, operation),
        ) => {
            let operation = smart_core::untrusted::shown(operation, 40);
            let text = format!("there is no operation {operation} here");
            Err(Fault::new(StatusCode::NOT_FOUND, "not-supported", text))
        }
        _ => Err(not_allowed(request)),
    }
}

fn not_allowed(request: &FhirRequest) -> Fault {
    let text = format!("{} is not served here", request.method);
    Fault::new(StatusCode::METHOD_NOT_ALLOWED, "not-supported", text)
}

/// Goes on with a search or a history where a page link says. The link gives no right: the token decides anew.
fn continued(
    context: &Context<'_>,
    resources: &Repository,
    request: &FhirRequest,
    page: Page,
) -> Result<Answer, Fault> {
    let target = Target::parse(&page.path)?;
    if target == Target::System && Page::parse(&page.query).is_some() {
        return Err(Fault::bad("this is no page"));
    }
    let next = FhirRequest {
        method: Method::GET,
        target,
        query: page.query,
        conditions: super::request::Conditions::default(),
        preferences: request.preferences,
        body: super::request::Body::Nothing,
        offset: page.offset,
        assigned: None,
    };
    look(context, resources, &next)
}

fn search(
    context: &Context<'_>,
    resources: &Repository,
    resource_type: &str,
    request: &FhirRequest,
) -> Result<Answer, Fault> {
    let grant = context.access.grant(Interaction::SearchType, resource_type)?;
    served_type(resource_type)?;
    let world = context.world(resources);
    let query = Query::parse(world, Some(resource_type), &request.query, request.preferences.strict)?;
    let found = query.matches(world, &[resource_type], &grant);
    Ok(Answer::made(StatusCode::OK, searchset(world, &query, resource_type, &found, request.offset)))
}

/// A search of all types, or of those in `_type`, by the parameters that all of them have.
fn search_all(context: &Context<'_>, resources: &Repository, request: &FhirRequest) -> Result<Answer, Fault> {
    let grant = context.access.grant_on_all(Interaction::SearchSystem)?;
    let world = context.world(resources);
    let query = Query::parse(world, None, &request.query, request.preferences.strict)?;
    let named = request.query.iter().find(|(name, _)| name == "_type").map(|(_, value)| value.split(','));
    let types: Vec<&str> = match named {
        Some(named) => {
            let types: Vec<&str> = named.collect();
            types.iter().try_for_each(|name| served_type(name))?;
            types
        }
        None => resources.types().collect(),
    };
    let found = query.matches(world, &types, &grant);
    Ok(Answer::made(StatusCode::OK, searchset(world, &query, "", &found, request.offset)))
}

//! What resources have to fulfil: a criterion of their own, or one of those around them.

use super::World;
use super::matching::{Criterion, local_reference, values};
use super::parameter::{Kind, Parameter, common, parameter};
use crate::data::StoredResource;
use crate::fhir::answer::Fault;
use smart_core::scope::Interaction;
use std::collections::HashSet;

/// One parameter of a search.
#[derive(Debug)]
pub(crate) enum Filter {
    Own(Criterion),
    /// It refers to one of these, which are as a chained parameter asks for.
    RefersTo(&'static Parameter, HashSet<(String, String)>),
    /// It is one of these, to which others refer (`_has`).
    IsOneOf(HashSet<(String, String)>),
}

impl Filter {
    /// Reads a parameter. `None`: it is not known for these resources.
    ///
    /// # Errors
    /// 400 for modifiers and values that make no sense; 403 where a chain leads to what the token does not open.
    pub(crate) fn parse(
        world: World<'_>,
        resource_type: Option<&str>,
        name: &str,
        value: &str,
    ) -> Result<Option<Self>, Fault> {
        if let Some(rest) = name.strip_prefix("_has:") {
            return resource_type.map_or(Ok(None), |resource_type| Self::has(world, resource_type, rest, value));
        }
        if let Some((head, inner)) = name.split_once('.') {
            return resource_type
                .map_or(Ok(None), |resource_type| Self::chain(world, resource_type, head, inner, value));
        }
        let (name, modifier) = name.split_once(':').map_or((name, None), |(name, modifier)| (name, Some(modifier)));
        let found = resource_type.map_or_else(|| common(name), |resource_type| parameter(resource_type, name));
        let criterion = found.map(|found| Criterion::parse(found, modifier, value, world.root)).transpose()?;
        Ok(criterion.map(Self::Own))
    }

    pub(crate) fn matches(&self, resource: &StoredResource) -> bool {
        match self {
            Self::Own(criterion) => criterion.matches(resource.content()),
            Self::RefersTo(parameter, targets) => {
                references(resource, parameter).any(|target| targets.contains(&target))
            }
            Self::IsOneOf(these) => these.contains(&(resource.resource_type().to_owned(), resource.id().to_owned())),
        }
    }

    /// `subject:Patient.name=..`: the targets are looked for first, among those that the token opens.
    fn chain(
        world: World<'_>,
        resource_type: &str,
        head: &str,
        inner: &str,
        value: &str,
    ) -> Result<Option<Self>, Fault> {
        if inner.contains('.') {
            return Err(Fault::not_supported("chains of more than one step are not supported"));
        }
        let (name, to) = head.split_once(':').map_or((head, None), |(name, to)| (name, Some(to)));
        let Some(found) = parameter(resource_type, name) else { return Ok(None) };
        let Kind::Reference(targets) = found.kind else { return Ok(None) };
        let targets: Vec<&str> = match to {
            Some(to) if targets.is_empty() || targets.contains(&to) => vec![to],
            Some(_) => return Err(Fault::bad(format!("{name} does not refer to this type"))),
            None if targets.is_empty() => {
                return Err(Fault::bad(format!("a chain over {name} has to name the type that it leads to")));
            }
            None => targets.to_vec(),
        };
        let (inner_name, _) = inner.split_once(':').unwrap_or((inner, ""));
        let known: Vec<&str> = targets.into_iter().filter(|target| parameter(target, inner_name).is_some()).collect();
        if known.is_empty() {
            return Ok(None);
        }
        let (mut these, mut refused) = (HashSet::new(), None);
        for target in &known {
            match matching(world, target, inner, value) {
                Ok(matched) => these.extend(matched.map(|it| (it.resource_type().to_owned(), it.id().to_owned()))),
                Err(fault) if fault.status == http::StatusCode::FORBIDDEN => refused = Some(fault),
                Err(fault) => return Err(fault),
            }
        }
        match refused {
            Some(fault) if known.len() == 1 => Err(fault),
            _ => Ok(Some(Self::RefersTo(found, these))),
        }
    }

    /// `_has:Observation:patient:code=..`.
    fn has(world: World<'_>, resource_type: &str, rest: &str, value: &str) -> Result<Option<Self>, Fault> {
        let mut parts = rest.splitn(3, ':');
        let (Some(from), Some(name), Some(inner)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Fault::bad("_has needs a type, a reference of it, and a parameter"));
        };
        if inner.starts_with("_has:") || inner.contains('.') {
            return Err(Fault::not_supported("_has of more than one step is not supported"));
        }
        let (inner_name, _) = inner.split_once(':').unwrap_or((inner, ""));
        let found = parameter(from, name).filter(|found| matches!(found.kind, Kind::Reference(_)));
        let (Some(found), Some(_)) = (found, parameter(from, inner_name)) else { return Ok(None) };
        let these = matching(world, from, inner, value)?.flat_map(|resource| references(resource, found));
        Ok(Some(Self::IsOneOf(these.filter(|(target, _)| target == resource_type).collect())))
    }
}

/// The resources of a type that the token opens and that have this.
fn matching<'a>(
    world: World<'a>,
    resource_type: &str,
    name: &str,
    value: &str,
) -> Result<impl Iterator<Item = &'a StoredResource>, Fault> {
    let grant = world.access.grant(Interaction::SearchType, resource_type)?;
    let filter = Filter::parse(world, Some(resource_type), name, value)?;
    let all = world.resources.all(resource_type).map(AsRef::as_ref);
    Ok(all.filter(move |it| grant.opens(it) && filter.as_ref().is_some_and(|filter| filter.matches(it))))
}

/// The resources of this server to which a resource refers by a parameter.
pub(super) fn references<'r>(
    resource: &'r StoredResource,
    parameter: &Parameter,
) -> impl Iterator<Item = (String, String)> + use<'r> {
    let Kind::Reference(targets) = parameter.kind else { return Vec::new().into_iter() };
    let found = values(resource.content(), parameter).into_iter().filter_map(|value| value.get("reference")?.as_str());
    let local = found.filter_map(|reference| local_reference(reference, ""));
    let fitting = local.filter(|(name, _)| targets.is_empty() || targets.contains(&name.as_str()));
    fitting.collect::<Vec<_>>().into_iter()
}

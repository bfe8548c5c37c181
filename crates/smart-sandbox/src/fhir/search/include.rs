//! What comes along with the matches: `_include` and `_revinclude`.

use super::filter::references;
use super::parameter::{Kind, Parameter, parameter, parameters};
use super::{Found, World};
use smart_core::scope::Interaction;
use std::collections::HashSet;

/// How many resources come along with a page at most.
pub(super) const MAX_INCLUDED: usize = 1000;

/// One `_include` or `_revinclude`.
#[derive(Debug)]
pub(crate) struct Include {
    reverse: bool,
    /// The type that refers.
    from: String,
    by: Vec<&'static Parameter>,
    to: Option<String>,
}

impl Include {
    /// Reads `Observation:subject`, `Observation:subject:Patient` or `Observation:*`. `None`: that is not known.
    pub(super) fn parse(name: &str, value: &str) -> Option<Self> {
        let mut parts = value.split(':');
        let (from, by, to) = (parts.next()?, parts.next()?, parts.next());
        let by: Vec<_> = match by {
            "*" => parameters(from).filter(|it| matches!(it.kind, Kind::Reference(_))).collect(),
            by => parameter(from, by).filter(|it| matches!(it.kind, Kind::Reference(_))).into_iter().collect(),
        };
        let is_known = !by.is_empty() && parts.next().is_none();
        is_known.then(|| Self { reverse: name == "_revinclude", from: from.to_owned(), by, to: to.map(str::to_owned) })
    }
}

/// What comes along with these matches, each once, as far as the token opens it. Says whether there was more.
pub(super) fn included<'a>(world: World<'a>, includes: &[Include], matches: &[Found<'a>]) -> (Vec<Found<'a>>, bool) {
    let mut seen: HashSet<(&str, &str)> = matches.iter().map(|it| (it.resource_type(), it.id())).collect();
    let mut found: Vec<Found<'a>> = Vec::new();
    let mut is_cut = false;
    let mut add = |it: Found<'a>| {
        if seen.insert((it.resource_type(), it.id())) {
            if found.len() < MAX_INCLUDED { found.push(it) } else { is_cut = true }
        }
    };
    for include in includes {
        if include.reverse {
            referring(world, include, matches).into_iter().for_each(&mut add);
        } else {
            referred(world, include, matches).into_iter().for_each(&mut add);
        }
    }
    (found, is_cut)
}

fn referred<'a>(world: World<'a>, include: &Include, matches: &[Found<'a>]) -> Vec<Found<'a>> {
    let from = matches.iter().filter(|it| it.resource_type() == include.from);
    let targets = from.flat_map(|it| include.by.iter().flat_map(|by| references(it, by)));
    let wanted = targets.filter(|(name, _)| include.to.as_ref().is_none_or(|to| to == name));
    let opened = wanted.filter_map(|(name, id)| {
        let grant = world.access.grant(Interaction::Read, &name).ok()?;
        world.resources.live(&name, &id).filter(|it| grant.opens(it))
    });
    opened.collect()
}

fn referring<'a>(world: World<'a>, include: &Include, matches: &[Found<'a>]) -> Vec<Found<'a>> {
    let Ok(grant) = world.access.grant(Interaction::SearchType, &include.from) else { return Vec::new() };
    let targets = matches.iter().filter(|it| include.to.as_ref().is_none_or(|to| to == it.resource_type()));
    let targets: HashSet<_> = targets.map(|it| (it.resource_type().to_owned(), it.id().to_owned())).collect();
    let refers = |it: &Found<'a>| include.by.iter().any(|by| references(it, by).any(|to| targets.contains(&to)));
    world.resources.all(&include.from).filter(|it| grant.opens(it) && refers(it)).collect()
}

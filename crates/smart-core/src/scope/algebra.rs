//! Sets of scopes by their meaning.
//!
//! A set means the union of its scopes (SMART, scope equivalence). Resource scopes are compared by level, type,
//! permissions and query; all others by their text.

use super::level::Level;
use super::permissions::Permissions;
use super::query::ScopeQuery;
use super::resource::ResourceScope;
use super::scopes::Scopes;
use super::syntax::Syntax;
use super::token::Scope;
use std::collections::BTreeMap;

/// Above this many scopes the simplified form keeps granular scopes that a wider granular one covers: looking for them
/// compares each with each.
const MAX_PAIRWISE: usize = 128;

impl Scopes {
    /// Whether this set permits all that `scope` stands for.
    ///
    /// Level must be the same. A wildcard covers each type; no list of types covers a wildcard. Permissions may come
    /// from several scopes together. A scope without a query covers one with a query, and a query covers the same or a
    /// [surely narrower](ScopeQuery::covers) one. Both syntax versions are compared by what they mean. Scopes
    /// that are not for resources need the same text.
    pub fn covers(&self, scope: &Scope) -> bool {
        match scope {
            Scope::Resource(asked) => self.uncovered(asked).is_none(),
            other => self.contains(other),
        }
    }

    /// Whether this set covers each scope of the other.
    pub fn covers_all(&self, others: &Scopes) -> bool {
        others.iter().all(|scope| self.covers(scope))
    }

    /// Whether both sets permit the same, as far as their texts tell.
    pub fn is_equivalent(&self, other: &Scopes) -> bool {
        self.covers_all(other) && other.covers_all(self)
    }

    /// The scopes of both, those of this set first.
    #[must_use]
    pub fn union(&self, other: &Scopes) -> Self {
        self.iter().chain(other).cloned().collect()
    }

    /// What this set permits and the other does not.
    ///
    /// Of a resource scope that is covered in part, the uncovered letters remain: `X.cruds` without `X.rs` is `X.cud`.
    #[must_use]
    pub fn difference(&self, other: &Scopes) -> Self {
        self.iter().filter_map(|scope| other.remainder_of(scope)).collect()
    }

    /// The shortest form: letters of scopes with the same level, type and query are merged, and scopes that others cover
    /// are left out. It means the same. Scopes that are not for resources stay as they are.
    ///
    /// Version 1 words are kept where only such are merged.
    #[must_use]
    pub fn simplified(&self) -> Self {
        let merged = self.merged();
        let wide = wide_permissions(&merged);
        let mut kept: Vec<Scope> = merged
            .iter()
            .filter(|scope| !scope.as_resource().is_some_and(|resource| is_covered_by(&wide, resource)))
            .cloned()
            .collect();
        if kept.len() <= MAX_PAIRWISE {
            drop_covered_granular(&mut kept);
        }
        kept.into_iter().collect()
    }

    /// What of `asked` no scope of this set permits.
    pub(super) fn uncovered(&self, asked: &ResourceScope) -> Option<Permissions> {
        uncovered_by(self.resources(), asked)
    }

    /// `scope`, or what of it this set does not cover.
    pub(super) fn remainder_of(&self, scope: &Scope) -> Option<Scope> {
        match scope {
            Scope::Resource(resource) => {
                let left = self.uncovered(resource)?;
                let whole = left == resource.permissions();
                Some(if whole { scope.clone() } else { resource.with_permissions(left).into() })
            }
            other => (!self.contains(other)).then(|| other.clone()),
        }
    }

    /// Merges the letters of scopes that have the same level, type and query, at the place of the first.
    fn merged(&self) -> Vec<Scope> {
        let mut places = BTreeMap::new();
        let mut merged: Vec<Scope> = Vec::with_capacity(self.len());
        for scope in self {
            let Scope::Resource(resource) = scope else {
                merged.push(scope.clone());
                continue;
            };
            let key = (resource.level(), resource.type_text(), resource.query().map(ScopeQuery::as_str));
            let place = *places.entry(key).or_insert(merged.len());
            match merged.get_mut(place) {
                Some(Scope::Resource(first)) => *first = merge(first, resource),
                _ => merged.push(scope.clone()),
            }
        }
        merged
    }
}

fn uncovered_by<'a>(granted: impl Iterator<Item = &'a ResourceScope>, asked: &ResourceScope) -> Option<Permissions> {
    let mut left = asked.permissions();
    for granted in granted {
        if granted.permissions().intersection(left).is_some() && granted.reaches(asked) {
            left = left.without(granted.permissions())?;
        }
    }
    Some(left)
}

/// The permissions of all scopes without a query, by level and type.
fn wide_permissions(merged: &[Scope]) -> BTreeMap<(Level, &str), Permissions> {
    merged
        .iter()
        .filter_map(Scope::as_resource)
        .filter(|resource| resource.query().is_none())
        .map(|resource| ((resource.level(), resource.type_text()), resource.permissions()))
        .collect()
}

/// Whether other scopes without a query cover this one.
fn is_covered_by(wide: &BTreeMap<(Level, &str), Permissions>, scope: &ResourceScope) -> bool {
    let permitted = |type_text: &str| {
        let is_itself = scope.query().is_none() && scope.type_text() == type_text;
        wide.get(&(scope.level(), type_text)).filter(|_| !is_itself).copied()
    };
    let left =
        ["*", scope.type_text()].into_iter().filter_map(permitted).try_fold(scope.permissions(), Permissions::without);
    left.is_none()
}

/// Drops each granular scope that the others cover.
fn drop_covered_granular(kept: &mut Vec<Scope>) {
    let mut index = 0;
    while let Some((before, [scope, after @ ..])) = kept.split_at_checked(index) {
        let others = before.iter().chain(after).filter_map(Scope::as_resource);
        let covered = scope
            .as_resource()
            .is_some_and(|resource| resource.query().is_some() && uncovered_by(others, resource).is_none());
        if covered {
            kept.remove(index);
        } else {
            index += 1;
        }
    }
}

fn merge(first: &ResourceScope, second: &ResourceScope) -> ResourceScope {
    let both = first.with_permissions(first.permissions() | second.permissions());
    let only_words = first.syntax() == Syntax::V1 && second.syntax() == Syntax::V1;
    if only_words { both.to_v1().unwrap_or(both) } else { both }
}

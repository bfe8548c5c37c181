//! What was granted, beside what was asked for.

use super::resource::ResourceScope;
use super::scopes::Scopes;
use super::token::Scope;

/// A grant compared with its request, by meaning (SMART, wildcard scopes; RFC 6749, section 3.3).
///
/// A server may grant less, more, something else or nothing. None of that is an error of protocol; the app decides
/// whether it can work with it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScopeComparison {
    /// What was granted.
    pub granted: Scopes,
    /// What was asked for and is not granted, or not wholly: as it was asked.
    pub missing: Scopes,
    /// What was granted beyond what was asked for: as it was granted.
    pub extra: Scopes,
    /// Of the [missing](Self::missing) scopes for resources, those that are granted in part.
    pub narrower: Vec<Narrowed>,
    /// The answer named no scopes. OAuth takes it for a grant of what was asked (RFC 6749, section 5.1); SMART wants
    /// scopes to be named, so the answer does not conform.
    pub scope_was_absent: bool,
}

/// A scope that was granted in part.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Narrowed {
    /// The scope that was asked for.
    pub asked: ResourceScope,
    /// The granted scopes that permit a part of it.
    pub granted: Scopes,
    /// What is not granted of it for everything that it reaches.
    pub lacking: ResourceScope,
}

impl Scopes {
    /// Compares what was asked for with what was granted.
    pub fn compare(asked: &Scopes, granted: &Scopes) -> ScopeComparison {
        ScopeComparison {
            granted: granted.clone(),
            missing: asked.iter().filter(|scope| !granted.covers(scope)).cloned().collect(),
            extra: granted.iter().filter(|scope| !asked.covers(scope)).cloned().collect(),
            narrower: asked.resources().filter_map(|scope| narrowed(scope, granted)).collect(),
            scope_was_absent: false,
        }
    }

    /// Compares what was asked for with the `scope` of a token response, which may lack it: then all that was asked for
    /// counts as granted.
    pub fn compare_response(asked: &Scopes, granted: Option<&Scopes>) -> ScopeComparison {
        let comparison = Self::compare(asked, granted.unwrap_or(asked));
        ScopeComparison { scope_was_absent: granted.is_none(), ..comparison }
    }

    /// The scopes of this set that a server's `scopes_supported` does not name, for information only: the list need not
    /// be complete (SMART, conformance), so ask for them all the same.
    #[must_use]
    pub fn not_listed_in(&self, supported: &Scopes) -> Self {
        self.iter().filter(|scope| !supported.covers(scope)).cloned().collect()
    }
}

impl ScopeComparison {
    /// Whether all that was asked for is granted.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }

    /// Whether what is granted means the same as what was asked for.
    pub fn is_as_asked(&self) -> bool {
        self.is_complete() && self.extra.is_empty()
    }

    /// The [missing](Self::missing) scopes for resources. Others, such as `launch/patient`, `openid` or
    /// `offline_access`, may be left out of the answer even if the server did what they ask for.
    pub fn missing_access(&self) -> impl Iterator<Item = &ResourceScope> {
        self.missing.resources()
    }
}

fn narrowed(asked: &ResourceScope, granted: &Scopes) -> Option<Narrowed> {
    let lacking = granted.uncovered(asked)?;
    let parts: Scopes = granted
        .resources()
        .filter(|part| part.permissions().intersection(asked.permissions()).is_some())
        .filter(|part| part.reaches(asked) || asked.reaches(part) || narrows_in_two_ways(asked, part))
        .cloned()
        .map(Scope::Resource)
        .collect();
    let lacking = asked.with_permissions(lacking);
    (!parts.is_empty()).then(|| Narrowed { asked: asked.clone(), granted: parts, lacking })
}

/// Whether one has the wider type and the other the wider query: what both reach is a part of each.
fn narrows_in_two_ways(asked: &ResourceScope, part: &ResourceScope) -> bool {
    asked.level() == part.level()
        && (asked.is_wildcard() || part.is_wildcard())
        && (asked.query().is_none() || part.query().is_none())
}

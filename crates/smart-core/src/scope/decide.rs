//! Deciding on requests.

use super::decision::{BundleDecision, Decision, Denial};
use super::interaction::Interaction;
use super::level::Level;
use super::permissions::Permissions;
use super::request::AccessRequest;
use super::resource::ResourceScope;
use super::scopes::Scopes;
use super::syntax::Syntax;
use super::token::Scope;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// Search parameters that bring in resources beside those that match, or change what matching means.
const WIDENING_PARAMETERS: [&str; 4] = ["_include", "_revinclude", "_contained", "_query"];

impl Scopes {
    /// Decides whether these scopes, being granted, permit a request.
    ///
    /// A search that itself has the constraint of a granular scope is allowed by it. System-wide interactions need a
    /// wildcard scope. Of a resource type nothing is known but its name; included resources of other types need their
    /// own scopes.
    pub fn decide<'s>(&'s self, request: &AccessRequest<'_>) -> Decision<'s> {
        if request.has_legal_type() {
            let mut within = Vec::new();
            for scope in self.resources().filter(|scope| permits(scope, request)) {
                match scope.query() {
                    None => return Decision::Allowed { by: scope },
                    Some(_) => within.push(scope),
                }
            }
            if let Some(by) = within.iter().find(|scope| stays_within(request, scope)) {
                return Decision::Allowed { by };
            }
            if !within.is_empty() {
                return Decision::AllowedWithin { by: within };
            }
        }
        self.denied(request)
    }

    /// Whether these scopes permit an interaction on a type, wholly or within granular scopes.
    pub fn permits(&self, interaction: Interaction, resource_type: &str) -> bool {
        self.decide(&AccessRequest::new(interaction, resource_type)).is_allowed()
    }

    /// Decides on each entry of a batch or transaction by itself, as these have no scope of their own.
    pub fn decide_bundle<'s, 'r>(&'s self, entries: impl IntoIterator<Item = AccessRequest<'r>>) -> BundleDecision<'s> {
        BundleDecision { entries: entries.into_iter().map(|request| self.decide(&request)).collect() }
    }

    fn denied(&self, request: &AccessRequest<'_>) -> Decision<'_> {
        Decision::Denied { reason: self.denial(request), needed: self.needed(request) }
    }

    fn denial(&self, request: &AccessRequest<'_>) -> Denial {
        let resource_type = request.resource_type().unwrap_or("*").to_owned();
        if !request.has_legal_type() {
            return Denial::NotAResourceType { resource_type: crate::untrusted::shown(&resource_type, 80) };
        }
        if self.resources().next().is_none() {
            return Denial::NothingGranted;
        }
        if let Some(wanted) = request.level()
            && let Some(other) = self.resources().find(|scope| {
                scope.level() != wanted && has_type(scope, request) && has_permission(scope, request.interaction())
            })
        {
            return Denial::LevelNotGranted { wanted, granted: other.level() };
        }
        let for_type = self.resources().filter(|scope| has_level(scope, request) && has_type(scope, request));
        let granted = for_type.map(ResourceScope::permissions).reduce(Permissions::union);
        match (granted, request.resource_type()) {
            (Some(granted), _) => Denial::PermissionNotGranted {
                interaction: request.interaction(),
                resource_type,
                needed: request.interaction().permission(),
                granted,
            },
            (None, None) => Denial::AllTypesNotGranted { interaction: request.interaction(), level: request.level() },
            (None, Some(_)) => Denial::TypeNotGranted { resource_type, level: request.level() },
        }
    }

    /// The narrowest scope that would permit the request: at its level, or else at the one that is granted already.
    fn needed(&self, request: &AccessRequest<'_>) -> Option<Scope> {
        let mut levels = self.resources().filter(|scope| has_type(scope, request)).chain(self.resources());
        let level = request.level().or(levels.next().map(ResourceScope::level)).unwrap_or(Level::Patient);
        let permission = request.interaction().permission();
        let needed = match request.resource_type() {
            None => ResourceScope::all_types(level, permission),
            Some(name) => ResourceScope::new(level, name, permission).ok()?,
        };
        let speaks_v1 = self.resources().next().is_some() && self.resources().all(|scope| scope.syntax() == Syntax::V1);
        Some(if speaks_v1 { needed.widened_to_v1() } else { needed }.into())
    }
}

fn permits(scope: &ResourceScope, request: &AccessRequest<'_>) -> bool {
    has_permission(scope, request.interaction()) && has_level(scope, request) && has_type(scope, request)
}

fn has_permission(scope: &ResourceScope, interaction: Interaction) -> bool {
    scope.permissions().contains(interaction.permission())
}

fn has_level(scope: &ResourceScope, request: &AccessRequest<'_>) -> bool {
    request.level().is_none_or(|level| scope.level() == level)
}

fn has_type(scope: &ResourceScope, request: &AccessRequest<'_>) -> bool {
    scope.is_wildcard() || request.resource_type().is_some_and(|name| scope.type_text() == name)
}

/// Whether a search asks by itself for no more than the granular scope lets through.
fn stays_within(request: &AccessRequest<'_>, scope: &ResourceScope) -> bool {
    let widens = |name: &str| {
        let base = name.split_once(':').map_or(name, |(base, _)| base);
        WIDENING_PARAMETERS.contains(&base)
    };
    request.interaction().is_search()
        && !request.parameters().any(|(name, _)| widens(name))
        && scope.query().is_some_and(|query| query.only_narrows() && query.pairs().all(|pair| has_pair(request, pair)))
}

/// Whether the request has the parameter with this value, and with no other one: repetition has no sure meaning.
fn has_pair(request: &AccessRequest<'_>, (name, value): (&str, &str)) -> bool {
    let value: Cow<'_, [u8]> = percent_decode_str(value).into();
    let mut given = request.parameters().filter(|(own, _)| *own == name).peekable();
    given.peek().is_some() && given.all(|(_, own)| own.as_bytes() == value.as_ref())
}

//! Which scopes are granted.

use crate::client::Client;
use crate::quirks::{GrantRule, ScopeRules};
use smart_core::scope::{Level, Scope, Scopes};

/// What a person may grant: no `system/`, and a patient nothing beyond their own record; of that, what the client is
/// registered for. `online_access` belongs to an EHR launch (SMART, scopes for refresh).
pub(super) fn by_person(rules: &ScopeRules, client: &Client, asked: &Scopes, user: &str, ehr: bool) -> Scopes {
    let is_patient = user.starts_with("Patient/");
    let may = |scope: &Scope| match scope {
        Scope::Resource(resource) => match resource.level() {
            Level::System => false,
            Level::User => !is_patient,
            Level::Patient => true,
        },
        Scope::OnlineAccess => ehr,
        Scope::Other(_) => rules.foreign,
        _ => true,
    };
    let registered = match rules.grant {
        GrantRule::Registered { person, .. } => Some(person),
        GrantRule::Asked => None,
    };
    grant(rules, client, asked, registered, &may)
}

/// What a backend service may have: `system/` alone, of that what it is registered for.
pub(super) fn by_registration(rules: &ScopeRules, client: &Client, asked: &Scopes) -> Scopes {
    let may = |scope: &Scope| matches!(scope, Scope::Resource(resource) if resource.level() == Level::System);
    let registered = match rules.grant {
        GrantRule::Registered { system, .. } => Some(system),
        GrantRule::Asked => None,
    };
    grant(rules, client, asked, registered, &may)
}

/// `whatever`: the resource scopes of a client that is registered for none by itself, at a server that grants what is
/// registered whatever is asked for.
fn grant(
    rules: &ScopeRules,
    client: &Client,
    asked: &Scopes,
    whatever: Option<&str>,
    may: &dyn Fn(&Scope) -> bool,
) -> Scopes {
    let registered = client.scopes.as_deref().map(Scopes::parse_granted);
    let Some(whatever) = whatever else {
        let covered = |scope: &Scope| registered.as_ref().is_none_or(|registered| registered.covers(scope));
        let wildcard = |scope: &Scope| matches!(scope, Scope::Resource(resource) if resource.is_wildcard());
        let kept = asked.iter().filter(|scope| may(scope) && covered(scope));
        return kept.filter(|scope| !(rules.without_wildcards && wildcard(scope))).cloned().collect();
    };
    let resources = registered.unwrap_or_else(|| Scopes::parse_granted(whatever));
    // What cannot be read stands among the registered ones, and is granted as it stands: so does the server.
    let given = resources.iter().filter(|scope| may(scope) || matches!(scope, Scope::Other(_)));
    let others = asked.iter().filter(|scope| may(scope) && !matches!(scope, Scope::Resource(_)));
    given.chain(others).cloned().collect()
}

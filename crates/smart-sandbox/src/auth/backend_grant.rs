//! Client credentials, for backend services (SMART App Launch 2.2, backend services).

use super::form::{Form, Refused, field};
use super::granting;
use super::issue::{First, issue};
use crate::client::{Client, ClientKeys, ClientKind};
use crate::shared::{Grant, Life, Renewal, Shared, random_text};
use serde_json::Value;
use smart_core::scope::{Level, Scope, Scopes};

pub(super) fn client_credentials(shared: &Shared, client: &Client, form: &Form) -> Result<Value, Refused> {
    let none = Refused::bad("unsupported_grant_type", "there are no backend services here");
    let rules = shared.quirks.clients.backend.as_ref().ok_or(none)?;
    // A shared secret is not enough for a system (SMART, client authentication: symmetric).
    let ClientKind::Asymmetric { keys } = &client.kind else {
        return Err(Refused::bad("unauthorized_client", "a backend service authenticates with a key"));
    };
    if rules.keys_by_url && !matches!(keys, ClientKeys::Url(_)) {
        return Err(Refused::bad("unauthorized_client", "a backend service has to publish its keys at a URL"));
    }
    let asked: Scopes = match field(form, "scope") {
        Some(scope) => scope.parse().map_err(|_| Refused::bad("invalid_scope", "a scope is malformed"))?,
        None if rules.scope_required => {
            return Err(Refused::bad("invalid_scope", "scope is missing: a backend service names what it needs"));
        }
        None => Scopes::new(),
    };
    let system = |scope: &Scope| matches!(scope, Scope::Resource(resource) if resource.level() == Level::System);
    if rules.scope_required && !asked.iter().all(system) {
        return Err(Refused::bad("invalid_scope", "a backend service may ask for system/ scopes only"));
    }
    let scopes = granting::by_registration(&shared.quirks.scopes, client, &asked);
    if scopes.is_empty() {
        return Err(Refused::bad("invalid_scope", "nothing of what was asked for is granted"));
    }
    let grant = Grant {
        client_id: client.id.clone(),
        scopes,
        user: None,
        patient: None,
        encounter: None,
        nonce: None,
        state: String::new(),
        renewal: Renewal::Never,
        life: Life::Whole,
    };
    let grant_id = random_text();
    let mut state = shared.state();
    state.grants.insert(grant_id.clone(), grant.clone());
    issue(shared, &mut state, &grant_id, &grant, First::Yes)
}

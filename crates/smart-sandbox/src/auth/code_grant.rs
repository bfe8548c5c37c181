//! Redeeming an authorization code.

use super::form::{Form, Refused, field};
use super::granting;
use super::issue::{First, issue};
use crate::client::Client;
use crate::quirks::RefreshGiven;
use crate::shared::{Grant, Life, Login, Renewal, Shared, random_text};
use serde_json::Value;
use smart_core::pkce::CodeVerifier;
use smart_core::scope::Scope;

pub(super) fn redeem(shared: &Shared, client: &Client, form: &Form) -> Result<Value, Refused> {
    let invalid = |why| Refused::bad("invalid_grant", why);
    let code = field(form, "code").ok_or(Refused::bad("invalid_request", "code is missing"))?;
    let verifier = verifier(shared, form)?;
    let mut state = shared.state();
    let Some(stored) = state.codes.get(code) else { return Err(invalid("the code is unknown")) };
    if let Some(grant) = stored.redeemed.clone() {
        // Somebody else has the code: what was issued on it is taken back (RFC 6749, section 4.1.2).
        state.revoke_grant(&grant);
        return Err(invalid("the code was used before"));
    }
    let login = stored.login.clone();
    if shared.now() >= stored.expires_at {
        return Err(invalid("the code has expired"));
    }
    if login.client_id != client.id {
        return Err(invalid("the code was issued to another client"));
    }
    if field(form, "redirect_uri") != Some(login.redirect_uri.as_str()) {
        return Err(invalid("redirect_uri is not the one of the authorization request"));
    }
    let met = match (&login.challenge, &verifier) {
        (Some(challenge), Some(verifier)) => challenge.is_met_by(verifier),
        (None, None) => true,
        // A verifier without a challenge is a downgrade (RFC 9700, section 2.1.1).
        _ => false,
    };
    if !met {
        return Err(invalid("code_verifier does not meet the code_challenge"));
    }
    let grant = granted(shared, client, login);
    if shared.quirks.scopes.refuses_nothing && grant.scopes.is_empty() {
        return Err(Refused::bad("invalid_scope", "nothing of what was asked for is granted"));
    }
    let grant_id = random_text();
    if let Some(stored) = state.codes.get_mut(code) {
        stored.redeemed = Some(grant_id.clone());
    }
    state.grants.insert(grant_id.clone(), grant.clone());
    issue(shared, &mut state, &grant_id, &grant, First::Yes)
}

fn verifier(shared: &Shared, form: &Form) -> Result<Option<CodeVerifier>, Refused> {
    match field(form, "code_verifier") {
        None if shared.quirks.authorization.pkce_required => {
            Err(Refused::bad("invalid_request", "code_verifier is missing: PKCE is required"))
        }
        None => Ok(None),
        Some(text) => match CodeVerifier::parse(text) {
            Ok(verifier) => Ok(Some(verifier)),
            Err(_) => Err(Refused::bad("invalid_request", "code_verifier is malformed")),
        },
    }
}

fn granted(shared: &Shared, client: &Client, login: Login) -> Grant {
    let user = login.user.unwrap_or_default();
    let scopes = granting::by_person(&shared.quirks.scopes, client, &login.scopes, &user, login.launch.is_some());
    let (offline, online) = (scopes.contains(&Scope::OfflineAccess), scopes.contains(&Scope::OnlineAccess));
    let by_scope = match (offline, online) {
        (true, _) => Renewal::Always,
        (false, true) => Renewal::WhileSignedIn,
        (false, false) => Renewal::Never,
    };
    let renewal = match shared.quirks.refresh.given {
        RefreshGiven::Scope => by_scope,
        RefreshGiven::ScopeOfConfidential if client.is_confidential() => by_scope,
        RefreshGiven::Parameter(..) if login.refresh_asked => Renewal::Always,
        RefreshGiven::ScopeOfConfidential | RefreshGiven::Parameter(..) => Renewal::Never,
    };
    Grant {
        client_id: client.id.clone(),
        scopes,
        user: Some(user),
        patient: login.patient,
        encounter: login.launch.and_then(|launch| launch.encounter),
        nonce: login.nonce,
        state: login.state,
        renewal,
        life: Life::Whole,
    }
}

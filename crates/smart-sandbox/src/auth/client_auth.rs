//! Who makes a request to the token, introspection and revocation endpoints.

use super::form::{Form, Refused, field};
use crate::client::{Client, ClientKind, SecretMethod};
use crate::shared::Shared;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use smart_core::client_id::ClientId;
use smart_core::secret::{ClientAssertion, ClientSecret};
use smart_jwt::{AssertionVerifier, JwsError, unverified_client_id};
use url::form_urlencoded;

/// The type of a JWT client assertion (RFC 7523, section 2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The client of a request: by the one way that it is registered for, and no other beside it (RFC 6749, section 2.3).
pub(super) async fn authenticate<'s>(
    shared: &'s Shared,
    headers: &HeaderMap,
    form: &Form,
) -> Result<&'s Client, Refused> {
    let refused = || {
        let (status, error) = shared.quirks.clients.refusal;
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::UNAUTHORIZED);
        Refused::new(status, error, "the client is unknown, or did not authenticate as registered")
    };
    let basic = headers.get(AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| v.strip_prefix("Basic "));
    let ways = [basic.is_some(), form.contains_key("client_secret"), form.contains_key("client_assertion")];
    if ways.into_iter().filter(|way| *way).count() > 1 {
        return Err(Refused::bad("invalid_request", "the client authenticates in more than one way"));
    }
    let client = if let Some(basic) = basic {
        by_basic(shared, basic)
    } else if let Some(assertion) = field(form, "client_assertion") {
        by_assertion(shared, form, assertion).await
    } else {
        by_body(shared, form)
    }
    .ok_or_else(refused)?;
    // A client that also names itself in the body has to be the same one.
    if field(form, "client_id").is_some_and(|id| id != client.id) { Err(refused()) } else { Ok(client) }
}

fn by_basic<'s>(shared: &'s Shared, basic: &str) -> Option<&'s Client> {
    let decoded = STANDARD.decode(basic).ok().and_then(|d| String::from_utf8(d).ok())?;
    let (id, secret) = decoded.split_once(':')?;
    let text = |text: &str| {
        if shared.quirks.clients.raw_basic {
            return Some(text.to_owned());
        }
        form_urlencoded::parse(format!("x={text}").as_bytes()).next().map(|(_, v)| v.into_owned())
    };
    let client = shared.client(&text(id)?)?;
    has_secret(client, &text(secret)?, SecretMethod::Basic).then_some(client)
}

fn by_body<'s>(shared: &'s Shared, form: &Form) -> Option<&'s Client> {
    let client = shared.client(field(form, "client_id")?)?;
    let known = match field(form, "client_secret") {
        Some(secret) => has_secret(client, secret, SecretMethod::Post),
        None => !client.is_confidential(),
    };
    known.then_some(client)
}

fn has_secret(client: &Client, given: &str, by: SecretMethod) -> bool {
    matches!(&client.kind, ClientKind::Symmetric { secret, method } if *method == by && ClientSecret::new(given) == *secret)
}

/// Signature, claims and lifetime (SMART, client authentication: asymmetric), and that the `jti` is new.
async fn by_assertion<'s>(shared: &'s Shared, form: &Form, assertion: &str) -> Option<&'s Client> {
    if field(form, "client_assertion_type") != Some(ASSERTION_TYPE) {
        return None;
    }
    let assertion = ClientAssertion::new(assertion);
    let id: ClientId = unverified_client_id(&assertion).ok()?;
    let client = shared.client(id.as_str())?;
    let ClientKind::Asymmetric { keys } = &client.kind else { return None };
    let now = shared.now();
    let verifier = AssertionVerifier::new(format!("{}{}", shared.origin, shared.quirks.paths.token));
    let mut checked = verifier.verify(&assertion, &id, &shared.client_keys.get(keys, false, now).await?, now);
    if matches!(&checked, Err(refused) if refused.code() == JwsError::UnknownKey.code()) {
        checked = verifier.verify(&assertion, &id, &shared.client_keys.get(keys, true, now).await?, now);
    }
    let assertion = checked.inspect_err(|refused| tracing::debug!(%refused, "a client assertion was refused")).ok()?;
    let used = shared.state().was_used(&client.id, &assertion.jti, assertion.remember_until, now);
    (!used).then_some(client)
}

//! ID tokens.

use crate::config::Misbehaviour;
use crate::quirks::FhirUserForm;
use crate::shared::{Grant, Shared};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use smart_core::scope::Scope;
use smart_jwt::{KeyKind, SigningAlgorithm, SigningKey, sign_jwt};

/// Who somebody is to this issuer.
pub(super) fn subject(user: &str) -> String {
    user.replace('/', "-").to_lowercase()
}

/// The person as `fhirUser` names them.
pub(super) fn fhir_user(shared: &Shared, user: &str) -> Option<String> {
    match shared.quirks.id_token.fhir_user {
        FhirUserForm::Absolute => Some(format!("{}/{user}", shared.fhir_root)),
        FhirUserForm::Relative => Some(user.to_owned()),
        FhirUserForm::Absent => None,
    }
}

/// `bare`: without `aud` and `nonce`.
pub(super) fn id_token(shared: &Shared, grant: &Grant, access_token: &str, bare: bool) -> Option<String> {
    let rules = &shared.quirks.id_token;
    let user = grant.user.as_deref()?;
    let now = shared.now().as_unix_seconds();
    let mut claims = json!({"iss": shared.issuer, "sub": subject(user), "iat": now, "exp": now + rules.lifetime});
    let members = claims.as_object_mut()?;
    if rules.at_hash {
        let digest = ring::digest::digest(&ring::digest::SHA256, access_token.as_bytes());
        members.insert("at_hash".into(), URL_SAFE_NO_PAD.encode(digest.as_ref().get(..16)?).into());
    }
    if grant.scopes.contains(&Scope::FhirUser)
        && let Some(fhir_user) = fhir_user(shared, user)
    {
        members.insert("fhirUser".into(), fhir_user.as_str().into());
        if rules.profile_claim {
            members.insert("profile".into(), fhir_user.into());
        }
    }
    if !bare {
        members.insert("aud".into(), grant.client_id.as_str().into());
        if let Some(nonce) = &grant.nonce {
            let nonce = if shared.misbehaves(Misbehaviour::WrongNonce) { "another-nonce" } else { nonce.as_str() };
            members.insert("nonce".into(), nonce.into());
        }
    }
    sign(shared, &claims)
}

fn sign(shared: &Shared, claims: &Value) -> Option<String> {
    if shared.misbehaves(Misbehaviour::AlgNone) {
        let encode = |value: &str| URL_SAFE_NO_PAD.encode(value);
        return Some(format!("{}.{}.", encode("{\"alg\":\"none\"}"), encode(&claims.to_string())));
    }
    if shared.misbehaves(Misbehaviour::ForeignKey) {
        let foreign = SigningKey::generate(KeyKind::Rsa2048).ok()?.with_algorithm(SigningAlgorithm::Rs256).ok()?;
        return sign_jwt(&foreign.with_kid(shared.keys.signing().key_id()).ok()?, "JWT", claims.as_object()?).ok();
    }
    sign_jwt(&shared.keys.signing(), "JWT", claims.as_object()?).ok()
}

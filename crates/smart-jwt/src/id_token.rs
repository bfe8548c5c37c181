//! An ID token that was validated.

use crate::algorithm::SigningAlgorithm;
use crate::lazy_claims::LazyClaims;
use crate::original_login::OriginalLogin;
use serde_json::{Map, Value};
use smart_core::time::Timestamp;

/// An ID token that passed every check. There is no other way to get one.
#[derive(Clone, PartialEq, Eq)]
pub struct IdToken {
    pub(crate) algorithm: SigningAlgorithm,
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) audience: Vec<String>,
    pub(crate) authorized_party: Option<String>,
    pub(crate) expires_at: Timestamp,
    pub(crate) issued_at: Timestamp,
    pub(crate) authenticated_at: Option<Timestamp>,
    pub(crate) nonce: Option<String>,
    pub(crate) fhir_user: Option<String>,
    pub(crate) claims: LazyClaims,
}

impl IdToken {
    /// The algorithm of its signature.
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// Who issued it.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Who the user is at that issuer. Only the pair of issuer and subject names a person.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The user as a FHIR resource, as it came: the `fhirUser` claim, or the `profile` claim of an STU1 server when it
    /// looks like a reference to a user. Resolve it with [`FhirUser`](smart_core::context::FhirUser).
    pub fn fhir_user(&self) -> Option<&str> {
        self.fhir_user.as_deref()
    }

    /// Which of the two claims names the user.
    pub(crate) fn pick_fhir_user<'c>(fhir_user: Option<&'c str>, profile: Option<&'c str>) -> Option<&'c str> {
        fhir_user.filter(|user| !user.is_empty()).or_else(|| profile.filter(|profile| looks_like_a_user(profile)))
    }

    /// Whom it is for: this client, and audiences that were said to be trusted.
    pub fn audience(&self) -> &[String] {
        &self.audience
    }

    /// The client that it was issued to (`azp`), where it says so.
    pub fn authorized_party(&self) -> Option<&str> {
        self.authorized_party.as_deref()
    }

    /// When it expires. That says nothing about the session, nor about the access token.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// When it was issued.
    pub fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    /// When the person logged in (`auth_time`), where it says so.
    pub fn authenticated_at(&self) -> Option<Timestamp> {
        self.authenticated_at
    }

    /// The nonce, where it has one.
    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }

    /// What a later token of the same session has to agree with.
    pub fn original_login(&self) -> OriginalLogin {
        OriginalLogin {
            issuer: self.issuer.clone(),
            subject: self.subject.clone(),
            audience: self.audience.clone(),
            authorized_party: self.authorized_party.clone(),
            issued_at: self.issued_at,
            authenticated_at: self.authenticated_at,
            nonce: self.nonce.clone(),
        }
    }

    /// All claims.
    pub fn claims(&self) -> &Map<String, Value> {
        self.claims.members()
    }
}

impl std::fmt::Debug for IdToken {
    /// Shows the issuer, not the person.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IdToken")
            .field("issuer", &self.issuer)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

fn looks_like_a_user(profile: &str) -> bool {
    let mut segments = profile.rsplit('/');
    let (id, resource_type) = (segments.next(), segments.next());
    id.is_some_and(|id| !id.is_empty())
        && matches!(resource_type, Some("Patient" | "Practitioner" | "PractitionerRole" | "RelatedPerson" | "Person"))
}

//! An ID token that was validated.

use crate::algorithm::SigningAlgorithm;
use crate::original_login::OriginalLogin;
use crate::payload::{Kept, Payload};
use serde_json::{Map, Value};
use smart_core::time::Timestamp;

/// An ID token that passed every check. There is no other way to get one.
#[derive(Clone, PartialEq, Eq)]
pub struct IdToken {
    pub(crate) algorithm: SigningAlgorithm,
    pub(crate) issuer: Kept,
    pub(crate) subject: Kept,
    pub(crate) audience: Kept,
    pub(crate) other_audiences: Vec<Kept>,
    pub(crate) authorized_party: Option<Kept>,
    pub(crate) expires_at: Timestamp,
    pub(crate) issued_at: Timestamp,
    pub(crate) authenticated_at: Option<Timestamp>,
    pub(crate) nonce: Option<Kept>,
    pub(crate) fhir_user: Option<Kept>,
    pub(crate) payload: Payload,
}

impl IdToken {
    /// The algorithm of its signature.
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// Who issued it.
    pub fn issuer(&self) -> &str {
        self.payload.text(&self.issuer)
    }

    /// Who the user is at that issuer. Only the pair of issuer and subject names a person.
    pub fn subject(&self) -> &str {
        self.payload.text(&self.subject)
    }

    /// The user as a FHIR resource, as it came: the `fhirUser` claim, or the `profile` claim of an STU1 server when it
    /// looks like a reference to a user. Resolve it with [`FhirUser`](smart_core::context::FhirUser).
    pub fn fhir_user(&self) -> Option<&str> {
        self.optional(self.fhir_user.as_ref())
    }

    fn optional<'t>(&'t self, kept: Option<&'t Kept>) -> Option<&'t str> {
        kept.map(|kept| self.payload.text(kept))
    }

    /// Whom it is for: this client, and audiences that were said to be trusted.
    pub fn audience(&self) -> Vec<&str> {
        std::iter::once(&self.audience).chain(&self.other_audiences).map(|kept| self.payload.text(kept)).collect()
    }

    /// The client that it was issued to (`azp`), where it says so.
    pub fn authorized_party(&self) -> Option<&str> {
        self.optional(self.authorized_party.as_ref())
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
        self.optional(self.nonce.as_ref())
    }

    /// What a later token of the same session has to agree with.
    pub fn original_login(&self) -> OriginalLogin {
        OriginalLogin {
            issuer: self.issuer().to_owned(),
            subject: self.subject().to_owned(),
            audience: self.audience().into_iter().map(str::to_owned).collect(),
            authorized_party: self.authorized_party().map(str::to_owned),
            issued_at: self.issued_at,
            authenticated_at: self.authenticated_at,
            nonce: self.nonce().map(str::to_owned),
        }
    }

    /// All claims.
    pub fn claims(&self) -> &Map<String, Value> {
        self.payload.members()
    }
}

impl std::fmt::Debug for IdToken {
    /// Shows the issuer, not the person.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IdToken")
            .field("issuer", &self.issuer())
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// Whether a `profile` claim can stand in for `fhirUser` (STU1).
pub(crate) fn looks_like_a_user(profile: &str) -> bool {
    let mut segments = profile.rsplit('/');
    let (id, resource_type) = (segments.next(), segments.next());
    id.is_some_and(|id| !id.is_empty())
        && matches!(resource_type, Some("Patient" | "Practitioner" | "PractitionerRole" | "RelatedPerson" | "Person"))
}

//! Validating ID tokens (OpenID Connect Core, section 3.1.3.7; SMART, scopes for requesting identity data).

use crate::algorithm::SigningAlgorithm;
use crate::claims;
use crate::id_token::{IdToken, looks_like_a_user};
use crate::id_token_error::IdTokenError;
use crate::id_token_policy::IdTokenPolicy;
use crate::jwks::Jwks;
use crate::jws::{Compact, Header};
use crate::original_login::OriginalLogin;
use crate::scan::{Members, Scanned};
use smart_core::client_id::ClientId;
use smart_core::issuer::Issuer;
use smart_core::secret::{AccessToken, RawIdToken};
use smart_core::state::Nonce;
use smart_core::time::Timestamp;
use smart_core::untrusted::shown;
use std::borrow::Cow;
use std::time::Duration;

/// The longest subject (OpenID Connect Core, section 2).
const MAX_SUBJECT: usize = 255;

/// Validates ID tokens under a policy.
#[derive(Debug, Clone)]
pub struct IdTokenValidator {
    pub(crate) policy: IdTokenPolicy,
}

/// The claims that are looked at.
#[derive(Default)]
struct Claims<'p> {
    iss: Option<Scanned<'p>>,
    sub: Option<Scanned<'p>>,
    aud: Option<Scanned<'p>>,
    azp: Option<Scanned<'p>>,
    exp: Option<Scanned<'p>>,
    iat: Option<Scanned<'p>>,
    nbf: Option<Scanned<'p>>,
    auth_time: Option<Scanned<'p>>,
    acr: Option<Scanned<'p>>,
    nonce: Option<Scanned<'p>>,
    at_hash: Option<Scanned<'p>>,
    c_hash: Option<Scanned<'p>>,
    fhir_user: Option<Scanned<'p>>,
    profile: Option<Scanned<'p>>,
}

impl<'p> Members<'p> for Claims<'p> {
    fn slot(&mut self, name: &str) -> Option<&mut Option<Scanned<'p>>> {
        Some(match name {
            "iss" => &mut self.iss,
            "sub" => &mut self.sub,
            "aud" => &mut self.aud,
            "azp" => &mut self.azp,
            "exp" => &mut self.exp,
            "iat" => &mut self.iat,
            "nbf" => &mut self.nbf,
            "auth_time" => &mut self.auth_time,
            "acr" => &mut self.acr,
            "nonce" => &mut self.nonce,
            "at_hash" => &mut self.at_hash,
            "c_hash" => &mut self.c_hash,
            "fhirUser" => &mut self.fhir_user,
            "profile" => &mut self.profile,
            _ => return None,
        })
    }
}

impl Claims<'_> {
    /// `fhirUser`, or `profile` where that stands in for it.
    fn fhir_user(&self) -> Option<&str> {
        let fhir_user = self.fhir_user.as_ref().and_then(Scanned::as_text).filter(|user| !user.is_empty());
        let profile = || self.profile.as_ref().and_then(Scanned::as_text).filter(|profile| looks_like_a_user(profile));
        fhir_user.or_else(profile)
    }
}

/// The times of a token that passed.
struct Times {
    exp: Timestamp,
    iat: Timestamp,
    auth_time: Option<Timestamp>,
}

impl IdTokenValidator {
    /// Expects tokens of `issuer` for `client_id`; everything else is said on the policy.
    pub fn builder(issuer: Issuer, client_id: ClientId) -> IdTokenPolicy {
        IdTokenPolicy::new(issuer, client_id)
    }

    /// Expects tokens of `issuer` for `client_id`, signed with RS256, with a leeway of 60 seconds.
    pub fn new(issuer: Issuer, client_id: ClientId) -> Self {
        Self::builder(issuer, client_id).build()
    }

    /// The algorithms that are accepted, in place of RS256 alone: those that the issuer announces or the app knows of.
    pub fn with_algorithms(self, algorithms: &[SigningAlgorithm]) -> Self {
        self.policy.only_algorithms(algorithms).build()
    }

    /// The nonce that was sent: the token must repeat it.
    pub fn with_nonce(self, nonce: Nonce) -> Self {
        self.policy.nonce(nonce).build()
    }

    /// How far the clocks may differ. Default: 60 seconds; more than five minutes is taken as five.
    pub fn with_leeway(self, leeway: Duration) -> Self {
        self.policy.leeway(leeway).build()
    }

    /// How long ago the token may have been issued.
    pub fn with_max_age(self, max_age: Duration) -> Self {
        self.policy.max_age(max_age).build()
    }

    /// Audiences beside this client that may stand in `aud`.
    pub fn with_trusted_audience(self, audience: impl Into<String>) -> Self {
        self.policy.trusted_audience(audience).build()
    }

    /// Validates the token of a login. With an access token, `at_hash` is checked where it is present.
    ///
    /// # Errors
    /// [`IdTokenError`] says which check failed; [`IdTokenError::needs_refetch`] whether fresh keys may help.
    pub fn validate(
        &self,
        token: &RawIdToken,
        keys: &Jwks,
        now: Timestamp,
        access_token: Option<&AccessToken>,
    ) -> Result<IdToken, IdTokenError> {
        let id_token = self.check(token, keys, now, access_token)?;
        match (&self.policy.nonce, id_token.nonce()) {
            (None, _) => Ok(id_token),
            (Some(_), None) => Err(IdTokenError::NonceMissing),
            (Some(sent), Some(got)) if sent.is(got) => Ok(id_token),
            (Some(_), Some(_)) => Err(IdTokenError::Nonce),
        }
    }

    /// Validates the token of a renewal: all that [`validate`](Self::validate) checks but for the nonce, which is not
    /// expected here, and that it is the same person's, of the same login (OpenID Connect Core, section 12.2).
    ///
    /// # Errors
    /// As [`validate`](Self::validate); [`IdTokenError::Renewal`] names the claim that changed. End the session then.
    pub fn validate_refreshed(
        &self,
        previous: &IdToken,
        token: &RawIdToken,
        keys: &Jwks,
        now: Timestamp,
        access_token: Option<&AccessToken>,
    ) -> Result<IdToken, IdTokenError> {
        self.validate_refreshed_after(&previous.original_login(), token, keys, now, access_token)
    }

    /// The same for a session that was stored: compared with what was kept of its login.
    ///
    /// # Errors
    /// As [`validate_refreshed`](Self::validate_refreshed).
    pub fn validate_refreshed_after(
        &self,
        login: &OriginalLogin,
        token: &RawIdToken,
        keys: &Jwks,
        now: Timestamp,
        access_token: Option<&AccessToken>,
    ) -> Result<IdToken, IdTokenError> {
        let renewed = self.check(token, keys, now, access_token)?;
        let changed = if renewed.issuer() != login.issuer {
            Some("iss")
        } else if renewed.subject() != login.subject {
            Some("sub")
        } else if !login.audience.iter().all(|audience| renewed.audience().contains(&audience.as_str())) {
            Some("aud")
        } else if renewed.authorized_party() != login.authorized_party.as_deref() {
            Some("azp")
        } else if renewed.authenticated_at.zip(login.authenticated_at).is_some_and(|(new, first)| new != first) {
            Some("auth_time")
        } else if renewed.issued_at < login.issued_at {
            Some("iat")
        } else if renewed.nonce().is_some() && renewed.nonce() != login.nonce.as_deref() {
            Some("nonce")
        } else {
            None
        };
        changed.map_or(Ok(renewed), |claim| Err(IdTokenError::Renewal(claim)))
    }

    /// Every check but the nonce.
    fn check(
        &self,
        token: &RawIdToken,
        keys: &Jwks,
        now: Timestamp,
        access_token: Option<&AccessToken>,
    ) -> Result<IdToken, IdTokenError> {
        let jws = Compact::parse(token.expose_secret())?;
        let header = jws.header()?;
        let algorithm = jws.verify(&header, keys, &self.policy.algorithms)?;
        check_type(&header)?;
        let claims = jws.scanned_claims::<Claims<'_>>()?;
        let issuer = self.check_issuer(&claims)?;
        let subject = text(claims.sub.as_ref(), "sub")?;
        if subject.is_empty() || subject.len() > MAX_SUBJECT || !subject.is_ascii() {
            return Err(IdTokenError::Claim("sub"));
        }
        let (audience, others) = self.check_audience(&claims)?;
        let times = self.check_times(&claims, now)?;
        self.check_authentication(&claims, &times, now)?;
        let nonce = claims.nonce.as_ref().map(|nonce| text(Some(nonce), "nonce")).transpose()?;
        if let Some(access_token) = access_token
            && !is_half_hash(claims.at_hash.as_ref(), "at_hash", algorithm, access_token.expose_secret())?
        {
            return Err(IdTokenError::AccessTokenHash);
        }
        if let Some(code) = &self.policy.code
            && !is_half_hash(claims.c_hash.as_ref(), "c_hash", algorithm, code.expose_secret())?
        {
            return Err(IdTokenError::CodeHash);
        }
        Ok(IdToken {
            algorithm,
            issuer: jws.kept(issuer),
            subject: jws.kept(subject),
            audience: jws.kept(audience),
            other_audiences: others.iter().map(|other| jws.kept(other)).collect(),
            authorized_party: claims.azp.as_ref().and_then(Scanned::as_text).map(|party| jws.kept(party)),
            expires_at: times.exp,
            issued_at: times.iat,
            authenticated_at: times.auth_time,
            nonce: nonce.map(|nonce| jws.kept(nonce)),
            fhir_user: claims.fhir_user().map(|user| jws.kept(user)),
            payload: jws.into_payload()?,
        })
    }

    fn check_issuer<'c>(&self, claims: &'c Claims<'_>) -> Result<&'c str, IdTokenError> {
        let got = text(claims.iss.as_ref(), "iss")?;
        if self.policy.is_issuer(got) {
            return Ok(got);
        }
        Err(IdTokenError::Issuer { got: shown(got, 200), expected: self.policy.issuer.as_str().to_owned() })
    }

    /// The audiences: there is one at least.
    fn check_audience<'c, 'p>(
        &self,
        claims: &'c Claims<'p>,
    ) -> Result<(&'c Cow<'p, str>, &'c [Cow<'p, str>]), IdTokenError> {
        let audience = claims::audience(claims.aud.as_ref()).ok_or(IdTokenError::Claim("aud"))?;
        let own = self.policy.client_id.as_str();
        if !audience.iter().any(|a| a == own) {
            return Err(IdTokenError::Audience);
        }
        if audience.iter().any(|a| a != own && !self.policy.trusted_audiences.iter().any(|t| t == a)) {
            return Err(IdTokenError::UntrustedAudience);
        }
        match &claims.azp {
            None if audience.len() > 1 => Err(IdTokenError::AuthorizedPartyMissing),
            Some(party) if party.as_text() != Some(own) => Err(IdTokenError::AuthorizedParty),
            _ => audience.split_first().ok_or(IdTokenError::Audience),
        }
    }

    fn check_times(&self, claims: &Claims<'_>, now: Timestamp) -> Result<Times, IdTokenError> {
        let latest = now.saturating_add(self.policy.leeway);
        let earliest = now.saturating_sub(self.policy.leeway);
        let exp = time(claims.exp.as_ref(), "exp")?.ok_or(IdTokenError::Claim("exp"))?;
        if exp <= earliest {
            return Err(IdTokenError::Expired);
        }
        let iat = time(claims.iat.as_ref(), "iat")?.ok_or(IdTokenError::Claim("iat"))?;
        if iat > latest {
            return Err(IdTokenError::IssuedInFuture);
        }
        if self.policy.max_age.is_some_and(|age| iat.saturating_add(age) < earliest) {
            return Err(IdTokenError::TooOld);
        }
        if time(claims.nbf.as_ref(), "nbf")?.is_some_and(|not_before| not_before > latest) {
            return Err(IdTokenError::NotYetValid);
        }
        Ok(Times { exp, iat, auth_time: time(claims.auth_time.as_ref(), "auth_time")? })
    }

    /// When and how the person authenticated, where that was asked for (OpenID Connect Core, section 3.1.3.7, 12 and 13).
    fn check_authentication(&self, claims: &Claims<'_>, times: &Times, now: Timestamp) -> Result<(), IdTokenError> {
        if let Some(age) = self.policy.max_authentication_age {
            let at = times.auth_time.ok_or(IdTokenError::Claim("auth_time"))?;
            let leeway = self.policy.leeway;
            if at > now.saturating_add(leeway) || at.saturating_add(age) < now.saturating_sub(leeway) {
                return Err(IdTokenError::AuthenticationTime);
            }
        }
        if !self.policy.authentication_contexts.is_empty() {
            let acr = text(claims.acr.as_ref(), "acr")?;
            if !self.policy.authentication_contexts.iter().any(|own| own == acr) {
                return Err(IdTokenError::AuthenticationContext);
            }
        }
        Ok(())
    }
}

/// A token that says it is of another kind is none for us, though its signature and claims may fit: an access token, a
/// logout token (RFC 8725, sections 3.11 and 3.12).
fn check_type(header: &Header<'_>) -> Result<(), IdTokenError> {
    const OTHER_KINDS: &str = "+jwt";
    let is_other = |typ: &str| {
        let at = typ.len().checked_sub(OTHER_KINDS.len());
        at.and_then(|at| typ.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(OTHER_KINDS))
    };
    match header.typ()? {
        Some(typ) if is_other(typ) => Err(IdTokenError::Type { got: shown(typ, 40) }),
        _ => Ok(()),
    }
}

fn text<'c>(claim: Option<&'c Scanned<'_>>, name: &'static str) -> Result<&'c str, IdTokenError> {
    claim.and_then(Scanned::as_text).ok_or(IdTokenError::Claim(name))
}

fn time(claim: Option<&Scanned<'_>>, name: &'static str) -> Result<Option<Timestamp>, IdTokenError> {
    claims::time(claim).map_err(|()| IdTokenError::Claim(name))
}

/// Whether the claim, where present, is the half hash of `text`.
fn is_half_hash(
    claim: Option<&Scanned<'_>>,
    name: &'static str,
    algorithm: SigningAlgorithm,
    text: &str,
) -> Result<bool, IdTokenError> {
    let Some(claim) = claim else { return Ok(true) };
    let claimed = claim.as_text().ok_or(IdTokenError::Claim(name))?;
    Ok(claims::is_half_hash(claimed, algorithm.digest(), text))
}

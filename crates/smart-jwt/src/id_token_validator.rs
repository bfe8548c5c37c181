//! Validating ID tokens (OpenID Connect Core, section 3.1.3.7; SMART, scopes for requesting identity data).

use crate::algorithm::SigningAlgorithm;
use crate::claims;
use crate::id_token::IdToken;
use crate::id_token_error::IdTokenError;
use crate::id_token_policy::IdTokenPolicy;
use crate::jwks::Jwks;
use crate::jws::verify_jws;
use crate::original_login::OriginalLogin;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use smart_core::client_id::ClientId;
use smart_core::issuer::Issuer;
use smart_core::secret::{AccessToken, RawIdToken};
use smart_core::state::Nonce;
use smart_core::time::Timestamp;
use smart_core::untrusted::shown;
use std::time::Duration;
use subtle::ConstantTimeEq as _;

/// The longest subject (OpenID Connect Core, section 2).
const MAX_SUBJECT: usize = 255;

/// Validates ID tokens under a policy.
#[derive(Debug, Clone)]
pub struct IdTokenValidator {
    pub(crate) policy: IdTokenPolicy,
}

/// The times of a token that passed.
struct Times {
    expires_at: Timestamp,
    issued_at: Timestamp,
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
        let changed = if renewed.issuer != login.issuer {
            Some("iss")
        } else if renewed.subject != login.subject {
            Some("sub")
        } else if !login.audience.iter().all(|audience| renewed.audience.contains(audience)) {
            Some("aud")
        } else if renewed.authorized_party != login.authorized_party {
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
        let jws = verify_jws(token.expose_secret(), keys, &self.policy.algorithms)?;
        let claims = jws.claims;
        let issuer = self.check_issuer(&claims)?;
        let subject = text(&claims, "sub")?.to_owned();
        if subject.is_empty() || subject.len() > MAX_SUBJECT || !subject.is_ascii() {
            return Err(IdTokenError::Claim("sub"));
        }
        let audience = self.check_audience(&claims)?;
        let times = self.check_times(&claims, now)?;
        if claims.get("nonce").is_some_and(|nonce| !nonce.is_string()) {
            return Err(IdTokenError::Claim("nonce"));
        }
        if let Some(access_token) = access_token {
            check_at_hash(&claims, jws.algorithm, access_token)?;
        }
        Ok(IdToken {
            algorithm: jws.algorithm,
            issuer,
            subject,
            audience,
            authorized_party: claims.get("azp").and_then(Value::as_str).map(str::to_owned),
            expires_at: times.expires_at,
            issued_at: times.issued_at,
            authenticated_at: time(&claims, "auth_time")?,
            claims,
        })
    }

    fn check_issuer(&self, claims: &Map<String, Value>) -> Result<String, IdTokenError> {
        let got = text(claims, "iss")?;
        if self.policy.is_issuer(got) {
            return Ok(got.to_owned());
        }
        Err(IdTokenError::Issuer { got: shown(got, 200), expected: self.policy.issuer.as_str().to_owned() })
    }

    fn check_audience(&self, claims: &Map<String, Value>) -> Result<Vec<String>, IdTokenError> {
        let audience = claims::audience(claims).ok_or(IdTokenError::Claim("aud"))?;
        let own = self.policy.client_id.as_str();
        if !audience.contains(&own) {
            return Err(IdTokenError::Audience);
        }
        if audience.iter().any(|a| *a != own && !self.policy.trusted_audiences.iter().any(|t| t == a)) {
            return Err(IdTokenError::UntrustedAudience);
        }
        match claims.get("azp") {
            None if audience.len() > 1 => Err(IdTokenError::AuthorizedPartyMissing),
            Some(party) if party != own => Err(IdTokenError::AuthorizedParty),
            _ => Ok(audience.into_iter().map(str::to_owned).collect()),
        }
    }

    fn check_times(&self, claims: &Map<String, Value>, now: Timestamp) -> Result<Times, IdTokenError> {
        let latest = now.saturating_add(self.policy.leeway);
        let earliest = now.saturating_sub(self.policy.leeway);
        let expires_at = time(claims, "exp")?.ok_or(IdTokenError::Claim("exp"))?;
        if expires_at <= earliest {
            return Err(IdTokenError::Expired);
        }
        let issued_at = time(claims, "iat")?.ok_or(IdTokenError::Claim("iat"))?;
        if issued_at > latest {
            return Err(IdTokenError::IssuedInFuture);
        }
        if self.policy.max_age.is_some_and(|age| issued_at.saturating_add(age) < earliest) {
            return Err(IdTokenError::TooOld);
        }
        match time(claims, "nbf")? {
            Some(not_before) if not_before > latest => Err(IdTokenError::NotYetValid),
            _ => Ok(Times { expires_at, issued_at }),
        }
    }
}

fn text<'c>(claims: &'c Map<String, Value>, name: &'static str) -> Result<&'c str, IdTokenError> {
    claims.get(name).and_then(Value::as_str).ok_or(IdTokenError::Claim(name))
}

fn time(claims: &Map<String, Value>, name: &'static str) -> Result<Option<Timestamp>, IdTokenError> {
    claims::time(claims, name).map_err(|()| IdTokenError::Claim(name))
}

fn check_at_hash(
    claims: &Map<String, Value>,
    algorithm: SigningAlgorithm,
    access_token: &AccessToken,
) -> Result<(), IdTokenError> {
    let Some(claim) = claims.get("at_hash") else { return Ok(()) };
    let claimed = claim.as_str().ok_or(IdTokenError::Claim("at_hash"))?;
    let digest = ring::digest::digest(algorithm.digest(), access_token.expose_secret().as_bytes());
    let half = digest.as_ref().get(..digest.as_ref().len() / 2).unwrap_or_default();
    if URL_SAFE_NO_PAD.encode(half).as_bytes().ct_eq(claimed.as_bytes()).into() {
        Ok(())
    } else {
        Err(IdTokenError::AccessTokenHash)
    }
}

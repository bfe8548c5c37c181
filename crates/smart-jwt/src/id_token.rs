//! Validating ID tokens (OpenID Connect Core, section 3.1.3.7; SMART, scopes for requesting identity data).

use crate::algorithm::SigningAlgorithm;
use crate::id_token_error::IdTokenError;
use crate::jwks::Jwks;
use crate::jws::verify_jws;
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

/// What an ID token is checked against. The issuer comes from discovery, never from the token (requirement ID-04).
#[derive(Debug, Clone)]
pub struct IdTokenValidator {
    issuer: Issuer,
    client_id: ClientId,
    algorithms: Vec<SigningAlgorithm>,
    leeway: Duration,
    max_age: Option<Duration>,
    nonce: Option<Nonce>,
    trusted_audiences: Vec<String>,
}

/// An ID token that passed every check. There is no other way to get one.
#[derive(Clone, PartialEq, Eq)]
pub struct IdToken {
    algorithm: SigningAlgorithm,
    issuer: String,
    subject: String,
    claims: Map<String, Value>,
}

impl IdTokenValidator {
    /// Expects tokens of `issuer` for `client_id`, signed with RS256, with a leeway of 60 seconds.
    pub fn new(issuer: Issuer, client_id: ClientId) -> Self {
        Self {
            issuer,
            client_id,
            algorithms: vec![SigningAlgorithm::Rs256],
            leeway: Duration::from_mins(1),
            max_age: None,
            nonce: None,
            trusted_audiences: Vec::new(),
        }
    }

    /// The algorithms that are accepted, in place of RS256 alone: those that the issuer announces or the app knows of.
    pub fn with_algorithms(mut self, algorithms: &[SigningAlgorithm]) -> Self {
        algorithms.clone_into(&mut self.algorithms);
        self
    }

    /// The nonce that was sent: the token must repeat it.
    pub fn with_nonce(mut self, nonce: Nonce) -> Self {
        self.nonce = Some(nonce);
        self
    }

    /// How far the clocks may differ. Default: 60 seconds; more than five minutes is taken as five.
    pub fn with_leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway.min(Duration::from_mins(5));
        self
    }

    /// How long ago the token may have been issued.
    pub fn with_max_age(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }

    /// Audiences beside this client that may stand in `aud`.
    pub fn with_trusted_audience(mut self, audience: impl Into<String>) -> Self {
        self.trusted_audiences.push(audience.into());
        self
    }

    /// Validates a token. With an access token, `at_hash` is checked where it is present.
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
        let jws = verify_jws(token.expose_secret(), keys, &self.algorithms)?;
        let claims = jws.claims;
        let issuer = self.check_issuer(&claims)?;
        let subject = text(&claims, "sub")?;
        if subject.is_empty() || subject.len() > MAX_SUBJECT || !subject.is_ascii() {
            return Err(IdTokenError::Claim("sub"));
        }
        self.check_audience(&claims)?;
        self.check_times(&claims, now)?;
        self.check_nonce(&claims)?;
        if let Some(access_token) = access_token {
            check_at_hash(&claims, jws.algorithm, access_token)?;
        }
        Ok(IdToken { algorithm: jws.algorithm, issuer, subject: subject.to_owned(), claims })
    }

    fn check_issuer(&self, claims: &Map<String, Value>) -> Result<String, IdTokenError> {
        let got = text(claims, "iss")?;
        if got == self.issuer.as_str() {
            return Ok(got.to_owned());
        }
        Err(IdTokenError::Issuer { got: shown(got, 200), expected: self.issuer.as_str().to_owned() })
    }

    fn check_audience(&self, claims: &Map<String, Value>) -> Result<(), IdTokenError> {
        let audiences: Vec<&str> = match claims.get("aud") {
            Some(Value::String(one)) => vec![one.as_str()],
            Some(Value::Array(several)) => {
                several.iter().map(Value::as_str).collect::<Option<_>>().ok_or(IdTokenError::Claim("aud"))?
            }
            _ => return Err(IdTokenError::Claim("aud")),
        };
        let own = self.client_id.as_str();
        if !audiences.contains(&own) {
            return Err(IdTokenError::Audience);
        }
        if audiences.iter().any(|a| *a != own && !self.trusted_audiences.iter().any(|t| t == a)) {
            return Err(IdTokenError::UntrustedAudience);
        }
        match claims.get("azp") {
            None if audiences.len() > 1 => Err(IdTokenError::AuthorizedPartyMissing),
            None => Ok(()),
            Some(Value::String(party)) if party == own => Ok(()),
            Some(_) => Err(IdTokenError::AuthorizedParty),
        }
    }

    fn check_times(&self, claims: &Map<String, Value>, now: Timestamp) -> Result<(), IdTokenError> {
        let latest = now.saturating_add(self.leeway);
        let earliest = now.saturating_sub(self.leeway);
        if time(claims, "exp")?.ok_or(IdTokenError::Claim("exp"))? <= earliest {
            return Err(IdTokenError::Expired);
        }
        let issued_at = time(claims, "iat")?.ok_or(IdTokenError::Claim("iat"))?;
        if issued_at > latest {
            return Err(IdTokenError::IssuedInFuture);
        }
        if self.max_age.is_some_and(|age| issued_at.saturating_add(age) < earliest) {
            return Err(IdTokenError::TooOld);
        }
        match time(claims, "nbf")? {
            Some(not_before) if not_before > latest => Err(IdTokenError::NotYetValid),
            _ => Ok(()),
        }
    }

    fn check_nonce(&self, claims: &Map<String, Value>) -> Result<(), IdTokenError> {
        let Some(sent) = &self.nonce else { return Ok(()) };
        match claims.get("nonce").and_then(Value::as_str) {
            None => Err(IdTokenError::NonceMissing),
            Some(got) if Nonce::new(got) == *sent => Ok(()),
            Some(_) => Err(IdTokenError::Nonce),
        }
    }
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
        let text = |name: &str| self.claims.get(name).and_then(Value::as_str).filter(|t| !t.is_empty());
        text("fhirUser").or_else(|| text("profile").filter(|profile| looks_like_a_user(profile)))
    }

    /// All claims.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
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

fn text<'c>(claims: &'c Map<String, Value>, name: &'static str) -> Result<&'c str, IdTokenError> {
    claims.get(name).and_then(Value::as_str).ok_or(IdTokenError::Claim(name))
}

/// A `NumericDate`: seconds, with a fraction at most (RFC 7519, section 2).
#[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and either end is refused as a date")]
fn time(claims: &Map<String, Value>, name: &'static str) -> Result<Option<Timestamp>, IdTokenError> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::Number(number)) => {
            let seconds = number.as_i64().or_else(|| number.as_f64().map(|s| s.floor() as i64));
            seconds.map(|s| Some(Timestamp::from_unix_seconds(s))).ok_or(IdTokenError::Claim(name))
        }
        Some(_) => Err(IdTokenError::Claim(name)),
    }
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

//! Checking client assertions, for those who write servers (SMART, client authentication: signature verification).

use crate::algorithm::SigningAlgorithm;
use crate::claims;
use crate::client_assertion::{EXPLICIT_TYPE, LONGEST_LIFETIME};
use crate::error::JwsError;
use crate::jwks::Jwks;
use crate::jws::Compact;
use crate::scan::{Members, Scanned};
use smart_core::client_id::ClientId;
use smart_core::secret::ClientAssertion;
use smart_core::time::Timestamp;
use std::time::Duration;

/// The longest `jti`, so that whoever stores it stores no novel.
const MAX_ID: usize = 255;

/// What `typ` may say: SMART's, and what the drafts after RFC 7523 have in its place.
const TYPES: [&str; 2] = ["JWT", EXPLICIT_TYPE];

/// Why a client assertion was refused. A server answers `invalid_client` to all of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum AssertionRefused {
    /// Form, algorithm, key or signature.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// The header has no `typ` of `JWT` or `client-authentication+jwt`.
    #[error("the assertion's header has not the `typ` `JWT`")]
    Type,
    /// A claim is missing or malformed.
    #[error("the assertion's claim `{0}` is missing or malformed")]
    Claim(&'static str),
    /// `iss` or `sub` is not the client.
    #[error("the assertion's `{0}` is not the client's id")]
    Client(&'static str),
    /// `aud` is not this server.
    #[error("the assertion is for another server (aud)")]
    Audience,
    /// `exp` has passed.
    #[error("the assertion has expired (exp)")]
    Expired,
    /// `exp` lies more than five minutes ahead.
    #[error("the assertion lives longer than five minutes (exp)")]
    TooLong,
    /// `iat` or `nbf` lies in the future.
    #[error("the assertion is not valid yet (`{0}`)")]
    NotYetValid(&'static str),
}

impl AssertionRefused {
    /// A short name that can be looked up.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Jws(error) => error.code(),
            Self::Type => "type",
            Self::Claim(_) => "claim",
            Self::Client(_) => "client",
            Self::Audience => "audience",
            Self::Expired => "expired",
            Self::TooLong => "lives-too-long",
            Self::NotYetValid(_) => "not-yet-valid",
        }
    }
}

/// The claims that are looked at.
#[derive(Default)]
struct Claims<'p> {
    iss: Option<Scanned<'p>>,
    sub: Option<Scanned<'p>>,
    aud: Option<Scanned<'p>>,
    exp: Option<Scanned<'p>>,
    iat: Option<Scanned<'p>>,
    nbf: Option<Scanned<'p>>,
    jti: Option<Scanned<'p>>,
}

impl<'p> Members<'p> for Claims<'p> {
    fn slot(&mut self, name: &str) -> Option<&mut Option<Scanned<'p>>> {
        Some(match name {
            "iss" => &mut self.iss,
            "sub" => &mut self.sub,
            "aud" => &mut self.aud,
            "exp" => &mut self.exp,
            "iat" => &mut self.iat,
            "nbf" => &mut self.nbf,
            "jti" => &mut self.jti,
            _ => return None,
        })
    }
}

/// Checks assertions that come to one server.
#[derive(Debug, Clone)]
pub struct AssertionVerifier {
    audiences: Vec<String>,
    algorithms: Vec<SigningAlgorithm>,
    leeway: Duration,
}

/// An assertion that passed every check but one: whether its `jti` came before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedAssertion {
    /// The client.
    pub client_id: ClientId,
    /// The assertion's id. The server has to refuse it when the same client used it before, until `remember_until`.
    pub jti: String,
    /// Until when the `jti` has to be remembered.
    pub remember_until: Timestamp,
    /// The algorithm of the signature.
    pub algorithm: SigningAlgorithm,
}

impl AssertionVerifier {
    /// Accepts assertions for `audience`, the token endpoint's URL, signed with RS384 or ES384. No leeway: what passes
    /// here is good anywhere.
    pub fn new(audience: impl Into<String>) -> Self {
        Self {
            audiences: vec![audience.into()],
            algorithms: vec![SigningAlgorithm::Rs384, SigningAlgorithm::Es384],
            leeway: Duration::ZERO,
        }
    }

    /// A further audience, such as the issuer.
    pub fn with_audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Other algorithms in place of RS384 and ES384.
    pub fn with_algorithms(mut self, algorithms: &[SigningAlgorithm]) -> Self {
        algorithms.clone_into(&mut self.algorithms);
        self
    }

    /// How far the clocks may differ, five minutes at most. Default: not at all.
    pub fn with_leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway.min(Duration::from_mins(5));
        self
    }

    /// Checks an assertion with the client's registered keys. Whether the `jti` was used before is the caller's check.
    ///
    /// # Errors
    /// [`AssertionRefused`] says which check failed.
    pub fn verify(
        &self,
        assertion: &ClientAssertion,
        client_id: &ClientId,
        keys: &Jwks,
        now: Timestamp,
    ) -> Result<VerifiedAssertion, AssertionRefused> {
        let jws = Compact::parse(assertion.expose_secret())?;
        let header = jws.header()?;
        if header.kid()?.is_none() {
            return Err(JwsError::Header("kid").into());
        }
        if !header.typ()?.is_some_and(|typ| TYPES.iter().any(|own| own.eq_ignore_ascii_case(typ))) {
            return Err(AssertionRefused::Type);
        }
        let algorithm = jws.verify(&header, keys, &self.algorithms)?;
        let claims: Claims<'_> = jws.scanned_claims()?;
        for (claim, name) in [(&claims.iss, "iss"), (&claims.sub, "sub")] {
            if text(claim.as_ref(), name)? != client_id.as_str() {
                return Err(AssertionRefused::Client(name));
            }
        }
        let audience = claims::audience(claims.aud.as_ref()).ok_or(AssertionRefused::Claim("aud"))?;
        if !audience.iter().any(|given| self.audiences.iter().any(|own| own == given)) {
            return Err(AssertionRefused::Audience);
        }
        let expires = self.check_times(&claims, now)?;
        let jti = text(claims.jti.as_ref(), "jti")?;
        if jti.is_empty() || jti.len() > MAX_ID {
            return Err(AssertionRefused::Claim("jti"));
        }
        Ok(VerifiedAssertion {
            client_id: client_id.clone(),
            jti: jti.to_owned(),
            remember_until: expires.saturating_add(self.leeway),
            algorithm,
        })
    }

    fn check_times(&self, claims: &Claims<'_>, now: Timestamp) -> Result<Timestamp, AssertionRefused> {
        let time = |claim: &Option<Scanned<'_>>, name| {
            claims::time(claim.as_ref()).map_err(|()| AssertionRefused::Claim(name))
        };
        let expires = time(&claims.exp, "exp")?.ok_or(AssertionRefused::Claim("exp"))?;
        if expires.saturating_add(self.leeway) <= now {
            return Err(AssertionRefused::Expired);
        }
        let latest = now.saturating_add(self.leeway);
        if expires > latest.saturating_add(LONGEST_LIFETIME) {
            return Err(AssertionRefused::TooLong);
        }
        for (claim, name) in [(&claims.iat, "iat"), (&claims.nbf, "nbf")] {
            if time(claim, name)?.is_some_and(|at| at > latest) {
                return Err(AssertionRefused::NotYetValid(name));
            }
        }
        Ok(expires)
    }
}

/// The client that an assertion says it is from, unverified: only for finding the keys to verify it with, when the
/// request has no `client_id`.
///
/// # Errors
/// [`AssertionRefused`] when the assertion is malformed or names no client.
pub fn unverified_client_id(assertion: &ClientAssertion) -> Result<ClientId, AssertionRefused> {
    let jws = Compact::parse(assertion.expose_secret())?;
    jws.header()?;
    let claims: Claims<'_> = jws.scanned_claims()?;
    text(claims.iss.as_ref(), "iss").map(ClientId::from)
}

fn text<'c>(claim: Option<&'c Scanned<'_>>, name: &'static str) -> Result<&'c str, AssertionRefused> {
    claim.and_then(Scanned::as_text).ok_or(AssertionRefused::Claim(name))
}

//! Why an ID token was refused: each check of OpenID Connect Core, section 3.1.3.7, has its own variant.

use crate::error::JwsError;

/// Which check an ID token failed. No claim's value is shown, but for issuers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdTokenError {
    /// Form, algorithm, key or signature.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// The header says that the token is of another kind than an ID token.
    #[error("it is no ID token but a `{got}` (typ)")]
    Type {
        /// The kind, cut and cleaned.
        got: String,
    },
    /// A required claim is missing or of the wrong kind.
    #[error("the claim `{0}` is missing or malformed")]
    Claim(&'static str),
    /// `iss` is not the expected issuer, letter by letter.
    #[error("it was issued by `{got}`, not by `{expected}`")]
    Issuer {
        /// The token's issuer, cut and cleaned.
        got: String,
        /// The expected issuer.
        expected: String,
    },
    /// `aud` does not name this client.
    #[error("it is not for this client (aud)")]
    Audience,
    /// `aud` names others that are not trusted.
    #[error("it is also for others that are not trusted (aud)")]
    UntrustedAudience,
    /// `azp` is missing among several audiences.
    #[error("it is for several audiences and names no authorized party (azp)")]
    AuthorizedPartyMissing,
    /// `azp` is not this client.
    #[error("its authorized party is another client (azp)")]
    AuthorizedParty,
    /// `exp` has passed.
    #[error("it has expired (exp)")]
    Expired,
    /// `iat` lies in the future.
    #[error("it was issued in the future (iat); check the clock")]
    IssuedInFuture,
    /// `iat` is too long ago.
    #[error("it was issued too long ago (iat)")]
    TooOld,
    /// `nbf` lies in the future.
    #[error("it is not valid yet (nbf); check the clock")]
    NotYetValid,
    /// A nonce was sent and none came back.
    #[error("it has no nonce although one was sent")]
    NonceMissing,
    /// Another nonce came back.
    #[error("its nonce is not the one that was sent: it belongs to another login")]
    Nonce,
    /// `at_hash` does not belong to the access token.
    #[error("it belongs to another access token (at_hash)")]
    AccessTokenHash,
    /// `c_hash` does not belong to the authorization code.
    #[error("it belongs to another authorization code (c_hash)")]
    CodeHash,
    /// The person authenticated longer ago than was asked for, or in the future.
    #[error("the person authenticated too long ago, or in the future (auth_time); log in again")]
    AuthenticationTime,
    /// The person authenticated in another way than was asked for.
    #[error("the person did not authenticate in one of the ways that were asked for (acr); log in again")]
    AuthenticationContext,
    /// The token of a renewal differs from the login's in a claim that has to stay (OpenID Connect Core, 12.2).
    #[error("its `{0}` is not that of the login that is renewed; log in again")]
    Renewal(&'static str),
}

impl IdTokenError {
    /// A short name for this failure that stays the same from version to version.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Jws(error) => error.code(),
            Self::Type { .. } => "type",
            Self::Claim("iss") => "claim-iss",
            Self::Claim("sub") => "claim-sub",
            Self::Claim("aud") => "claim-aud",
            Self::Claim("exp") => "claim-exp",
            Self::Claim("iat") => "claim-iat",
            Self::Claim("nbf") => "claim-nbf",
            Self::Claim("auth_time") => "claim-auth-time",
            Self::Claim("nonce") => "claim-nonce",
            Self::Claim("at_hash") => "claim-at-hash",
            Self::Claim("c_hash") => "claim-c-hash",
            Self::Claim("acr") => "claim-acr",
            Self::Claim(_) => "claim",
            Self::Issuer { .. } => "issuer",
            Self::Audience => "audience",
            Self::UntrustedAudience => "untrusted-audience",
            Self::AuthorizedPartyMissing => "authorized-party-missing",
            Self::AuthorizedParty => "authorized-party",
            Self::Expired => "expired",
            Self::IssuedInFuture => "issued-in-future",
            Self::TooOld => "too-old",
            Self::NotYetValid => "not-yet-valid",
            Self::NonceMissing => "nonce-missing",
            Self::Nonce => "nonce",
            Self::AccessTokenHash => "access-token-hash",
            Self::CodeHash => "code-hash",
            Self::AuthenticationTime => "authentication-time",
            Self::AuthenticationContext => "authentication-context",
            Self::Renewal(_) => "renewal",
        }
    }

    /// Whether the same token may pass a little later: the clocks differ, or the keys are about to change.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::IssuedInFuture | Self::NotYetValid) || self.needs_refetch()
    }

    /// Whether fresh keys of the issuer might change the verdict: the token names a key that is not in the set, or
    /// names none and no key of the set verifies it. Fetch them once (OpenID Connect Core, section 10.1.1).
    pub fn needs_refetch(&self) -> bool {
        matches!(self, Self::Jws(JwsError::UnknownKey | JwsError::NoKeyVerifies))
    }
}

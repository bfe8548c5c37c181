//! Making client assertions (RFC 7523; SMART, client authentication: asymmetric).

use crate::algorithm::SigningAlgorithm;
use crate::jws::signing_input;
use crate::signer::{Signer, SignerError};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use smart_core::client_id::ClientId;
use smart_core::random::{RandomError, SecureRandom, random_token};
use smart_core::secret::ClientAssertion;
use smart_core::time::Timestamp;
use std::time::Duration;

/// The longest lifetime that SMART allows.
pub(crate) const LONGEST_LIFETIME: Duration = Duration::from_secs(300);
/// The type of the drafts after RFC 7523 (draft-ietf-oauth-rfc7523bis).
pub(crate) const EXPLICIT_TYPE: &str = "client-authentication+jwt";
/// The default: a minute short of what is allowed.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(240);

/// Why no assertion was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum ClientAssertionError {
    /// The lifetime is zero or over five minutes.
    #[error("a client assertion lives for 1 to 300 seconds, not {seconds}; 240 leave room for clocks that differ")]
    Lifetime {
        /// What was asked for.
        seconds: u64,
    },
    /// The audience is empty.
    #[error("a client assertion needs an audience: the token endpoint's URL")]
    EmptyAudience,
    /// The signer has an empty key id.
    #[error("a client assertion needs a key id, the one that the key is registered under")]
    EmptyKeyId,
    /// No algorithm is both the server's and the client's.
    #[error(
        "the server accepts assertions signed with {server}; this client's keys sign with {own}: register a fitting key"
    )]
    NoCommonAlgorithm {
        /// The server's, as it lists them, cut and cleaned.
        server: String,
        /// The client's.
        own: String,
    },
    /// There is no randomness for `jti`.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The signer did not sign.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The signature has the wrong size.
    #[error("a signature with {algorithm} has {expected} octets, not {got}; an ECDSA signature is raw, not DER")]
    SignatureLength {
        /// The algorithm.
        algorithm: SigningAlgorithm,
        /// What RFC 7518 fixes.
        expected: usize,
        /// What the signer gave.
        got: usize,
    },
    /// The claims could not be written.
    #[error("the assertion could not be written as JSON")]
    Json,
}

impl ClientAssertionError {
    /// Whether the same thing may work a little later, unchanged.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Signer(error) if error.is_retryable())
    }
}

/// Makes the assertions of one client for one audience. Each call makes a new one: an assertion is for one request, a
/// retry needs another.
///
/// Header: `alg`, `kid`, `typ` `JWT`. Claims: `iss` and `sub` (the client), `aud`, `exp`, `jti` (192 random bits), `iat`.
/// There is no `nbf`, which a server whose clock is behind would refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientAssertionBuilder {
    client_id: ClientId,
    audience: String,
    lifetime: Duration,
    key_url: Option<String>,
    issued_at: bool,
    typ: &'static str,
}

/// An assertion without its signature. It is used up by [`attach`](Self::attach).
pub struct UnsignedAssertion {
    signing_input: String,
    algorithm: SigningAlgorithm,
}

impl ClientAssertionBuilder {
    /// For requests to the token endpoint with this URL, byte for byte as it is posted to.
    pub fn new(client_id: ClientId, token_endpoint: impl Into<String>) -> Self {
        Self {
            client_id,
            audience: token_endpoint.into(),
            lifetime: DEFAULT_LIFETIME,
            key_url: None,
            issued_at: true,
            typ: "JWT",
        }
    }

    /// Another audience than the token endpoint: the issuer, for servers that follow the drafts after RFC 7523.
    pub fn with_audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = audience.into();
        self
    }

    /// How long an assertion is good for, in whole seconds. Default: 240.
    ///
    /// SMART allows 300, measured by the server's clock when the assertion arrives: with exactly 300, a server whose
    /// clock is one second behind refuses it. Leave a margin.
    ///
    /// # Errors
    /// [`ClientAssertionError::Lifetime`] outside of 1 to 300 seconds.
    pub fn with_lifetime(mut self, lifetime: Duration) -> Result<Self, ClientAssertionError> {
        if lifetime > LONGEST_LIFETIME || lifetime < Duration::from_secs(1) {
            return Err(ClientAssertionError::Lifetime { seconds: lifetime.as_secs() });
        }
        self.lifetime = lifetime;
        Ok(self)
    }

    /// Names the JWK set's URL in the header (`jku`). It has to be the registered URL, byte for byte. Default: absent.
    pub fn with_key_set_url(mut self, url: impl Into<String>) -> Self {
        self.key_url = Some(url.into());
        self
    }

    /// Leaves `iat` out, for servers that refuse claims which SMART's table does not name.
    pub fn without_issued_at(mut self) -> Self {
        self.issued_at = false;
        self
    }

    /// Says in the header that this is a client assertion and nothing else: `typ` is `client-authentication+jwt`. For
    /// servers that follow the drafts after RFC 7523, which want the issuer as audience too
    /// ([`with_audience`](Self::with_audience)). SMART has `JWT`, the default.
    pub fn with_explicit_type(mut self) -> Self {
        self.typ = EXPLICIT_TYPE;
        self
    }

    /// Makes an assertion to be signed elsewhere.
    ///
    /// # Errors
    /// [`ClientAssertionError`].
    pub fn prepare(
        &self,
        now: Timestamp,
        random: &dyn SecureRandom,
        algorithm: SigningAlgorithm,
        kid: &str,
    ) -> Result<UnsignedAssertion, ClientAssertionError> {
        if self.audience.is_empty() {
            return Err(ClientAssertionError::EmptyAudience);
        }
        if kid.is_empty() {
            return Err(ClientAssertionError::EmptyKeyId);
        }
        let mut header = Map::new();
        header.insert("typ".into(), self.typ.into());
        if let Some(url) = &self.key_url {
            header.insert("jku".into(), url.as_str().into());
        }
        let mut claims = Map::new();
        let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        claim("iss", self.client_id.as_str().into());
        claim("sub", self.client_id.as_str().into());
        claim("aud", self.audience.as_str().into());
        claim("exp", now.saturating_add(self.lifetime).as_unix_seconds().into());
        claim("jti", random_token::<24>(random)?.into());
        if self.issued_at {
            claim("iat", now.as_unix_seconds().into());
        }
        let signing_input = signing_input(algorithm, kid, &header, &claims).ok_or(ClientAssertionError::Json)?;
        Ok(UnsignedAssertion { signing_input, algorithm })
    }

    /// Makes and signs an assertion.
    ///
    /// # Errors
    /// [`ClientAssertionError`].
    pub async fn sign(
        &self,
        signer: &dyn Signer,
        now: Timestamp,
        random: &dyn SecureRandom,
    ) -> Result<ClientAssertion, ClientAssertionError> {
        let unsigned = self.prepare(now, random, signer.algorithm(), signer.key_id())?;
        let signature = signer.sign(unsigned.signing_input()).await?;
        unsigned.attach(&signature)
    }
}

impl UnsignedAssertion {
    /// What has to be signed.
    pub fn signing_input(&self) -> &[u8] {
        self.signing_input.as_bytes()
    }

    /// Puts the signature on. ECDSA signatures are raw (RFC 7518, section 3.4): 96 octets for ES384.
    ///
    /// # Errors
    /// [`ClientAssertionError::SignatureLength`] when the signature cannot be one of this algorithm.
    pub fn attach(self, signature: &[u8]) -> Result<ClientAssertion, ClientAssertionError> {
        // RSA: the length is the key's, which has 2048 bits at least.
        let expected = self.algorithm.signature_length().unwrap_or(signature.len().max(256));
        if signature.len() != expected {
            let algorithm = self.algorithm;
            return Err(ClientAssertionError::SignatureLength { algorithm, expected, got: signature.len() });
        }
        Ok(ClientAssertion::new(format!("{}.{}", self.signing_input, URL_SAFE_NO_PAD.encode(signature))))
    }
}

impl std::fmt::Debug for UnsignedAssertion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnsignedAssertion").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

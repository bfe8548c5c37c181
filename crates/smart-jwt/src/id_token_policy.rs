//! What ID tokens are checked against.

use crate::algorithm::SigningAlgorithm;
use crate::id_token_validator::IdTokenValidator;
use ring::digest::{SHA256, digest};
use smart_core::client_id::ClientId;
use smart_core::issuer::Issuer;
use smart_core::secret::AuthorizationCode;
use smart_core::state::Nonce;
use std::time::Duration;
use subtle::ConstantTimeEq as _;

/// The longest leeway: more would make `exp` a formality.
const LONGEST_LEEWAY: Duration = Duration::from_mins(5);

/// What ID tokens are checked against. The issuer comes from discovery, never from the token.
#[derive(Debug, Clone)]
pub struct IdTokenPolicy {
    pub(crate) issuer: Issuer,
    pub(crate) other_issuers: Vec<String>,
    pub(crate) any_trailing_slash: bool,
    pub(crate) client_id: ClientId,
    pub(crate) algorithms: Vec<SigningAlgorithm>,
    pub(crate) leeway: Duration,
    pub(crate) max_age: Option<Duration>,
    pub(crate) nonce: Option<ExpectedNonce>,
    pub(crate) code: Option<AuthorizationCode>,
    pub(crate) max_authentication_age: Option<Duration>,
    pub(crate) authentication_contexts: Vec<String>,
    pub(crate) trusted_audiences: Vec<String>,
}

/// The nonce that was sent, or what was kept of it.
#[derive(Debug, Clone)]
pub(crate) enum ExpectedNonce {
    Itself(Nonce),
    Sha256([u8; 32]),
}

impl ExpectedNonce {
    pub(crate) fn is(&self, got: &str) -> bool {
        match self {
            Self::Itself(sent) => sent.expose_secret().as_bytes().ct_eq(got.as_bytes()).into(),
            Self::Sha256(sent) => digest(&SHA256, got.as_bytes()).as_ref().ct_eq(sent).into(),
        }
    }
}

impl IdTokenPolicy {
    /// Expects tokens of `issuer` for `client_id`, signed with RS256, with a leeway of 60 seconds.
    pub(crate) fn new(issuer: Issuer, client_id: ClientId) -> Self {
        Self {
            issuer,
            other_issuers: Vec::new(),
            any_trailing_slash: false,
            client_id,
            algorithms: vec![SigningAlgorithm::Rs256],
            leeway: Duration::from_mins(1),
            max_age: None,
            nonce: None,
            code: None,
            max_authentication_age: None,
            authentication_contexts: Vec::new(),
            trusted_audiences: Vec::new(),
        }
    }

    /// Accepts further algorithms beside RS256: those that the issuer announces
    /// (`id_token_signing_alg_values_supported`) or the app knows of.
    pub fn also_algorithms(mut self, algorithms: &[SigningAlgorithm]) -> Self {
        self.algorithms.extend_from_slice(algorithms);
        self
    }

    /// Accepts these algorithms only, in place of RS256.
    pub fn only_algorithms(mut self, algorithms: &[SigningAlgorithm]) -> Self {
        algorithms.clone_into(&mut self.algorithms);
        self
    }

    /// The nonce that was sent: the token must repeat it. Default: none was sent.
    pub fn nonce(mut self, nonce: Nonce) -> Self {
        self.nonce = Some(ExpectedNonce::Itself(nonce));
        self
    }

    /// The SHA-256 of the nonce that was sent, for those who keep no more of it.
    pub fn nonce_sha256(mut self, hash: [u8; 32]) -> Self {
        self.nonce = Some(ExpectedNonce::Sha256(hash));
        self
    }

    /// How far the clocks may differ. Default: 60 seconds; more than five minutes is taken as five.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway.min(LONGEST_LEEWAY);
        self
    }

    /// How long ago the token may have been issued. Default: any time.
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }

    /// The code that the token came for: `c_hash`, where present, has to belong to it (OpenID Connect Core, section
    /// 3.3.2.11). Default: not checked.
    pub fn code(mut self, code: AuthorizationCode) -> Self {
        self.code = Some(code);
        self
    }

    /// How long ago the person may have authenticated, where the request said so (`max_age`): the token must say when
    /// (`auth_time`). Default: not checked.
    pub fn max_authentication_age(mut self, age: Duration) -> Self {
        self.max_authentication_age = Some(age);
        self
    }

    /// A way to authenticate that is good enough, where the request asked for some (`acr_values`): the token must name
    /// one of them (`acr`). Default: not checked.
    pub fn authentication_context(mut self, acr: impl Into<String>) -> Self {
        self.authentication_contexts.push(acr.into());
        self
    }

    /// An audience beside this client that may stand in `aud`. Default: none.
    pub fn trusted_audience(mut self, audience: impl Into<String>) -> Self {
        self.trusted_audiences.push(audience.into());
        self
    }

    /// Accepts the expected issuer with one slash more or less at its end.
    ///
    /// Dangerous where one host serves issuers that differ in that slash. For servers whose tokens do not agree with
    /// their own discovery document.
    pub fn dangerous_ignore_trailing_slash_of_issuer(mut self) -> Self {
        self.any_trailing_slash = true;
        self
    }

    /// Accepts another issuer too, letter by letter.
    ///
    /// Dangerous: whoever is that issuer can log anybody in. For servers whose tokens do not agree with their own
    /// discovery document. The keys are still those of the expected issuer.
    pub fn dangerous_also_accept_issuer(mut self, issuer: &Issuer) -> Self {
        self.other_issuers.push(issuer.as_str().to_owned());
        self
    }

    /// The validator with this policy.
    pub fn build(self) -> IdTokenValidator {
        IdTokenValidator { policy: self }
    }

    pub(crate) fn is_issuer(&self, got: &str) -> bool {
        let expected = self.issuer.as_str();
        let stem = |issuer: &str| issuer.strip_suffix('/').unwrap_or(issuer).to_owned();
        got == expected
            || self.other_issuers.iter().any(|other| other == got)
            || (self.any_trailing_slash && stem(got) == stem(expected))
    }
}

//! Everything that can go wrong in this crate.

use crate::algorithm::{AlgorithmError, SigningAlgorithm};
use crate::assertion_verifier::AssertionRefused;
use crate::client_assertion::ClientAssertionError;
use crate::id_token_error::IdTokenError;
use crate::signer::SignerError;
use smart_core::json::JsonError;
use smart_core::sanitized::{Sanitize, Sanitized};

/// Why a key or key set is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum KeyError {
    /// The document is no JSON object.
    #[error("the JSON of the key or key set is {0}")]
    Json(#[from] JsonError),
    /// The document has no `keys` array.
    #[error("the JWK set has no `keys` array")]
    NoKeys,
    /// The document is larger than any real one.
    #[error("the key or key set has {length} octets; at most {limit} are read")]
    TooLong {
        /// Its length.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// A member is missing or malformed.
    #[error("the key's `{member}` is missing or malformed")]
    Member {
        /// The member.
        member: &'static str,
    },
    /// A key type or curve that is not spoken here.
    #[error("the key's type or curve is not one of RSA, P-256 and P-384")]
    Unsupported,
    /// An RSA key that is too short (RFC 7518, section 3.3).
    #[error("the RSA key has {bits} bits; at least 2048 are needed")]
    TooShort {
        /// Its bits.
        bits: usize,
    },
    /// The crypto library refused the key: its numbers are no key.
    #[error("the key is not valid")]
    Invalid,
    /// Two keys to publish have one id, so that nobody could tell which signed.
    #[error("two keys have the id `{kid}`")]
    DuplicateId {
        /// The id.
        kid: String,
    },
    /// The key cannot sign with this algorithm.
    #[error("the key cannot sign with {0}")]
    Algorithm(SigningAlgorithm),
    /// The crypto library could not sign.
    #[error("signing failed")]
    Signing,
    /// The crypto library could not make a key.
    #[error("the key could not be generated")]
    Generation,
    /// The chosen crypto library lacks something.
    #[error("the ring backend cannot {what}; use the josekit backend, or make the key with another tool")]
    UnsupportedByBackend {
        /// What it lacks.
        what: &'static str,
    },
    /// The text has no PEM block of a private key.
    #[error("the text has no private key in PEM (PKCS#8, PKCS#1 or SEC 1)")]
    NotPem,
    /// The private key is encrypted.
    #[error(
        "the private key is encrypted; decrypt it first, for example with `openssl pkey -in key.pem -out plain.pem`"
    )]
    Encrypted,
    /// The text holds a public key or certificate, not a private key.
    #[error("the PEM text holds a public key or certificate; the private key is needed")]
    PublicOnly,
    /// The text has no public key, or several.
    #[error("the text has {found} public keys in PEM (`PUBLIC KEY` or `RSA PUBLIC KEY`); one is needed")]
    PublicPem {
        /// How many it has; none when it is malformed.
        found: usize,
    },
    /// The text holds several private keys.
    #[error("the PEM text holds several private keys; one is needed")]
    SeveralPrivateKeys,
    /// The DER inside is malformed.
    #[error("the private key's DER encoding is malformed")]
    Encoding,
    /// The private and the public half do not belong together.
    #[error("the private and the public half of the key do not belong together")]
    Mismatch,
    /// A private key stands where public ones belong.
    #[error("this is a private key where only public ones belong; keep it secret")]
    PrivateInPublicSet,
    /// `use` or `key_ops` say that the key is not for signing.
    #[error("the key's `use` or `key_ops` say that it is not for signing")]
    NotForSigning,
    /// A key set has none, or several, that sign.
    #[error("{found} private keys of the set fit, not one")]
    SigningKeys {
        /// How many fit.
        found: usize,
    },
    /// A header member that only the key decides on, or that changes how a token is read.
    #[error("the header's `{member}` cannot be given")]
    HeaderMember {
        /// The member.
        member: &'static str,
    },
    /// The set to rotate has no successor.
    #[error("no next key was published to rotate to")]
    NoNextKey,
    /// The successor was not published long enough for every verifier to know it.
    #[error("the next key may sign from {ready_at} (Unix seconds) on: until then verifiers may not know it")]
    NextKeyTooNew {
        /// When it may sign, in seconds since 1970.
        ready_at: i64,
    },
}

/// Why a compact JWS was refused (RFC 7515). Nothing of the token is shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwsError {
    /// Longer than any real one.
    #[error("the token has {length} characters; at most {limit} are read")]
    TooLong {
        /// Its length.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// Not three parts.
    #[error("the token has {parts} parts, not three")]
    Parts {
        /// How many it has.
        parts: usize,
    },
    /// Five parts: a JWE.
    #[error("the token is encrypted (JWE), which is not supported")]
    Encrypted,
    /// A part is no unpadded base64url.
    #[error("the token's {part} is not unpadded base64url")]
    Base64 {
        /// Which.
        part: &'static str,
    },
    /// Header or payload is no JSON object.
    #[error("the token's {part} is {reason}")]
    Json {
        /// Which.
        part: &'static str,
        /// Why.
        reason: JsonError,
    },
    /// The header names an algorithm that is never used here.
    #[error(transparent)]
    Algorithm(#[from] AlgorithmError),
    /// The header's algorithm is not on the caller's list.
    #[error("the token is signed with {0}, which is not expected of this issuer")]
    AlgorithmNotAllowed(SigningAlgorithm),
    /// The header has `crit`: extensions that have to be understood (RFC 7515, section 4.1.11). None is.
    #[error("the token's header has critical extensions")]
    Critical,
    /// A header member is not what it has to be.
    #[error("the token header's `{0}` is missing or malformed")]
    Header(&'static str),
    /// No key with the token's id.
    #[error("no key of the issuer has the token's key id")]
    UnknownKey,
    /// The issuer publishes a key with the token's id, but one that is not used here.
    #[error("the issuer's key with the token's key id is of no use: {0}")]
    UnusableKey(KeyError),
    /// The token names no key id, and none of the issuer's keys verifies it: it is forged, or signed with a newer key.
    #[error("the token names no key id, and no key of the issuer verifies it")]
    NoKeyVerifies,
    /// No key fits, or the token names none and there are several.
    #[error("{0} keys of the issuer fit the token, not one")]
    AmbiguousKey(usize),
    /// The signature is not the key's.
    #[error("the token's signature is wrong")]
    Signature,
}

/// An error of this crate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum Error {
    /// A key is of no use.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A JWS was refused.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// An ID token was refused.
    #[error(transparent)]
    IdToken(#[from] IdTokenError),
    /// An algorithm's name is none that may be used.
    #[error(transparent)]
    Algorithm(#[from] AlgorithmError),
    /// A signer outside did not sign.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// A client assertion could not be made.
    #[error(transparent)]
    ClientAssertion(#[from] ClientAssertionError),
    /// A client assertion was refused.
    #[error(transparent)]
    AssertionRefused(#[from] AssertionRefused),
}

impl Error {
    /// Whether the same thing may work a little later, unchanged.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::IdToken(error) => error.is_retryable(),
            Self::Signer(error) => error.is_retryable(),
            Self::ClientAssertion(error) => error.is_retryable(),
            _ => false,
        }
    }
}

impl Sanitize for Error {
    fn code(&self) -> String {
        let what: &'static str = self.into();
        let part: &'static str = match self {
            Self::Key(error) => error.into(),
            Self::Jws(error) => error.code(),
            Self::IdToken(error) => error.code(),
            Self::Signer(error) => error.into(),
            Self::ClientAssertion(error) => error.into(),
            Self::AssertionRefused(error) => error.code(),
            Self::Algorithm(_) => return what.to_owned(),
        };
        format!("{what}/{part}")
    }

    fn sanitized(&self) -> Sanitized {
        let again = matches!(self, Self::IdToken(_));
        Sanitized::new(self.code(), None, self.is_retryable(), again)
    }
}

impl JwsError {
    /// A short name that can be looked up.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "token-too-long",
            Self::Parts { .. } => "malformed",
            Self::Encrypted => "encrypted",
            Self::Base64 { .. } => "base64",
            Self::Json { .. } => "json",
            Self::Algorithm(_) | Self::AlgorithmNotAllowed(_) => "algorithm",
            Self::Critical => "critical-extension",
            Self::Header(_) => "header",
            Self::UnknownKey => "unknown-key",
            Self::UnusableKey(_) => "unusable-key",
            Self::NoKeyVerifies => "no-key-verifies",
            Self::AmbiguousKey(_) => "ambiguous-key",
            Self::Signature => "signature",
        }
    }
}

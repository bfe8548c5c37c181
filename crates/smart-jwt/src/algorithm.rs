//! The signature algorithms that are spoken here: asymmetric ones only.

use crate::curve::Curve;

/// A JWS signature algorithm (RFC 7518, section 3). There is no `none` and no HMAC: an ID token or assertion signed
/// with a shared secret, or not at all, cannot be expressed (RFC 8725, sections 3.1 and 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256: what every OpenID provider has to offer.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384: one of SMART's two for client assertions.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384: the other of SMART's two.
    Es384,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
}

/// The text names no algorithm that may be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{name}` is no signature algorithm that may be used here; RS256, RS384, RS512, PS256, PS384, PS512, ES256 and ES384 are"
)]
pub struct AlgorithmError {
    /// The name, cut and cleaned: it may come from outside.
    pub name: String,
}

impl SigningAlgorithm {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Rs256, Self::Rs384, Self::Rs512, Self::Es256, Self::Es384, Self::Ps256, Self::Ps384, Self::Ps512];

    /// The JOSE name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
        }
    }

    /// The curve that it goes with (RFC 7518, section 3.4); `None`: it goes with RSA.
    pub(crate) const fn curve(self) -> Option<Curve> {
        match self {
            Self::Es256 => Some(Curve::P256),
            Self::Es384 => Some(Curve::P384),
            _ => None,
        }
    }

    /// The octets of a signature, where the algorithm fixes them: two integers of the curve's size (RFC 7518, 3.4).
    pub(crate) const fn signature_length(self) -> Option<usize> {
        match self {
            Self::Es256 => Some(64),
            Self::Es384 => Some(96),
            _ => None,
        }
    }

    /// The digest that `at_hash` is made with (OpenID Connect Core, section 3.1.3.6).
    pub(crate) fn digest(self) -> &'static ring::digest::Algorithm {
        match self {
            Self::Rs256 | Self::Es256 | Self::Ps256 => &ring::digest::SHA256,
            Self::Rs384 | Self::Es384 | Self::Ps384 => &ring::digest::SHA384,
            Self::Rs512 | Self::Ps512 => &ring::digest::SHA512,
        }
    }
}

impl std::fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for SigningAlgorithm {
    type Err = AlgorithmError;

    fn from_str(name: &str) -> Result<Self, AlgorithmError> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
            .ok_or_else(|| AlgorithmError { name: smart_core::untrusted::shown(name, 20) })
    }
}

//! How lines are bound to each other.

use crate::audit::key::{AuditKey, digest};

/// What comes before a line in its hash, so that a hash made for something else is none of a line.
const CONTEXT: &[u8] = b"smart audit line 1\n";

/// The hash of a chain: with a key or without.
#[derive(Debug, Clone, Default)]
pub(crate) enum Seal {
    /// SHA-256. Who can write the file can make the chain anew.
    #[default]
    Plain,
    /// HMAC-SHA-256.
    Keyed(AuditKey),
}

impl Seal {
    /// The hash of a line's body.
    pub(crate) fn hash(&self, body: &[u8]) -> [u8; 32] {
        match self {
            Self::Plain => digest(&[CONTEXT, body]),
            Self::Keyed(key) => key.sign(&[CONTEXT, body]),
        }
    }

    /// What a line says of its hash.
    pub(crate) fn algorithm(&self) -> Algorithm {
        match self {
            Self::Plain => Algorithm::Sha256,
            Self::Keyed(_) => Algorithm::HmacSha256,
        }
    }
}

/// What a line says of its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Sha256,
    HmacSha256,
}

impl Algorithm {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::HmacSha256 => "hmac-sha-256",
        }
    }

    pub(crate) fn from_name(name: &[u8]) -> Option<Self> {
        [Self::Sha256, Self::HmacSha256].into_iter().find(|algorithm| algorithm.as_str().as_bytes() == name)
    }
}

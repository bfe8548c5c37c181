//! A set of public keys.

use crate::algorithm::SigningAlgorithm;
use crate::error::{JwsError, KeyError};
use crate::jwk::Jwk;
use serde_json::{Value, json};
use smart_core::json::parse_object;

/// The largest set that is read, in octets.
const MAX_LENGTH: usize = 256 * 1024;
/// The most keys that are read.
const MAX_KEYS: usize = 200;

/// The public keys of an issuer or a client (RFC 7517, section 5). Keys of types, curves or sizes that are not spoken
/// here are passed over, not fatal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Jwks {
    keys: Vec<Jwk>,
    passed_over: usize,
}

impl Jwks {
    /// Reads a set. A document that names a member twice is refused.
    ///
    /// # Errors
    /// [`KeyError`] when the document is no key set; single unusable keys are only counted.
    pub fn parse(body: &[u8]) -> Result<Self, KeyError> {
        if body.len() > MAX_LENGTH {
            return Err(KeyError::TooLong { length: body.len(), limit: MAX_LENGTH });
        }
        let document = parse_object(body)?;
        let entries = document.get("keys").and_then(Value::as_array).ok_or(KeyError::NoKeys)?;
        let mut set = Self { keys: Vec::new(), passed_over: entries.len().saturating_sub(MAX_KEYS) };
        for entry in entries.iter().take(MAX_KEYS) {
            // A set for signing holds the private key beside the public one under one id: the private one is not for us.
            match entry.as_object().filter(|members| !members.contains_key("d")).map(Jwk::from_members) {
                Some(Ok(key)) => set.keys.push(key),
                _ => set.passed_over += 1,
            }
        }
        Ok(set)
    }

    /// A set to publish.
    ///
    /// # Errors
    /// [`KeyError::DuplicateId`] when two keys have one id, [`KeyError::Member`] when a key has none.
    pub fn from_keys(keys: Vec<Jwk>) -> Result<Self, KeyError> {
        for (at, key) in keys.iter().enumerate() {
            let kid = key.kid().ok_or(KeyError::Member { member: "kid" })?;
            if keys.iter().take(at).any(|other| other.kid() == Some(kid)) {
                return Err(KeyError::DuplicateId { kid: kid.to_owned() });
            }
        }
        Ok(Self { keys, passed_over: 0 })
    }

    /// The keys.
    pub fn keys(&self) -> &[Jwk] {
        &self.keys
    }

    /// How many entries were passed over.
    pub fn passed_over(&self) -> usize {
        self.passed_over
    }

    /// The set as JSON, for publication. It cannot hold a private member.
    pub fn to_json(&self) -> Value {
        json!({"keys": self.keys.iter().map(Jwk::to_json).collect::<Vec<_>>()})
    }

    /// The one key for a signature: by id where the token names one, else the only one that fits.
    pub(crate) fn select(&self, kid: Option<&str>, algorithm: SigningAlgorithm) -> Result<&Jwk, JwsError> {
        if let Some(kid) = kid
            && !self.keys.iter().any(|key| key.kid() == Some(kid))
        {
            return Err(JwsError::UnknownKey);
        }
        let mut fitting =
            self.keys.iter().filter(|key| key.verifies(algorithm) && kid.is_none_or(|kid| key.kid() == Some(kid)));
        match (fitting.next(), fitting.count()) {
            (Some(key), 0) => Ok(key),
            (found, more) => Err(JwsError::AmbiguousKey(usize::from(found.is_some()) + more)),
        }
    }
}

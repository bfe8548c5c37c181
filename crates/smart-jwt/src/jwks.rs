//! A set of public keys.

use crate::algorithm::SigningAlgorithm;
use crate::error::{JwsError, KeyError};
use crate::jwk::Jwk;
use serde_json::{Value, json};
use smart_core::json::{JsonError, parse_object};
use smart_core::untrusted::shown;

/// The largest set that is read, in octets.
const MAX_LENGTH: usize = 256 * 1024;
/// The most keys that are read.
const MAX_KEYS: usize = 200;
/// The most of a key id that is kept of a key passed over, in characters.
const MAX_SHOWN_ID: usize = 200;

/// The public keys of an issuer or a client (RFC 7517, section 5). Keys of types, curves or sizes that are not spoken
/// here are passed over, not fatal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Jwks {
    keys: Vec<Jwk>,
    skipped: Vec<SkippedKey>,
    beyond_limit: usize,
}

/// A key of a set that was passed over, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedKey {
    /// Its id, cut and cleaned, where it has one.
    pub kid: Option<String>,
    /// Why it is of no use.
    pub reason: KeyError,
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
        let mut set = Self { beyond_limit: entries.len().saturating_sub(MAX_KEYS), ..Self::default() };
        for entry in entries.iter().take(MAX_KEYS) {
            match read(entry) {
                Ok(key) => set.keys.push(key),
                Err(reason) => {
                    let kid = entry.get("kid").and_then(Value::as_str).map(|kid| shown(kid, MAX_SHOWN_ID));
                    set.skipped.push(SkippedKey { kid, reason });
                }
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
        Ok(Self { keys, ..Self::default() })
    }

    /// The keys.
    pub fn keys(&self) -> &[Jwk] {
        &self.keys
    }

    /// How many entries were passed over, for whatever reason.
    pub fn passed_over(&self) -> usize {
        self.skipped.len() + self.beyond_limit
    }

    /// The entries that were read and are of no use, with the reasons.
    pub fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }

    /// The set as JSON, for publication. It cannot hold a private member.
    pub fn to_json(&self) -> Value {
        json!({"keys": self.keys.iter().map(Jwk::to_json).collect::<Vec<_>>()})
    }

    /// The one key for a signature: by id where the token names one, else the only one that fits the algorithm. A key
    /// fits when its type, curve, `use`, `key_ops` and `alg` agree, so that keys of one id and different algorithms,
    /// as some servers publish them, are told apart.
    ///
    /// # Errors
    /// [`JwsError::UnknownKey`] when no key has the id, [`JwsError::UnusableKey`] when one does and was passed over,
    /// [`JwsError::AmbiguousKey`] when none or several fit.
    pub fn select(&self, kid: Option<&str>, algorithm: SigningAlgorithm) -> Result<&Jwk, JwsError> {
        let mut named = self.keys.iter().filter(|key| kid.is_none() || key.kid() == kid).peekable();
        if named.peek().is_none() && kid.is_some() {
            let skipped = self.skipped.iter().find(|key| key.kid.as_deref() == kid);
            return Err(skipped.map_or(JwsError::UnknownKey, |key| JwsError::UnusableKey(key.reason.clone())));
        }
        let mut fitting = named.filter(|key| key.verifies(algorithm));
        match (fitting.next(), fitting.count()) {
            (Some(key), 0) => Ok(key),
            (found, more) => Err(JwsError::AmbiguousKey(usize::from(found.is_some()) + more)),
        }
    }
}

fn read(entry: &Value) -> Result<Jwk, KeyError> {
    let members = entry.as_object().ok_or(KeyError::Json(JsonError::NotAnObject))?;
    // A set for signing holds the private key beside the public one under one id: the private one is not for us.
    if members.contains_key("d") {
        return Err(KeyError::PrivateInPublicSet);
    }
    Jwk::from_members(members)
}

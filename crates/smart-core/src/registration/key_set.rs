//! A client's public keys, as they are registered.

use crate::json::{JsonError, parse_object};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Members of a private or symmetric key (RFC 7518, sections 6.2.2, 6.3.2 and 6.4).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A JWK set of public keys (RFC 7517; SMART, client-confidential-asymmetric, registering a client).
///
/// Each key has a type and an id of its own, and none has a private member. More is not checked here: smart-jwt knows
/// the algorithms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKeySet(Map<String, Value>);

/// Why a key set was refused. No member's value is shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum KeySetError {
    /// It is no JSON object.
    #[error("the key set is {0}")]
    Json(#[from] JsonError),
    /// It has no list `keys`: perhaps it is a single key.
    #[error("the key set has no list `keys`; a single key goes into `{{\"keys\": [..]}}`")]
    NotASet,
    /// It has no keys.
    #[error("the key set has no keys")]
    Empty,
    /// An entry is no object.
    #[error("entry {at} of the key set is no object")]
    NotAKey {
        /// Its place, counted from 0.
        at: usize,
    },
    /// A key lacks a member, or has it of another kind.
    #[error("key {at} of the set has no string `{member}`")]
    Missing {
        /// Its place, counted from 0.
        at: usize,
        /// The member.
        member: &'static str,
    },
    /// A key has a private member. Such a set must not leave the client; if it has, the key is no secret any more.
    #[error("key {at} of the set has the private member `{member}`: only public keys are registered")]
    Private {
        /// Its place, counted from 0.
        at: usize,
        /// The member.
        member: &'static str,
    },
    /// A key is symmetric.
    #[error("key {at} of the set is symmetric: only public keys are registered")]
    Symmetric {
        /// Its place, counted from 0.
        at: usize,
    },
    /// Two keys have the same id.
    #[error("key {at} of the set has the `kid` of an earlier one: each id must be unique in the set")]
    RepeatedId {
        /// Its place, counted from 0.
        at: usize,
    },
}

impl PublicKeySet {
    /// Reads a key set out of a JSON text.
    ///
    /// # Errors
    /// [`KeySetError`].
    pub fn parse(text: &str) -> Result<Self, KeySetError> {
        Self::from_object(parse_object(text.as_bytes())?)
    }

    /// Takes a key set that is JSON already.
    ///
    /// # Errors
    /// [`KeySetError`].
    pub fn from_value(value: Value) -> Result<Self, KeySetError> {
        match value {
            Value::Object(object) => Self::from_object(object),
            _ => Err(KeySetError::Json(JsonError::NotAnObject)),
        }
    }

    fn from_object(object: Map<String, Value>) -> Result<Self, KeySetError> {
        let Some(Value::Array(keys)) = object.get("keys") else { return Err(KeySetError::NotASet) };
        if keys.is_empty() {
            return Err(KeySetError::Empty);
        }
        let mut ids = BTreeSet::new();
        for (at, key) in keys.iter().enumerate() {
            let Value::Object(key) = key else { return Err(KeySetError::NotAKey { at }) };
            if !ids.insert(check(at, key)?) {
                return Err(KeySetError::RepeatedId { at });
            }
        }
        Ok(Self(object))
    }

    /// The set as JSON.
    pub fn as_object(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The ids of the keys, in their order.
    pub fn key_ids(&self) -> impl Iterator<Item = &str> {
        let keys = self.0.get("keys").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        keys.iter().filter_map(|key| key.get("kid")?.as_str())
    }
}

/// Checks one key and gives its id.
fn check(at: usize, key: &Map<String, Value>) -> Result<&str, KeySetError> {
    let text = |member: &'static str| {
        let text = key.get(member).and_then(Value::as_str).filter(|text| !text.is_empty());
        text.ok_or(KeySetError::Missing { at, member })
    };
    // First of all: a key that is both symmetric and malformed is a leak, not a typing error.
    if let Some(member) = PRIVATE.into_iter().find(|member| key.contains_key(*member)) {
        return Err(KeySetError::Private { at, member });
    }
    let parts: &[&'static str] = match text("kty")? {
        "oct" => return Err(KeySetError::Symmetric { at }),
        "RSA" => &["n", "e"],
        "EC" => &["crv", "x", "y"],
        "OKP" => &["crv", "x"],
        _ => &[],
    };
    for part in parts {
        text(part)?;
    }
    text("kid")
}

impl serde::Serialize for PublicKeySet {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> serde::Deserialize<'de> for PublicKeySet {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_object(Map::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn key() -> Map<String, Value> {
        let Value::Object(key) = json!({"kty": "EC", "crv": "P-384", "x": "eA", "y": "eQ", "kid": "k1"}) else {
            panic!("an object")
        };
        key
    }

    /// RG-02 (SMART, client-confidential-asymmetric, registering a client; RFC 7517 4): public keys with type and id.
    #[test]
    fn public_keys_are_taken() {
        let set = PublicKeySet::parse(
            r#"{"keys":[{"kty":"RSA","n":"bg","e":"AQAB","kid":"a","alg":"RS384"},{"kty":"EC","crv":"P-384","x":"eA","y":"eQ","kid":"b"}]}"#,
        )
        .unwrap();
        assert_eq!(set.key_ids().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(serde_json::from_value::<PublicKeySet>(serde_json::to_value(&set).unwrap()).unwrap(), set);
    }

    /// RG-02 (RFC 7518 6.2.2, 6.3.2, 6.4): a set with any private member is refused, whatever else it is, and no value
    /// of it is shown.
    #[test]
    fn private_members_are_refused() {
        for member in PRIVATE {
            let mut key = key();
            key.insert(member.into(), json!("hunter2"));
            let error = PublicKeySet::from_value(json!({"keys": [key]})).unwrap_err();
            assert_eq!(error, KeySetError::Private { at: 0, member });
            assert!(!error.to_string().contains("hunter2"));
        }
        let mut key = key();
        key.insert("d".into(), Value::Null);
        assert!(matches!(PublicKeySet::from_value(json!({"keys": [key]})), Err(KeySetError::Private { .. })));
    }

    /// RG-02 (RFC 7517 4, 5; SMART, client-confidential-asymmetric): what is no set of identified public keys is refused.
    #[test]
    fn other_documents_are_no_key_set() {
        let without = |member: &str| {
            let mut key = key();
            key.remove(member);
            PublicKeySet::from_value(json!({"keys": [key]})).unwrap_err()
        };
        for member in ["kty", "kid", "crv", "x", "y"] {
            assert!(matches!(without(member), KeySetError::Missing { member: m, .. } if m == member), "{member}");
        }
        assert_eq!(PublicKeySet::from_value(json!(key())), Err(KeySetError::NotASet));
        assert_eq!(PublicKeySet::from_value(json!({"keys": []})), Err(KeySetError::Empty));
        assert_eq!(PublicKeySet::from_value(json!({"keys": [1]})), Err(KeySetError::NotAKey { at: 0 }));
        assert_eq!(PublicKeySet::from_value(json!({"keys": [key(), key()]})), Err(KeySetError::RepeatedId { at: 1 }));
        let symmetric = json!({"keys": [{"kty": "oct", "kid": "k1"}]});
        assert_eq!(PublicKeySet::from_value(symmetric), Err(KeySetError::Symmetric { at: 0 }));
        assert!(matches!(PublicKeySet::parse("[]"), Err(KeySetError::Json(_))));
        assert!(matches!(PublicKeySet::parse(r#"{"keys":[],"keys":[]}"#), Err(KeySetError::Json(_))));
    }
}

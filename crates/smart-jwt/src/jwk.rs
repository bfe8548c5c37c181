//! One public key.

use crate::algorithm::SigningAlgorithm;
use crate::error::KeyError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// The members that hold private or symmetric keys (RFC 7518, sections 6.2.2, 6.3.2, 6.4). None is ever published.
pub(crate) const PRIVATE_MEMBERS: &[&str] = &["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A public RSA key of at least 2048 bits, or one on P-256 or P-384 (RFC 7517). It has no private member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jwk {
    members: Map<String, Value>,
}

impl Jwk {
    /// Reads a public key; private members are left out.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_members(members: &Map<String, Value>) -> Result<Self, KeyError> {
        let text =
            |name: &'static str| members.get(name).and_then(Value::as_str).ok_or(KeyError::Member { member: name });
        match text("kty")? {
            "RSA" => check_rsa(&octets(text("n")?, "n")?, &octets(text("e")?, "e")?)?,
            "EC" => {
                let length = match text("crv")? {
                    "P-256" => 32,
                    "P-384" => 48,
                    _ => return Err(KeyError::Unsupported),
                };
                for member in ["x", "y"] {
                    if octets(text(member)?, member)?.len() != length {
                        return Err(KeyError::Member { member });
                    }
                }
            }
            _ => return Err(KeyError::Unsupported),
        }
        for member in ["kid", "use", "alg"] {
            if members.get(member).is_some_and(|v| !v.is_string()) {
                return Err(KeyError::Member { member });
            }
        }
        if members.get("key_ops").is_some_and(|v| !v.as_array().is_some_and(|ops| ops.iter().all(Value::is_string))) {
            return Err(KeyError::Member { member: "key_ops" });
        }
        let public = members.iter().filter(|(name, _)| !PRIVATE_MEMBERS.contains(&name.as_str()));
        Ok(Self { members: public.map(|(name, value)| (name.clone(), value.clone())).collect() })
    }

    /// The key id.
    pub fn kid(&self) -> Option<&str> {
        self.text("kid")
    }

    /// The algorithm that the key is for, where it says so.
    pub fn alg(&self) -> Option<&str> {
        self.text("alg")
    }

    /// The key as JSON: public members only.
    pub fn to_json(&self) -> Value {
        Value::Object(self.members.clone())
    }

    /// The thumbprint with SHA-256 (RFC 7638): a key id that everybody computes alike.
    pub fn thumbprint(&self) -> String {
        // RFC 7638, section 3: the required members only, in lexicographic order, without blanks.
        let names: &[&str] =
            if self.text("kty") == Some("RSA") { &["e", "kty", "n"] } else { &["crv", "kty", "x", "y"] };
        let required: Vec<String> =
            names.iter().map(|name| format!("\"{name}\":\"{}\"", self.text(name).unwrap_or_default())).collect();
        let canonical = format!("{{{}}}", required.join(","));
        URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, canonical.as_bytes()).as_ref())
    }

    /// Whether the key may verify signatures of `algorithm`: type, curve, `use`, `key_ops` and `alg` all agree.
    pub(crate) fn verifies(&self, algorithm: SigningAlgorithm) -> bool {
        self.text("kty") == Some(algorithm.key_type())
            && algorithm.curve().is_none_or(|curve| self.text("crv") == Some(curve))
            && self.text("use").is_none_or(|usage| usage == "sig")
            && self.alg().is_none_or(|alg| alg == algorithm.as_str())
            && self
                .members
                .get("key_ops")
                .and_then(Value::as_array)
                .is_none_or(|ops| ops.iter().any(|op| op.as_str() == Some("verify")))
    }

    pub(crate) fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(Value::as_str)
    }
}

fn octets(text: &str, member: &'static str) -> Result<Vec<u8>, KeyError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| KeyError::Member { member })
}

fn check_rsa(modulus: &[u8], exponent: &[u8]) -> Result<(), KeyError> {
    let significant: &[u8] = modulus.iter().position(|o| *o != 0).and_then(|at| modulus.get(at..)).unwrap_or_default();
    let leading = significant.first().map_or(0, |first| first.leading_zeros() as usize);
    let bits = significant.len() * 8 - leading;
    if bits < 2048 {
        return Err(KeyError::TooShort { bits });
    }
    // An even exponent, or 1, makes no key; more than 64 bits of it, or of 8192 of modulus, are for wasting time.
    let odd = exponent.last().is_some_and(|last| last % 2 == 1);
    if bits > 8192 || exponent.len() > 8 || !odd || exponent == [1] {
        return Err(KeyError::Invalid);
    }
    Ok(())
}

//! A private key.

use crate::algorithm::SigningAlgorithm;
use crate::backend::{self, CurveOrBits};
use crate::error::KeyError;
use crate::jwk::Jwk;
use serde_json::{Map, Value};
use zeroize::Zeroize as _;

/// What kind of key to generate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// A key on P-256, for ES256.
    EcP256,
    /// A key on P-384, for ES384: what SMART names.
    EcP384,
    /// An RSA key of 2048 bits, for RS384 unless said otherwise.
    Rsa2048,
    /// An RSA key of 3072 bits.
    Rsa3072,
    /// An RSA key of 4096 bits.
    Rsa4096,
}

/// A private key with its algorithm and id. `Debug` shows the id only; the private members are overwritten on drop.
pub struct SigningKey {
    private: Map<String, Value>,
    public: Jwk,
    algorithm: SigningAlgorithm,
    key_id: String,
}

impl SigningKey {
    /// Generates a key; its id is the RFC 7638 thumbprint, its algorithm SMART's for that kind.
    ///
    /// # Errors
    /// [`KeyError`] when the crypto library fails.
    pub fn generate(kind: KeyKind) -> Result<Self, KeyError> {
        let (key_type, curve_or_bits) = match kind {
            KeyKind::EcP256 => ("EC", CurveOrBits::P256),
            KeyKind::EcP384 => ("EC", CurveOrBits::P384),
            KeyKind::Rsa2048 => ("RSA", CurveOrBits::Bits(2048)),
            KeyKind::Rsa3072 => ("RSA", CurveOrBits::Bits(3072)),
            KeyKind::Rsa4096 => ("RSA", CurveOrBits::Bits(4096)),
        };
        Self::from_jwk(backend::generate(key_type, curve_or_bits)?)
    }

    /// Reads a private JWK (RFC 7518, sections 6.2.2 and 6.3.2). Its `kid` and `alg` are kept.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_jwk(private: Map<String, Value>) -> Result<Self, KeyError> {
        let public = Jwk::from_members(&private)?;
        if !private.get("d").is_some_and(Value::is_string) {
            return Err(KeyError::Member { member: "d" });
        }
        let algorithm = match (private.get("alg").and_then(Value::as_str), private.get("crv").and_then(Value::as_str)) {
            (Some(alg), _) => alg.parse().map_err(|_| KeyError::Unsupported)?,
            (None, Some("P-256")) => SigningAlgorithm::Es256,
            (None, Some(_)) => SigningAlgorithm::Es384,
            (None, None) => SigningAlgorithm::Rs384,
        };
        let key_id = public.kid().map_or_else(|| public.thumbprint(), str::to_owned);
        Self { private, public, algorithm, key_id }.named()
    }

    /// The same key for another algorithm.
    ///
    /// # Errors
    /// [`KeyError::Algorithm`] when the key's type or curve does not fit.
    pub fn with_algorithm(mut self, algorithm: SigningAlgorithm) -> Result<Self, KeyError> {
        self.algorithm = algorithm;
        self.named()
    }

    /// The same key under another id, the one that it is registered under.
    ///
    /// # Errors
    /// [`KeyError`]: none for a key that is valid already.
    pub fn with_kid(mut self, kid: &str) -> Result<Self, KeyError> {
        kid.clone_into(&mut self.key_id);
        self.named()
    }

    /// Puts id, algorithm and use into the public key, and checks that they fit.
    fn named(mut self) -> Result<Self, KeyError> {
        let mut members = self.public.members().clone();
        members.insert("kid".into(), self.key_id.as_str().into());
        members.insert("alg".into(), self.algorithm.as_str().into());
        members.insert("use".into(), "sig".into());
        members.remove("key_ops");
        self.public = Jwk::from_members(&members)?;
        if self.public.verifies(self.algorithm) { Ok(self) } else { Err(KeyError::Algorithm(self.algorithm)) }
    }

    /// The algorithm.
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The key id.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The public half, for publication.
    pub fn public_jwk(&self) -> &Jwk {
        &self.public
    }

    /// Signs. An ECDSA signature is raw, both integers side by side (RFC 7518, section 3.4).
    ///
    /// # Errors
    /// [`KeyError::Signing`] or [`KeyError::Invalid`].
    pub fn sign(&self, input: &[u8]) -> Result<Vec<u8>, KeyError> {
        backend::sign(self.algorithm, &self.private, input)
    }
}

impl Drop for SigningKey {
    fn drop(&mut self) {
        for value in self.private.values_mut() {
            if let Value::String(text) = value {
                text.zeroize();
            }
        }
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey")
            .field("key_id", &self.key_id)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

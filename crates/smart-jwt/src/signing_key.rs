//! A private key.

use crate::algorithm::SigningAlgorithm;
use crate::backend::{self, Signatory};
use crate::curve::Curve;
use crate::error::KeyError;
use crate::jwk::Jwk;
use crate::pem;
use crate::private_key::PrivateKey;
use serde_json::{Map, Value};
use smart_core::json::parse_object;
use zeroize::{Zeroize as _, Zeroizing};

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

/// A private key with its algorithm and id. `Debug` shows these only.
///
/// The private numbers are overwritten on drop; so is OpenSSL's copy. ring keeps a copy that it does not overwrite.
pub struct SigningKey {
    private: PrivateKey,
    signatory: Signatory,
    public: Jwk,
    algorithm: SigningAlgorithm,
    key_id: String,
}

/// A private key as PEM text. `Debug` shows nothing of it; the memory is overwritten on drop.
pub struct PrivatePem(Zeroizing<String>);

/// A private key as the JSON text of a JWK. `Debug` shows nothing of it; the memory is overwritten on drop.
pub struct PrivateJwk(Zeroizing<String>);

/// Room for the JSON of the largest key, so that writing it leaves no copies behind.
const JWK_ROOM: usize = 32 * 1024;

impl SigningKey {
    /// Generates a key; its id is the RFC 7638 thumbprint, its algorithm SMART's for that kind (ES384 or RS384; ES256
    /// on P-256). RSA keys take a second or more.
    ///
    /// # Errors
    /// [`KeyError::Generation`] when the crypto library fails, [`KeyError::UnsupportedByBackend`] for RSA with the
    /// ring backend.
    pub fn generate(kind: KeyKind) -> Result<Self, KeyError> {
        Self::assemble(backend::generate(kind)?, None, None)
    }

    /// Reads a private key from PEM: PKCS#8 (`PRIVATE KEY`), PKCS#1 (`RSA PRIVATE KEY`) or SEC 1 (`EC PRIVATE KEY`),
    /// whichever it is. Its id is the RFC 7638 thumbprint, its algorithm SMART's for that kind.
    ///
    /// # Errors
    /// [`KeyError::Encrypted`], [`KeyError::PublicOnly`], [`KeyError::TooShort`] for RSA keys below 2048 bits, and so on.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let (wrapping, der) = pem::private_key(pem)?;
        Self::assemble(PrivateKey::from_der(wrapping, &der)?, None, None)
    }

    /// Reads a private JWK (RFC 7518, sections 6.2.2 and 6.3.2). Its `kid` and `alg` are kept. RSA keys need their
    /// factors (`p`, `q`, `dp`, `dq`, `qi`).
    ///
    /// # Errors
    /// [`KeyError`]; [`KeyError::NotForSigning`] when its `use` or `key_ops` say so.
    pub fn from_jwk(mut private: Map<String, Value>) -> Result<Self, KeyError> {
        let key = Self::from_members(&private);
        overwrite(private.values_mut());
        key
    }

    /// Reads the one private key of a JWK set that is for signing. Such sets often hold the public key too, under the
    /// same id (SMART's example sets do): entries without `d`, or whose `key_ops` lack `sign`, are passed over.
    /// `kid` picks among several.
    ///
    /// # Errors
    /// [`KeyError::SigningKeys`] when none or several fit; else as [`Self::from_jwk`].
    pub fn from_jwks(set: &[u8], kid: Option<&str>) -> Result<Self, KeyError> {
        let mut document = parse_object(set)?;
        let key = Self::of_set(&document, kid);
        overwrite(document.values_mut());
        key
    }

    fn of_set(document: &Map<String, Value>, kid: Option<&str>) -> Result<Self, KeyError> {
        let entries = document.get("keys").and_then(Value::as_array).ok_or(KeyError::NoKeys)?;
        let fitting: Vec<&Map<String, Value>> = entries
            .iter()
            .filter_map(Value::as_object)
            .filter(|entry| entry.contains_key("d") && may_sign(entry))
            .filter(|entry| kid.is_none_or(|kid| entry.get("kid").and_then(Value::as_str) == Some(kid)))
            .collect();
        match fitting.as_slice() {
            [one] => Self::from_members(one),
            other => Err(KeyError::SigningKeys { found: other.len() }),
        }
    }

    fn from_members(members: &Map<String, Value>) -> Result<Self, KeyError> {
        // Judges the public half and the descriptive members first: their errors say more.
        let public = Jwk::from_members(members)?;
        if !may_sign(members) {
            return Err(KeyError::NotForSigning);
        }
        let algorithm = public.alg().map(|alg| alg.parse().map_err(|_| KeyError::Unsupported)).transpose()?;
        Self::assemble(PrivateKey::from_jwk(members)?, algorithm, public.kid())
    }

    fn assemble(private: PrivateKey, algorithm: Option<SigningAlgorithm>, kid: Option<&str>) -> Result<Self, KeyError> {
        let public = Jwk::from_members(&private.public_members())?;
        let algorithm = algorithm.unwrap_or_else(|| match private.curve() {
            None => SigningAlgorithm::Rs384,
            Some(Curve::P256) => SigningAlgorithm::Es256,
            Some(Curve::P384) => SigningAlgorithm::Es384,
        });
        if !public.verifies(algorithm) {
            return Err(KeyError::Algorithm(algorithm));
        }
        let signatory = Signatory::new(&private, algorithm)?;
        // The libraries differ in what they check of a key. One trial shows that both halves belong together.
        let trial = b"smart-jwt: do the halves of this key belong together?";
        if !signatory.sign(trial).is_ok_and(|signature| public.verify(algorithm, trial, &signature)) {
            return Err(KeyError::Mismatch);
        }
        let key_id = kid.map_or_else(|| public.thumbprint(), str::to_owned);
        Ok(Self { public: public.described(&key_id, algorithm), private, signatory, algorithm, key_id })
    }

    /// The same key for another algorithm.
    ///
    /// # Errors
    /// [`KeyError::Algorithm`] when the key's type or curve does not fit.
    pub fn with_algorithm(mut self, algorithm: SigningAlgorithm) -> Result<Self, KeyError> {
        let public = self.public.described(&self.key_id, algorithm);
        if !public.verifies(algorithm) {
            return Err(KeyError::Algorithm(algorithm));
        }
        self.signatory = Signatory::new(&self.private, algorithm)?;
        self.public = public;
        self.algorithm = algorithm;
        Ok(self)
    }

    /// The same key under another id, the one that it is registered under.
    ///
    /// # Errors
    /// [`KeyError::Member`] for an empty id.
    pub fn with_kid(mut self, kid: &str) -> Result<Self, KeyError> {
        if kid.is_empty() {
            return Err(KeyError::Member { member: "kid" });
        }
        kid.clone_into(&mut self.key_id);
        self.public = self.public.described(kid, self.algorithm);
        Ok(self)
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

    /// The private key as PKCS#8 PEM, for keeping: a key that is made anew at each start breaks its registration.
    pub fn to_pem(&self) -> PrivatePem {
        PrivatePem(pem::pkcs8(&self.private.to_pkcs8()))
    }

    /// The private key as a JWK, for keeping: with its id and algorithm, which PEM cannot hold.
    pub fn to_jwk(&self) -> PrivateJwk {
        use std::fmt::Write as _;
        let mut members = match self.public.to_json() {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        members.extend(self.private.secret_members());
        let mut text = Zeroizing::new(String::with_capacity(JWK_ROOM));
        let mut document = Value::Object(members);
        // Writing to a String cannot fail.
        let _ = write!(text, "{document:#}");
        overwrite(std::iter::once(&mut document));
        PrivateJwk(text)
    }

    /// Signs. An ECDSA signature is raw, both integers side by side (RFC 7518, section 3.4). ECDSA takes randomness
    /// from the crypto library.
    ///
    /// # Errors
    /// [`KeyError::Signing`].
    pub fn sign(&self, input: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.signatory.sign(input)
    }
}

/// Whether `use` and `key_ops`, where present, allow signing.
fn may_sign(members: &Map<String, Value>) -> bool {
    members.get("use").is_none_or(|usage| usage == "sig")
        && members
            .get("key_ops")
            .is_none_or(|ops| ops.as_array().is_some_and(|ops| ops.iter().any(|operation| operation == "sign")))
}

/// Overwrites every text: which of them are secret matters less than forgetting one.
fn overwrite<'v>(values: impl Iterator<Item = &'v mut Value>) {
    for value in values {
        match value {
            Value::String(text) => text.zeroize(),
            Value::Array(items) => overwrite(items.iter_mut()),
            Value::Object(members) => overwrite(members.values_mut()),
            _ => {}
        }
    }
}

impl PrivatePem {
    /// The PEM text. Keep it out of logs, and its file readable by its owner only.
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl PrivateJwk {
    /// The JSON text. Keep it out of logs, and its file readable by its owner only.
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for PrivateJwk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrivateJwk(***)")
    }
}

impl std::fmt::Debug for PrivatePem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrivatePem(***)")
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

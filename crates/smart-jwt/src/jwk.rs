//! One public key.

use crate::algorithm::SigningAlgorithm;
use crate::backend::{PublicNumbers, VerifyingKey};
use crate::curve::Curve;
use crate::der::without_leading_zeros;
use crate::error::KeyError;
use crate::public_key;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use std::sync::Arc;

/// The members that hold private or symmetric keys (RFC 7518, sections 6.2.2, 6.3.2, 6.4). None is ever published.
pub(crate) const PRIVATE_MEMBERS: &[&str] = &["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A public RSA key of at least 2048 bits, or one on P-256 or P-384 (RFC 7517). It has no private member. Clones are
/// cheap and share what was prepared for the crypto library.
#[derive(Clone)]
pub struct Jwk {
    described: Arc<Described>,
    verifying: Arc<VerifyingKey>,
}

/// The members, and what of them is asked for with each token.
struct Described {
    members: Map<String, Value>,
    kid: Option<String>,
    algorithms: Vec<SigningAlgorithm>,
}

impl Jwk {
    /// Reads a public key; private members are left out.
    ///
    /// # Errors
    /// [`KeyError`]: a member is missing or malformed, the key is too short, or its point is not on its curve.
    pub fn from_members(members: &Map<String, Value>) -> Result<Self, KeyError> {
        let text =
            |name: &'static str| members.get(name).and_then(Value::as_str).ok_or(KeyError::Member { member: name });
        let numbers = match text("kty")? {
            "RSA" => rsa_numbers(octets(text("n")?, "n")?, octets(text("e")?, "e")?)?,
            "EC" => {
                let curve = Curve::from_name(text("crv")?).ok_or(KeyError::Unsupported)?;
                let coordinate = |member: &'static str| {
                    let octets = octets(text(member)?, member)?;
                    if octets.len() == curve.octets() { Ok(octets) } else { Err(KeyError::Member { member }) }
                };
                ec_numbers(curve, coordinate("x")?, coordinate("y")?)?
            }
            _ => return Err(KeyError::Unsupported),
        };
        for member in ["kid", "use", "alg"] {
            if members.get(member).is_some_and(|v| !v.is_string()) {
                return Err(KeyError::Member { member });
            }
        }
        if members.get("key_ops").is_some_and(|v| !v.as_array().is_some_and(|ops| ops.iter().all(Value::is_string))) {
            return Err(KeyError::Member { member: "key_ops" });
        }
        let public = members.iter().filter(|(name, _)| !PRIVATE_MEMBERS.contains(&name.as_str()));
        let public = public.map(|(name, value)| (name.clone(), value.clone())).collect();
        Ok(Self { described: Described::new(public), verifying: Arc::new(VerifyingKey::new(&numbers)) })
    }

    /// Reads a public key from PEM: `PUBLIC KEY` (RFC 5280, section 4.1.2.7) or `RSA PUBLIC KEY` (RFC 8017, appendix
    /// A.1.1). Its id is the RFC 7638 thumbprint, as it is for the private half; [`with_kid`](Self::with_kid) gives
    /// another. Without `alg`, it verifies with each algorithm of its type that the caller allows.
    ///
    /// # Errors
    /// [`KeyError::PublicPem`] when the text has none or several, [`KeyError::TooShort`] for RSA keys below 2048 bits,
    /// [`KeyError::Invalid`] for a point that is not on its curve, and so on.
    pub fn from_public_pem(pem: &str) -> Result<Self, KeyError> {
        let key = Self::from_members(&public_key::from_pem(pem)?)?;
        let kid = key.thumbprint();
        Ok(key.with_member("kid", kid))
    }

    /// The same key under another id: the one that the token's issuer names it by.
    ///
    /// # Errors
    /// [`KeyError::Member`] for an empty id.
    pub fn with_kid(&self, kid: &str) -> Result<Self, KeyError> {
        if kid.is_empty() {
            Err(KeyError::Member { member: "kid" })
        } else {
            Ok(self.with_member("kid", kid.to_owned()))
        }
    }

    /// The same key, for one algorithm only.
    ///
    /// # Errors
    /// [`KeyError::Algorithm`] when the key does not fit.
    pub fn with_algorithm(&self, algorithm: SigningAlgorithm) -> Result<Self, KeyError> {
        let key = self.with_member("alg", algorithm.as_str().to_owned());
        if key.verifies(algorithm) { Ok(key) } else { Err(KeyError::Algorithm(algorithm)) }
    }

    fn with_member(&self, name: &str, value: String) -> Self {
        let mut members = self.described.members.clone();
        members.insert(name.into(), value.into());
        Self { described: Described::new(members), verifying: Arc::clone(&self.verifying) }
    }

    /// The same key with other descriptive members.
    pub(crate) fn described(&self, kid: &str, algorithm: SigningAlgorithm) -> Self {
        let mut members = self.described.members.clone();
        members.insert("kid".into(), kid.into());
        members.insert("alg".into(), algorithm.as_str().into());
        members.insert("use".into(), "sig".into());
        members.shift_remove("key_ops");
        Self { described: Described::new(members), verifying: Arc::clone(&self.verifying) }
    }

    /// The key type: `RSA` or `EC`.
    pub fn kty(&self) -> &str {
        self.described.text("kty").unwrap_or_default()
    }

    /// What the key is for, where it says so: `sig` or `enc`.
    pub fn key_use(&self) -> Option<&str> {
        self.described.text("use")
    }

    /// The operations that the key is for, where it names them.
    pub fn key_ops(&self) -> Option<Vec<&str>> {
        self.described.key_ops()
    }

    /// The key id.
    pub fn kid(&self) -> Option<&str> {
        self.described.kid.as_deref()
    }

    /// The algorithm that the key is for, where it says so.
    pub fn alg(&self) -> Option<&str> {
        self.described.text("alg")
    }

    /// The algorithms whose signatures the key may verify: type, curve, `use`, `key_ops` and `alg` all agree.
    pub fn algorithms(&self) -> &[SigningAlgorithm] {
        &self.described.algorithms
    }

    /// The key as JSON: public members only.
    pub fn to_json(&self) -> Value {
        Value::Object(self.described.members.clone())
    }

    /// The thumbprint with SHA-256 (RFC 7638): a key id that everybody computes alike.
    pub fn thumbprint(&self) -> String {
        // RFC 7638, section 3: the required members only, in lexicographic order, without blanks.
        let names: &[&str] = if self.kty() == "RSA" { &["e", "kty", "n"] } else { &["crv", "kty", "x", "y"] };
        let required: Vec<String> = names
            .iter()
            .map(|name| format!("\"{name}\":\"{}\"", self.described.text(name).unwrap_or_default()))
            .collect();
        let canonical = format!("{{{}}}", required.join(","));
        URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, canonical.as_bytes()).as_ref())
    }

    /// Whether the key may verify signatures of `algorithm`.
    pub(crate) fn verifies(&self, algorithm: SigningAlgorithm) -> bool {
        self.described.algorithms.contains(&algorithm)
    }

    /// Whether the signature is the key's; never when the algorithm does not fit the key.
    pub(crate) fn verify(&self, algorithm: SigningAlgorithm, input: &[u8], signature: &[u8]) -> bool {
        self.verifies(algorithm) && self.verifying.verify(algorithm, input, signature)
    }
}

impl Described {
    fn new(members: Map<String, Value>) -> Arc<Self> {
        let mut described = Self { members, kid: None, algorithms: Vec::new() };
        described.kid = described.text("kid").map(str::to_owned);
        let fitting = SigningAlgorithm::ALL.into_iter().filter(|algorithm| described.fits(*algorithm)).collect();
        described.algorithms = fitting;
        Arc::new(described)
    }

    fn fits(&self, algorithm: SigningAlgorithm) -> bool {
        let (kty, crv) = algorithm.curve().map_or(("RSA", None), |curve| ("EC", Some(curve.name())));
        self.text("kty") == Some(kty)
            && crv.is_none_or(|crv| self.text("crv") == Some(crv))
            && self.text("use").is_none_or(|usage| usage == "sig")
            && self.text("alg").is_none_or(|alg| alg == algorithm.as_str())
            && self.key_ops().is_none_or(|ops| ops.contains(&"verify"))
    }

    fn key_ops(&self) -> Option<Vec<&str>> {
        self.members.get("key_ops")?.as_array().map(|ops| ops.iter().filter_map(Value::as_str).collect())
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(Value::as_str)
    }
}

fn octets(text: &str, member: &'static str) -> Result<Vec<u8>, KeyError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| KeyError::Member { member })
}

fn ec_numbers(curve: Curve, x: Vec<u8>, y: Vec<u8>) -> Result<PublicNumbers, KeyError> {
    if curve.contains(&x, &y) { Ok(PublicNumbers::Ec { curve, x, y }) } else { Err(KeyError::Invalid) }
}

fn rsa_numbers(n: Vec<u8>, e: Vec<u8>) -> Result<PublicNumbers, KeyError> {
    let (modulus, exponent) = (without_leading_zeros(&n), without_leading_zeros(&e));
    let leading = modulus.first().map_or(0, |first| first.leading_zeros() as usize);
    let bits = modulus.len() * 8 - leading;
    if bits < 2048 {
        return Err(KeyError::TooShort { bits });
    }
    // Even numbers, or an exponent of 1, make no key; more than 32 bits of exponent, or of 8192 of modulus, are for
    // wasting time.
    let odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
    if bits > 8192 || exponent.len() > 4 || !odd(modulus) || !odd(exponent) || exponent == [1] {
        return Err(KeyError::Invalid);
    }
    Ok(PublicNumbers::Rsa { n, e })
}

impl PartialEq for Jwk {
    fn eq(&self, other: &Self) -> bool {
        self.described.members == other.described.members
    }
}

impl Eq for Jwk {}

impl std::fmt::Debug for Jwk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Jwk").field(&self.described.members).finish()
    }
}

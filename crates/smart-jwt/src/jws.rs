//! Compact JWS (RFC 7515, section 7.1): read strictly, verified with keys that the caller brought.
//!
//! Key material in the header (`jwk`, `jku`, `x5u`, `x5c`) is never looked at (RFC 8725, section 3.10).

use crate::algorithm::SigningAlgorithm;
use crate::error::{JwsError, KeyError};
use crate::jwks::Jwks;
use crate::signing_key::SigningKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use smart_core::json::parse_object;

/// The longest token that is read, in characters.
pub(crate) const MAX_TOKEN: usize = 16 * 1024;

/// A JWS whose signature is good. Nothing is said about its claims.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifiedJws {
    /// The algorithm of the signature.
    pub algorithm: SigningAlgorithm,
    /// The header.
    pub header: Map<String, Value>,
    /// The claims.
    pub claims: Map<String, Value>,
}

impl std::fmt::Debug for VerifiedJws {
    /// Shows names, not values: claims tell who a person is.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifiedJws")
            .field("algorithm", &self.algorithm)
            .field("claims", &self.claims.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// Verifies a compact JWS. The algorithm has to be on the list, fit the key, and be the one that the header names.
///
/// # Errors
/// [`JwsError`].
pub fn verify_jws(token: &str, keys: &Jwks, allowed: &[SigningAlgorithm]) -> Result<VerifiedJws, JwsError> {
    if token.len() > MAX_TOKEN {
        return Err(JwsError::TooLong { length: token.len(), limit: MAX_TOKEN });
    }
    let parts: Vec<&str> = token.split('.').collect();
    let (header_text, payload_text, signature_text) = match parts.as_slice() {
        [header, payload, signature] => (*header, *payload, *signature),
        [_, _, _, _, _] => return Err(JwsError::Encrypted),
        other => return Err(JwsError::Parts { parts: other.len() }),
    };
    let header = object(header_text, "header")?;
    if header.contains_key("crit") || header.contains_key("b64") {
        return Err(JwsError::Critical);
    }
    let algorithm: SigningAlgorithm =
        header.get("alg").and_then(Value::as_str).ok_or(JwsError::Header("alg"))?.parse()?;
    if !allowed.contains(&algorithm) {
        return Err(JwsError::AlgorithmNotAllowed(algorithm));
    }
    let kid = match header.get("kid") {
        None => None,
        Some(Value::String(kid)) => Some(kid.as_str()),
        Some(_) => return Err(JwsError::Header("kid")),
    };
    let key = keys.select(kid, algorithm)?;
    let signature = octets(signature_text, "signature")?;
    if algorithm.signature_length().is_some_and(|length| length != signature.len()) {
        return Err(JwsError::Signature);
    }
    let signed = token.get(..header_text.len() + 1 + payload_text.len()).unwrap_or_default();
    if !key.verify(algorithm, signed.as_bytes(), &signature) {
        return Err(JwsError::Signature);
    }
    Ok(VerifiedJws { algorithm, claims: object(payload_text, "payload")?, header })
}

/// Signs claims: `alg` and `kid` are the key's, `typ` as given (`JWT`).
///
/// # Errors
/// [`KeyError`] when the key cannot sign.
pub fn sign_jwt(key: &SigningKey, typ: &str, claims: &Map<String, Value>) -> Result<String, KeyError> {
    let header = json!({"alg": key.algorithm().as_str(), "kid": key.key_id(), "typ": typ});
    let encode = |value: &str| URL_SAFE_NO_PAD.encode(value);
    let claims = serde_json::to_string(claims).map_err(|_| KeyError::Signing)?;
    let signed = format!("{}.{}", encode(&header.to_string()), encode(&claims));
    let signature = key.sign(signed.as_bytes())?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

fn octets(text: &str, part: &'static str) -> Result<Vec<u8>, JwsError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| JwsError::Base64 { part })
}

fn object(text: &str, part: &'static str) -> Result<Map<String, Value>, JwsError> {
    parse_object(&octets(text, part)?).map_err(|reason| JwsError::Json { part, reason })
}

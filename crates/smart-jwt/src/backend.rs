//! Signatures through josekit: the only file that names it.

use crate::algorithm::SigningAlgorithm;
use crate::error::KeyError;
use josekit::jws::{ES256, ES384, JwsSigner, JwsVerifier, RS256, RS384, RS512};
use serde_json::{Map, Value};

/// Makes the private JWK of a fresh key pair.
pub(crate) fn generate(key_type: &str, curve_or_bits: CurveOrBits) -> Result<Map<String, Value>, KeyError> {
    use josekit::jwk::alg::ec::EcCurve;
    let jwk = match (key_type, curve_or_bits) {
        ("EC", CurveOrBits::P256) => josekit::jwk::Jwk::generate_ec_key(EcCurve::P256),
        ("EC", _) => josekit::jwk::Jwk::generate_ec_key(EcCurve::P384),
        (_, CurveOrBits::Bits(bits)) => josekit::jwk::Jwk::generate_rsa_key(bits),
        _ => return Err(KeyError::Unsupported),
    };
    Ok(jwk.map_err(|_| KeyError::Invalid)?.into())
}

/// What to generate.
#[derive(Clone, Copy)]
pub(crate) enum CurveOrBits {
    P256,
    P384,
    Bits(u32),
}

pub(crate) fn sign(
    algorithm: SigningAlgorithm,
    private: &Map<String, Value>,
    input: &[u8],
) -> Result<Vec<u8>, KeyError> {
    let jwk = library_key(private)?;
    let signer: Box<dyn JwsSigner> = match algorithm {
        SigningAlgorithm::Rs256 => Box::new(RS256.signer_from_jwk(&jwk).map_err(invalid)?),
        SigningAlgorithm::Rs384 => Box::new(RS384.signer_from_jwk(&jwk).map_err(invalid)?),
        SigningAlgorithm::Rs512 => Box::new(RS512.signer_from_jwk(&jwk).map_err(invalid)?),
        SigningAlgorithm::Es256 => Box::new(ES256.signer_from_jwk(&jwk).map_err(invalid)?),
        SigningAlgorithm::Es384 => Box::new(ES384.signer_from_jwk(&jwk).map_err(invalid)?),
    };
    signer.sign(input).map_err(|_| KeyError::Signing)
}

/// Whether the signature is the key's. An unusable key verifies nothing.
pub(crate) fn verify(algorithm: SigningAlgorithm, public: &Map<String, Value>, input: &[u8], signature: &[u8]) -> bool {
    let Ok(jwk) = library_key(public) else { return false };
    let verifier: Result<Box<dyn JwsVerifier>, _> = match algorithm {
        SigningAlgorithm::Rs256 => RS256.verifier_from_jwk(&jwk).map(|v| Box::new(v) as _),
        SigningAlgorithm::Rs384 => RS384.verifier_from_jwk(&jwk).map(|v| Box::new(v) as _),
        SigningAlgorithm::Rs512 => RS512.verifier_from_jwk(&jwk).map(|v| Box::new(v) as _),
        SigningAlgorithm::Es256 => ES256.verifier_from_jwk(&jwk).map(|v| Box::new(v) as _),
        SigningAlgorithm::Es384 => ES384.verifier_from_jwk(&jwk).map(|v| Box::new(v) as _),
    };
    verifier.is_ok_and(|verifier| verifier.verify(input, signature).is_ok())
}

/// Only the numbers of the key go to the library: `use`, `alg` and `key_ops` were judged before.
fn library_key(members: &Map<String, Value>) -> Result<josekit::jwk::Jwk, KeyError> {
    let numbers: Map<String, Value> = members
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "use" | "alg" | "key_ops" | "kid"))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    josekit::jwk::Jwk::from_map(numbers).map_err(|_| KeyError::Invalid)
}

fn invalid(_: josekit::JoseError) -> KeyError {
    KeyError::Invalid
}

//! Signatures through ring, for targets without OpenSSL.

use super::PublicNumbers;
use crate::algorithm::SigningAlgorithm;
use crate::curve::Curve;
use crate::der::without_leading_zeros;
use crate::error::KeyError;
use crate::pem::Wrapping;
use crate::private_key::PrivateKey;
use crate::signing_key::KeyKind;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    self, ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED,
    ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, RsaKeyPair, UnparsedPublicKey,
};
use zeroize::Zeroizing;

/// A public key in the library's form.
pub(crate) enum VerifyingKey {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    Ec { curve: Curve, point: Vec<u8> },
}

impl VerifyingKey {
    pub(crate) fn new(numbers: &PublicNumbers) -> Self {
        match numbers {
            PublicNumbers::Rsa { n, e } => {
                Self::Rsa { n: without_leading_zeros(n).to_vec(), e: without_leading_zeros(e).to_vec() }
            }
            PublicNumbers::Ec { curve, x, y } => Self::Ec { curve: *curve, point: [&[4], x.as_slice(), y].concat() },
        }
    }

    /// Whether the signature is the key's. The caller has seen to it that the algorithm fits the key.
    pub(crate) fn verify(&self, algorithm: SigningAlgorithm, input: &[u8], signature: &[u8]) -> bool {
        let verdict = match (self, algorithm) {
            (Self::Rsa { n, e }, SigningAlgorithm::Rs256) => {
                PublicKeyComponents { n, e }.verify(&signature::RSA_PKCS1_2048_8192_SHA256, input, signature)
            }
            (Self::Rsa { n, e }, SigningAlgorithm::Rs384) => {
                PublicKeyComponents { n, e }.verify(&signature::RSA_PKCS1_2048_8192_SHA384, input, signature)
            }
            (Self::Rsa { n, e }, SigningAlgorithm::Rs512) => {
                PublicKeyComponents { n, e }.verify(&signature::RSA_PKCS1_2048_8192_SHA512, input, signature)
            }
            (Self::Rsa { n, e }, SigningAlgorithm::Ps256) => {
                PublicKeyComponents { n, e }.verify(&signature::RSA_PSS_2048_8192_SHA256, input, signature)
            }
            (Self::Rsa { n, e }, SigningAlgorithm::Ps384) => {
                PublicKeyComponents { n, e }.verify(&signature::RSA_PSS_2048_8192_SHA384, input, signature)
            }
            (Self::Rsa { n, e }, SigningAlgorithm::Ps512) => {
                PublicKeyComponents { n, e }.verify(&signature::RSA_PSS_2048_8192_SHA512, input, signature)
            }
            (Self::Ec { curve: Curve::P256, point }, SigningAlgorithm::Es256) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(input, signature)
            }
            (Self::Ec { curve: Curve::P384, point }, SigningAlgorithm::Es384) => {
                UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point).verify(input, signature)
            }
            _ => return false,
        };
        verdict.is_ok()
    }
}

/// A private key made ready for one algorithm.
pub(crate) enum Signatory {
    Rsa { pair: Box<RsaKeyPair>, algorithm: SigningAlgorithm },
    Ec(Box<EcdsaKeyPair>),
}

impl Signatory {
    pub(crate) fn new(key: &PrivateKey, algorithm: SigningAlgorithm) -> Result<Self, KeyError> {
        let der = key.to_pkcs8();
        let ec =
            |suite| EcdsaKeyPair::from_pkcs8(suite, &der, &SystemRandom::new()).map(|pair| Self::Ec(Box::new(pair)));
        match algorithm {
            SigningAlgorithm::Es256 => ec(&ECDSA_P256_SHA256_FIXED_SIGNING),
            SigningAlgorithm::Es384 => ec(&ECDSA_P384_SHA384_FIXED_SIGNING),
            _ => RsaKeyPair::from_pkcs8(&der).map(|pair| Self::Rsa { pair: Box::new(pair), algorithm }),
        }
        .map_err(|_| KeyError::Invalid)
    }

    pub(crate) fn sign(&self, input: &[u8]) -> Result<Vec<u8>, KeyError> {
        let random = SystemRandom::new();
        match self {
            Self::Ec(pair) => pair.sign(&random, input).map(|signature| signature.as_ref().to_vec()),
            Self::Rsa { pair, algorithm } => {
                let padding: &dyn signature::RsaEncoding = match algorithm {
                    SigningAlgorithm::Rs256 => &signature::RSA_PKCS1_SHA256,
                    SigningAlgorithm::Rs384 => &signature::RSA_PKCS1_SHA384,
                    SigningAlgorithm::Rs512 => &signature::RSA_PKCS1_SHA512,
                    SigningAlgorithm::Ps256 => &signature::RSA_PSS_SHA256,
                    SigningAlgorithm::Ps384 => &signature::RSA_PSS_SHA384,
                    SigningAlgorithm::Ps512 => &signature::RSA_PSS_SHA512,
                    SigningAlgorithm::Es256 | SigningAlgorithm::Es384 => return Err(KeyError::Signing),
                };
                let mut out = vec![0; pair.public().modulus_len()];
                pair.sign(padding, &random, input, &mut out).map(|()| out)
            }
        }
        .map_err(|_| KeyError::Signing)
    }
}

/// Makes a fresh key pair; the library has no RSA generation.
pub(crate) fn generate(kind: KeyKind) -> Result<PrivateKey, KeyError> {
    let suite = match kind {
        KeyKind::EcP256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
        KeyKind::EcP384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
        _ => return Err(KeyError::UnsupportedByBackend { what: "generate RSA keys" }),
    };
    let document = EcdsaKeyPair::generate_pkcs8(suite, &SystemRandom::new()).map_err(|_| KeyError::Generation)?;
    PrivateKey::from_der(Wrapping::Pkcs8, &Zeroizing::new(document.as_ref().to_vec()))
}

/// The library cannot compute the public point of a private number.
pub(crate) fn public_point(_: Curve, _: &[u8]) -> Result<Vec<u8>, KeyError> {
    Err(KeyError::UnsupportedByBackend { what: "read an EC key without its public point" })
}

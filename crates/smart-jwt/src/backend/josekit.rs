//! Signatures through josekit, which is OpenSSL's: the only file that names it.

use super::PublicNumbers;
use crate::algorithm::SigningAlgorithm;
use crate::curve::Curve;
use crate::der::{self, Octets};
use crate::error::KeyError;
use crate::pem::Wrapping;
use crate::private_key::{PrivateKey, curve_id};
use crate::signing_key::KeyKind;
use josekit::jwk::KeyPair as _;
use josekit::jwk::alg::ec::{EcCurve, EcKeyPair};
use josekit::jwk::alg::rsa::RsaKeyPair;
use josekit::jws::{ES256, ES384, JwsSigner, JwsVerifier, PS256, PS384, PS512, RS256, RS384, RS512};
use std::sync::OnceLock;
use zeroize::Zeroizing;

type Prepared = OnceLock<Option<Box<dyn JwsVerifier>>>;

/// A public key, made ready for the library at its first use with an algorithm and kept so.
pub(crate) struct VerifyingKey {
    info: Octets,
    /// By digest; for RSA with PKCS#1 padding.
    plain: [Prepared; 3],
    /// By digest; RSA with PSS padding.
    pss: [Prepared; 3],
}

impl VerifyingKey {
    pub(crate) fn new(numbers: &PublicNumbers) -> Self {
        let (algorithm, key) = match numbers {
            PublicNumbers::Rsa { n, e } => {
                let name = der::element(der::OBJECT_ID, &[der::RSA_ENCRYPTION]);
                let key = der::element(der::SEQUENCE, &[&der::unsigned(n), &der::unsigned(e)]);
                (der::element(der::SEQUENCE, &[&name, &[der::NULL, 0]]), der::element(der::BIT_STRING, &[&[0], &key]))
            }
            PublicNumbers::Ec { curve, x, y } => {
                let name = der::element(der::OBJECT_ID, &[der::EC_PUBLIC_KEY]);
                let curve = der::element(der::OBJECT_ID, &[curve_id(*curve)]);
                (der::element(der::SEQUENCE, &[&name, &curve]), der::element(der::BIT_STRING, &[&[0, 4], x, y]))
            }
        };
        Self {
            info: der::element(der::SEQUENCE, &[&algorithm, &key]),
            plain: Default::default(),
            pss: Default::default(),
        }
    }

    /// Whether the signature is the key's. The caller has seen to it that the algorithm fits the key.
    pub(crate) fn verify(&self, algorithm: SigningAlgorithm, input: &[u8], signature: &[u8]) -> bool {
        let ([plain_256, plain_384, plain_512], [pss_256, pss_384, pss_512]) = (&self.plain, &self.pss);
        let slot = match algorithm {
            SigningAlgorithm::Rs256 | SigningAlgorithm::Es256 => plain_256,
            SigningAlgorithm::Rs384 | SigningAlgorithm::Es384 => plain_384,
            SigningAlgorithm::Rs512 => plain_512,
            SigningAlgorithm::Ps256 => pss_256,
            SigningAlgorithm::Ps384 => pss_384,
            SigningAlgorithm::Ps512 => pss_512,
        };
        slot.get_or_init(|| verifier(algorithm, &self.info))
            .as_ref()
            .is_some_and(|verifier| verifier.verify(input, signature).is_ok())
    }
}

fn verifier(algorithm: SigningAlgorithm, info: &[u8]) -> Option<Box<dyn JwsVerifier>> {
    Some(match algorithm {
        SigningAlgorithm::Rs256 => Box::new(RS256.verifier_from_der(info).ok()?),
        SigningAlgorithm::Rs384 => Box::new(RS384.verifier_from_der(info).ok()?),
        SigningAlgorithm::Rs512 => Box::new(RS512.verifier_from_der(info).ok()?),
        SigningAlgorithm::Es256 => Box::new(ES256.verifier_from_der(info).ok()?),
        SigningAlgorithm::Es384 => Box::new(ES384.verifier_from_der(info).ok()?),
        SigningAlgorithm::Ps256 => Box::new(PS256.verifier_from_der(info).ok()?),
        SigningAlgorithm::Ps384 => Box::new(PS384.verifier_from_der(info).ok()?),
        SigningAlgorithm::Ps512 => Box::new(PS512.verifier_from_der(info).ok()?),
    })
}

/// A private key made ready for one algorithm.
pub(crate) struct Signatory(Box<dyn JwsSigner>);

impl Signatory {
    pub(crate) fn new(key: &PrivateKey, algorithm: SigningAlgorithm) -> Result<Self, KeyError> {
        let der = key.to_pkcs8();
        let invalid = |_| KeyError::Invalid;
        Ok(Self(match algorithm {
            SigningAlgorithm::Rs256 => Box::new(RS256.signer_from_der(&*der).map_err(invalid)?),
            SigningAlgorithm::Rs384 => Box::new(RS384.signer_from_der(&*der).map_err(invalid)?),
            SigningAlgorithm::Rs512 => Box::new(RS512.signer_from_der(&*der).map_err(invalid)?),
            SigningAlgorithm::Es256 => Box::new(ES256.signer_from_der(&*der).map_err(invalid)?),
            SigningAlgorithm::Es384 => Box::new(ES384.signer_from_der(&*der).map_err(invalid)?),
            SigningAlgorithm::Ps256 => Box::new(PS256.signer_from_der(&*der).map_err(invalid)?),
            SigningAlgorithm::Ps384 => Box::new(PS384.signer_from_der(&*der).map_err(invalid)?),
            SigningAlgorithm::Ps512 => Box::new(PS512.signer_from_der(&*der).map_err(invalid)?),
        }))
    }

    pub(crate) fn sign(&self, input: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.0.sign(input).map_err(|_| KeyError::Signing)
    }
}

/// Makes a fresh key pair.
pub(crate) fn generate(kind: KeyKind) -> Result<PrivateKey, KeyError> {
    let rsa = |bits| RsaKeyPair::generate(bits).map(|pair| (Wrapping::Pkcs1, pair.to_raw_private_key()));
    let ec = |curve| EcKeyPair::generate(curve).map(|pair| (Wrapping::Sec1, pair.to_raw_private_key()));
    let (wrapping, der) = match kind {
        KeyKind::EcP256 => ec(EcCurve::P256),
        KeyKind::EcP384 => ec(EcCurve::P384),
        KeyKind::Rsa2048 => rsa(2048),
        KeyKind::Rsa3072 => rsa(3072),
        KeyKind::Rsa4096 => rsa(4096),
    }
    .map_err(|_| KeyError::Generation)?;
    PrivateKey::from_der(wrapping, &Zeroizing::new(der))
}

/// The public point of a private number, for files that leave it out.
pub(crate) fn public_point(curve: Curve, d: &[u8]) -> Result<Vec<u8>, KeyError> {
    let private = der::element(der::OCTET_STRING, &[d]);
    let bare = der::element(der::SEQUENCE, &[&der::unsigned(&[1]), &private]);
    let named = match curve {
        Curve::P256 => EcCurve::P256,
        Curve::P384 => EcCurve::P384,
    };
    let pair = EcKeyPair::from_der(&*bare, Some(named)).map_err(|_| KeyError::Invalid)?;
    let info = pair.to_der_public_key();
    // The uncompressed point is the end of the public key's description.
    let point = info.len().checked_sub(2 * curve.octets() + 1).and_then(|at| info.get(at..));
    point.map(<[u8]>::to_vec).ok_or(KeyError::Invalid)
}

//! Who signs: a key in memory, or a service that keeps it (KMS, HSM).

use crate::algorithm::SigningAlgorithm;
use crate::der::{self, Reader};
use crate::error::KeyError;
use crate::jwk::Jwk;
use crate::signing_key::SigningKey;
use std::pin::Pin;
use std::sync::Arc;

/// A signature to come.
pub type SignatureFuture<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, SignerError>> + Send + 'a>>;

/// Signs, wherever the private key lies (SMART, client authentication: protect the private key).
///
/// A key that never leaves its service implements this. For ECDSA, most services give the signature in DER: it has to
/// be turned into the raw form, which [`raw_ecdsa_signature`] does.
pub trait Signer: Send + Sync {
    /// The algorithm that it signs with.
    fn algorithm(&self) -> SigningAlgorithm;

    /// The key id that goes into the header.
    fn key_id(&self) -> &str;

    /// The public half, for publication; its `kid` is [`key_id`](Self::key_id).
    fn public_jwk(&self) -> &Jwk;

    /// Signs `input`. Implementations bound their own waiting.
    fn sign<'a>(&'a self, input: &'a [u8]) -> SignatureFuture<'a>;
}

/// Why nothing was signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum SignerError {
    /// The service cannot be reached, or is overloaded.
    #[error("the signing service is not available: {reason}; try again later")]
    Unavailable {
        /// What happened, without secrets.
        reason: String,
    },
    /// The service refuses: no permission, no such key.
    #[error("the signing service refused: {reason}; check the key and the permission to sign with it")]
    Refused {
        /// What happened, without secrets.
        reason: String,
    },
    /// The key in memory failed.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The signature does not belong to the signer's public key.
    #[error(
        "the signature does not verify with the signer's public key: wrong key, wrong algorithm, or DER in place of raw octets"
    )]
    WrongSignature,
}

impl SignerError {
    /// Whether the same thing may work a little later, unchanged.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

/// Shows, with one signature, that a signer's algorithm, id, public key and form of signature agree. Meant for the start
/// of a program that signs with a service, so that a mistake does not wait for the first token request.
///
/// # Errors
/// [`SignerError::WrongSignature`], or what the signer gives.
pub async fn check_signer(signer: &dyn Signer) -> Result<(), SignerError> {
    let trial = b"smart-jwt: does this signer belong to its public key?";
    let signature = signer.sign(trial).await?;
    let named = signer.public_jwk().kid() == Some(signer.key_id());
    if named && signer.public_jwk().verify(signer.algorithm(), trial, &signature) {
        Ok(())
    } else {
        Err(SignerError::WrongSignature)
    }
}

/// An ECDSA signature in DER (RFC 3279, section 2.2.3), as key services give it, in the form that tokens have: both
/// integers side by side in the curve's size (RFC 7518, section 3.4).
///
/// # Errors
/// [`KeyError::Encoding`] when it is no such DER, or an integer does not fit the curve; [`KeyError::Algorithm`] when the
/// algorithm is none of ECDSA.
pub fn raw_ecdsa_signature(algorithm: SigningAlgorithm, der: &[u8]) -> Result<Vec<u8>, KeyError> {
    let size = algorithm.curve().ok_or(KeyError::Algorithm(algorithm))?.octets();
    let mut outer = Reader::new(der);
    let mut integers = Reader::new(outer.read(der::SEQUENCE)?);
    outer.end()?;
    let mut raw = Vec::with_capacity(2 * size);
    for _ in 0..2 {
        let integer = integers.unsigned()?;
        let missing = size.checked_sub(integer.len()).ok_or(KeyError::Encoding)?;
        raw.resize(raw.len() + missing, 0);
        raw.extend_from_slice(integer);
    }
    integers.end()?;
    Ok(raw)
}

impl Signer for SigningKey {
    fn algorithm(&self) -> SigningAlgorithm {
        SigningKey::algorithm(self)
    }

    fn key_id(&self) -> &str {
        SigningKey::key_id(self)
    }

    fn public_jwk(&self) -> &Jwk {
        SigningKey::public_jwk(self)
    }

    fn sign<'a>(&'a self, input: &'a [u8]) -> SignatureFuture<'a> {
        Box::pin(async move { SigningKey::sign(self, input).map_err(SignerError::Key) })
    }
}

impl<T: Signer + ?Sized> Signer for Arc<T> {
    fn algorithm(&self) -> SigningAlgorithm {
        (**self).algorithm()
    }

    fn key_id(&self) -> &str {
        (**self).key_id()
    }

    fn public_jwk(&self) -> &Jwk {
        (**self).public_jwk()
    }

    fn sign<'a>(&'a self, input: &'a [u8]) -> SignatureFuture<'a> {
        (**self).sign(input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// CA-17, CA-10 (RFC 7518 3.4): a signature from a key service has the same integers in its raw form, each in the
        /// curve's size, with zeros in front where it is shorter.
        #[test]
        fn der_signatures_become_raw(r in prop::collection::vec(any::<u8>(), 1..=48), s in prop::collection::vec(any::<u8>(), 1..=48)) {
            let signature = der::element(der::SEQUENCE, &[&der::unsigned(&r), &der::unsigned(&s)]);
            let raw = raw_ecdsa_signature(SigningAlgorithm::Es384, &signature).unwrap();
            let padded = |number: &[u8]| [vec![0; 48 - number.len()], number.to_vec()].concat();
            prop_assert_eq!(raw, [padded(&r), padded(&s)].concat());
        }

        /// CA-17: whatever comes, a signature is turned or refused without panic.
        #[test]
        fn any_octets_are_turned_without_panic(der in prop::collection::vec(any::<u8>(), 0..80)) {
            let turned = raw_ecdsa_signature(SigningAlgorithm::Es256, &der);
            prop_assert!(turned.is_err_and(|error| error == KeyError::Encoding));
        }
    }

    /// CA-10, CA-17: a signature of another curve, with something behind, with negative integers, or raw already is refused.
    #[test]
    fn other_signatures_are_not_turned() {
        let integers = |r: &[u8], s: &[u8]| der::element(der::SEQUENCE, &[r, s]).to_vec();
        let one = der::unsigned(&[1]);
        let good = integers(&one, &one);
        assert_eq!(raw_ecdsa_signature(SigningAlgorithm::Es256, &good).unwrap().len(), 64);
        assert_eq!(
            raw_ecdsa_signature(SigningAlgorithm::Rs384, &good),
            Err(KeyError::Algorithm(SigningAlgorithm::Rs384))
        );
        let long = integers(&der::unsigned(&[1; 33]), &one);
        let three = der::element(der::SEQUENCE, &[&one, &one, &one]).to_vec();
        for wrong in [long, three, [good.as_slice(), &[0]].concat(), integers(&[2, 1, 0x80], &one), vec![1; 64]] {
            assert_eq!(raw_ecdsa_signature(SigningAlgorithm::Es256, &wrong), Err(KeyError::Encoding));
        }
    }
}

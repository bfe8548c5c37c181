//! Who signs: a key in memory, or a service that keeps it (KMS, HSM).

use crate::algorithm::SigningAlgorithm;
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
/// be turned into the raw form, both integers side by side in the curve's size (RFC 7518, section 3.4).
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
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
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

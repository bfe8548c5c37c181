//! The crate jsonwebtoken: over the same crypto library as ours, so that what is around the signature is compared, and
//! over RustCrypto, as it is often built.

use crate::raw::Verifier;
use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils, rust_crypto};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, signature};
use serde_json::{Map, Value};
use smart_jwt::{Jwk, SigningAlgorithm};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether RustCrypto verifies, in place of the library that our backend has.
static RUST_CRYPTO: AtomicBool = AtomicBool::new(false);
static RS256: OnceLock<Verifier> = OnceLock::new();
static ES256: OnceLock<Verifier> = OnceLock::new();
static ES384: OnceLock<Verifier> = OnceLock::new();

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
    verifier_factory: |algorithm, key| {
        if RUST_CRYPTO.load(Ordering::Relaxed) {
            return (rust_crypto::DEFAULT_PROVIDER.verifier_factory)(algorithm, key);
        }
        // The prepared key, whatever the one that is handed in: parsing it each time would be no fair comparison.
        let verifier = slot(*algorithm).get().ok_or(ErrorKind::InvalidAlgorithm)?;
        Ok(Box::new(Same { algorithm: *algorithm, verifier }))
    },
    key_utils: KeyUtils::new_unimplemented(),
};

struct Same {
    algorithm: Algorithm,
    verifier: &'static Verifier,
}

impl signature::Verifier<Vec<u8>> for Same {
    fn verify(&self, input: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        if self.verifier.verify(input, signature) { Ok(()) } else { Err(signature::Error::new()) }
    }
}

impl JwtVerifier for Same {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

fn slot(algorithm: Algorithm) -> &'static OnceLock<Verifier> {
    match algorithm {
        Algorithm::RS256 => &RS256,
        Algorithm::ES256 => &ES256,
        _ => &ES384,
    }
}

/// A key and what its tokens have to have.
pub struct Peer {
    key: DecodingKey,
    validation: Validation,
}

impl Peer {
    /// Expects tokens of this issuer for this client.
    ///
    /// # Panics
    /// When the key is none: the keys are our own.
    pub fn new(algorithm: SigningAlgorithm, key: &Jwk, issuer: &str, client: &str) -> Self {
        let _ = PROVIDER.install_default();
        let json = key.to_json();
        let text = |name: &str| json[name].as_str().expect("a member");
        let (named, decoding) = match algorithm {
            SigningAlgorithm::Rs256 => (Algorithm::RS256, DecodingKey::from_rsa_components(text("n"), text("e"))),
            SigningAlgorithm::Es256 => (Algorithm::ES256, DecodingKey::from_ec_components(text("x"), text("y"))),
            SigningAlgorithm::Es384 => (Algorithm::ES384, DecodingKey::from_ec_components(text("x"), text("y"))),
            other => panic!("{other} is not measured"),
        };
        slot(named).get_or_init(|| Verifier::new(algorithm, key));
        let mut validation = Validation::new(named);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[client]);
        validation.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
        Self { key: decoding.expect("a key"), validation }
    }

    /// Which crypto library verifies from now on: RustCrypto, or the one that our backend has.
    pub fn verify_with_rust_crypto(yes: bool) {
        RUST_CRYPTO.store(yes, Ordering::Relaxed);
    }

    /// Verifies a token and checks its claims.
    ///
    /// # Panics
    /// When the token is refused.
    pub fn validate(&self, token: &str) -> Map<String, Value> {
        decode::<Map<String, Value>>(token, &self.key, &self.validation).expect("a good token").claims
    }
}

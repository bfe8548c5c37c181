//! The crypto library without anything around it: what no JWT library can be faster than.

use smart_jwt::{Jwk, SigningAlgorithm};

#[cfg(feature = "josekit")]
mod library {
    use super::{Jwk, SigningAlgorithm};
    use josekit::jws::{ES256, ES384, JwsSigner, JwsVerifier, RS256, RS384};

    /// A public key, prepared.
    pub struct Verifier(Box<dyn JwsVerifier>);

    impl Verifier {
        /// Prepares a public key.
        ///
        /// # Panics
        /// When it is none: the keys are our own.
        pub fn new(algorithm: SigningAlgorithm, key: &Jwk) -> Self {
            let jwk = josekit::jwk::Jwk::from_bytes(key.to_json().to_string()).expect("a JWK");
            Self(match algorithm {
                SigningAlgorithm::Rs256 => Box::new(RS256.verifier_from_jwk(&jwk).expect("a key")),
                SigningAlgorithm::Es256 => Box::new(ES256.verifier_from_jwk(&jwk).expect("a key")),
                SigningAlgorithm::Es384 => Box::new(ES384.verifier_from_jwk(&jwk).expect("a key")),
                other => panic!("{other} is not measured"),
            })
        }

        /// Whether the signature is right.
        pub fn verify(&self, input: &[u8], signature: &[u8]) -> bool {
            self.0.verify(input, signature).is_ok()
        }
    }

    /// A private key, prepared.
    pub struct Signer(Box<dyn JwsSigner>);

    impl Signer {
        /// Prepares a private key.
        ///
        /// # Panics
        /// When it is none: the keys are our own.
        pub fn new(algorithm: SigningAlgorithm, pem: &str) -> Self {
            Self(match algorithm {
                SigningAlgorithm::Rs384 => Box::new(RS384.signer_from_pem(pem).expect("a key")),
                SigningAlgorithm::Es384 => Box::new(ES384.signer_from_pem(pem).expect("a key")),
                other => panic!("{other} is not measured"),
            })
        }

        /// Signs.
        ///
        /// # Panics
        /// When the library cannot.
        pub fn sign(&self, input: &[u8]) -> Vec<u8> {
            self.0.sign(input).expect("a signature")
        }
    }
}

#[cfg(not(feature = "josekit"))]
mod library {
    use super::{Jwk, SigningAlgorithm};
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use ring::rand::SystemRandom;
    use ring::rsa::PublicKeyComponents;
    use ring::signature::{
        self, ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
        RsaKeyPair, UnparsedPublicKey,
    };

    /// A public key, as far as the library can prepare one.
    pub enum Verifier {
        Rsa(PublicKeyComponents<Vec<u8>>),
        Ec(UnparsedPublicKey<Vec<u8>>),
    }

    impl Verifier {
        /// Prepares a public key.
        ///
        /// # Panics
        /// When it is none: the keys are our own.
        pub fn new(algorithm: SigningAlgorithm, key: &Jwk) -> Self {
            let json = key.to_json();
            let number =
                |name: &str| URL_SAFE_NO_PAD.decode(json[name].as_str().expect("a member")).expect("base64url");
            let point = || [vec![4], number("x"), number("y")].concat();
            match algorithm {
                SigningAlgorithm::Rs256 => Self::Rsa(PublicKeyComponents { n: number("n"), e: number("e") }),
                SigningAlgorithm::Es256 => Self::Ec(UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point())),
                SigningAlgorithm::Es384 => Self::Ec(UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point())),
                other => panic!("{other} is not measured"),
            }
        }

        /// Whether the signature is right.
        pub fn verify(&self, input: &[u8], signature: &[u8]) -> bool {
            match self {
                Self::Rsa(key) => key.verify(&signature::RSA_PKCS1_2048_8192_SHA256, input, signature).is_ok(),
                Self::Ec(key) => key.verify(input, signature).is_ok(),
            }
        }
    }

    /// A private key, prepared.
    pub enum Signer {
        Rsa(Box<RsaKeyPair>),
        Ec(Box<EcdsaKeyPair>),
    }

    impl Signer {
        /// Prepares a private key.
        ///
        /// # Panics
        /// When it is none: the keys are our own.
        pub fn new(algorithm: SigningAlgorithm, pem: &str) -> Self {
            let der = crate::der(pem);
            match algorithm {
                SigningAlgorithm::Rs384 => Self::Rsa(Box::new(RsaKeyPair::from_pkcs8(&der).expect("a key"))),
                SigningAlgorithm::Es384 => {
                    let suite = &ECDSA_P384_SHA384_FIXED_SIGNING;
                    Self::Ec(Box::new(EcdsaKeyPair::from_pkcs8(suite, &der, &SystemRandom::new()).expect("a key")))
                }
                other => panic!("{other} is not measured"),
            }
        }

        /// Signs.
        ///
        /// # Panics
        /// When the library cannot.
        pub fn sign(&self, input: &[u8]) -> Vec<u8> {
            let random = SystemRandom::new();
            match self {
                Self::Rsa(pair) => {
                    let mut out = vec![0; pair.public().modulus_len()];
                    pair.sign(&signature::RSA_PKCS1_SHA384, &random, input, &mut out).expect("a signature");
                    out
                }
                Self::Ec(pair) => pair.sign(&random, input).expect("a signature").as_ref().to_vec(),
            }
        }
    }
}

pub use library::{Signer, Verifier};

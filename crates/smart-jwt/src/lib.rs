//! JSON Web Keys, ID-token validation and client assertions for SMART App Launch, without I/O: keys, time and
//! randomness come in as arguments.
//!
//! A client with a key of its own makes it once, publishes the public half, and signs an assertion for each request to
//! the token endpoint:
//!
//! ```
//! use smart_core::{client_id::ClientId, random::SecureRandom, time::Timestamp};
//! use smart_jwt::{AssertionVerifier, ClientAssertionBuilder, Jwks, KeyKind, SigningKey};
//!
//! # async fn show(random: &dyn SecureRandom, now: Timestamp) -> Result<(), Box<dyn std::error::Error>> {
//! let key = SigningKey::generate(KeyKind::EcP384)?.with_kid("2026-11")?;
//! let jwks_json = Jwks::from_keys(vec![key.public_jwk().clone()])?.to_json();
//!
//! let client = ClientId::new("my-service");
//! let assertions = ClientAssertionBuilder::new(client.clone(), "https://ehr.example/token");
//! let assertion = assertions.sign(&key, now, random).await?;
//!
//! // The server's side, with the same types.
//! let registered = Jwks::parse(jwks_json.to_string().as_bytes())?;
//! let verified = AssertionVerifier::new("https://ehr.example/token").verify(&assertion, &client, &registered, now)?;
//! assert_eq!(verified.client_id, client);
//! # Ok(())
//! # }
//! # struct Fixed;
//! # impl SecureRandom for Fixed {
//! #     fn fill(&self, buffer: &mut [u8]) -> Result<(), smart_core::random::RandomError> { buffer.fill(7); Ok(()) }
//! # }
//! # let mut shown = std::pin::pin!(show(&Fixed, Timestamp::from_unix_seconds(1_800_000_000)));
//! # let mut context = std::task::Context::from_waker(std::task::Waker::noop());
//! # assert!(matches!(shown.as_mut().poll(&mut context), std::task::Poll::Ready(Ok(()))));
//! ```
//!
//! An ID token is validated before any of its claims can be read:
//!
//! ```
//! use smart_core::{client_id::ClientId, issuer::Issuer, secret::RawIdToken, time::Timestamp};
//! use smart_jwt::{IdTokenValidator, Jwks, KeyKind, SigningAlgorithm, SigningKey, sign_jwt};
//!
//! // A server signs …
//! let key = SigningKey::generate(KeyKind::EcP384)?;
//! let claims = serde_json::json!({"iss": "https://ehr.example", "sub": "u1", "aud": "my-app", "exp": 1060, "iat": 1000});
//! let token = RawIdToken::new(sign_jwt(&key, "JWT", claims.as_object().unwrap())?);
//! let published = Jwks::from_keys(vec![key.public_jwk().clone()])?;
//!
//! // … and a client validates.
//! let validator = IdTokenValidator::builder(Issuer::parse("https://ehr.example")?, ClientId::new("my-app"))
//!     .also_algorithms(&[SigningAlgorithm::Es384])
//!     .build();
//! let id_token = validator.validate(&token, &published, Timestamp::from_unix_seconds(1000), None)?;
//! assert_eq!(id_token.subject(), "u1");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Backends
//! Signatures are made and checked by josekit, which is OpenSSL's (feature `josekit`, the default), or by ring (feature
//! `ring`, for targets without OpenSSL; `default-features = false`). With both on, josekit is used. The API is the
//! same, and so is what is accepted, but for what ring cannot do: generate RSA keys, read an EC key whose public point is
//! missing, and sign with RSA keys of more than 4096 bits or a public exponent below 65537. Such a key has to be made or
//! converted elsewhere; a pure Rust RSA implementation is no way out while its private operations leak their timing
//! (RUSTSEC-2023-0071).
//!
//! Both speak RS256, RS384, RS512, PS256, PS384, PS512, ES256 and ES384. There is no EdDSA (a key type of its own, that
//! SMART does not name), no ES512, and by design neither HMAC nor `none`.

mod algorithm;
mod algorithm_choice;
mod assertion_verifier;
mod backend;
mod claims;
mod client_assertion;
mod curve;
mod der;
mod error;
mod id_token;
mod id_token_error;
mod id_token_policy;
mod id_token_validator;
mod jwk;
mod jwks;
mod jwks_cache;
mod jwks_document;
mod jws;
mod key_set;
mod original_login;
mod payload;
mod pem;
mod private_key;
mod public_key;
mod scan;
mod signer;
mod signing_key;
mod unverified_id_token;

pub use algorithm::{AlgorithmError, SigningAlgorithm};
pub use algorithm_choice::choose_assertion_algorithm;
pub use assertion_verifier::{AssertionRefused, AssertionVerifier, VerifiedAssertion, unverified_client_id};
pub use client_assertion::{ClientAssertionBuilder, ClientAssertionError, UnsignedAssertion};
pub use error::{Error, JwsError, KeyError};
pub use id_token::IdToken;
pub use id_token_error::IdTokenError;
pub use id_token_policy::IdTokenPolicy;
pub use id_token_validator::IdTokenValidator;
pub use jwk::Jwk;
pub use jwks::{Jwks, SkippedKey};
pub use jwks_cache::{CacheVerdict, JwksCache, max_age};
pub use jwks_document::JwksDocument;
pub use jws::{VerifiedJws, sign_jwt, sign_jwt_with_header, verify_jws};
pub use key_set::KeySet;
pub use original_login::OriginalLogin;
pub use signer::{SignatureFuture, Signer, SignerError, check_signer, raw_ecdsa_signature};
pub use signing_key::{KeyKind, PrivateJwk, PrivatePem, SigningKey};
pub use unverified_id_token::UnverifiedIdToken;

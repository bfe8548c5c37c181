//! JSON Web Keys, ID-token validation and signing for SMART App Launch, without I/O: keys, time and randomness come in
//! as arguments.
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
//! let validator = IdTokenValidator::new(Issuer::parse("https://ehr.example")?, ClientId::new("my-app"))
//!     .with_algorithms(&[SigningAlgorithm::Es384]);
//! let id_token = validator.validate(&token, &published, Timestamp::from_unix_seconds(1000), None)?;
//! assert_eq!(id_token.subject(), "u1");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod algorithm;
mod backend;
mod curve;
mod der;
mod error;
mod id_token;
mod id_token_error;
mod jwk;
mod jwks;
mod jws;
mod pem;
mod private_key;
mod signing_key;

pub use algorithm::AlgorithmError;
pub use algorithm::SigningAlgorithm;
pub use error::{Error, JwsError, KeyError};
pub use id_token::{IdToken, IdTokenValidator};
pub use id_token_error::IdTokenError;
pub use jwk::Jwk;
pub use jwks::Jwks;
pub use jws::{VerifiedJws, sign_jwt, verify_jws};
pub use signing_key::{KeyKind, PrivatePem, SigningKey};

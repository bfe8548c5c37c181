//! The attack table: each row is a test. All tokens here carry the right claims, so that only the attack can fail.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

mod form;
mod header;
mod key;
mod signature;
#[path = "../support/mod.rs"]
mod support;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use smart_core::client_id::ClientId;
use smart_core::issuer::Issuer;
use smart_core::secret::RawIdToken;
use smart_jwt::{IdToken, IdTokenError, IdTokenValidator, Jwks, JwsError, SigningAlgorithm, SigningKey};
use support::{EC, NOW, RSA, forge, now};

fn claims() -> Value {
    json!({"iss": "https://ehr.example", "sub": "u1", "aud": "my-app", "exp": NOW + 300, "iat": NOW})
}

fn check_with(token: &str, keys: &Jwks) -> Result<IdToken, IdTokenError> {
    IdTokenValidator::builder(Issuer::parse("https://ehr.example").unwrap(), ClientId::new("my-app"))
        .also_algorithms(&SigningAlgorithm::ALL)
        .build()
        .validate(&RawIdToken::new(token), keys, now(), None)
}

fn check(token: &str) -> Result<IdToken, IdTokenError> {
    check_with(token, &Jwks::from_keys(vec![RSA.public_jwk().clone(), EC.public_jwk().clone()]).unwrap())
}

/// Why a token is refused, before any claim is looked at.
fn refused(token: &str) -> JwsError {
    match check(token).unwrap_err() {
        IdTokenError::Jws(error) => error,
        other => panic!("refused for {other}"),
    }
}

fn header(key: &SigningKey) -> Value {
    json!({"alg": key.algorithm().as_str(), "kid": key.key_id(), "typ": "JWT"})
}

/// A token without an attack.
fn good(key: &SigningKey) -> String {
    forge(&header(key), &claims(), key)
}

/// A good token with another signature.
fn with_signature(key: &SigningKey, signature: &[u8]) -> String {
    let token = good(key);
    format!("{}.{}", token.rsplit_once('.').unwrap().0, URL_SAFE_NO_PAD.encode(signature))
}

/// The signature of a token.
fn signature_of(token: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(token.rsplit_once('.').unwrap().1).unwrap()
}

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// ID-08: without an attack, the tokens of this table are good.
#[test]
fn without_an_attack_the_tokens_are_good() {
    assert!(check(&good(&RSA)).is_ok());
    assert!(check(&good(&EC)).is_ok());
}

//! Public keys from PEM, and verifying with them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

mod support;

use proptest::prelude::*;
use serde_json::json;
use smart_jwt::{Jwk, Jwks, JwsError, KeyError, SigningAlgorithm, SigningKey, sign_jwt, verify_jws};
use support::{EC, P256_PEM, RSA, RSA_PEM, object};

const RSA_PUBLIC: &str = include_str!("data/rsa-2048.public.pem");
const EC_PUBLIC: &str = include_str!("data/p384.public.pem");

/// F-64, ID-10 (RFC 5280 4.1.2.7; RFC 8017 A.1.1): a token is verified with a public key that came as PEM, in each of its
/// wrappings; the key's id is that of the private half. There is no such helper for shared secrets: HMAC is refused.
#[test]
fn public_pem_verifies() {
    let p256 = SigningKey::from_pem(P256_PEM).unwrap();
    for (pem, signer) in [
        (RSA_PUBLIC, &*RSA),
        (include_str!("data/rsa-2048.public-pkcs1.pem"), &*RSA),
        (EC_PUBLIC, &*EC),
        (include_str!("data/p256.public.pem"), &p256),
    ] {
        let key = Jwk::from_public_pem(pem).unwrap();
        assert_eq!((key.kid(), key.thumbprint()), (Some(signer.key_id()), signer.key_id().to_owned()));
        let token = sign_jwt(signer, "JWT", &object(json!({"sub": "u1"}))).unwrap();
        let keys = Jwks::from_keys(vec![key]).unwrap();
        assert_eq!(verify_jws(&token, &keys, &SigningAlgorithm::ALL).unwrap().claims["sub"], "u1");
        let renamed = Jwks::from_keys(vec![keys.keys()[0].with_kid("other").unwrap()]).unwrap();
        assert_eq!(verify_jws(&token, &renamed, &SigningAlgorithm::ALL), Err(JwsError::UnknownKey));
    }
}

/// F-64, ID-10 (RFC 8725 3.1): a key from PEM can be bound to one algorithm, which has to be one of its own.
#[test]
fn public_pem_can_be_bound_to_an_algorithm() {
    let key = Jwk::from_public_pem(RSA_PUBLIC).unwrap();
    assert_eq!(key.algorithms().len(), 6);
    let bound = key.with_algorithm(SigningAlgorithm::Ps384).unwrap();
    assert_eq!((bound.algorithms(), bound.alg()), (&[SigningAlgorithm::Ps384][..], Some("PS384")));
    assert_eq!(key.with_algorithm(SigningAlgorithm::Es384), Err(KeyError::Algorithm(SigningAlgorithm::Es384)));
    assert_eq!(key.with_kid(""), Err(KeyError::Member { member: "kid" }));
    let ec = Jwk::from_public_pem(EC_PUBLIC).unwrap();
    assert_eq!(ec.algorithms(), [SigningAlgorithm::Es384]);
    let token = sign_jwt(&RSA, "JWT", &object(json!({}))).unwrap();
    let keys = Jwks::from_keys(vec![bound]).unwrap();
    assert_eq!(verify_jws(&token, &keys, &SigningAlgorithm::ALL), Err(JwsError::AmbiguousKey(0)));
}

/// ID-25, F-64: a PEM text that has no usable public key says why; a private key is not taken for one.
#[test]
fn unusable_public_pem_says_why() {
    let refused = |pem: &str| Jwk::from_public_pem(pem).unwrap_err();
    assert_eq!(refused(RSA_PEM), KeyError::PrivateInPublicSet);
    assert_eq!(refused(&format!("{RSA_PUBLIC}{RSA_PEM}")), KeyError::PrivateInPublicSet);
    assert_eq!(refused(&format!("{RSA_PUBLIC}{EC_PUBLIC}")), KeyError::PublicPem { found: 2 });
    assert_eq!(refused(include_str!("data/rsa-1024.public.pem")), KeyError::TooShort { bits: 1024 });
    assert_eq!(refused(include_str!("data/p521.public.pem")), KeyError::Unsupported);
    assert_eq!(refused(include_str!("data/p384-compressed.public.pem")), KeyError::Unsupported);
    for none in ["", "-----BEGIN PUBLIC KEY-----\nMIIB", "-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----"] {
        assert_eq!(refused(none), KeyError::PublicPem { found: 0 }, "{none}");
    }
    assert_eq!(refused("-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----"), KeyError::Encoding);
    assert!(matches!(refused(&"x".repeat(200_000)), KeyError::TooLong { .. }));
    // A point that is not on its curve.
    let body: String = EC_PUBLIC.lines().filter(|line| !line.starts_with('-')).collect();
    let mut der = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, body).unwrap();
    *der.last_mut().unwrap() ^= 1;
    let body = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &der);
    assert_eq!(refused(&format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----")), KeyError::Invalid);
}

proptest! {
    /// F-64: whatever comes, a public key is read or refused without panic.
    #[test]
    fn any_public_pem_is_read_without_panic(der in prop::collection::vec(any::<u8>(), 0..120), rsa: bool) {
        let body = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &der);
        let label = if rsa { "RSA PUBLIC KEY" } else { "PUBLIC KEY" };
        let pem = format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----");
        prop_assert!(Jwk::from_public_pem(&pem).is_err());
    }
}

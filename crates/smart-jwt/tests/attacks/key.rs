//! Attacks by way of the issuer's keys: too weak, no keys at all, or for something else.

use super::support::{EC, P256_PEM, RSA, forge, object};
use super::{check_with, claims, good};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use smart_jwt::{IdTokenError, Jwk, Jwks, JwsError, KeyError, SigningKey};

/// ID-25 (RFC 7518 3.3): an RSA key of 1024 bits verifies nothing, though its signature is right.
#[test]
fn rsa_key_of_1024_bits_is_refused() {
    let short = SigningKey::from_pem(include_str!("../data/rsa-1024.pkcs8.pem")).unwrap_err();
    assert_eq!(short, KeyError::TooShort { bits: 1024 });
    let jwk = json!({"kty": "RSA", "e": "AQAB", "n": URL_SAFE_NO_PAD.encode([0xff; 128]), "kid": "short"});
    let keys = Jwks::parse(json!({"keys": [jwk]}).to_string().as_bytes()).unwrap();
    let token = forge(&json!({"alg": "RS256", "kid": "short"}), &claims(), &RSA);
    let refused = check_with(&token, &keys).unwrap_err();
    assert_eq!(refused, IdTokenError::Jws(JwsError::UnusableKey(KeyError::TooShort { bits: 1024 })));
    // Zeros in front do not make it longer.
    let padded =
        json!({"kty": "RSA", "e": "AQAB", "n": URL_SAFE_NO_PAD.encode([vec![0; 128], vec![0xff; 128]].concat())});
    assert_eq!(Jwk::from_members(&object(padded)), Err(KeyError::TooShort { bits: 1024 }));
}

/// ID-25 (RFC 8017 3.1): RSA numbers that make no key, or are there to waste time.
#[test]
fn odd_rsa_numbers_are_refused() {
    let n = RSA.public_jwk().to_json()["n"].clone();
    let encode = |octets: &[u8]| json!(URL_SAFE_NO_PAD.encode(octets));
    for (n, e) in [
        (n.clone(), encode(&[1])),
        (n.clone(), encode(&[2])),
        (n.clone(), encode(&[])),
        (n.clone(), encode(&[1, 0, 0, 0, 1])),
        (encode(&[0xfe; 256]), encode(&[1, 0, 1])),
        (encode(&[0xff; 1025]), encode(&[1, 0, 1])),
    ] {
        assert_eq!(Jwk::from_members(&object(json!({"kty": "RSA", "n": n, "e": e}))), Err(KeyError::Invalid));
    }
}

/// ID-25 (RFC 8725 3.4; RFC 7518 6.2): a point that is not on its curve, the way invalid-curve attacks have it.
#[test]
fn ec_point_off_the_curve_is_refused() {
    let mut jwk = EC.public_jwk().to_json();
    let mut y = URL_SAFE_NO_PAD.decode(jwk["y"].as_str().unwrap()).unwrap();
    y[47] ^= 1;
    jwk["y"] = URL_SAFE_NO_PAD.encode(&y).into();
    assert_eq!(Jwk::from_members(&object(jwk.clone())), Err(KeyError::Invalid));
    let keys = Jwks::parse(json!({"keys": [jwk]}).to_string().as_bytes()).unwrap();
    let refused = check_with(&good(&EC), &keys);
    assert_eq!(refused, Err(IdTokenError::Jws(JwsError::UnusableKey(KeyError::Invalid))));
    let origin = json!({"kty": "EC", "crv": "P-384", "x": URL_SAFE_NO_PAD.encode([0; 48]), "y": URL_SAFE_NO_PAD.encode([0; 48])});
    assert_eq!(Jwk::from_members(&object(origin)), Err(KeyError::Invalid));
}

/// ID-11 (ambiguity 32): a private key in the issuer's set is not used, though it would fit.
#[test]
fn private_key_in_the_set_is_not_used() {
    let mut jwk = EC.public_jwk().to_json();
    jwk["d"] = URL_SAFE_NO_PAD.encode([1; 48]).into();
    let keys = Jwks::parse(json!({"keys": [jwk]}).to_string().as_bytes()).unwrap();
    let refused = check_with(&good(&EC), &keys);
    assert_eq!(refused, Err(IdTokenError::Jws(JwsError::UnusableKey(KeyError::PrivateInPublicSet))));
}

/// ID-10 (RFC 7517 4.2 to 4.4): the issuer's key, which would verify, is published for something else.
#[test]
fn key_for_another_use_is_not_used() {
    for (member, value) in [
        ("use", json!("enc")),
        ("use", json!("")),
        ("key_ops", json!([])),
        ("key_ops", json!(["sign"])),
        ("key_ops", json!(["encrypt", "wrapKey"])),
        ("alg", json!("ES256")),
        ("alg", json!("ECDH-ES")),
        ("alg", json!("none")),
    ] {
        let mut jwk = EC.public_jwk().to_json();
        jwk[member] = value.clone();
        let keys = Jwks::parse(json!({"keys": [jwk]}).to_string().as_bytes()).unwrap();
        let refused = check_with(&good(&EC), &keys);
        assert_eq!(refused, Err(IdTokenError::Jws(JwsError::AmbiguousKey(0))), "{member} {value}");
    }
}

/// ID-10 (RFC 8725 3.1): a key that says P-384 and has the coordinates of the other curve, or the other way round.
#[test]
fn key_of_the_wrong_curve_is_refused() {
    let p256 = SigningKey::from_pem(P256_PEM).unwrap();
    for (key, crv, member) in [(&*EC, "P-256", "x"), (&p256, "P-384", "x")] {
        let mut jwk = key.public_jwk().to_json();
        jwk["crv"] = crv.into();
        assert_eq!(Jwk::from_members(&object(jwk)), Err(KeyError::Member { member }));
    }
    // Brought to the other size, the point is on no curve.
    let mut jwk = p256.public_jwk().to_json();
    for member in ["x", "y"] {
        let short = URL_SAFE_NO_PAD.decode(jwk[member].as_str().unwrap()).unwrap();
        jwk[member] = URL_SAFE_NO_PAD.encode([vec![0; 16], short].concat()).into();
    }
    jwk["crv"] = "P-384".into();
    assert_eq!(Jwk::from_members(&object(jwk)), Err(KeyError::Invalid));
}

//! Attacks by way of the header: algorithm, key id, keys, extensions.

use super::support::{EC, OTHER_RSA_PEM, P256_PEM, RSA, RSA_PEM, forge, part, signed};
use super::{check, check_with, claims, header, refused, with_signature};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use smart_jwt::{AlgorithmError, IdTokenError, Jwks, JwsError, KeyKind, SigningAlgorithm, SigningKey};

/// ID-09 (RFC 8725 3.1; RFC 7515 A.5): a token without a signature, in any spelling of `none`.
#[test]
fn alg_none_is_refused() {
    for alg in ["none", "None", "NONE", "nOnE"] {
        for signature in ["", "AAAA"] {
            let token = format!("{}.{}.{signature}", part(&json!({"alg": alg})), part(&claims()));
            assert!(matches!(refused(&token), JwsError::Algorithm(AlgorithmError { .. })), "{alg}");
        }
    }
}

/// ID-09 (RFC 8725 2.1, 3.1): an HMAC made with the RSA public key, in each form that an attacker can know: PEM, DER and
/// JWK, with each digest.
#[test]
fn hmac_with_the_rsa_public_key_as_secret_is_refused() {
    let (spki, pkcs1) =
        (include_str!("../data/rsa-2048.public.pem"), include_str!("../data/rsa-2048.public-pkcs1.pem"));
    let der = |pem: &str| {
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        STANDARD.decode(body).unwrap()
    };
    let jwk = RSA.public_jwk().to_json();
    let modulus = jwk["n"].as_str().unwrap();
    let secrets = [
        spki.as_bytes().to_vec(),
        spki.trim().as_bytes().to_vec(),
        pkcs1.as_bytes().to_vec(),
        der(spki),
        der(pkcs1),
        jwk.to_string().into_bytes(),
        modulus.as_bytes().to_vec(),
        URL_SAFE_NO_PAD.decode(modulus).unwrap(),
    ];
    for (alg, hmac) in
        [("HS256", ring::hmac::HMAC_SHA256), ("HS384", ring::hmac::HMAC_SHA384), ("HS512", ring::hmac::HMAC_SHA512)]
    {
        for secret in &secrets {
            let input = format!("{}.{}", part(&json!({"alg": alg, "kid": RSA.key_id()})), part(&claims()));
            let mac = ring::hmac::sign(&ring::hmac::Key::new(hmac, secret), input.as_bytes());
            let token = format!("{input}.{}", URL_SAFE_NO_PAD.encode(mac.as_ref()));
            assert!(matches!(refused(&token), JwsError::Algorithm(_)));
            // The same under a header that says RS256.
            assert_eq!(refused(&with_signature(&RSA, mac.as_ref())), JwsError::Signature);
        }
    }
}

/// ID-09 (RFC 8725 3.1): algorithms that are not spoken here are refused by name, EdDSA too.
#[test]
fn other_algorithms_are_refused() {
    for alg in ["ES512", "ES256K", "EdDSA", "Ed25519", "HS512", "RS1", "rs256", "RS256 ", "RS256\0", "", "dir"] {
        let token = forge(&json!({"alg": alg, "kid": RSA.key_id()}), &claims(), &RSA);
        assert!(matches!(refused(&token), JwsError::Algorithm(_)), "{alg}");
    }
    for alg in [json!(null), json!(["RS256"]), json!(256)] {
        assert_eq!(refused(&forge(&json!({"alg": alg}), &claims(), &RSA)), JwsError::Header("alg"));
    }
    assert_eq!(refused(&forge(&json!({"kid": RSA.key_id()}), &claims(), &RSA)), JwsError::Header("alg"));
}

/// ID-10 (RFC 8725 3.1): the header's algorithm is another one of the same key type than the key's `alg`.
#[test]
fn algorithm_other_than_the_keys_is_refused() {
    for alg in ["RS384", "RS512", "PS256"] {
        let token = forge(&json!({"alg": alg, "kid": RSA.key_id()}), &claims(), &RSA);
        assert_eq!(refused(&token), JwsError::AmbiguousKey(0), "{alg}");
    }
}

/// ID-08, ID-11: signed with one key of the issuer, and naming another one of the same type.
#[test]
fn swapped_kid_is_refused() {
    let other = SigningKey::from_pem(OTHER_RSA_PEM).unwrap().with_algorithm(SigningAlgorithm::Rs256).unwrap();
    let keys = Jwks::from_keys(vec![RSA.public_jwk().clone(), other.public_jwk().clone()]).unwrap();
    let token = forge(&header(&other), &claims(), &RSA);
    assert_eq!(check_with(&token, &keys), Err(IdTokenError::Jws(JwsError::Signature)));
}

/// ID-10 (RFC 8725 3.1): `kid` names a key of another type than the algorithm's.
#[test]
fn kid_of_a_key_of_another_type_is_refused() {
    for (alg, kid, by) in [("RS256", EC.key_id(), &*RSA), ("ES384", RSA.key_id(), &*EC)] {
        assert_eq!(refused(&forge(&json!({"alg": alg, "kid": kid}), &claims(), by)), JwsError::AmbiguousKey(0));
    }
    // A key of the right type on the other curve.
    let p256 = SigningKey::from_pem(P256_PEM).unwrap();
    let keys = Jwks::from_keys(vec![p256.public_jwk().clone()]).unwrap();
    let token = forge(&json!({"alg": "ES384", "kid": p256.key_id()}), &claims(), &EC);
    assert_eq!(check_with(&token, &keys), Err(IdTokenError::Jws(JwsError::AmbiguousKey(0))));
}

/// ID-02 (RFC 7515 4.1.4): `kid` is text, and is no path or query.
#[test]
fn kid_of_another_kind_is_refused() {
    for kid in [json!(1), json!(null), json!([EC.key_id()]), json!({})] {
        assert_eq!(refused(&forge(&json!({"alg": "ES384", "kid": kid}), &claims(), &EC)), JwsError::Header("kid"));
    }
    for kid in ["../../dev/null", "x' OR '1'='1", ""] {
        assert_eq!(refused(&forge(&json!({"alg": "ES384", "kid": kid}), &claims(), &EC)), JwsError::UnknownKey);
    }
}

/// ID-02 (RFC 7515 4): a member that stands twice in the header, rightly signed; also in another spelling.
#[test]
fn duplicate_header_members_are_refused() {
    for text in [
        format!(r#"{{"alg":"none","alg":"ES384","kid":"{}"}}"#, EC.key_id()),
        format!(r#"{{"alg":"ES384","\u0061lg":"none","kid":"{}"}}"#, EC.key_id()),
        format!(r#"{{"alg":"ES384","kid":"other","kid":"{}"}}"#, EC.key_id()),
    ] {
        let token = signed(&URL_SAFE_NO_PAD.encode(text), &part(&claims()), &EC);
        assert!(matches!(refused(&token), JwsError::Json { part: "header", .. }));
    }
}

/// ID-14 (RFC 8725 3.10): the attacker's key, or where to fetch it, in the header.
#[test]
fn key_in_the_header_is_not_looked_at() {
    let attacker = SigningKey::generate(KeyKind::EcP384).unwrap();
    for (name, value) in [
        ("jwk", attacker.public_jwk().to_json()),
        ("jku", json!("https://evil.example/jwks")),
        ("x5u", json!("https://evil.example/cert")),
        ("x5c", json!(["MIIB"])),
    ] {
        let mut with_key = header(&EC);
        with_key[name] = value;
        assert_eq!(refused(&forge(&with_key, &claims(), &attacker)), JwsError::Signature, "{name}");
        with_key["kid"] = attacker.key_id().into();
        assert_eq!(refused(&forge(&with_key, &claims(), &attacker)), JwsError::UnknownKey, "{name}");
    }
}

/// ID-14 (RFC 7515 4.1.11; RFC 7797): extensions that have to be understood.
#[test]
fn critical_extensions_are_refused() {
    for (name, value) in [("crit", json!(["b64"])), ("crit", json!([])), ("b64", json!(false)), ("b64", json!(true))] {
        let mut critical = header(&EC);
        critical[name] = value;
        assert_eq!(refused(&forge(&critical, &claims(), &EC)), JwsError::Critical, "{name}");
    }
}

/// ID-10 (RFC 8725 3.1): the right signature of one padding under the name of the other, where the key allows both.
#[test]
fn other_rsa_padding_is_refused() {
    let mut jwk = RSA.public_jwk().to_json();
    jwk.as_object_mut().unwrap().remove("alg");
    let keys = Jwks::parse(json!({"keys": [jwk]}).to_string().as_bytes()).unwrap();
    for (named, signed_with) in
        [("PS256", SigningAlgorithm::Rs256), ("RS256", SigningAlgorithm::Ps256), ("RS512", SigningAlgorithm::Rs256)]
    {
        let signer = SigningKey::from_pem(RSA_PEM).unwrap().with_algorithm(signed_with).unwrap();
        let by = |alg: &str| check_with(&forge(&json!({"alg": alg, "kid": RSA.key_id()}), &claims(), &signer), &keys);
        assert!(by(signed_with.as_str()).is_ok());
        assert_eq!(by(named), Err(IdTokenError::Jws(JwsError::Signature)), "{named}");
    }
}

/// ID-02 (RFC 8725 3.11): a token of another kind, rightly signed by the same issuer for the same client.
#[test]
fn token_of_another_kind_is_refused() {
    for typ in ["at+jwt", "application/at+jwt", "logout+jwt", "AT+JWT"] {
        let token = forge(&json!({"alg": "ES384", "kid": EC.key_id(), "typ": typ}), &claims(), &EC);
        assert_eq!(check(&token).unwrap_err().code(), "type", "{typ}");
    }
    for typ in [json!(["JWT"]), json!(null), json!(1)] {
        let token = forge(&json!({"alg": "ES384", "kid": EC.key_id(), "typ": typ}), &claims(), &EC);
        assert_eq!(refused(&token), JwsError::Header("typ"));
    }
}

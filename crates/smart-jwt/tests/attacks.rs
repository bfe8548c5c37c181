//! The attack table: each row is a test. All tokens here carry the right claims, so that only the attack can fail.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use smart_core::client_id::ClientId;
use smart_core::issuer::Issuer;
use smart_core::secret::RawIdToken;
use smart_jwt::{
    AlgorithmError, IdToken, IdTokenError, IdTokenValidator, Jwk, Jwks, JwsError, KeyError, KeyKind, SigningAlgorithm,
    SigningKey,
};
use support::{EC, NOW, OTHER_RSA_PEM, P256_PEM, RSA, forge, now, object, part, signed};

/// The order of P-384's group.
const P384_ORDER: &str =
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973";
/// The order of P-256's group.
const P256_ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

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

fn refused(token: &str) -> JwsError {
    match check(token).unwrap_err() {
        IdTokenError::Jws(error) => error,
        other => panic!("refused for {other}"),
    }
}

fn header(key: &SigningKey) -> Value {
    json!({"alg": key.algorithm().as_str(), "kid": key.key_id(), "typ": "JWT"})
}

fn good(key: &SigningKey) -> String {
    forge(&header(key), &claims(), key)
}

/// A good token with another signature.
fn with_signature(key: &SigningKey, signature: &[u8]) -> String {
    let token = good(key);
    format!("{}.{}", token.rsplit_once('.').unwrap().0, URL_SAFE_NO_PAD.encode(signature))
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

/// ID-09 (RFC 8725 2.1, 3.1): an HMAC made with the RSA public key, in each form that an attacker can know.
#[test]
fn hs256_with_the_rsa_public_key_as_secret_is_refused() {
    let pem = include_str!("data/rsa-2048.public.pem");
    let jwk = RSA.public_jwk().to_json().to_string();
    let modulus = URL_SAFE_NO_PAD.decode(RSA.public_jwk().to_json()["n"].as_str().unwrap()).unwrap();
    for secret in [pem.as_bytes(), pem.trim().as_bytes(), jwk.as_bytes(), &modulus] {
        let input = format!("{}.{}", part(&json!({"alg": "HS256", "kid": RSA.key_id()})), part(&claims()));
        let mac = ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret), input.as_bytes());
        let token = format!("{input}.{}", URL_SAFE_NO_PAD.encode(mac.as_ref()));
        assert!(matches!(refused(&token), JwsError::Algorithm(_)));
        // The same under a header that says RS256.
        let token = format!("{}.{}", good(&RSA).rsplit_once('.').unwrap().0, URL_SAFE_NO_PAD.encode(mac.as_ref()));
        assert_eq!(refused(&token), JwsError::Signature);
    }
}

/// ID-09 (RFC 8725 3.1): algorithms that are not spoken here are refused by name, RSASSA-PSS and EdDSA too.
#[test]
fn other_algorithms_are_refused() {
    for alg in ["PS256", "PS384", "ES512", "ES256K", "EdDSA", "HS512", "RS1", "rs256", "RS256 ", ""] {
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
    let token = forge(&json!({"alg": "RS384", "kid": RSA.key_id()}), &claims(), &RSA);
    assert_eq!(refused(&token), JwsError::AmbiguousKey(0));
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

/// ID-08 (CVE-2022-21449): an ECDSA signature of zeros, which holds for everything where nobody looks.
#[test]
fn psychic_zero_signature_is_refused() {
    assert_eq!(refused(&with_signature(&EC, &[0; 96])), JwsError::Signature);
    let p256 = SigningKey::from_pem(P256_PEM).unwrap();
    let keys = Jwks::from_keys(vec![p256.public_jwk().clone()]).unwrap();
    let refused = check_with(&with_signature(&p256, &[0; 64]), &keys);
    assert_eq!(refused, Err(IdTokenError::Jws(JwsError::Signature)));
}

/// ID-08 (SEC 1 4.1.4): one of the two integers is zero, the group's order, or above it.
#[test]
fn ecdsa_integers_out_of_range_are_refused() {
    let p256 = SigningKey::from_pem(P256_PEM).unwrap();
    for (key, order) in [(&*EC, P384_ORDER), (&p256, P256_ORDER)] {
        let keys = Jwks::from_keys(vec![key.public_jwk().clone()]).unwrap();
        let token = good(key);
        let valid = URL_SAFE_NO_PAD.decode(token.rsplit_once('.').unwrap().1).unwrap();
        let (r, s) = valid.split_at(valid.len() / 2);
        let order = unhex(order);
        let mut above = order.clone();
        *above.last_mut().unwrap() += 1;
        let zero = vec![0; order.len()];
        let most = vec![0xff; order.len()];
        for wrong in [&zero, &order, &above, &most] {
            for signature in [[wrong.as_slice(), s].concat(), [r, wrong].concat(), [wrong.as_slice(), wrong].concat()] {
                let refused = check_with(&with_signature(key, &signature), &keys);
                assert_eq!(refused, Err(IdTokenError::Jws(JwsError::Signature)));
            }
        }
    }
}

/// CA-10 (RFC 7518 3.4): the right signature in DER in place of raw octets.
#[test]
fn der_signature_is_refused() {
    let token = good(&EC);
    let raw = URL_SAFE_NO_PAD.decode(token.rsplit_once('.').unwrap().1).unwrap();
    let integer = |value: &[u8]| {
        let mut value: Vec<u8> = value.iter().copied().skip_while(|octet| *octet == 0).collect();
        if value[0] >= 0x80 {
            value.insert(0, 0);
        }
        [&[2, u8::try_from(value.len()).unwrap()], value.as_slice()].concat()
    };
    let both = [integer(&raw[..48]), integer(&raw[48..])].concat();
    let der = [&[0x30, u8::try_from(both.len()).unwrap()], both.as_slice()].concat();
    assert_eq!(refused(&with_signature(&EC, &der)), JwsError::Signature);
}

/// ID-08: a signature that is too short, too long, or missing.
#[test]
fn signature_of_another_length_is_refused() {
    for key in [&*RSA, &*EC] {
        let token = good(key);
        let right = URL_SAFE_NO_PAD.decode(token.rsplit_once('.').unwrap().1).unwrap();
        let longer = [right.as_slice(), &[0]].concat();
        let shifted = [&[0], right.as_slice()].concat();
        for wrong in [&[][..], &right[..right.len() - 1], &right[1..], &longer, &shifted] {
            assert_eq!(refused(&with_signature(key, wrong)), JwsError::Signature);
        }
    }
}

/// ID-02: a token cut off at any place.
#[test]
fn truncated_token_is_refused() {
    for key in [&*RSA, &*EC] {
        let token = good(key);
        for length in 0..token.len() {
            assert!(check(&token[..length]).is_err(), "{length}");
        }
    }
}

/// ID-02, CA-11 (RFC 7515 2): padding, on any part, even where the signature is over the padded text.
#[test]
fn padded_base64_is_refused() {
    let padded = |json: &Value| {
        // Blanks bring the length to one that needs padding.
        (0..3).map(|n| URL_SAFE.encode(format!("{json}{}", " ".repeat(n)))).find(|text| text.ends_with('=')).unwrap()
    };
    let token = signed(&padded(&header(&RSA)), &part(&claims()), &RSA);
    assert_eq!(refused(&token), JwsError::Base64 { part: "header" });
    let token = signed(&part(&header(&RSA)), &padded(&claims()), &RSA);
    assert_eq!(refused(&token), JwsError::Base64 { part: "payload" });
    assert_eq!(refused(&format!("{}==", good(&RSA))), JwsError::Base64 { part: "signature" });
}

/// ID-02 (RFC 4648 3.5): a second spelling of the same octets, with other bits behind the last one.
#[test]
fn base64_with_other_trailing_bits_is_refused() {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let respelled = |text: &str| {
        let (rest, last) = text.split_at(text.len() - 1);
        let at = ALPHABET.find(last).unwrap();
        format!("{rest}{}", &ALPHABET[at + 1..at + 2])
    };
    // 256 octets leave four bits over.
    let token = good(&RSA);
    let (input, signature) = token.rsplit_once('.').unwrap();
    assert_eq!(refused(&format!("{input}.{}", respelled(signature))), JwsError::Base64 { part: "signature" });
    // The payload likewise, with a signature over the second spelling.
    let payload = (0..3)
        .map(|n| URL_SAFE_NO_PAD.encode(format!("{}{}", claims(), " ".repeat(n))))
        .find(|text| text.len() % 4 == 2)
        .unwrap();
    assert!(check(&signed(&part(&header(&RSA)), &payload, &RSA)).is_ok());
    let token = signed(&part(&header(&RSA)), &respelled(&payload), &RSA);
    assert_eq!(refused(&token), JwsError::Base64 { part: "payload" });
}

/// ID-02 (RFC 4648 5): the other base64 alphabet.
#[test]
fn standard_base64_alphabet_is_refused() {
    let payload = part(&json!({"iss": "https://ehr.example", "sub": "u1???>>>", "aud": "my-app"}));
    assert!(payload.contains(['-', '_']), "{payload}");
    let standard = payload.replace('-', "+").replace('_', "/");
    assert_eq!(refused(&signed(&part(&header(&EC)), &standard, &EC)), JwsError::Base64 { part: "payload" });
}

/// ID-02 (RFC 7515 7.1): blanks and line ends, before, after and inside.
#[test]
fn whitespace_is_refused() {
    let token = good(&EC);
    for blank in [" ", "\t", "\n", "\r\n", "\u{a0}", "\u{feff}", "\0"] {
        for altered in [
            format!("{blank}{token}"),
            format!("{token}{blank}"),
            token.replace('.', &format!("{blank}.")),
            token.replace('.', &format!(".{blank}")),
            format!("{}{blank}{}", &token[..20], &token[20..]),
        ] {
            assert!(matches!(refused(&altered), JwsError::Base64 { .. }), "{blank:?}");
        }
    }
}

/// ID-02 (RFC 7515 7.1): anything behind a good token.
#[test]
fn trailing_data_is_refused() {
    let token = good(&EC);
    assert_eq!(refused(&format!("{token}.")), JwsError::Parts { parts: 4 });
    assert_eq!(refused(&format!("{token}.e30")), JwsError::Parts { parts: 4 });
    assert!(check(&format!("{token}A")).is_err());
    assert!(check(&format!("{token}AAAA")).is_err());
    assert!(check(&format!("{token},{token}")).is_err());
    assert_eq!(
        refused(".."),
        JwsError::Json { part: "header", reason: smart_core::json::JsonError::Syntax { line: 1, column: 0 } }
    );
}

/// ID-02 (RFC 7519 5.2; OpenID Connect Core 3.1.3.7, 1): five parts are an encrypted token.
#[test]
fn jwe_of_five_parts_is_refused_as_unsupported() {
    let header = part(&json!({"alg": "RSA-OAEP", "enc": "A256GCM"}));
    assert_eq!(refused(&format!("{header}.AAAA.AAAA.AAAA.AAAA")), JwsError::Encrypted);
}

/// ID-08: each bit of each octet of a token.
#[test]
fn every_bit_flip_is_refused() {
    for key in [&*RSA, &*EC] {
        let token = good(key);
        for at in 0..token.len() {
            for bit in 0..8 {
                let mut octets = token.clone().into_bytes();
                octets[at] ^= 1 << bit;
                // With the highest bit the octet is no text any more, and no token can hold it.
                if let Ok(altered) = String::from_utf8(octets) {
                    assert!(check(&altered).is_err(), "octet {at}, bit {bit}");
                }
            }
        }
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

/// ID-02 (RFC 7519 4): a claim that stands twice, rightly signed.
#[test]
fn duplicate_claims_are_refused() {
    let twice = claims().to_string().replacen('{', r#"{"sub":"admin","#, 1);
    let token = signed(&part(&header(&EC)), &URL_SAFE_NO_PAD.encode(twice), &EC);
    assert!(matches!(refused(&token), JwsError::Json { part: "payload", .. }));
}

/// SE-09, ID-02: JSON nested deeper than any real one, and a token longer than any real one.
#[test]
fn deep_and_long_tokens_are_refused() {
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(200), "]".repeat(200));
    let token = signed(&part(&header(&EC)), &URL_SAFE_NO_PAD.encode(&deep), &EC);
    assert!(matches!(refused(&token), JwsError::Json { part: "payload", .. }));
    let token = signed(&URL_SAFE_NO_PAD.encode(&deep), &part(&claims()), &EC);
    assert!(matches!(refused(&token), JwsError::Json { part: "header", .. }));
    let mut long = claims();
    long["x"] = "x".repeat(16 * 1024).into();
    assert!(matches!(refused(&forge(&header(&EC), &long, &EC)), JwsError::TooLong { limit: 16_384, .. }));
}

/// ID-02: header or payload that is JSON and no object.
#[test]
fn parts_that_are_no_objects_are_refused() {
    for text in ["[]", "null", "\"x\"", "7", "", "{} {}"] {
        let odd = URL_SAFE_NO_PAD.encode(text);
        assert!(matches!(refused(&signed(&odd, &part(&claims()), &EC)), JwsError::Json { part: "header", .. }));
        assert!(matches!(refused(&signed(&part(&header(&EC)), &odd, &EC)), JwsError::Json { part: "payload", .. }));
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

/// ID-25 (RFC 7518 3.3): an RSA key of 1024 bits verifies nothing, though its signature is right.
#[test]
fn rsa_key_of_1024_bits_is_refused() {
    let short = SigningKey::from_pem(include_str!("data/rsa-1024.pkcs8.pem")).unwrap_err();
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

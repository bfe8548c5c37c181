//! Attacks by way of the signature: its numbers, its form, its length.

use super::support::{EC, P256_PEM, RSA, part};
use super::{check_with, claims, good, refused, signature_of, unhex, with_signature};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use smart_jwt::{IdTokenError, Jwks, JwsError, SigningKey};

/// The order of P-384's group.
const P384_ORDER: &str =
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973";
/// The order of P-256's group.
const P256_ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

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
        let valid = signature_of(&good(key));
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
    let raw = signature_of(&good(&EC));
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
        let right = signature_of(&good(key));
        let longer = [right.as_slice(), &[0]].concat();
        let shifted = [&[0], right.as_slice()].concat();
        for wrong in [&[][..], &right[..right.len() - 1], &right[1..], &longer, &shifted] {
            assert_eq!(refused(&with_signature(key, wrong)), JwsError::Signature);
        }
    }
}

/// ID-08 (RFC 8017 5.2.2): an RSA signature of 0, 1, the modulus or its neighbours, or above it.
#[test]
fn rsa_integers_out_of_range_are_refused() {
    let modulus = URL_SAFE_NO_PAD.decode(RSA.public_jwk().to_json()["n"].as_str().unwrap()).unwrap();
    let mut one = vec![0; 256];
    one[255] = 1;
    let (mut below, mut above) = (modulus.clone(), modulus.clone());
    below[255] -= 1;
    above[254] += 1;
    for number in [vec![0; 256], one, modulus, below, above, vec![0xff; 256]] {
        assert_eq!(refused(&with_signature(&RSA, &number)), JwsError::Signature);
    }
}

/// ID-08, ID-25 (RFC 8017 8.2.2): a signature forged without any private key, for a public exponent of 3: a cube root whose
/// cube begins as the padding and the digest do, with anything behind (Bleichenbacher, 2006). Keys with that exponent are
/// taken, as some issuers still have them; forgeries are not.
#[test]
fn forged_cube_root_is_refused() {
    const FORGED: &str = "Msv9SnrceQVYPXZ1IPUWQHWRdtN4JvLvY649x65JbPwueCCGfTWysm0U6R2UmKNWU74yt8D16_RCS3Tbl5g7tWwxedYorf6ZH8eJt_ft9kYL9eDnWg";
    let root = URL_SAFE_NO_PAD.decode(FORGED).unwrap();
    let mut jwk = RSA.public_jwk().to_json();
    (jwk["e"], jwk["kid"]) = ("Aw".into(), "three".into());
    let keys = Jwks::parse(json!({"keys": [jwk]}).to_string().as_bytes()).unwrap();
    assert_eq!(keys.keys().len(), 1);
    let input = format!("{}.{}", part(&json!({"alg": "RS256", "kid": "three"})), part(&claims()));
    // A verifier that stops reading behind the digest would be deceived.
    let cube = product(&product(&root, &root), &root);
    let digest = ring::digest::digest(&ring::digest::SHA256, input.as_bytes());
    let info = unhex("3031300d060960864801650304020105000420");
    let prefix = [&[1], [0xff; 8].as_slice(), &[0], &info, digest.as_ref()].concat();
    assert_eq!((cube.len(), cube.starts_with(&prefix)), (255, true));

    let signature = [vec![0; 256 - root.len()], root].concat();
    let token = format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature));
    assert_eq!(check_with(&token, &keys), Err(IdTokenError::Jws(JwsError::Signature)));
}

/// The product of two numbers, big-endian, without zeros in front.
fn product(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut sums = vec![0_u64; a.len() + b.len()];
    for (i, x) in a.iter().rev().enumerate() {
        for (j, y) in b.iter().rev().enumerate() {
            sums[i + j] += u64::from(*x) * u64::from(*y);
        }
    }
    let mut carry = 0;
    let mut digits: Vec<u8> = sums
        .into_iter()
        .map(|sum| {
            carry += sum;
            let digit = carry % 256;
            carry /= 256;
            u8::try_from(digit).unwrap()
        })
        .collect();
    while digits.last() == Some(&0) {
        digits.pop();
    }
    digits.reverse();
    digits
}

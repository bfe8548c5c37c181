//! Private keys: where they come from, what is published of them, and that they stay private.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

mod support;

use proptest::prelude::*;
use serde_json::{Value, json};
use smart_jwt::{
    Jwk, Jwks, KeyError, KeyKind, SigningAlgorithm, SigningKey, sign_jwt, sign_jwt_with_header, verify_jws,
};
use support::{EC, P256_PEM, P384_PEM, RSA, RSA_PEM, object};

const NO_POINT: &str = include_str!("data/p384-no-point.sec1.pem");

/// Whether the key's signatures verify with its published half, and with ring, whichever backend made them.
fn works(key: &SigningKey) -> bool {
    use base64::Engine as _;
    let input = b"any input";
    let signature = key.sign(input).unwrap();
    let token = sign_jwt(key, "JWT", &object(json!({"sub": "u1"}))).unwrap();
    let keys = Jwks::from_keys(vec![key.public_jwk().clone()]).unwrap();
    let own = verify_jws(&token, &keys, &[key.algorithm()]).is_ok_and(|jws| jws.claims["sub"] == "u1");
    let jwk = key.public_jwk().to_json();
    let number =
        |name: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    let rsa = |parameters| {
        ring::rsa::PublicKeyComponents { n: number("n"), e: number("e") }.verify(parameters, input, &signature)
    };
    let ec = |algorithm| {
        let point = [vec![4], number("x"), number("y")].concat();
        ring::signature::UnparsedPublicKey::new(algorithm, point).verify(input, &signature)
    };
    let independent = match key.algorithm() {
        SigningAlgorithm::Rs256 => rsa(&ring::signature::RSA_PKCS1_2048_8192_SHA256),
        SigningAlgorithm::Rs384 => rsa(&ring::signature::RSA_PKCS1_2048_8192_SHA384),
        SigningAlgorithm::Rs512 => rsa(&ring::signature::RSA_PKCS1_2048_8192_SHA512),
        SigningAlgorithm::Es256 => ec(&ring::signature::ECDSA_P256_SHA256_FIXED),
        SigningAlgorithm::Es384 => ec(&ring::signature::ECDSA_P384_SHA384_FIXED),
        SigningAlgorithm::Ps256 => rsa(&ring::signature::RSA_PSS_2048_8192_SHA256),
        SigningAlgorithm::Ps384 => rsa(&ring::signature::RSA_PSS_2048_8192_SHA384),
        SigningAlgorithm::Ps512 => rsa(&ring::signature::RSA_PSS_2048_8192_SHA512),
        other => panic!("{other} is not tried"),
    };
    own && independent.is_ok()
}

/// CA-17, CA-01, F-36 (RFC 5208; RFC 8017 A.1.2; RFC 5915): PKCS#8, PKCS#1 and SEC 1 are told apart and give the same key.
#[test]
fn pem_of_each_wrapping_gives_the_same_key() {
    for (pem, same, algorithm) in [
        (RSA_PEM, include_str!("data/rsa-2048.pkcs1.pem"), SigningAlgorithm::Rs384),
        (P384_PEM, include_str!("data/p384.sec1.pem"), SigningAlgorithm::Es384),
        (P256_PEM, include_str!("data/p256.sec1.pem"), SigningAlgorithm::Es256),
    ] {
        let (key, again) = (SigningKey::from_pem(pem).unwrap(), SigningKey::from_pem(same).unwrap());
        assert_eq!(key.public_jwk(), again.public_jwk());
        assert_eq!(key.algorithm(), algorithm);
        assert_eq!(key.key_id(), key.public_jwk().thumbprint());
        assert!(works(&key) && works(&again));
    }
}

/// CA-10 (RFC 7518 3.3): the largest RSA key that both backends know signs.
#[test]
fn rsa_key_of_4096_bits_signs() {
    let key = SigningKey::from_pem(include_str!("data/rsa-4096.pkcs8.pem")).unwrap();
    assert_eq!(key.sign(b"x").unwrap().len(), 512);
    assert!(works(&key));
}

/// CA-01, CA-20 (RFC 7518 3.3, 3.4): every algorithm signs what an independent library verifies.
#[test]
fn every_algorithm_signs_and_verifies() {
    for algorithm in SigningAlgorithm::ALL {
        let pem = match algorithm {
            SigningAlgorithm::Es256 => P256_PEM,
            SigningAlgorithm::Es384 => P384_PEM,
            _ => RSA_PEM,
        };
        assert!(works(&SigningKey::from_pem(pem).unwrap().with_algorithm(algorithm).unwrap()), "{algorithm}");
    }
}

/// D-13, F-34 (RFC 7638; SMART, client authentication: asymmetric): the kind of key decides the algorithm, and the id
/// is the thumbprint of the public half alone, the same for the key in any form.
#[test]
fn key_decides_algorithm_and_id() {
    for (pem, algorithm) in [(RSA_PEM, "RS384"), (P384_PEM, "ES384"), (P256_PEM, "ES256")] {
        let key = SigningKey::from_pem(pem).unwrap();
        assert_eq!(key.public_jwk().alg(), Some(algorithm));
        let public = Jwk::from_members(&object(key.public_jwk().to_json())).unwrap();
        assert_eq!(key.key_id(), public.thumbprint());
    }
    assert_eq!(SigningKey::from_jwk(object(nameless_private_jwk())).unwrap().key_id(), EC.key_id());
}

fn nameless_private_jwk() -> Value {
    let mut jwk = private_jwk();
    jwk.as_object_mut().unwrap().remove("kid");
    jwk
}

/// CA-10 (RFC 7518 3.4): ES384 gives 96 octets each time, also when an integer begins with zeros.
#[test]
fn es384_signatures_always_have_96_octets() {
    use base64::Engine as _;
    let keys = Jwks::from_keys(vec![EC.public_jwk().clone()]).unwrap();
    // One signature in 128 has a zero in front of either integer: it is looked for until it is found.
    let found = (0..10_000).any(|n| {
        let token = sign_jwt(&EC, "JWT", &object(json!({"n": n}))).unwrap();
        let signature = token.rsplit_once('.').unwrap().1;
        let signature = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(signature).unwrap();
        assert_eq!(signature.len(), 96);
        let short = signature[0] == 0 || signature[48] == 0;
        assert!(!short || verify_jws(&token, &keys, &[SigningAlgorithm::Es384]).is_ok());
        short
    });
    assert!(found);
}

/// CA-13 (RFC 7518 6.2.1.2): a coordinate keeps the zero octet that it begins with.
#[test]
fn coordinates_keep_leading_zeros() {
    use base64::Engine as _;
    let key = SigningKey::from_pem(include_str!("data/p384-leading-zero.sec1.pem")).unwrap();
    let jwk = key.public_jwk().to_json();
    let x = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(jwk["x"].as_str().unwrap()).unwrap();
    assert_eq!((x.len(), x[0]), (48, 0));
    assert!(works(&key));
    assert_eq!(SigningKey::from_pem(key.to_pem().expose_secret()).unwrap().public_jwk(), key.public_jwk());
}

/// CA-17 (RFC 5915 3): a private number that was written without the zeros in front is read, at its full size.
#[test]
fn private_number_without_its_leading_zeros_is_read() {
    use base64::Engine as _;
    // The private number 1, whose public point is the generator of P-256, in a single octet.
    let point = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
                 4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
    let point = (0..64).map(|at| u8::from_str_radix(&point[2 * at..2 * at + 2], 16).unwrap());
    let mut der = vec![0x30, 0x57, 2, 1, 1, 4, 1, 1];
    der.extend([0xa0, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7, 0xa1, 0x44, 3, 0x42, 0, 4]);
    der.extend(point);
    der[1] = u8::try_from(der.len() - 2).unwrap();
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    let key = SigningKey::from_pem(&format!("-----BEGIN EC PRIVATE KEY-----\n{body}\n-----END EC PRIVATE KEY-----"));
    assert!(works(&key.unwrap()));
}

/// CA-17: an encrypted file says so, and what to do; a public one too.
#[test]
fn unusable_pem_says_why() {
    let refused = |pem: &str| SigningKey::from_pem(pem).unwrap_err();
    assert_eq!(refused(include_str!("data/encrypted.pkcs8.pem")), KeyError::Encrypted);
    assert_eq!(refused(include_str!("data/encrypted.pkcs1.pem")), KeyError::Encrypted);
    assert!(KeyError::Encrypted.to_string().contains("openssl pkey"));
    assert_eq!(refused(include_str!("data/rsa-2048.public.pem")), KeyError::PublicOnly);
    assert_eq!(refused(include_str!("data/p521.sec1.pem")), KeyError::Unsupported);
    assert_eq!(refused(include_str!("data/p384-explicit.sec1.pem")), KeyError::Unsupported);
    assert_eq!(refused(include_str!("data/rsa-1024.pkcs8.pem")), KeyError::TooShort { bits: 1024 });
    assert_eq!(refused(&format!("{RSA_PEM}{P384_PEM}")), KeyError::SeveralPrivateKeys);
    assert_eq!(refused(""), KeyError::NotPem);
    assert_eq!(refused("-----BEGIN PRIVATE KEY-----\nMIIB"), KeyError::NotPem);
    assert_eq!(refused("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----"), KeyError::NotPem);
    assert_eq!(refused("-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----"), KeyError::NotPem);
    assert_eq!(refused("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----"), KeyError::Encoding);
    assert_eq!(
        refused("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----"),
        KeyError::Unsupported
    );
    assert!(matches!(refused(&"x".repeat(200_000)), KeyError::TooLong { .. }));
}

/// CA-17: a key file with its public half beside it, and Windows line ends, is read.
#[test]
fn pem_with_company_is_read() {
    let both = format!("{}{RSA_PEM}", include_str!("data/rsa-2048.public.pem"));
    assert_eq!(SigningKey::from_pem(&both).unwrap().key_id(), RSA.key_id());
    assert_eq!(SigningKey::from_pem(&P384_PEM.replace('\n', "\r\n")).unwrap().key_id(), EC.key_id());
}

/// CA-17: a SEC 1 key without its public point. josekit computes the point; ring cannot, and says so.
#[test]
fn key_without_public_point() {
    let read = SigningKey::from_pem(NO_POINT);
    if cfg!(feature = "josekit") {
        assert_eq!(read.unwrap().public_jwk(), EC.public_jwk());
    } else {
        assert!(matches!(read, Err(KeyError::UnsupportedByBackend { .. })));
    }
}

/// CA-17, CA-01: keys are generated for each curve, other ones each time.
#[test]
fn ec_keys_are_generated() {
    for (kind, algorithm) in [(KeyKind::EcP256, SigningAlgorithm::Es256), (KeyKind::EcP384, SigningAlgorithm::Es384)] {
        let (key, other) = (SigningKey::generate(kind).unwrap(), SigningKey::generate(kind).unwrap());
        assert_eq!(key.algorithm(), algorithm);
        assert_ne!(key.key_id(), other.key_id());
        assert!(works(&key));
    }
}

/// CA-17, CA-10: RSA keys of each size are generated by josekit; ring cannot, and says so.
#[test]
fn rsa_keys_are_generated_where_the_backend_can() {
    for (kind, octets) in [(KeyKind::Rsa2048, 256), (KeyKind::Rsa3072, 384), (KeyKind::Rsa4096, 512)] {
        let key = SigningKey::generate(kind);
        if cfg!(feature = "josekit") {
            let key = key.unwrap();
            assert_eq!(key.algorithm(), SigningAlgorithm::Rs384);
            assert_eq!(key.sign(b"x").unwrap().len(), octets);
            assert!(works(&key));
        } else {
            assert!(matches!(key, Err(KeyError::UnsupportedByBackend { .. })));
        }
    }
}

/// CA-17: a key that is written is read again, the same.
#[test]
fn pem_survives_the_round_trip() {
    for key in [&*RSA, &*EC] {
        let again = SigningKey::from_pem(key.to_pem().expose_secret()).unwrap();
        assert_eq!(again.public_jwk().thumbprint(), key.public_jwk().thumbprint());
        assert!(works(&again));
    }
}

/// CA-17, CA-13 (RFC 7518 6.2.2, 6.3.2): a key that is written as a JWK is read again with its id and algorithm, and the
/// public half alone is the one that is published.
#[test]
fn private_jwk_survives_the_round_trip() {
    for key in [&*RSA, &*EC] {
        let pem = key.to_pem();
        let key = SigningKey::from_pem(pem.expose_secret()).unwrap().with_kid("night \"job\"").unwrap();
        let key =
            if key.public_jwk().kty() == "RSA" { key.with_algorithm(SigningAlgorithm::Rs512).unwrap() } else { key };
        let written: Value = serde_json::from_str(key.to_jwk().expose_secret()).unwrap();
        let again = SigningKey::from_jwk(object(written.clone())).unwrap();
        assert_eq!((again.key_id(), again.algorithm()), ("night \"job\"", key.algorithm()));
        assert_eq!(again.public_jwk(), key.public_jwk());
        assert!(works(&again));
        let read = Jwk::from_members(&object(written)).unwrap();
        assert_eq!(read.to_json(), key.public_jwk().to_json());
    }
}

/// The private JWK of the P-384 key, made from its DER.
fn private_jwk() -> Value {
    use base64::Engine as _;
    let pem: String = P384_PEM.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(pem).unwrap();
    // version, octet string: the private number follows 02 01 01 04 30.
    let at = der.windows(5).position(|w| w == [2, 1, 1, 4, 48]).unwrap() + 5;
    let mut jwk = EC.public_jwk().to_json();
    jwk["d"] = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&der[at..at + 48]).into();
    jwk
}

/// CA-17, CA-13, F-36 (RFC 7518 6.2.2): a private JWK is read with its id; what says that it is not for signing is believed.
#[test]
fn private_jwk_is_read() {
    let mut jwk = private_jwk();
    jwk["kid"] = "mine".into();
    let key = SigningKey::from_jwk(object(jwk.clone())).unwrap();
    assert_eq!((key.key_id(), key.public_jwk().kid()), ("mine", Some("mine")));
    assert!(works(&key));
    for (member, value) in [("use", json!("enc")), ("key_ops", json!(["verify"]))] {
        let mut other = jwk.clone();
        other[member] = value;
        assert_eq!(SigningKey::from_jwk(object(other)).unwrap_err(), KeyError::NotForSigning);
    }
    for (member, value, error) in [
        ("alg", json!("ES256"), KeyError::Algorithm(SigningAlgorithm::Es256)),
        ("alg", json!("ES512"), KeyError::Unsupported),
        ("alg", json!("PS384"), KeyError::Algorithm(SigningAlgorithm::Ps384)),
        ("d", json!(7), KeyError::Member { member: "d" }),
        ("d", json!("AA"), KeyError::Member { member: "d" }),
        ("kid", json!(7), KeyError::Member { member: "kid" }),
    ] {
        let mut other = jwk.clone();
        other[member] = value;
        assert_eq!(SigningKey::from_jwk(object(other)).unwrap_err(), error, "{member}");
    }
    assert_eq!(SigningKey::from_jwk(object(EC.public_jwk().to_json())).unwrap_err(), KeyError::Member { member: "d" });
}

/// CA-17: a private number that is not the public point's is found out when the key is read.
#[test]
fn halves_that_do_not_belong_together_are_refused() {
    let other = SigningKey::generate(KeyKind::EcP384).unwrap().public_jwk().to_json();
    let mut jwk = private_jwk();
    (jwk["x"], jwk["y"]) = (other["x"].clone(), other["y"].clone());
    let refused = SigningKey::from_jwk(object(jwk)).unwrap_err();
    assert!(matches!(refused, KeyError::Mismatch | KeyError::Invalid), "{refused}");
}

/// CA-17, F-36 (ambiguity 32): of a set that holds both halves under one id, the private one signs.
#[test]
fn signing_key_is_found_in_a_set() {
    let mut private = private_jwk();
    private["kid"] = "a".into();
    private["key_ops"] = json!(["sign"]);
    private.as_object_mut().unwrap().remove("use");
    let mut public = EC.public_jwk().to_json();
    public["kid"] = "a".into();
    public["key_ops"] = json!(["verify"]);
    let set = |keys: Value| json!({ "keys": keys }).to_string().into_bytes();
    let both = set(json!([public, private]));
    assert_eq!(SigningKey::from_jwks(&both, None).unwrap().key_id(), "a");
    assert_eq!(SigningKey::from_jwks(&both, Some("b")).unwrap_err(), KeyError::SigningKeys { found: 0 });
    assert_eq!(SigningKey::from_jwks(&set(json!([public])), None).unwrap_err(), KeyError::SigningKeys { found: 0 });
    let mut second = private.clone();
    second["kid"] = "b".into();
    let two = set(json!([private, second]));
    assert_eq!(SigningKey::from_jwks(&two, None).unwrap_err(), KeyError::SigningKeys { found: 2 });
    assert_eq!(SigningKey::from_jwks(&two, Some("b")).unwrap().key_id(), "b");
    assert!(SigningKey::from_jwks(b"{\"keys\":[],\"keys\":[]}", None).is_err());
    // A private key for something else is passed over, not taken and not in the way.
    let mut decrypting = private.clone();
    decrypting["key_ops"] = json!(["decrypt"]);
    let mixed = set(json!([decrypting, private]));
    assert_eq!(SigningKey::from_jwks(&mixed, None).unwrap().public_jwk().kid(), Some("a"));
    assert_eq!(SigningKey::from_jwks(&set(json!([decrypting])), None).unwrap_err(), KeyError::SigningKeys { found: 0 });
    // The same set, read as public keys, gives the public one only.
    assert_eq!(Jwks::parse(&both).unwrap().keys().len(), 1);
}

/// CA-17: neither a key nor its PEM or JWK shows in `Debug`.
#[test]
fn debug_shows_no_secret() {
    let shown = format!("{:?} {:?} {:?}", *EC, EC.to_pem(), EC.to_jwk());
    assert!(shown.contains(EC.key_id()) && shown.contains("PrivatePem(***) PrivateJwk(***)"));
    let secret = private_jwk()["d"].as_str().unwrap().to_owned();
    assert!(!shown.contains(&secret[..8]) && !shown.contains("BEGIN") && !shown.contains("\"d\""));
}

/// CA-15, CA-13, CA-02: what is published has the public members and nothing else.
#[test]
fn published_key_has_only_public_members() {
    let mut jwk = private_jwk();
    for extra in ["oth", "k", "secret", "p"] {
        jwk[extra] = "AAAA".into();
    }
    let key = SigningKey::from_jwk(object(jwk)).unwrap();
    let published = object(key.public_jwk().to_json());
    let mut names: Vec<&str> = published.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
    let mut names: Vec<String> = object(RSA.public_jwk().to_json()).keys().cloned().collect();
    names.sort_unstable();
    assert_eq!(names, ["alg", "e", "kid", "kty", "n", "use"]);
    assert_eq!((RSA.public_jwk().kty(), RSA.public_jwk().key_use()), ("RSA", Some("sig")));
}

/// CA-14: an empty id is none; another algorithm has to fit the key.
#[test]
fn id_and_algorithm_are_checked() {
    let key = || SigningKey::from_pem(P384_PEM).unwrap();
    assert_eq!(key().with_kid("").unwrap_err(), KeyError::Member { member: "kid" });
    for algorithm in [SigningAlgorithm::Es256, SigningAlgorithm::Rs384] {
        assert_eq!(key().with_algorithm(algorithm).unwrap_err(), KeyError::Algorithm(algorithm));
    }
    assert!(works(&key().with_kid("2026-11").unwrap()));
}

/// ID-14: header members beside the key's own can be given, but none that changes how a token is read.
#[test]
fn header_members_can_be_given() {
    let claims = object(json!({"sub": "u1"}));
    let token = sign_jwt_with_header(&EC, &object(json!({"typ": "at+jwt", "x": 1})), &claims).unwrap();
    let header = support::decoded(&token, 0);
    assert_eq!(header, json!({"alg": "ES384", "kid": EC.key_id(), "typ": "at+jwt", "x": 1}));
    for member in ["alg", "kid", "crit", "b64"] {
        let refused = sign_jwt_with_header(&EC, &object(json!({ member: "x" })), &claims);
        assert_eq!(refused, Err(KeyError::HeaderMember { member }));
    }
}

proptest! {
    /// CA-15: whatever a JWK holds besides, no private member is published.
    #[test]
    fn no_private_member_is_ever_published(extra in prop::collection::hash_map("d|p|q|dp|dq|qi|oth|k|[a-z]{1,4}", "[A-Za-z]{0,9}", 0..8)) {
        for base in [RSA.public_jwk(), EC.public_jwk()] {
            let mut members = object(base.to_json());
            for (name, value) in &extra {
                members.entry(name.clone()).or_insert_with(|| value.clone().into());
            }
            let Ok(key) = Jwk::from_members(&members) else { continue };
            let shown = object(key.to_json());
            for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
                prop_assert!(!shown.contains_key(private));
            }
        }
    }
}

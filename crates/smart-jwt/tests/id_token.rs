//! ID-token validation, check by check, and the attacks that a validator must survive.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use smart_core::client_id::ClientId;
use smart_core::issuer::Issuer;
use smart_core::secret::{AccessToken, RawIdToken};
use smart_core::state::Nonce;
use smart_core::time::Timestamp;
use smart_jwt::{
    IdToken, IdTokenError, IdTokenValidator, Jwk, Jwks, JwsError, KeyError, KeyKind, SigningAlgorithm, SigningKey,
    sign_jwt,
};
use std::time::Duration;
use support::{EC, NOW, OTHER_RSA_PEM, RSA, forge};

fn claims() -> Value {
    json!({"iss": "https://ehr.example", "sub": "u1", "aud": "my-app", "exp": NOW + 300, "iat": NOW, "nonce": "n1"})
}

fn with(name: &str, value: Value) -> Value {
    let mut all = claims();
    all[name] = value;
    all
}

fn without(name: &str) -> Value {
    let mut all = claims();
    all.as_object_mut().unwrap().remove(name);
    all
}

fn validator() -> IdTokenValidator {
    IdTokenValidator::new(Issuer::parse("https://ehr.example").unwrap(), ClientId::new("my-app"))
        .with_algorithms(&[SigningAlgorithm::Rs256, SigningAlgorithm::Es384])
        .with_nonce(Nonce::new("n1"))
}

fn keys() -> Jwks {
    Jwks::from_keys(vec![RSA.public_jwk().clone(), EC.public_jwk().clone()]).unwrap()
}

fn sign(claims: &Value) -> String {
    sign_jwt(&EC, "JWT", claims.as_object().unwrap()).unwrap()
}

fn check_raw(token: &str) -> Result<IdToken, IdTokenError> {
    validator().validate(&RawIdToken::new(token), &keys(), Timestamp::from_unix_seconds(NOW), None)
}

fn check(claims: &Value) -> Result<IdToken, IdTokenError> {
    check_raw(&sign(claims))
}

/// ID-01, ID-08, F-55 (OpenID Connect Core 3.1.3.7): a good token passes, with RS256 and ES384.
#[test]
fn good_token_passes() {
    assert_eq!(check(&claims()).unwrap().subject(), "u1");
    let rs256 = sign_jwt(&RSA, "JWT", claims().as_object().unwrap()).unwrap();
    assert_eq!(check_raw(&rs256).unwrap().algorithm(), SigningAlgorithm::Rs256);
}

/// ID-05, ID-04 (OpenID Connect Core 3.1.3.7, 2): the issuer is compared letter by letter with the expected one.
#[test]
fn other_issuer_is_refused() {
    for iss in ["https://ehr.example/", "https://EHR.example", "https://evil.example", ""] {
        assert!(matches!(check(&with("iss", iss.into())), Err(IdTokenError::Issuer { .. })), "{iss}");
    }
    assert_eq!(check(&without("iss")), Err(IdTokenError::Claim("iss")));
}

/// ID-06, ID-07, D-07 (OpenID Connect Core 3.1.3.7, 3 to 5): aud names this client and nobody untrusted; azp is this client.
#[test]
fn audience_and_authorized_party_are_checked() {
    assert!(check(&with("aud", json!(["my-app"]))).is_ok());
    assert_eq!(check(&with("aud", json!("other"))), Err(IdTokenError::Audience));
    assert_eq!(check(&with("aud", json!([]))), Err(IdTokenError::Audience));
    assert_eq!(check(&without("aud")), Err(IdTokenError::Claim("aud")));
    assert_eq!(check(&with("aud", json!(["my-app", 7]))), Err(IdTokenError::Claim("aud")));
    assert_eq!(check(&with("aud", json!(["my-app", "other"]))), Err(IdTokenError::UntrustedAudience));
    let several = with("aud", json!(["my-app", "other"]));
    let trusting = |claims: &Value| {
        validator().with_trusted_audience("other").validate(
            &RawIdToken::new(sign(claims)),
            &keys(),
            Timestamp::from_unix_seconds(NOW),
            None,
        )
    };
    assert_eq!(trusting(&several), Err(IdTokenError::AuthorizedPartyMissing));
    let mut named = several.clone();
    named["azp"] = "my-app".into();
    assert!(trusting(&named).is_ok());
    assert_eq!(check(&with("azp", json!("other"))), Err(IdTokenError::AuthorizedParty));
}

/// ID-15, F-61, D-07 (OpenID Connect Core 3.1.3.7, 9): exp is required and in the future, within the leeway.
#[test]
fn expiry_is_checked_at_its_boundary() {
    assert_eq!(check(&without("exp")), Err(IdTokenError::Claim("exp")));
    assert_eq!(check(&with("exp", json!("soon"))), Err(IdTokenError::Claim("exp")));
    assert!(check(&with("exp", json!(NOW - 59))).is_ok());
    assert_eq!(check(&with("exp", json!(NOW - 60))), Err(IdTokenError::Expired));
    assert!(check(&with("exp", json!(1_800_000_300.5))).is_ok());
}

/// ID-16, ID-19, D-07 (OpenID Connect Core 3.1.3.7, 10; RFC 7519 4.1.5): iat is required and not in the future; nbf is honoured.
#[test]
fn issue_time_and_not_before_are_checked() {
    assert_eq!(check(&without("iat")), Err(IdTokenError::Claim("iat")));
    assert!(check(&with("iat", json!(NOW + 60))).is_ok());
    assert_eq!(check(&with("iat", json!(NOW + 61))), Err(IdTokenError::IssuedInFuture));
    assert_eq!(check(&with("nbf", json!(NOW + 61))), Err(IdTokenError::NotYetValid));
    assert!(check(&with("nbf", json!(NOW + 60))).is_ok());
    let aged = validator().with_max_age(Duration::from_secs(100));
    let at = |iat| {
        aged.validate(
            &RawIdToken::new(sign(&with("iat", json!(iat)))),
            &keys(),
            Timestamp::from_unix_seconds(NOW),
            None,
        )
    };
    assert!(at(NOW - 160).is_ok());
    assert_eq!(at(NOW - 161), Err(IdTokenError::TooOld));
}

/// ID-17, F-60, F-18 (OpenID Connect Core 3.1.3.7, 11): the nonce that was sent comes back; that of another login does not
/// pass.
#[test]
fn nonce_must_come_back() {
    assert_eq!(check(&without("nonce")), Err(IdTokenError::NonceMissing));
    assert_eq!(check(&with("nonce", json!("n2"))), Err(IdTokenError::Nonce));
}

/// ID-18 (OpenID Connect Core 2): sub is 1 to 255 ASCII characters.
#[test]
fn subject_length_is_checked() {
    assert!(check(&with("sub", "x".repeat(255).into())).is_ok());
    for wrong in [json!(""), json!("x".repeat(256)), json!("é"), json!(7)] {
        assert_eq!(check(&with("sub", wrong)), Err(IdTokenError::Claim("sub")));
    }
    assert_eq!(check(&without("sub")), Err(IdTokenError::Claim("sub")));
}

/// ID-20, F-60 (OpenID Connect Core 3.1.3.8): at_hash is the left half of the access token's digest.
#[test]
fn at_hash_is_checked_where_present() {
    let access = AccessToken::new("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y");
    // The RS256 example of OpenID Connect Core, appendix A.4: token and hash are facts of the specification.
    let mut all = with("at_hash", json!("77QmUPtjPfzWtF2AnpK9RQ"));
    let rs256 = sign_jwt(&RSA, "JWT", all.as_object().unwrap()).unwrap();
    let validate = |token: &str, access: &AccessToken| {
        validator().validate(&RawIdToken::new(token), &keys(), Timestamp::from_unix_seconds(NOW), Some(access))
    };
    assert!(validate(&rs256, &access).is_ok());
    assert_eq!(validate(&rs256, &AccessToken::new("other")), Err(IdTokenError::AccessTokenHash));
    all["at_hash"] = json!(7);
    assert_eq!(validate(&sign(&all), &access), Err(IdTokenError::Claim("at_hash")));
    assert!(validate(&sign(&claims()), &access).is_ok());
}

/// ID-09, F-57 (RFC 8725 3.1, 3.2): alg none, HMAC with the public key as secret, and what is not on the list.
#[test]
fn alg_none_and_hmac_are_refused() {
    let none =
        format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), URL_SAFE_NO_PAD.encode(claims().to_string()));
    assert_eq!(check_raw(&none).unwrap_err().code(), "algorithm");
    for alg in ["None", "HS256", "HS384", "ES512", "EdDSA", "rs256", ""] {
        let forged = forge(&json!({"alg": alg, "kid": EC.key_id()}), &claims(), &EC);
        assert_eq!(check_raw(&forged).unwrap_err().code(), "algorithm", "{alg}");
    }
    let public = serde_json::to_vec(&RSA.public_jwk().to_json()).unwrap();
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(json!({"alg": "HS256", "kid": RSA.key_id()}).to_string()),
        URL_SAFE_NO_PAD.encode(claims().to_string())
    );
    let mac = ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &public), signed.as_bytes());
    assert_eq!(
        check_raw(&format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.as_ref()))).unwrap_err().code(),
        "algorithm"
    );
    let only_rsa = validator().with_algorithms(&[SigningAlgorithm::Rs256]);
    let refused =
        only_rsa.validate(&RawIdToken::new(sign(&claims())), &keys(), Timestamp::from_unix_seconds(NOW), None);
    assert_eq!(refused, Err(IdTokenError::Jws(JwsError::AlgorithmNotAllowed(SigningAlgorithm::Es384))));
}

/// ID-10, ID-11 (RFC 7517 4; OpenID Connect Core 10.1): the key fits the algorithm; without kid exactly one may.
#[test]
fn key_must_fit_and_be_one() {
    let swapped = forge(&json!({"alg": "RS256", "kid": EC.key_id()}), &claims(), &RSA);
    assert_eq!(check_raw(&swapped), Err(IdTokenError::Jws(JwsError::AmbiguousKey(0))));
    let unknown = forge(&json!({"alg": "ES384", "kid": "new"}), &claims(), &EC);
    assert!(check_raw(&unknown).unwrap_err().needs_refetch());
    let unnamed = forge(&json!({"alg": "ES384"}), &claims(), &EC);
    assert!(check_raw(&unnamed).is_ok());
    let second = SigningKey::generate(KeyKind::EcP384).unwrap();
    let two = Jwks::from_keys(vec![EC.public_jwk().clone(), second.public_jwk().clone()]).unwrap();
    let ambiguous = validator().validate(&RawIdToken::new(unnamed), &two, Timestamp::from_unix_seconds(NOW), None);
    assert_eq!(ambiguous, Err(IdTokenError::Jws(JwsError::AmbiguousKey(2))));
    for (member, value) in [("use", json!("enc")), ("alg", json!("ES256")), ("key_ops", json!(["encrypt"]))] {
        let mut key = EC.public_jwk().to_json();
        key[member] = value;
        let set = Jwks::parse(json!({"keys": [key]}).to_string().as_bytes()).unwrap();
        let refused =
            validator().validate(&RawIdToken::new(sign(&claims())), &set, Timestamp::from_unix_seconds(NOW), None);
        assert_eq!(refused, Err(IdTokenError::Jws(JwsError::AmbiguousKey(0))), "{member}");
    }
}

/// ID-08 (RFC 7515; RFC 7518 3.4): psychic zero signatures, DER, other lengths.
#[test]
fn degenerate_ecdsa_signatures_are_refused() {
    let good = sign(&claims());
    let signed = good.rsplit_once('.').unwrap().0;
    for signature in [
        vec![0_u8; 96],
        vec![0xff; 96],
        vec![0; 95],
        vec![0; 97],
        vec![],
        vec![0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00],
    ] {
        let forged = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(&signature));
        assert_eq!(check_raw(&forged), Err(IdTokenError::Jws(JwsError::Signature)), "{}", signature.len());
    }
}

/// ID-02, ID-08 (RFC 7515 2, 7.1): every changed character, padding, blanks and trailing data are refused.
#[test]
fn every_altered_character_is_refused() {
    let good = sign(&claims());
    assert!(check_raw(&good).is_ok());
    for at in 0..good.len() {
        for flip in [1_u8, 2, 4, 8, 16, 32] {
            let mut bytes = good.clone().into_bytes();
            bytes[at] ^= flip;
            let Ok(altered) = String::from_utf8(bytes) else { continue };
            assert!(check_raw(&altered).is_err(), "octet {at} with {flip}");
        }
    }
    for altered in [
        format!("{good}="),
        format!("{good} "),
        format!(" {good}"),
        format!("{good}."),
        format!("{good}.x.y"),
        good.replace('.', ".."),
        good.trim_end_matches(|c: char| c != '.').to_owned(),
        String::new(),
        "a.b".into(),
    ] {
        assert!(check_raw(&altered).is_err(), "{altered}");
    }
    assert_eq!(check_raw("a.b.c.d.e"), Err(IdTokenError::Jws(JwsError::Encrypted)));
    assert!(matches!(check_raw(&"a".repeat(20_000)), Err(IdTokenError::Jws(JwsError::TooLong { .. }))));
}

/// ID-14, F-58 (RFC 8725 3.10; RFC 7515 4.1.11): keys in the header are not looked at, critical extensions are refused.
#[test]
fn header_cannot_bring_its_own_key() {
    let attacker = SigningKey::generate(KeyKind::EcP384).unwrap();
    let header = json!({"alg": "ES384", "kid": EC.key_id(), "jwk": attacker.public_jwk().to_json(), "jku": "https://evil.example/jwks", "x5u": "https://evil.example/x"});
    assert_eq!(check_raw(&forge(&header, &claims(), &attacker)), Err(IdTokenError::Jws(JwsError::Signature)));
    assert!(check_raw(&forge(&header, &claims(), &EC)).is_ok());
    let critical = json!({"alg": "ES384", "kid": EC.key_id(), "crit": ["exp"]});
    assert_eq!(check_raw(&forge(&critical, &claims(), &EC)), Err(IdTokenError::Jws(JwsError::Critical)));
    let b64 = json!({"alg": "ES384", "kid": EC.key_id(), "b64": false});
    assert_eq!(check_raw(&forge(&b64, &claims(), &EC)), Err(IdTokenError::Jws(JwsError::Critical)));
}

/// ID-02: a header or payload that names a member twice is refused, even when rightly signed.
#[test]
fn duplicate_members_are_refused() {
    let twice = r#"{"iss":"https://ehr.example","sub":"u1","sub":"u2","aud":"my-app","exp":1900000000,"iat":1800000000,"nonce":"n1"}"#;
    let header = URL_SAFE_NO_PAD.encode(json!({"alg": "ES384", "kid": EC.key_id()}).to_string());
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(twice));
    let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(EC.sign(signed.as_bytes()).unwrap()));
    assert!(matches!(check_raw(&token), Err(IdTokenError::Jws(JwsError::Json { part: "payload", .. }))));
}

/// ID-13 (RFC 7517 5): unknown keys are passed over; a private key in the set is not used.
#[test]
fn unknown_keys_are_passed_over() {
    let set = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AA"}, {"kty": "oct", "k": "AA"}, 7, {}, EC.public_jwk().to_json()]});
    let keys = Jwks::parse(set.to_string().as_bytes()).unwrap();
    assert_eq!((keys.keys().len(), keys.passed_over()), (1, 4));
    assert_eq!(Jwks::parse(b"{}"), Err(KeyError::NoKeys));
    assert!(matches!(Jwks::parse(&vec![b' '; 300_000]), Err(KeyError::TooLong { .. })));
}

/// ID-25 (RFC 7518 3.3, 6.2): short RSA keys and points of the wrong size or off the curve are of no use.
#[test]
fn weak_keys_are_refused() {
    let short = json!({"kty": "RSA", "e": "AQAB", "n": URL_SAFE_NO_PAD.encode([0xff; 128])});
    assert_eq!(Jwk::from_members(short.as_object().unwrap()), Err(KeyError::TooShort { bits: 1024 }));
    let mut wrong = EC.public_jwk().to_json();
    wrong["x"] = URL_SAFE_NO_PAD.encode([1; 47]).into();
    assert_eq!(Jwk::from_members(wrong.as_object().unwrap()), Err(KeyError::Member { member: "x" }));
    let mut off_curve = EC.public_jwk().to_json();
    off_curve["x"] = URL_SAFE_NO_PAD.encode([1; 48]).into();
    assert_eq!(Jwk::from_members(off_curve.as_object().unwrap()), Err(KeyError::Invalid));
    let set = Jwks::parse(json!({"keys": [off_curve, short]}).to_string().as_bytes()).unwrap();
    assert_eq!((set.keys().len(), set.passed_over()), (0, 2));
}

/// ID-21, ID-23, F-47, D-05 (SMART, identity data): fhirUser comes from the ID token; profile stands in for it on STU1 servers.
#[test]
fn fhir_user_is_read_from_the_id_token() {
    assert_eq!(check(&with("fhirUser", json!("Practitioner/1"))).unwrap().fhir_user(), Some("Practitioner/1"));
    assert_eq!(check(&with("profile", json!("Patient/1"))).unwrap().fhir_user(), Some("Patient/1"));
    assert_eq!(check(&with("profile", json!("https://people.example/me"))).unwrap().fhir_user(), None);
    assert_eq!(check(&claims()).unwrap().fhir_user(), None);
}

/// ID-15, ID-09 (SMART's worked example, pitfall 13): RS384 without exp and iat is refused, for whichever reason comes first.
#[test]
fn token_shaped_like_the_worked_example_is_refused() {
    let key = SigningKey::from_pem(OTHER_RSA_PEM).unwrap();
    let shape = json!({"iss": "https://ehr.example", "sub": "u1", "aud": "my-app", "profile": "Practitioner/1"});
    let token = RawIdToken::new(sign_jwt(&key, "JWT", shape.as_object().unwrap()).unwrap());
    let keys = Jwks::from_keys(vec![key.public_jwk().clone()]).unwrap();
    let plain = IdTokenValidator::new(Issuer::parse("https://ehr.example").unwrap(), ClientId::new("my-app"));
    let now = Timestamp::from_unix_seconds(NOW);
    assert_eq!(
        plain.validate(&token, &keys, now, None),
        Err(IdTokenError::Jws(JwsError::AlgorithmNotAllowed(SigningAlgorithm::Rs384)))
    );
    let lenient = plain.with_algorithms(&[SigningAlgorithm::Rs384]);
    assert_eq!(lenient.validate(&token, &keys, now, None), Err(IdTokenError::Claim("exp")));
}

/// CA-10, CA-11, CA-13, CA-14, CA-15, CA-17 (RFC 7518 3.4, 6.2.1.2; SMART): raw signatures of 96 octets, public sets without secrets.
#[test]
fn keys_publish_and_sign_as_smart_wants() {
    assert_eq!(EC.sign(b"x").unwrap().len(), 96);
    let set = keys().to_json();
    for key in set["keys"].as_array().unwrap() {
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(key.get(private).is_none(), "{private}");
        }
    }
    let twice = Jwks::from_keys(vec![EC.public_jwk().clone(), EC.public_jwk().clone()]);
    assert!(matches!(twice, Err(KeyError::DuplicateId { .. })));
    assert!(!format!("{:?}", *EC).contains("\"d\""));
    assert_eq!(EC.key_id(), EC.public_jwk().thumbprint());
}

/// F-59, ID-01 (OpenID Connect Core 2, 3.1.3.7): each claim that has to be there is missed, by its name, and none may be
/// of another kind.
#[test]
fn each_missing_claim_is_an_error() {
    for name in ["iss", "sub", "aud", "exp", "iat"] {
        assert_eq!(check(&without(name)), Err(IdTokenError::Claim(name)), "{name}");
        for odd in [json!(null), json!(true), json!({"a": 1}), json!([[]])] {
            assert_eq!(check(&with(name, odd)), Err(IdTokenError::Claim(name)), "{name}");
        }
    }
    for name in ["nbf", "auth_time", "nonce"] {
        assert_eq!(check(&with(name, json!([1]))), Err(IdTokenError::Claim(name)), "{name}");
    }
    assert_eq!(check(&with("azp", json!(7))), Err(IdTokenError::AuthorizedParty));
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// ID-02: whatever comes, a token gives an error and no panic.
        #[test]
        fn any_text_is_refused_without_panic(text in "\\PC{0,80}(\\.\\PC{0,80}){0,5}") {
            prop_assert!(check_raw(&text).is_err());
        }

        /// ID-13: whatever comes, a key set is refused without panic, or read to keys that can be written and read again.
        #[test]
        fn any_key_set_is_read_without_panic(
            body in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..200),
                "\\{\"keys\":\\[(\\{\"kty\":\"(EC|RSA|oct)\",\"(n|x|k)\":\"\\w{0,8}\"\\})?\\]\\}".prop_map(String::into_bytes),
            ],
        ) {
            if let Ok(set) = Jwks::parse(&body) {
                let again = Jwks::parse(set.to_json().to_string().as_bytes()).unwrap();
                prop_assert_eq!(again.keys().len(), set.keys().len());
            }
        }
    }
}

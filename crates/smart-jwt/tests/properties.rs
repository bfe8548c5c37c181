//! What holds for every key, set and token of its kind.
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
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use smart_jwt::{Jwk, Jwks, JwsError, SigningAlgorithm, SigningKey, sign_jwt, sign_jwt_with_header, verify_jws};
use std::sync::LazyLock;
use support::{EC, OTHER_RSA_PEM, P256_PEM, P384_PEM, RSA, RSA_PEM, object};

/// A key for each algorithm.
static ALL: LazyLock<Vec<SigningKey>> = LazyLock::new(|| {
    let key = |algorithm| {
        let pem = match algorithm {
            SigningAlgorithm::Es256 => P256_PEM,
            SigningAlgorithm::Es384 => P384_PEM,
            _ => RSA_PEM,
        };
        SigningKey::from_pem(pem).unwrap().with_algorithm(algorithm).unwrap().with_kid(algorithm.as_str()).unwrap()
    };
    SigningAlgorithm::ALL.into_iter().map(key).collect()
});

static PUBLISHED: LazyLock<Jwks> =
    LazyLock::new(|| Jwks::from_keys(ALL.iter().map(|key| key.public_jwk().clone()).collect()).unwrap());

/// Any JSON value of moderate size.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("\\PC{0,6}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn claims() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::btree_map("[a-z_]{1,8}|\\PC{1,6}", value(), 0..8)
        .prop_map(|members| members.into_iter().collect())
}

/// One of the four keys of the tests, as members.
fn public_members() -> impl Strategy<Value = Map<String, Value>> {
    let keys = [RSA_PEM, OTHER_RSA_PEM, P256_PEM, P384_PEM];
    prop::sample::select(keys.to_vec())
        .prop_map(|pem| object(SigningKey::from_pem(pem).unwrap().public_jwk().to_json()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// CA-01, CA-20, ID-08, ID-10 (RFC 7515 5): whatever is signed verifies with the published set, for every algorithm,
    /// says what it said, and verifies under no other algorithm.
    #[test]
    fn what_is_signed_verifies(claims in claims(), at in 0..SigningAlgorithm::ALL.len()) {
        let key = &ALL[at];
        let token = sign_jwt(key, "JWT", &claims).unwrap();
        let verified = verify_jws(&token, &PUBLISHED, &[key.algorithm()]).unwrap();
        prop_assert_eq!(&verified.claims, &claims);
        prop_assert_eq!(verified.algorithm, key.algorithm());
        let others: Vec<_> = SigningAlgorithm::ALL.into_iter().filter(|other| *other != key.algorithm()).collect();
        prop_assert_eq!(
            verify_jws(&token, &PUBLISHED, &others),
            Err(JwsError::AlgorithmNotAllowed(key.algorithm()))
        );
    }

    /// ID-08: one octet of a token changed, left out or put in, wherever it is, and nothing verifies.
    #[test]
    fn what_is_altered_does_not_verify(
        claims in claims(),
        at in 0..SigningAlgorithm::ALL.len(),
        place: prop::sample::Index,
        octet in 0x20_u8..0x7f,
        how in 0..3,
    ) {
        let token = sign_jwt(&ALL[at], "JWT", &claims).unwrap();
        let mut altered = token.clone().into_bytes();
        let place = place.index(altered.len());
        match how {
            0 => altered[place] = octet,
            1 => drop(altered.remove(place)),
            _ => altered.insert(place, octet),
        }
        let altered = String::from_utf8(altered).unwrap();
        prop_assume!(altered != token);
        prop_assert!(verify_jws(&altered, &PUBLISHED, &SigningAlgorithm::ALL).is_err());
    }

    /// ID-02, CA-11 (RFC 7515 2; RFC 4648 3.5): a part is accepted only in the one spelling that encoding gives.
    #[test]
    fn base64url_has_one_spelling(part in "[A-Za-z0-9_=+/ -]{0,9}", first: bool) {
        let canonical = URL_SAFE_NO_PAD.decode(&part).is_ok_and(|octets| URL_SAFE_NO_PAD.encode(octets) == part);
        let (header, payload) = (json!({"alg": "ES384", "kid": "ES384"}), json!({}));
        let (mut header, mut payload) = (support::part(&header), support::part(&payload));
        let name = if first { "header" } else { "payload" };
        *if first { &mut header } else { &mut payload } = part;
        let token = support::signed(&header, &payload, &EC);
        let refused = verify_jws(&token, &PUBLISHED, &SigningAlgorithm::ALL);
        prop_assert_eq!(!canonical, refused == Err(JwsError::Base64 { part: name }), "{:?}", refused);
    }

    /// ID-14: header members beside the known ones change nothing, unless they have to be understood.
    #[test]
    fn other_header_members_change_nothing(mut extra in claims(), critical: bool) {
        for name in ["alg", "kid", "crit", "b64", "typ"] {
            extra.remove(name);
        }
        let token = sign_jwt_with_header(&ALL[4], &extra, &Map::new()).unwrap();
        prop_assert!(verify_jws(&token, &PUBLISHED, &[SigningAlgorithm::Es384]).is_ok());
        let mut header = extra;
        header.extend([("alg".to_owned(), "ES384".into()), ("kid".to_owned(), "ES384".into())]);
        header.insert(if critical { "crit" } else { "b64" }.into(), json!(["x"]));
        let token = support::forge(&Value::Object(header), &json!({}), &EC);
        prop_assert_eq!(verify_jws(&token, &PUBLISHED, &[SigningAlgorithm::Es384]), Err(JwsError::Critical));
    }

    /// CA-13, F-34 (RFC 7638 3): the thumbprint depends on the key alone: not on the order of the members, on other ones, or
    /// on blanks in the document.
    #[test]
    fn thumbprint_is_the_keys_alone(
        members in public_members().prop_flat_map(|members| {
            let pairs: Vec<(String, Value)> = members.into_iter().collect();
            Just(pairs).prop_shuffle()
        }),
        extra in prop::collection::btree_map("[m-z]{3,6}", value(), 0..4),
    ) {
        let mut shuffled: Map<String, Value> = members.iter().cloned().collect();
        let plain = Jwk::from_members(&shuffled).unwrap();
        prop_assert_eq!(plain.kid().unwrap(), plain.thumbprint());
        for name in ["kid", "use", "alg"] {
            shuffled.remove(name);
        }
        shuffled.extend(extra);
        let pretty = serde_json::to_string_pretty(&json!({"keys": [shuffled]})).unwrap();
        let read = Jwks::parse(pretty.as_bytes()).unwrap();
        prop_assert_eq!(read.keys()[0].thumbprint(), plain.thumbprint());
    }

    /// ID-13, CA-15 (RFC 7517 5): what is read of any set prints, and reads as the same keys; no private member comes with it.
    #[test]
    fn sets_print_what_was_read(
        sets in prop::collection::vec(
            prop_oneof![
                3 => public_members().prop_map(Value::Object),
                1 => value(),
                1 => claims().prop_map(Value::Object),
            ],
            0..5,
        ),
        extra in prop::collection::btree_map("kid|use|alg|d|k|[a-z]{2,4}", value(), 0..3),
    ) {
        let entries: Vec<Value> = sets
            .into_iter()
            .map(|mut entry| {
                if let Value::Object(members) = &mut entry {
                    members.extend(extra.clone());
                }
                entry
            })
            .collect();
        let count = entries.len();
        let first = Jwks::parse(json!({"keys": entries}).to_string().as_bytes()).unwrap();
        prop_assert_eq!(first.keys().len() + first.passed_over(), count);
        let printed = first.to_json().to_string();
        let again = Jwks::parse(printed.as_bytes()).unwrap();
        prop_assert_eq!(again.keys(), first.keys());
        prop_assert_eq!(again.passed_over(), 0);
        for key in again.to_json()["keys"].as_array().unwrap() {
            for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
                prop_assert!(key.get(private).is_none());
            }
        }
    }

    /// CA-17, F-36: a private key survives being written as PEM and read again, and so does its public half.
    #[test]
    fn keys_survive_the_round_trip(at in 0..SigningAlgorithm::ALL.len()) {
        let again = SigningKey::from_pem(ALL[at].to_pem().expose_secret()).unwrap();
        prop_assert_eq!(again.public_jwk().thumbprint(), ALL[at].public_jwk().thumbprint());
        let token = sign_jwt(&again, "JWT", &Map::new()).unwrap();
        let keys = Jwks::from_keys(vec![again.public_jwk().clone()]).unwrap();
        prop_assert!(verify_jws(&token, &keys, &SigningAlgorithm::ALL).is_ok());
    }
}

/// ID-08: the keys that these properties are about are what they seem.
#[test]
fn there_is_a_key_for_each_algorithm() {
    assert_eq!(PUBLISHED.keys().len(), SigningAlgorithm::ALL.len());
    assert!(ALL.iter().all(|key| key.public_jwk().algorithms() == [key.algorithm()]));
    assert_ne!(RSA.key_id(), EC.key_id());
}

//! Sets of public keys, their cache, and keys in rotation.
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
use serde_json::{Value, json};
use smart_core::time::Timestamp;
use smart_jwt::{
    CacheVerdict, Jwk, Jwks, JwksCache, JwsError, KeyError, KeyKind, KeySet, SigningAlgorithm, SigningKey, max_age,
    sign_jwt, verify_jws,
};
use std::time::Duration;
use support::{EC, NOW, P256_PEM, RSA, object};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(NOW + seconds)
}

fn set(keys: &Value) -> Jwks {
    Jwks::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

/// ID-13 (RFC 7517 5): keys of unknown type, curve or use are passed over one by one, with the reason.
#[test]
fn unusable_keys_are_passed_over_and_told() {
    let keys = set(&json!([
        {"kty": "OKP", "crv": "Ed25519", "x": "AA", "kid": "ed"},
        {"kty": "oct", "k": "AA"},
        {"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"},
        {"kty": "RSA", "n": "!!", "e": "AQAB", "kid": "a\u{1b}b"},
        {"kid": "typeless"},
        7,
        EC.public_jwk().to_json(),
    ]));
    assert_eq!((keys.keys().len(), keys.passed_over()), (1, 6));
    let reasons: Vec<&KeyError> = keys.skipped().iter().map(|key| &key.reason).collect();
    assert_eq!(reasons[..3], [&KeyError::Unsupported, &KeyError::Unsupported, &KeyError::Unsupported]);
    assert_eq!(reasons[3..5], [&KeyError::Member { member: "n" }, &KeyError::Member { member: "kty" }]);
    assert_eq!(keys.skipped()[0].kid.as_deref(), Some("ed"));
    assert_eq!(keys.skipped()[3].kid.as_deref(), Some("a\u{fffd}b"));
}

/// ID-27: a set of more keys than any real one is cut, and a document longer than any real one is refused.
#[test]
fn sets_are_bounded() {
    let many: Vec<Value> = (0..210).map(|n| json!({"kty": "none", "kid": n.to_string()})).collect();
    assert_eq!(set(&json!(many)).passed_over(), 210);
    let long = format!("{{\"keys\":[],\"x\":\"{}\"}}", "x".repeat(256 * 1024));
    assert!(matches!(Jwks::parse(long.as_bytes()), Err(KeyError::TooLong { .. })));
    assert!(Jwks::parse(format!("{{\"keys\":{}{}}}", "[".repeat(200), "]".repeat(200)).as_bytes()).is_err());
}

/// ID-13: a document that is no key set, or names a member twice, is refused as a whole.
#[test]
fn malformed_sets_are_refused() {
    for body in ["{}", r#"{"keys":{}}"#, r#"{"keys":null}"#] {
        assert_eq!(Jwks::parse(body.as_bytes()), Err(KeyError::NoKeys), "{body}");
    }
    for body in ["", "[]", r#"{"keys":[],"keys":[]}"#, r#"{"keys":[{"kty":"EC","kty":"RSA"}]}"#, "\u{0}"] {
        assert!(matches!(Jwks::parse(body.as_bytes()), Err(KeyError::Json(_))), "{body}");
    }
}

/// ID-11 (OpenID Connect Core 10.1; RFC 7517 4.5): by id; without one, only when there is no choice.
#[test]
fn key_is_selected_by_id_or_alone() {
    let p256 = SigningKey::from_pem(P256_PEM).unwrap();
    let keys = set(&json!([RSA.public_jwk().to_json(), EC.public_jwk().to_json(), p256.public_jwk().to_json()]));
    let found = keys.select(Some(EC.key_id()), SigningAlgorithm::Es384).unwrap();
    assert_eq!(found.kid(), Some(EC.key_id()));
    assert_eq!(keys.select(None, SigningAlgorithm::Rs256).unwrap().kid(), Some(RSA.key_id()));
    assert_eq!(keys.select(Some("x"), SigningAlgorithm::Es384), Err(JwsError::UnknownKey));
    assert_eq!(keys.select(None, SigningAlgorithm::Rs512), Err(JwsError::AmbiguousKey(0)));
    assert_eq!(Jwks::default().select(None, SigningAlgorithm::Rs256), Err(JwsError::AmbiguousKey(0)));
}

/// ID-10, ID-11 (ambiguity 32): keys of one id and different algorithms are told apart; two of one algorithm are not.
#[test]
fn keys_of_one_id_are_told_apart_by_algorithm() {
    let named = |alg: &str| {
        let mut jwk = RSA.public_jwk().to_json();
        (jwk["kid"], jwk["alg"]) = ("same".into(), alg.into());
        jwk
    };
    let mut ec = EC.public_jwk().to_json();
    ec["kid"] = "same".into();
    let keys = set(&json!([named("RS256"), named("RS384"), ec]));
    for algorithm in [SigningAlgorithm::Rs256, SigningAlgorithm::Rs384, SigningAlgorithm::Es384] {
        assert_eq!(keys.select(Some("same"), algorithm).unwrap().alg(), Some(algorithm.as_str()));
    }
    let twice = set(&json!([named("RS256"), named("RS256")]));
    assert_eq!(twice.select(Some("same"), SigningAlgorithm::Rs256), Err(JwsError::AmbiguousKey(2)));
}

/// ID-10 (RFC 7517 4.2, 4.3): `use` and `key_ops` that are not for verifying rule a key out.
#[test]
fn keys_for_other_uses_are_not_selected() {
    for (member, value) in [("use", json!("enc")), ("key_ops", json!(["encrypt"])), ("key_ops", json!([]))] {
        let mut jwk = EC.public_jwk().to_json();
        jwk[member] = value;
        assert_eq!(set(&json!([jwk])).select(None, SigningAlgorithm::Es384), Err(JwsError::AmbiguousKey(0)));
    }
    let mut jwk = EC.public_jwk().to_json();
    jwk["key_ops"] = json!(["verify"]);
    let keys = set(&json!([jwk]));
    assert_eq!(keys.select(None, SigningAlgorithm::Es384).unwrap().key_ops(), Some(vec!["verify"]));
}

/// ID-25 (SEC 1 2.3.5): a coordinate has one spelling: the same point with the modulus added to `x` is refused.
#[test]
fn coordinate_above_the_modulus_is_refused() {
    let jwk = |x: &str| {
        let number = |hex: &str| {
            let octets = (0..32).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap());
            URL_SAFE_NO_PAD.encode(octets.collect::<Vec<u8>>())
        };
        let y = "459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc";
        Jwk::from_members(&object(json!({"kty": "EC", "crv": "P-256", "x": number(x), "y": number(y)})))
    };
    assert!(jwk("0000000000000000000000000000000000000000000000000000000000000005").is_ok());
    let above = "ffffffff00000001000000000000000000000001000000000000000000000004";
    assert_eq!(jwk(above), Err(KeyError::Invalid));
}

/// CA-14 (SMART, signature verification): a set to publish has one key an id, and no key without.
#[test]
fn duplicate_ids_are_not_published() {
    let twice = vec![EC.public_jwk().clone(), EC.public_jwk().clone()];
    assert_eq!(Jwks::from_keys(twice), Err(KeyError::DuplicateId { kid: EC.key_id().to_owned() }));
    let mut nameless = EC.public_jwk().to_json();
    nameless.as_object_mut().unwrap().remove("kid");
    let nameless = set(&json!([nameless])).keys().to_vec();
    assert_eq!(Jwks::from_keys(nameless), Err(KeyError::Member { member: "kid" }));
}

fn keys() -> Jwks {
    Jwks::from_keys(vec![EC.public_jwk().clone()]).unwrap()
}

/// ID-12, F-62 (OpenID Connect Core 10.1.1): fetched keys serve for their lifetime, then they are fetched again.
#[test]
fn cached_keys_live_as_long_as_the_answer_says() {
    let mut cache = JwksCache::new();
    assert_eq!((cache.verdict(at(0)), cache.keys()), (CacheVerdict::Refetch, None));
    cache.fetched(keys(), max_age("public, max-age=600"), at(0));
    assert_eq!(cache.keys(), Some(&keys()));
    assert_eq!(cache.verdict(at(599)), CacheVerdict::Fresh);
    assert_eq!(cache.verdict(at(600)), CacheVerdict::Refetch);
    cache.fetched(keys(), None, at(0));
    assert_eq!(cache.verdict(at(HOUR - 1)), CacheVerdict::Fresh);
    assert_eq!(cache.verdict(at(HOUR)), CacheVerdict::Refetch);
    cache.fetched(keys(), Some(Duration::MAX), at(0));
    assert_eq!(cache.verdict(at(24 * HOUR - 1)), CacheVerdict::Fresh);
    assert_eq!(cache.verdict(at(24 * HOUR)), CacheVerdict::Refetch);
}

/// ID-12 (OpenID Connect Core 10.1.1): a key that is new a moment after the others were fetched is fetched at once.
#[test]
fn an_unknown_id_right_after_a_fetch_causes_another() {
    let mut cache = JwksCache::new();
    cache.fetched(keys(), None, at(0));
    assert_eq!(cache.verdict_for_unknown_kid(at(1)), CacheVerdict::Refetch);
    cache.fetched(keys(), None, at(1));
    assert_eq!(cache.verdict_for_unknown_kid(at(2)), CacheVerdict::TooSoon);

    let mut failing = JwksCache::new();
    failing.fetch_failed(at(0));
    assert_eq!(failing.verdict_for_unknown_kid(at(1)), CacheVerdict::TooSoon);
    assert_eq!(failing.verdict_for_unknown_kid(at(60)), CacheVerdict::Refetch);
}

/// ID-12, F-62, D-26: a flood of tokens with unknown key ids causes one fetch a minute.
#[test]
fn unknown_ids_cause_one_fetch_a_minute() {
    let mut cache = JwksCache::new();
    cache.fetched(keys(), None, at(0));
    let mut fetches = 0;
    for second in 0..10 * MINUTE {
        if cache.verdict_for_unknown_kid(at(second)) == CacheVerdict::Refetch {
            fetches += 1;
            cache.fetched(keys(), None, at(second));
        }
    }
    assert_eq!(fetches, 10);
}

/// ID-12: while fetches fail, old keys serve for a day, and fetches stay a minute apart.
#[test]
fn old_keys_serve_while_fetches_fail() {
    let mut cache = JwksCache::new();
    cache.fetch_failed(at(-10));
    assert_eq!(cache.verdict(at(0)), CacheVerdict::TooSoon);
    assert_eq!(cache.verdict(at(50)), CacheVerdict::Refetch);
    cache.fetched(keys(), None, at(0));
    cache.fetch_failed(at(HOUR));
    assert_eq!(cache.verdict(at(HOUR + 59)), CacheVerdict::Stale);
    assert_eq!(cache.verdict(at(HOUR + 60)), CacheVerdict::Refetch);
    cache.fetch_failed(at(25 * HOUR));
    assert_eq!(cache.verdict(at(25 * HOUR)), CacheVerdict::TooSoon);
    let mut strict = cache.with_longest_stale(Duration::ZERO);
    strict.fetch_failed(at(HOUR));
    assert_eq!(strict.verdict(at(HOUR)), CacheVerdict::TooSoon);
}

/// ID-12: a clock that is set back does not make keys immortal, nor forbid fetching.
#[test]
fn clock_set_back_does_not_freeze_the_cache() {
    let mut cache = JwksCache::new();
    cache.fetched(keys(), None, at(1000 * HOUR));
    assert_eq!(cache.verdict(at(0)), CacheVerdict::Refetch);
    assert_eq!(cache.verdict_for_unknown_kid(at(0)), CacheVerdict::Refetch);
}

/// ID-12: the limits can be set.
#[test]
fn cache_limits_can_be_set() {
    let mut cache = JwksCache::new()
        .with_default_lifetime(Duration::from_secs(10))
        .with_longest_lifetime(Duration::from_secs(20))
        .with_time_between_fetches(Duration::from_secs(5));
    cache.fetched(keys(), None, at(0));
    assert_eq!(cache.verdict(at(10)), CacheVerdict::Refetch);
    cache.fetched(keys(), Some(Duration::from_secs(90)), at(0));
    assert_eq!(cache.verdict(at(19)), CacheVerdict::Fresh);
    assert_eq!(cache.verdict(at(20)), CacheVerdict::Refetch);
    assert_eq!(cache.verdict_for_unknown_kid(at(0)), CacheVerdict::Refetch);
    assert_eq!(cache.verdict_for_unknown_kid(at(4)), CacheVerdict::TooSoon);
    assert_eq!(cache.verdict_for_unknown_kid(at(5)), CacheVerdict::Refetch);
}

/// ID-12 (RFC 9111 5.2.2): the lifetime is read from Cache-Control, the shorter one when in doubt.
#[test]
fn max_age_is_read_from_cache_control() {
    for (header, seconds) in [
        ("max-age=600", Some(600)),
        ("public, MAX-AGE=\"5\" , must-revalidate", Some(5)),
        ("max-age=600, max-age=5", Some(5)),
        ("no-store", Some(0)),
        ("max-age=600, No-Cache", Some(0)),
        ("s-maxage=600", None),
        ("max-age=", None),
        ("max-age=-5", None),
        ("max-age=99999999999999999999999", None),
        ("", None),
    ] {
        assert_eq!(max_age(header), seconds.map(Duration::from_secs), "{header}");
    }
}

fn key(kid: &str) -> SigningKey {
    SigningKey::generate(KeyKind::EcP384).unwrap().with_kid(kid).unwrap()
}

fn ids(set: &KeySet) -> Vec<String> {
    set.published().unwrap().keys().iter().map(|key| key.kid().unwrap().to_owned()).collect()
}

/// CA-16 (SMART, JWK Set notes): the successor is published first, signs after the overlap, and the old key stays
/// published for another, so that every signature of the time verifies.
#[test]
fn keys_rotate_with_an_overlap() {
    let mut set = KeySet::new(key("a")).unwrap();
    assert_eq!(ids(&set), ["a"]);
    assert_eq!(set.rotate(at(0)), Err(KeyError::NoNextKey));
    set.publish_next(key("b"), at(0)).unwrap();
    assert_eq!((ids(&set), set.current().key_id()), (vec!["a".to_owned(), "b".to_owned()], "a"));
    assert_eq!(set.rotate(at(24 * HOUR - 1)), Err(KeyError::NextKeyTooNew { ready_at: NOW + 24 * HOUR }));
    assert_eq!((set.current().key_id(), set.next().unwrap().key_id()), ("a", "b"));
    set.rotate(at(24 * HOUR)).unwrap();
    assert_eq!((ids(&set), set.current().key_id()), (vec!["b".to_owned(), "a".to_owned()], "b"));
    set.forget_retired(at(48 * HOUR - 1));
    assert_eq!(ids(&set), ["b", "a"]);
    set.forget_retired(at(48 * HOUR));
    assert_eq!(ids(&set), ["b"]);
}

/// CA-16: what the old key signed before the rotation verifies after it.
#[test]
fn old_signatures_verify_after_rotation() {
    let old = key("a");
    let token = sign_jwt(&old, "JWT", &object(json!({"sub": "u1"}))).unwrap();
    let mut set = KeySet::new(old).unwrap().with_overlap(Duration::from_secs(10));
    set.publish_next(key("b"), at(0)).unwrap();
    set.rotate(at(10)).unwrap();
    assert!(verify_jws(&token, &set.published().unwrap(), &[SigningAlgorithm::Es384]).is_ok());
}

/// CA-14, CA-16: no two keys of a rotation have one id.
#[test]
fn rotation_keeps_ids_apart() {
    let mut set = KeySet::new(key("a")).unwrap().with_overlap(Duration::ZERO);
    let duplicate = Err(KeyError::DuplicateId { kid: "a".into() });
    assert_eq!(set.publish_next(key("a"), at(0)), duplicate);
    set.publish_next(key("b"), at(0)).unwrap();
    set.publish_next(key("c"), at(0)).unwrap();
    assert_eq!(ids(&set), ["a", "c"]);
    let mut slow = KeySet::new(key("a")).unwrap().with_overlap(Duration::from_secs(10));
    slow.publish_next(key("b"), at(0)).unwrap();
    slow.rotate(at(10)).unwrap();
    assert_eq!(slow.publish_next(key("a"), at(11)), duplicate);
}

/// CA-16, CA-17: a key that leaked is gone from the set at once.
#[test]
fn leaked_key_is_replaced_at_once() {
    let mut set = KeySet::new(key("a")).unwrap();
    assert_eq!(set.replace_compromised(), Err(KeyError::NoNextKey));
    set.publish_next(key("b"), at(0)).unwrap();
    set.replace_compromised().unwrap();
    assert_eq!((ids(&set), set.current().key_id()), (vec!["b".to_owned()], "b"));
    assert!(!format!("{set:?}").contains("\"d\""));
}

/// RG-03, F-35 (SMART, client authentication, registering): the document for the registered URL is the published set, with
/// public members only.
#[test]
fn key_set_is_exported_as_a_document() {
    let mut keys = KeySet::new(key("a")).unwrap();
    keys.publish_next(key("b"), at(0)).unwrap();
    let document = keys.document().unwrap();
    let read = Jwks::parse(document.body().as_bytes()).unwrap();
    assert_eq!(read.keys(), keys.published().unwrap().keys());
    assert_eq!(read.keys().iter().map(|key| key.kid().unwrap()).collect::<Vec<_>>(), ["a", "b"]);
    for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        assert!(!document.body().contains(&format!("\"{private}\"")), "{private}");
    }
}

/// RG-04 (SMART, client authentication, JWK set notes; RFC 9110 8.8.3, 13.1.2; RFC 9111 5.2.2): the headers for serving the
/// document; verifiers keep it no longer than the time that two keys overlap.
#[test]
fn document_has_its_headers() {
    let keys = KeySet::new(key("a")).unwrap();
    let document = keys.document().unwrap();
    let [content_type, cache_control, etag] = document.headers();
    assert_eq!(content_type, ("content-type", "application/json".to_owned()));
    assert_eq!(cache_control, ("cache-control", "public, max-age=3600".to_owned()));
    assert_eq!(etag, ("etag", document.etag().to_owned()));
    let short = keys.with_overlap(Duration::from_secs(90));
    assert_eq!(short.document().unwrap().cache_control(), "public, max-age=90");
    assert_eq!(max_age(&short.document().unwrap().cache_control()), Some(short.overlap()));
    // The tag is the content's, and 304 is for whoever has just that.
    assert_eq!(short.document().unwrap().etag(), document.etag());
    assert_ne!(KeySet::new(key("a")).unwrap().document().unwrap().etag(), document.etag());
    let tag = document.etag();
    for known in [tag.to_owned(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
        assert!(document.is_known_to(&known), "{known}");
    }
    for other in ["", "\"x\"", tag.trim_matches('"'), "W/"] {
        assert!(!document.is_known_to(other), "{other}");
    }
}

/// CA-16: a program that starts anew publishes the keys that retired before, for as long as they would have been.
#[test]
fn rotation_goes_on_after_a_restart() {
    let (first, second) = (key("a"), key("b"));
    let second_again = SigningKey::from_pem(second.to_pem().expose_secret()).unwrap().with_kid("b").unwrap();
    let mut set = KeySet::new(first).unwrap();
    set.publish_next(second, at(0)).unwrap();
    set.rotate(at(24 * HOUR)).unwrap();
    let kept: Vec<(Jwk, Timestamp)> = set.retired().map(|(key, since)| (key.clone(), since)).collect();
    assert_eq!(kept.len(), 1);

    let mut again = KeySet::new(second_again).unwrap();
    for (key, since) in kept.clone() {
        again.restore_retired(key, since).unwrap();
    }
    assert_eq!(ids(&again), ids(&set));
    let twice = again.restore_retired(kept[0].0.clone(), at(0));
    assert_eq!(twice, Err(KeyError::DuplicateId { kid: "a".into() }));
    again.forget_retired(at(48 * HOUR));
    assert_eq!(ids(&again), ["b"]);
}

proptest! {
    /// ID-13, CA-15: whatever a set holds, what is published of it can be read again and is the same.
    #[test]
    fn published_sets_are_read_again(kids in prop::collection::hash_set("[a-z]{1,6}", 1..5)) {
        let keys: Vec<Value> = kids.iter().map(|kid| {
            let mut jwk = EC.public_jwk().to_json();
            jwk["kid"] = kid.as_str().into();
            jwk
        }).collect();
        let first = set(&json!(keys));
        let again = Jwks::parse(first.to_json().to_string().as_bytes()).unwrap();
        prop_assert_eq!(first, again);
    }

    /// ID-13: whatever stands in a key, it is read or passed over without panic.
    #[test]
    fn any_key_is_read_without_panic(kty in "RSA|EC|[A-Z]{0,3}", crv in "P-256|P-384|x", members in prop::collection::vec("[A-Za-z0-9_-]{0,80}", 4)) {
        let keys = set(&json!([{"kty": kty, "crv": crv, "x": members[0], "y": members[1], "n": members[2], "e": members[3]}]));
        prop_assert_eq!(keys.keys().len() + keys.passed_over(), 1);
    }

    /// ID-12: any header is read without panic.
    #[test]
    fn any_cache_control_is_read_without_panic(header in "\\PC{0,60}") {
        let _ = max_age(&header);
    }
}

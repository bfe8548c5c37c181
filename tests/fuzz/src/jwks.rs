//! Key sets: what is read can be published and read again, never shows a private member, and a key is picked only for
//! what it is for. A thumbprint is the key's alone.

use serde_json::Value;
use smart_jwt::{Jwk, Jwks, JwsError, SigningAlgorithm};
use std::time::Duration;

const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Tries `body` as a key set.
pub fn hold(body: &[u8]) {
    let Ok(keys) = Jwks::parse(body) else { return };
    let published = keys.to_json();
    for key in published["keys"].as_array().expect("keys") {
        for private in PRIVATE {
            assert!(key.get(private).is_none(), "{private} is private");
        }
    }
    let document = keys.document(Duration::from_secs(60));
    let again = Jwks::parse(document.body().as_bytes()).expect("what is published can be read");
    assert_eq!(again.keys(), keys.keys());
    assert!(document.is_known_to(document.etag()));
    for key in keys.keys() {
        one(&keys, key);
    }
    for algorithm in SigningAlgorithm::ALL {
        if let Ok(key) = keys.select(None, algorithm) {
            let fitting = keys.keys().iter().filter(|key| key.algorithms().contains(&algorithm)).count();
            assert_eq!((fitting, key.algorithms().contains(&algorithm)), (1, true), "without an id there is no choice");
        }
    }
}

fn one(keys: &Jwks, key: &Jwk) {
    let says = |member: &str| key.to_json().get(member).cloned();
    for algorithm in key.algorithms() {
        let kind = if algorithm.as_str().starts_with("ES") { "EC" } else { "RSA" };
        assert_eq!(key.kty(), kind);
        assert!(says("alg").is_none_or(|alg| alg == algorithm.as_str()));
        assert!(says("use").is_none_or(|usage| usage == "sig"));
        assert!(key.key_ops().is_none_or(|ops| ops.contains(&"verify")));
        match keys.select(key.kid(), *algorithm) {
            Ok(picked) => assert!(picked.kid() == key.kid() || key.kid().is_none()),
            Err(error) => assert!(matches!(error, JwsError::AmbiguousKey(2..)), "{error}"),
        }
    }
    let bare: serde_json::Map<String, Value> = key
        .to_json()
        .as_object()
        .expect("members")
        .iter()
        .rev()
        .filter(|(name, _)| ["kty", "crv", "x", "y", "n", "e"].contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    assert_eq!(Jwk::from_members(&bare).expect("the bare key").thumbprint(), key.thumbprint());
}

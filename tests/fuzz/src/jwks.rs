//! Key sets: what is read can be published and read again, and never shows a private member.

use smart_jwt::Jwks;

/// Tries `body` as a key set.
pub fn hold(body: &[u8]) {
    let Ok(keys) = Jwks::parse(body) else { return };
    let published = keys.to_json();
    for key in published["keys"].as_array().expect("keys") {
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(key.get(private).is_none(), "{private} is private");
        }
    }
    let again = Jwks::parse(published.to_string().as_bytes()).expect("what is published can be read");
    assert_eq!(again.keys(), keys.keys());
}

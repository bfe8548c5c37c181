//! Keys from files: PEM, JWK and JWK sets. What is read signs, verifies with its public half, and can be written and read
//! again; nothing shows the private half.

use serde_json::Value;
use smart_jwt::{Jwk, Jwks, SigningKey, sign_jwt, verify_jws};

/// Tries `data` as a key file.
pub fn hold(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        if let Ok(key) = SigningKey::from_pem(text) {
            works(&key);
        }
        if let Ok(key) = Jwk::from_public_pem(text) {
            let keys = Jwks::from_keys(vec![key.clone()]).expect("a set");
            let again = Jwks::parse(keys.to_json().to_string().as_bytes()).expect("a set");
            assert_eq!(again.keys(), [key]);
            assert_eq!(again.keys()[0].kid(), Some(again.keys()[0].thumbprint().as_str()));
        }
    }
    if let Ok(Value::Object(members)) = serde_json::from_slice(data)
        && let Ok(key) = SigningKey::from_jwk(members)
    {
        works(&key);
    }
    if let Ok(key) = SigningKey::from_jwks(data, None) {
        works(&key);
    }
}

fn works(key: &SigningKey) {
    let token = sign_jwt(key, "JWT", &serde_json::Map::new()).expect("a token");
    let keys = Jwks::from_keys(vec![key.public_jwk().clone()]).expect("a set");
    assert!(verify_jws(&token, &keys, &[key.algorithm()]).is_ok());
    assert!(!format!("{key:?}").contains("\"d\""));
    let again = SigningKey::from_pem(key.to_pem().expose_secret()).expect("what is written can be read");
    assert_eq!(again.public_jwk().thumbprint(), key.public_jwk().thumbprint());
}

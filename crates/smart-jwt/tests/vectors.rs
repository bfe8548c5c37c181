//! Test vectors of the RFCs: facts of the specifications, kept because they verify.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use smart_jwt::{Jwk, Jwks, JwsError, KeyError, SigningAlgorithm, SigningKey, verify_jws};

const CLAIMS: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const RSA_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const RSA_SIGNATURE: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
const EC_SIGNATURE: &str = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

fn ec_key() -> Value {
    json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    })
}

fn keys(key: &Value) -> Jwks {
    let set = Jwks::parse(json!({"keys": [key]}).to_string().as_bytes()).unwrap();
    assert_eq!(set.keys().len(), 1);
    set
}

/// ID-08 (RFC 7515 A.2): the RS256 example verifies.
#[test]
fn rfc7515_a2_rs256_verifies() {
    let token = format!("eyJhbGciOiJSUzI1NiJ9.{CLAIMS}.{RSA_SIGNATURE}");
    let keys = keys(&json!({"kty": "RSA", "n": RSA_N, "e": "AQAB"}));
    let verified = verify_jws(&token, &keys, &[SigningAlgorithm::Rs256]).unwrap();
    assert_eq!(verified.claims["iss"], "joe");
    assert_eq!(verified.claims["exp"], 1_300_819_380);
    assert_eq!(verified.algorithm, SigningAlgorithm::Rs256);
}

/// ID-08, CA-10 (RFC 7515 A.3): the ES256 example verifies.
#[test]
fn rfc7515_a3_es256_verifies() {
    let token = format!("eyJhbGciOiJFUzI1NiJ9.{CLAIMS}.{EC_SIGNATURE}");
    let verified = verify_jws(&token, &keys(&ec_key()), &[SigningAlgorithm::Es256]).unwrap();
    assert_eq!(verified.claims["http://example.com/is_root"], true);
}

/// CA-13 (RFC 7515 A.3): the example's private key is read, has the example's public key, and signs for it.
#[test]
fn rfc7515_a3_private_key_is_read() {
    let mut private = ec_key();
    private["d"] = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI".into();
    let key = SigningKey::from_jwk(private.as_object().unwrap().clone()).unwrap();
    assert_eq!(key.algorithm(), SigningAlgorithm::Es256);
    assert_eq!(key.public_jwk().to_json()["x"], ec_key()["x"]);
    assert_eq!(key.sign(b"x").unwrap().len(), 64);
}

/// ID-09 (RFC 7515 A.1, A.5): the HMAC example and the one without signature are refused, whatever the list.
#[test]
fn rfc7515_a1_and_a5_are_refused() {
    let hmac = format!("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{CLAIMS}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    let none = format!("eyJhbGciOiJub25lIn0.{CLAIMS}.");
    for token in [hmac, none] {
        let refused = verify_jws(&token, &keys(&ec_key()), &SigningAlgorithm::ALL);
        assert!(matches!(refused, Err(JwsError::Algorithm(_))));
    }
}

/// ID-09, ID-13 (RFC 7515 A.4; RFC 7520 3.1, 4.3, 4.4): ES512 and HMAC are refused by name, and a key on P-521 is passed
/// over, so that no example made with them can pass.
#[test]
fn examples_with_other_algorithms_are_refused() {
    let a4 = "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn";
    let a4_key = json!({
        "kty": "EC", "crv": "P-521",
        "x": "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
        "y": "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2",
    });
    let bilbo = json!({
        "kty": "EC", "kid": "bilbo.baggins@hobbiton.example", "use": "sig", "crv": "P-521",
        "x": "AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt",
        "y": "AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1",
    });
    let shared = json!({
        "kty": "oct", "kid": "018c0ae5-4d9b-471b-bfd6-eef314bc7037", "use": "sig", "alg": "HS256",
        "k": "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg",
    });
    let examples = [
        (a4, a4_key, "ES512"),
        (include_str!("data/rfc7520-es512.jws").trim(), bilbo, "ES512"),
        (include_str!("data/rfc7520-hmac.jws").trim(), shared, "HS256"),
    ];
    for (token, key, name) in examples {
        assert_eq!(Jwk::from_members(key.as_object().unwrap()), Err(KeyError::Unsupported));
        let set = Jwks::parse(json!({"keys": [key]}).to_string().as_bytes()).unwrap();
        assert_eq!((set.keys().len(), &set.skipped()[0].reason), (0, &KeyError::Unsupported));
        match verify_jws(token, &set, &SigningAlgorithm::ALL) {
            Err(JwsError::Algorithm(refused)) => assert_eq!(refused.name, name),
            other => panic!("{other:?}"),
        }
    }
}

/// CA-10, CA-13 (RFC 7520 3.3, 3.4, 4.1): the example's private key is read, its public half is the example's, and it makes
/// the example's RS256 signature, which is the same each time.
#[test]
fn rfc7520_rsa_key_makes_the_signature_of_the_example() {
    let private: Value = serde_json::from_str(include_str!("data/rfc7520-rsa.private.json")).unwrap();
    let key = SigningKey::from_jwk(private.as_object().unwrap().clone()).unwrap();
    let public = Jwks::parse(include_bytes!("data/rfc7520-rsa.jwks.json")).unwrap();
    assert_eq!(key.public_jwk().thumbprint(), public.keys()[0].thumbprint());
    assert_eq!(key.key_id(), "bilbo.baggins@hobbiton.example");
    let key = key.with_algorithm(SigningAlgorithm::Rs256).unwrap();
    let (input, signature) = include_str!("data/rfc7520-rsa.jws").trim().rsplit_once('.').unwrap();
    assert_eq!(URL_SAFE_NO_PAD.encode(key.sign(input.as_bytes()).unwrap()), signature);
}

/// ID-13 (RFC 7520 3.1): a key on P-521 is not spoken here: passed over in a set, refused alone.
#[test]
fn p521_key_is_not_supported() {
    let key = json!({"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA", "kid": "big"});
    assert_eq!(Jwk::from_members(key.as_object().unwrap()), Err(KeyError::Unsupported));
    let set = Jwks::parse(json!({"keys": [key]}).to_string().as_bytes()).unwrap();
    assert_eq!(set.skipped()[0].reason, KeyError::Unsupported);
    assert_eq!(set.skipped()[0].kid.as_deref(), Some("big"));
}

/// CA-13, F-34 (RFC 7638 3.1): the thumbprint of the RFC's key.
#[test]
fn rfc7638_thumbprint_vector() {
    let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    let key = json!({"kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"});
    assert_eq!(
        Jwk::from_members(key.as_object().unwrap()).unwrap().thumbprint(),
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    );
}

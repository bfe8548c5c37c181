//! Attacks by way of the token's form: base64, parts, JSON, size.

use super::support::{EC, RSA, forge, part, signed};
use super::{check, claims, good, header, refused};
use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use smart_jwt::JwsError;

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

/// ID-02 (RFC 7515 7.2): the JSON serialisations, which can carry several signatures, or a header that nobody signed.
#[test]
fn json_serialisation_is_refused() {
    let token = good(&EC);
    let parts: Vec<&str> = token.split('.').collect();
    let flattened = json!({"protected": parts[0], "payload": parts[1], "signature": parts[2]});
    let general = json!({"payload": parts[1], "signatures": [{"protected": parts[0], "signature": parts[2]}]});
    for text in [flattened.to_string(), general.to_string(), format!("\"{token}\""), format!("Bearer {token}")] {
        assert!(check(&text).is_err(), "{text}");
    }
}

/// ID-02 (RFC 8725 3.7; RFC 7519 3): header or payload that is not UTF-8.
#[test]
fn other_encodings_than_utf_8_are_refused() {
    let utf_16 = |json: &Value| json.to_string().encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    let latin_1 = b"{\"iss\":\"https://ehr.example\",\"sub\":\"\xe9\"}".to_vec();
    for wrong in [utf_16(&claims()), latin_1, vec![0xff, 0xfe], b"{\"a\":\"\xed\xa0\x80\"}".to_vec()] {
        let odd = URL_SAFE_NO_PAD.encode(wrong);
        assert!(matches!(refused(&signed(&odd, &part(&claims()), &EC)), JwsError::Json { part: "header", .. }));
        assert!(matches!(refused(&signed(&part(&header(&EC)), &odd, &EC)), JwsError::Json { part: "payload", .. }));
    }
}

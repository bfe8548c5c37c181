//! ID tokens. The first octet picks what is tried: the input as a whole token; as header and claims under a false
//! signature; or as claims under a true one. Only the last may ever be believed, and only with the right claims.

use super::login::{CLIENT, ISSUER, NOW};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use smart_core::client_id::ClientId;
use smart_core::issuer::Issuer;
use smart_core::secret::RawIdToken;
use smart_jwt::{IdTokenValidator, Jwks, KeyKind, SigningAlgorithm, SigningKey, sign_jwt};
use std::sync::LazyLock;

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(KeyKind::EcP384).expect("a key"));
static KEYS: LazyLock<Jwks> = LazyLock::new(|| Jwks::from_keys(vec![KEY.public_jwk().clone()]).expect("a set"));

/// Tries `data` as what the first octet says.
pub fn hold(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let validator = IdTokenValidator::new(Issuer::parse(ISSUER).expect("an issuer"), ClientId::new(CLIENT))
        .with_algorithms(&[SigningAlgorithm::Es384, SigningAlgorithm::Rs256]);
    let validate = |token: String| validator.validate(&RawIdToken::new(token), &KEYS, NOW, None);
    match first % 3 {
        0 => {
            let Ok(token) = std::str::from_utf8(rest) else { return };
            assert!(validate(token.to_owned()).is_err(), "nobody else can sign");
        }
        1 => {
            let at = rest.iter().position(|octet| *octet == 0).unwrap_or(rest.len());
            let (header, claims) = rest.split_at(at);
            let header = String::from_utf8_lossy(header).replace("KID", KEY.key_id());
            let token =
                [header.as_bytes(), claims.get(1..).unwrap_or_default(), &[0; 96]].map(|p| URL_SAFE_NO_PAD.encode(p));
            assert!(validate(token.join(".")).is_err(), "a false signature is never good");
        }
        _ => {
            let Ok(serde_json::Value::Object(claims)) = serde_json::from_slice(rest) else { return };
            let Ok(token) = sign_jwt(&KEY, "JWT", &claims) else { return };
            if validate(token).is_ok() {
                assert_eq!(claims["iss"], ISSUER);
                assert!(claims["sub"].as_str().is_some_and(|subject| !subject.is_empty()));
                assert!(
                    claims["aud"] == CLIENT || claims["aud"].as_array().is_some_and(|all| all.contains(&CLIENT.into()))
                );
                assert!(claims.contains_key("exp") && claims.contains_key("iat"));
            }
        }
    }
}

//! ID tokens and client assertions. The first octet picks what is tried: the input as a whole token; as header and
//! claims under a false signature; as claims, or as further members of the header, under a true one; as changes to a
//! good token. What is believed is compared with a second opinion, written as plainly as the specification has it.

use super::login::{CLIENT, ISSUER, NOW};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use smart_core::client_id::ClientId;
use smart_core::issuer::Issuer;
use smart_core::secret::{ClientAssertion, RawIdToken};
use smart_jwt::{
    AssertionVerifier, IdToken, IdTokenError, IdTokenValidator, Jwks, KeyKind, SigningAlgorithm, SigningKey,
    UnverifiedIdToken, sign_jwt, sign_jwt_with_header,
};
use std::sync::LazyLock;

/// As much leeway as is the default.
const LEEWAY: f64 = 60.0;
const ENDPOINT: &str = "https://login.ehr.example/token";

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(KeyKind::EcP256).expect("a key"));
static KEYS: LazyLock<Jwks> = LazyLock::new(|| Jwks::from_keys(vec![KEY.public_jwk().clone()]).expect("a set"));
static VALIDATOR: LazyLock<IdTokenValidator> = LazyLock::new(|| {
    IdTokenValidator::new(Issuer::parse(ISSUER).expect("an issuer"), ClientId::new(CLIENT))
        .with_algorithms(&SigningAlgorithm::ALL)
});
static GOOD: LazyLock<String> = LazyLock::new(|| {
    let now = NOW.as_unix_seconds();
    let claims = json!({"iss": ISSUER, "sub": "u1", "aud": CLIENT, "exp": now + 300, "iat": now});
    sign_jwt(&KEY, "JWT", claims.as_object().expect("claims")).expect("a token")
});

fn validate(token: &str) -> Result<IdToken, IdTokenError> {
    VALIDATOR.validate(&RawIdToken::new(token), &KEYS, NOW, None)
}

/// Tries `data` as what the first octet says.
pub fn hold(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    match first % 5 {
        0 => {
            if let Ok(token) = std::str::from_utf8(rest) {
                whole(token);
            }
        }
        1 => {
            let at = rest.iter().position(|octet| *octet == 0).unwrap_or(rest.len());
            let (header, claims) = rest.split_at(at);
            let header = String::from_utf8_lossy(header).replace("KID", KEY.key_id());
            let token =
                [header.as_bytes(), claims.get(1..).unwrap_or_default(), &[7; 64]].map(|p| URL_SAFE_NO_PAD.encode(p));
            assert!(validate(&token.join(".")).is_err(), "a false signature is never good");
        }
        2 => claims(rest),
        3 => {
            let Ok(Value::Object(extra)) = serde_json::from_slice(rest) else { return };
            header(&extra);
        }
        _ => altered(rest),
    }
}

/// Nobody else can sign. What can be looked into has one spelling.
fn whole(token: &str) {
    assert!(validate(token).is_err(), "nobody else can sign");
    let client = ClientId::new(CLIENT);
    let refused = AssertionVerifier::new(ENDPOINT).verify(&ClientAssertion::new(token), &client, &KEYS, NOW);
    assert!(refused.is_err(), "nobody else can sign");
    let Ok(looked) = UnverifiedIdToken::decode(&RawIdToken::new(token)) else { return };
    let parts: Vec<&str> = token.split('.').collect();
    assert_eq!(parts.len(), 3);
    for part in parts {
        assert_eq!(URL_SAFE_NO_PAD.encode(URL_SAFE_NO_PAD.decode(part).expect("base64url")), part, "one spelling");
    }
    for member in ["crit", "b64"] {
        assert!(!looked.unverified_header().contains_key(member), "{member} has to be understood");
    }
}

/// Claims under a true signature, written as they came: as an ID token's, and as a client assertion's.
fn claims(payload: &[u8]) {
    let header = json!({"alg": "ES256", "kid": KEY.key_id(), "typ": "JWT"}).to_string();
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = KEY.sign(input.as_bytes()).expect("a signature");
    let token = format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature));
    let opinion = second_opinion(payload);
    match validate(&token) {
        Ok(id_token) => {
            let claims = opinion.expect("what is believed is right");
            assert_eq!(*id_token.claims(), claims, "what was checked is what is read");
            assert_eq!(Some(id_token.issuer()), claims["iss"].as_str());
            assert_eq!(Some(id_token.subject()), claims["sub"].as_str());
            assert_eq!(id_token.nonce(), claims.get("nonce").and_then(Value::as_str));
            assert_eq!(id_token.authorized_party(), claims.get("azp").and_then(Value::as_str));
            assert!(id_token.audience().contains(&CLIENT));
            assert!(!format!("{id_token:?}").contains("\"sub\""));
        }
        Err(_) if token.len() > 16 * 1024 => {}
        Err(error) => assert_eq!(opinion, None, "what is right is believed: {error}"),
    }
    let client = ClientId::new(CLIENT);
    let verified = AssertionVerifier::new(ENDPOINT).with_algorithms(&[SigningAlgorithm::Es256]).verify(
        &ClientAssertion::new(token),
        &client,
        &KEYS,
        NOW,
    );
    if let Ok(verified) = verified {
        let claims: Map<String, Value> =
            serde_json::from_slice(payload.strip_prefix(b"\xef\xbb\xbf").unwrap_or(payload)).expect("claims");
        assert_eq!((&claims["iss"], &claims["sub"]), (&json!(CLIENT), &json!(CLIENT)));
        assert!(audience(&claims).is_some_and(|all| all.contains(&ENDPOINT)));
        assert_eq!(claims["jti"], verified.jti);
        let exp = claims["exp"].as_f64().expect("a time").floor();
        let now = number(NOW.as_unix_seconds());
        assert!(now < exp && exp <= now + 300.0, "{exp}");
    }
}

/// Members of the header beside the key's own, under a true signature.
fn header(extra: &Map<String, Value>) {
    let claims =
        json!({"iss": ISSUER, "sub": "u1", "aud": CLIENT, "exp": number(NOW.as_unix_seconds()) + 9.0, "iat": 0});
    let Ok(token) = sign_jwt_with_header(&KEY, extra, claims.as_object().expect("claims")) else {
        assert!(["alg", "kid", "crit", "b64"].iter().any(|member| extra.contains_key(*member)));
        return;
    };
    let is_good = match extra.get("typ") {
        None => true,
        Some(Value::String(typ)) => !typ.to_ascii_lowercase().ends_with("+jwt"),
        Some(_) => false,
    };
    // 16 KiB are the limit of a token.
    assert_eq!(validate(&token).is_ok(), is_good && token.len() <= 16 * 1024, "{extra:?}");
}

/// Changes to a good token: pairs of octets, a place and what is put there.
fn altered(changes: &[u8]) {
    let mut token = GOOD.clone().into_bytes();
    for pair in changes.chunks_exact(3) {
        let place = usize::from(pair[0]) * 256 + usize::from(pair[1]);
        let length = token.len();
        if let Some(octet) = token.get_mut(place % length) {
            *octet = pair[2];
        }
    }
    let Ok(token) = String::from_utf8(token) else { return };
    assert_eq!(validate(&token).is_ok(), token == *GOOD, "any change is noticed");
}

/// The claims, if they are those of a good ID token (OpenID Connect Core, section 3.1.3.7).
fn second_opinion(payload: &[u8]) -> Option<Map<String, Value>> {
    let claims = smart_core::json::parse_object(payload).ok()?;
    let now = number(NOW.as_unix_seconds());
    // A time that is there is a number, of which the fraction does not count.
    let time = |name: &str| match claims.get(name) {
        None => Some(None),
        Some(Value::Number(number)) => number.as_f64().map(|seconds| Some(seconds.floor())),
        Some(_) => None,
    };
    let subject = claims.get("sub")?.as_str()?;
    let audience = audience(&claims)?;
    let is_good = claims.get("iss")?.as_str()? == ISSUER
        && (1..=255).contains(&subject.len())
        && subject.is_ascii()
        && audience.contains(&CLIENT)
        && audience.iter().all(|one| *one == CLIENT)
        && claims.get("azp").map_or(audience.len() == 1, |party| party == CLIENT)
        && time("exp")?? > now - LEEWAY
        && time("iat")?? <= now + LEEWAY
        && time("nbf")?.is_none_or(|at| at <= now + LEEWAY)
        && time("auth_time").is_some()
        && claims.get("nonce").is_none_or(Value::is_string);
    is_good.then_some(claims)
}

fn audience(claims: &Map<String, Value>) -> Option<Vec<&str>> {
    match claims.get("aud")? {
        Value::String(one) => Some(vec![one]),
        Value::Array(several) => several.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

#[allow(clippy::cast_precision_loss, reason = "a time of our own")]
fn number(seconds: i64) -> f64 {
    seconds as f64
}

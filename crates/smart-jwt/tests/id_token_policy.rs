//! What an ID-token policy can be told, tokens of renewals, tokens that nobody vouches for, and the codes of errors.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

mod support;

use serde_json::{Value, json};
use smart_core::client_id::ClientId;
use smart_core::issuer::Issuer;
use smart_core::secret::{AccessToken, AuthorizationCode, RawIdToken};
use smart_core::state::Nonce;
use smart_jwt::{
    Error, IdToken, IdTokenError, IdTokenPolicy, IdTokenValidator, Jwks, JwsError, OriginalLogin, SigningAlgorithm,
    UnverifiedIdToken, sign_jwt, sign_jwt_with_header,
};
use std::collections::HashSet;
use std::time::Duration;
use support::{EC, NOW, RSA, now, object};

fn policy() -> IdTokenPolicy {
    IdTokenValidator::builder(Issuer::parse("https://ehr.example").unwrap(), ClientId::new("my-app"))
        .also_algorithms(&[SigningAlgorithm::Es384])
}

fn keys() -> Jwks {
    Jwks::from_keys(vec![RSA.public_jwk().clone(), EC.public_jwk().clone()]).unwrap()
}

fn claims() -> Value {
    json!({"iss": "https://ehr.example", "sub": "u1", "aud": "my-app", "exp": NOW + 300, "iat": NOW})
}

/// The claims with one changed; `null` leaves it out.
fn with(name: &str, value: Value) -> Value {
    let mut all = claims();
    if value.is_null() {
        all.as_object_mut().unwrap().remove(name);
    } else {
        all[name] = value;
    }
    all
}

fn token(claims: &Value) -> RawIdToken {
    RawIdToken::new(sign_jwt(&EC, "JWT", &object(claims.clone())).unwrap())
}

fn check(policy: IdTokenPolicy, claims: &Value) -> Result<IdToken, IdTokenError> {
    policy.build().validate(&token(claims), &keys(), now(), None)
}

/// ID-09 (SMART; OpenID Connect Core 3.1.3.7, 7): RS256 is always accepted, others once they are named.
#[test]
fn rs256_is_the_default_algorithm() {
    let plain = IdTokenValidator::builder(Issuer::parse("https://ehr.example").unwrap(), ClientId::new("my-app"));
    let refused = check(plain.clone(), &claims());
    assert_eq!(refused, Err(IdTokenError::Jws(JwsError::AlgorithmNotAllowed(SigningAlgorithm::Es384))));
    let rs256 = RawIdToken::new(sign_jwt(&RSA, "JWT", &object(claims())).unwrap());
    for policy in [plain, policy()] {
        assert!(policy.build().validate(&rs256, &keys(), now(), None).is_ok());
    }
    let only = policy().only_algorithms(&[SigningAlgorithm::Es384]).build();
    assert!(only.validate(&rs256, &keys(), now(), None).is_err());
}

/// ID-05 (ambiguity 28): a trailing slash is tolerated only where that was asked for, and nothing else is then.
#[test]
fn trailing_slash_of_issuer_is_tolerated_only_on_demand() {
    let slash = with("iss", json!("https://ehr.example/"));
    assert_eq!(check(policy(), &slash).unwrap_err().code(), "issuer");
    let tolerant = || policy().dangerous_ignore_trailing_slash_of_issuer();
    assert_eq!(check(tolerant(), &slash).unwrap().issuer(), "https://ehr.example/");
    assert!(check(tolerant(), &claims()).is_ok());
    for other in ["https://ehr.example//", "https://EHR.example", "https://ehr.example/x", "http://ehr.example"] {
        assert_eq!(check(tolerant(), &with("iss", json!(other))).unwrap_err().code(), "issuer", "{other}");
    }
}

/// ID-05, ID-04 (ambiguity 28): another issuer is accepted only by name.
#[test]
fn other_issuer_is_accepted_only_by_name() {
    let other = with("iss", json!("https://login.example"));
    assert_eq!(check(policy(), &other).unwrap_err().code(), "issuer");
    let tolerant = policy().dangerous_also_accept_issuer(&Issuer::parse("https://login.example").unwrap());
    assert!(check(tolerant.clone(), &other).is_ok());
    assert_eq!(check(tolerant, &with("iss", json!("https://login.example/"))).unwrap_err().code(), "issuer");
}

/// ID-17, F-18 (OpenID Connect Core 3.1.3.7, 11): the nonce, or its hash, or none when none was sent.
#[test]
fn nonce_is_compared_itself_or_by_its_hash() {
    let hash: [u8; 32] = ring::digest::digest(&ring::digest::SHA256, b"n1").as_ref().try_into().unwrap();
    for policy in [policy().nonce(Nonce::new("n1")), policy().nonce_sha256(hash)] {
        assert_eq!(check(policy.clone(), &with("nonce", json!("n1"))).unwrap().nonce(), Some("n1"));
        assert_eq!(check(policy.clone(), &with("nonce", json!("n2"))), Err(IdTokenError::Nonce));
        assert_eq!(check(policy.clone(), &claims()), Err(IdTokenError::NonceMissing));
        assert_eq!(check(policy, &with("nonce", json!(7))), Err(IdTokenError::Claim("nonce")));
    }
    assert!(check(policy(), &with("nonce", json!("any"))).is_ok());
}

/// ID-15 (OpenID Connect Core 3.1.3.7, 9): the leeway is a minute, can be none, and never more than five.
#[test]
fn leeway_is_bounded() {
    let expired = |ago: i64| with("exp", json!(NOW - ago));
    assert!(check(policy(), &expired(59)).is_ok());
    assert_eq!(check(policy(), &expired(60)), Err(IdTokenError::Expired));
    assert_eq!(check(policy().leeway(Duration::ZERO), &expired(0)), Err(IdTokenError::Expired));
    let most = policy().leeway(Duration::from_hours(5));
    assert!(check(most.clone(), &expired(299)).is_ok());
    assert_eq!(check(most, &expired(300)), Err(IdTokenError::Expired));
}

/// ID-15, ID-16: times at the ends of what numbers can say are refused, not wrapped around.
#[test]
fn extreme_times_are_refused() {
    assert_eq!(check(policy(), &with("exp", json!(-1e300))), Err(IdTokenError::Expired));
    assert_eq!(check(policy(), &with("exp", json!(i64::MIN))), Err(IdTokenError::Expired));
    assert_eq!(check(policy(), &with("iat", json!(u64::MAX))), Err(IdTokenError::IssuedInFuture));
    assert_eq!(check(policy(), &with("iat", json!(1e300))), Err(IdTokenError::IssuedInFuture));
    assert_eq!(check(policy(), &with("nbf", json!(i64::MAX))), Err(IdTokenError::NotYetValid));
    for name in ["exp", "iat", "nbf", "auth_time"] {
        assert_eq!(check(policy(), &with(name, json!("1800000000"))), Err(IdTokenError::Claim(name)));
    }
    assert!(check(policy().max_age(Duration::MAX), &claims()).is_ok());
}

/// ID-01 (OpenID Connect Core 2): what a validated token says.
#[test]
fn validated_claims_can_be_read() {
    let mut all = with("auth_time", json!(NOW - 5));
    (all["aud"], all["azp"], all["x"]) = (json!(["my-app", "other"]), json!("my-app"), json!(1));
    let id_token = check(policy().trusted_audience("other"), &all).unwrap();
    assert_eq!((id_token.issuer(), id_token.subject()), ("https://ehr.example", "u1"));
    assert_eq!(id_token.audience(), ["my-app", "other"]);
    assert_eq!(id_token.authorized_party(), Some("my-app"));
    assert_eq!(id_token.expires_at().as_unix_seconds(), NOW + 300);
    assert_eq!(id_token.issued_at().as_unix_seconds(), NOW);
    assert_eq!(id_token.authenticated_at().unwrap().as_unix_seconds(), NOW - 5);
    assert_eq!((id_token.nonce(), &id_token.claims()["x"]), (None, &json!(1)));
    let shown = format!("{id_token:?} {:?}", id_token.original_login());
    assert!(!shown.contains("u1"));
}

/// ID-01, F-65 (I@201): the claims of a token that was not validated are only to be had under a name that says so.
#[test]
fn unverified_claims_have_a_name_that_says_so() {
    let forged = RawIdToken::new(format!("{}AAAA", token(&claims()).expose_secret()));
    let looked = UnverifiedIdToken::decode(&forged).unwrap();
    assert_eq!(looked.unverified_claims()["sub"], "u1");
    assert_eq!(looked.unverified_header()["alg"], "ES384");
    assert!(!format!("{looked:?}").contains("u1"));
    assert!(UnverifiedIdToken::decode(&RawIdToken::new("a.b.c.d.e")).is_err());
    assert!(policy().build().validate(&forged, &keys(), now(), None).is_err());
}

fn login() -> IdToken {
    let mut all = with("auth_time", json!(NOW - 100));
    (all["nonce"], all["iat"]) = (json!("n1"), json!(NOW - 50));
    check(policy().nonce(Nonce::new("n1")), &all).unwrap()
}

fn renewed(claims: &Value) -> Result<IdToken, IdTokenError> {
    let validator = policy().nonce(Nonce::new("n1")).trusted_audience("other").build();
    validator.validate_refreshed(&login(), &token(claims), &keys(), now(), None)
}

/// RF-13 (OpenID Connect Core 12.2): a renewal's token needs no nonce, and may say the time of login again or not.
#[test]
fn renewed_token_passes() {
    assert!(renewed(&claims()).is_ok());
    assert!(renewed(&with("auth_time", json!(NOW - 100))).is_ok());
    assert!(renewed(&with("nonce", json!("n1"))).is_ok());
    assert!(renewed(&with("iat", json!(NOW - 50))).is_ok());
}

/// RF-13 (OpenID Connect Core 12.2): another person, another login, or an older token ends the session.
#[test]
fn renewed_token_of_another_login_is_refused() {
    for (name, value) in [
        ("sub", json!("u2")),
        ("auth_time", json!(NOW - 99)),
        ("nonce", json!("n2")),
        ("iat", json!(NOW - 51)),
        ("azp", json!("my-app")),
    ] {
        assert_eq!(renewed(&with(name, value)), Err(IdTokenError::Renewal(name)), "{name}");
    }
    assert_eq!(renewed(&with("iss", json!("https://evil.example"))).unwrap_err().code(), "issuer");
    assert_eq!(renewed(&with("aud", json!("other"))), Err(IdTokenError::Audience));
    assert_eq!(renewed(&with("exp", json!(NOW - 100))), Err(IdTokenError::Expired));
}

/// RF-13: every audience of the login stays, and its issuer too where several are accepted.
#[test]
fn renewed_token_keeps_issuer_and_audience() {
    let both = OriginalLogin { audience: vec!["my-app".into(), "other".into()], ..login().original_login() };
    let elsewhere = OriginalLogin { issuer: "https://ehr.example/".into(), ..login().original_login() };
    let validator = policy().dangerous_ignore_trailing_slash_of_issuer().build();
    for (login, claim) in [(both, "aud"), (elsewhere, "iss")] {
        let refused = validator.validate_refreshed_after(&login, &token(&claims()), &keys(), now(), None);
        assert_eq!(refused, Err(IdTokenError::Renewal(claim)));
    }
}

/// ID-20 (OpenID Connect Core 3.1.3.8): at_hash follows the algorithm, and is checked on renewal too.
#[test]
fn at_hash_follows_the_algorithm() {
    use base64::Engine as _;
    let access = AccessToken::new("access");
    let half = |algorithm: &'static ring::digest::Algorithm| {
        let digest = ring::digest::digest(algorithm, b"access");
        let half = &digest.as_ref()[..digest.as_ref().len() / 2];
        json!(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(half))
    };
    let validator = policy().build();
    let check = |value| validator.validate(&token(&with("at_hash", value)), &keys(), now(), Some(&access));
    assert!(check(half(&ring::digest::SHA384)).is_ok());
    assert_eq!(check(half(&ring::digest::SHA256)), Err(IdTokenError::AccessTokenHash));
    let wrong = token(&with("at_hash", half(&ring::digest::SHA256)));
    let refused = validator.validate_refreshed(&login(), &wrong, &keys(), now(), Some(&access));
    assert_eq!(refused, Err(IdTokenError::AccessTokenHash));
}

/// F-60 (OpenID Connect Core 3.3.2.11): c_hash, where present, is the left half of the code's digest.
#[test]
fn c_hash_is_checked_where_present() {
    // The RS256 example of OpenID Connect Core, appendix A.4: code and hash are facts of the specification.
    let code = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk";
    let check = |code: &str, hash: Value| {
        let rs256 = RawIdToken::new(sign_jwt(&RSA, "JWT", &object(with("c_hash", hash))).unwrap());
        policy().code(AuthorizationCode::new(code)).build().validate(&rs256, &keys(), now(), None)
    };
    assert!(check(code, json!("LDktKdoQak3Pk0cnXxCltA")).is_ok());
    assert_eq!(check("other", json!("LDktKdoQak3Pk0cnXxCltA")), Err(IdTokenError::CodeHash));
    assert_eq!(check(code, json!(7)), Err(IdTokenError::Claim("c_hash")));
    assert!(check(code, json!(null)).is_ok());
}

/// ID-16 (OpenID Connect Core 3.1.3.7, 12 and 13): when and how the person authenticated, where that was asked for.
#[test]
fn authentication_is_checked_where_that_was_asked_for() {
    let recent = || policy().max_authentication_age(Duration::from_mins(10));
    assert_eq!(check(recent(), &claims()), Err(IdTokenError::Claim("auth_time")));
    for (ago, good) in [(0, true), (600, true), (660, true), (661, false), (-60, true), (-61, false)] {
        let verdict = check(recent(), &with("auth_time", json!(NOW - ago)));
        assert_eq!(verdict.err(), (!good).then_some(IdTokenError::AuthenticationTime), "{ago}");
    }
    let strong = || policy().authentication_context("urn:example:strong").authentication_context("phr");
    assert_eq!(check(strong(), &claims()), Err(IdTokenError::Claim("acr")));
    assert!(check(strong(), &with("acr", json!("phr"))).is_ok());
    assert_eq!(check(strong(), &with("acr", json!("0"))), Err(IdTokenError::AuthenticationContext));
    assert!(check(policy(), &with("acr", json!("0"))).is_ok());
}

/// ID-12, D-26 (OpenID Connect Core 10.1): an issuer with one key and no key ids changes its key: the tokens that it signs
/// from then on make the keys be fetched again, and a second failure is final.
#[test]
fn changed_key_without_id_causes_a_fetch() {
    let nameless = |key: &smart_jwt::SigningKey| {
        let mut jwk = key.public_jwk().to_json();
        jwk.as_object_mut().unwrap().remove("kid");
        Jwks::parse(json!({"keys": [jwk]}).to_string().as_bytes()).unwrap()
    };
    let token = RawIdToken::new(support::forge(&json!({"alg": "ES384"}), &claims(), &EC));
    let other = smart_jwt::SigningKey::generate(smart_jwt::KeyKind::EcP384).unwrap();
    for stale in [nameless(&other), nameless(&RSA), Jwks::default()] {
        let refused = policy().build().validate(&token, &stale, now(), None).unwrap_err();
        assert_eq!(refused, IdTokenError::Jws(JwsError::NoKeyVerifies));
        assert!(refused.needs_refetch());
    }
    assert!(policy().build().validate(&token, &nameless(&EC), now(), None).is_ok());
}

/// ID-02 (RFC 8725 3.11, 3.12): a token that says to be of another kind is no ID token, though all else fits.
#[test]
fn tokens_of_other_kinds_are_refused() {
    let typed = |typ: Value| {
        let token = sign_jwt_with_header(&EC, &object(json!({ "typ": typ })), &object(claims())).unwrap();
        policy().build().validate(&RawIdToken::new(token), &keys(), now(), None)
    };
    for typ in ["at+jwt", "application/at+JWT", "logout+jwt", "secevent+jwt", "client-authentication+jwt", "+jwt"] {
        assert!(matches!(typed(json!(typ)), Err(IdTokenError::Type { .. })), "{typ}");
    }
    for typ in ["JWT", "jwt", "application/jwt", "JOSE", ""] {
        assert!(typed(json!(typ)).is_ok(), "{typ}");
    }
    assert_eq!(typed(json!(7)), Err(IdTokenError::Jws(JwsError::Header("typ"))));
}

/// ID-01, F-63 (OpenID Connect Core 3.1.3.7): each failed check has a code of its own, and no message shows a claim.
#[test]
fn each_check_has_its_own_code() {
    let errors = [
        IdTokenError::Claim("iss"),
        IdTokenError::Claim("sub"),
        IdTokenError::Claim("aud"),
        IdTokenError::Claim("exp"),
        IdTokenError::Claim("iat"),
        IdTokenError::Claim("nbf"),
        IdTokenError::Claim("auth_time"),
        IdTokenError::Claim("nonce"),
        IdTokenError::Claim("at_hash"),
        IdTokenError::Claim("c_hash"),
        IdTokenError::Claim("acr"),
        IdTokenError::Type { got: "at+jwt".into() },
        IdTokenError::CodeHash,
        IdTokenError::AuthenticationTime,
        IdTokenError::AuthenticationContext,
        IdTokenError::Jws(JwsError::NoKeyVerifies),
        IdTokenError::Issuer { got: "a".into(), expected: "b".into() },
        IdTokenError::Audience,
        IdTokenError::UntrustedAudience,
        IdTokenError::AuthorizedPartyMissing,
        IdTokenError::AuthorizedParty,
        IdTokenError::Expired,
        IdTokenError::IssuedInFuture,
        IdTokenError::TooOld,
        IdTokenError::NotYetValid,
        IdTokenError::NonceMissing,
        IdTokenError::Nonce,
        IdTokenError::AccessTokenHash,
        IdTokenError::Renewal("sub"),
        IdTokenError::Jws(JwsError::Encrypted),
        IdTokenError::Jws(JwsError::Critical),
        IdTokenError::Jws(JwsError::UnknownKey),
        IdTokenError::Jws(JwsError::AmbiguousKey(2)),
        IdTokenError::Jws(JwsError::Signature),
        IdTokenError::Jws(JwsError::AlgorithmNotAllowed(SigningAlgorithm::Rs512)),
        IdTokenError::Jws(JwsError::Parts { parts: 2 }),
        IdTokenError::Jws(JwsError::Header("kid")),
        IdTokenError::Jws(JwsError::Base64 { part: "header" }),
    ];
    let codes: HashSet<&str> = errors.iter().map(IdTokenError::code).collect();
    assert_eq!(codes.len(), errors.len());
    assert!(codes.iter().all(|code| code.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')));
}

/// ID-12: what may change by itself, and for what the keys are fetched again.
#[test]
fn errors_say_what_may_help() {
    let unknown = IdTokenError::Jws(JwsError::UnknownKey);
    assert!(unknown.needs_refetch() && unknown.is_retryable());
    assert!(IdTokenError::Jws(JwsError::NoKeyVerifies).needs_refetch());
    for error in [IdTokenError::IssuedInFuture, IdTokenError::NotYetValid] {
        assert!(error.is_retryable() && !error.needs_refetch());
        assert!(Error::from(error).is_retryable());
    }
    for error in [IdTokenError::Expired, IdTokenError::Nonce, IdTokenError::Jws(JwsError::Signature)] {
        assert!(!error.is_retryable() && !error.needs_refetch());
    }
}

/// ID-23 (STU1 identity): `profile` stands in for `fhirUser` only when it names a user.
#[test]
fn profile_stands_in_only_when_it_names_a_user() {
    for (profile, user) in [
        ("https://ehr.example/fhir/Practitioner/7", true),
        ("PractitionerRole/7", true),
        ("RelatedPerson/7", true),
        ("Person/7", true),
        ("Observation/7", false),
        ("Patient/", false),
        ("Patient", false),
        ("", false),
    ] {
        let id_token = check(policy(), &with("profile", json!(profile))).unwrap();
        assert_eq!(id_token.fhir_user(), user.then_some(profile), "{profile}");
    }
    let mut both = with("profile", json!("Patient/1"));
    both["fhirUser"] = json!("Practitioner/2");
    assert_eq!(check(policy(), &both).unwrap().fhir_user(), Some("Practitioner/2"));
}

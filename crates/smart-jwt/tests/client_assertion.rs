//! Client assertions: what is in them, who signs them, and what a server refuses.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

mod support;

use serde_json::{Map, Value, json};
use smart_core::client_id::ClientId;
use smart_core::random::RandomError;
use smart_core::secret::ClientAssertion;
use smart_core::time::Timestamp;
use smart_jwt::{
    AssertionRefused, AssertionVerifier, ClientAssertionBuilder, ClientAssertionError, Error, Jwk, Jwks, JwsError,
    SignatureFuture, Signer, SignerError, SigningAlgorithm, SigningKey, VerifiedAssertion, check_signer,
    choose_assertion_algorithm, raw_ecdsa_signature, sign_jwt, sign_jwt_with_header, unverified_client_id,
};
use std::collections::HashSet;
use std::time::Duration;
use support::{Broken, Counting, EC, NOW, RSA, RSA_PEM, block_on, decoded, now, object};

const ENDPOINT: &str = "https://ehr.example/auth/token";

fn client() -> ClientId {
    ClientId::new("svc")
}

fn builder() -> ClientAssertionBuilder {
    ClientAssertionBuilder::new(client(), ENDPOINT)
}

fn signed_by(signer: &dyn Signer) -> ClientAssertion {
    block_on(builder().sign(signer, now(), &Counting::default())).unwrap()
}

fn published(key: &SigningKey) -> Jwks {
    Jwks::from_keys(vec![key.public_jwk().clone()]).unwrap()
}

fn verify_at(assertion: &str, at: i64) -> Result<VerifiedAssertion, AssertionRefused> {
    let at = Timestamp::from_unix_seconds(at);
    AssertionVerifier::new(ENDPOINT).verify(&ClientAssertion::new(assertion), &client(), &published(&EC), at)
}

/// CA-01, CA-10, F-32 (SMART, client authentication: asymmetric): RS384 and ES384 assertions pass a server's checks.
#[test]
fn rs384_and_es384_assertions_verify() {
    let rsa = SigningKey::from_pem(RSA_PEM).unwrap();
    for (key, algorithm, octets) in [(&rsa, SigningAlgorithm::Rs384, 256), (&*EC, SigningAlgorithm::Es384, 96)] {
        let assertion = signed_by(key);
        let verified = AssertionVerifier::new(ENDPOINT).verify(&assertion, &client(), &published(key), now()).unwrap();
        assert_eq!((verified.algorithm, verified.client_id), (algorithm, client()));
        let signature = assertion.expose_secret().rsplit_once('.').unwrap().1;
        assert_eq!(signature.len(), (octets * 4_usize).div_ceil(3));
    }
}

/// CA-02, CA-03 (SMART, header table): alg, kid and typ, and no jku unless it is asked for.
#[test]
fn header_has_alg_kid_and_typ() {
    let assertion = signed_by(&*EC);
    let expected = json!({"alg": "ES384", "kid": EC.key_id(), "typ": "JWT"});
    assert_eq!(decoded(assertion.expose_secret(), 0), expected);
    let url = "https://app.example/jwks.json";
    let assertion = block_on(builder().with_key_set_url(url).sign(&*EC, now(), &Counting::default())).unwrap();
    assert_eq!(decoded(assertion.expose_secret(), 0)["jku"], url);
}

/// CA-04, CA-05, CA-07, F-33 (SMART, claims table): iss = sub = client, aud the token endpoint, exp in 240 s, jti, iat, no nbf.
#[test]
fn claims_are_those_of_smart() {
    let claims = object(decoded(signed_by(&*EC).expose_secret(), 1));
    let mut names: Vec<&str> = claims.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["aud", "exp", "iat", "iss", "jti", "sub"]);
    assert_eq!(claims["iss"], "svc");
    assert_eq!(claims["sub"], "svc");
    assert_eq!(claims["aud"], ENDPOINT);
    assert_eq!(claims["exp"], NOW + 240);
    assert!(claims["exp"].is_i64());
    assert_eq!(claims["iat"], NOW);
    let plain = block_on(builder().without_issued_at().sign(&*EC, now(), &Counting::default())).unwrap();
    assert!(!object(decoded(plain.expose_secret(), 1)).contains_key("iat"));
}

/// CA-06 (SMART; RFC 7523 3, 7): each assertion has a jti of its own, of 192 random bits.
#[test]
fn each_assertion_has_its_own_jti() {
    let (builder, random) = (builder(), Counting::default());
    let mut seen = HashSet::new();
    for _ in 0..50 {
        let assertion = block_on(builder.sign(&*EC, now(), &random)).unwrap();
        let jti = decoded(assertion.expose_secret(), 1)["jti"].as_str().unwrap().to_owned();
        assert_eq!(jti.len(), 32);
        assert!(seen.insert(jti));
    }
    let refused = block_on(builder.sign(&*EC, now(), &Broken)).unwrap_err();
    assert_eq!(refused, ClientAssertionError::Random(RandomError));
}

/// CA-05, D-13, F-33 (SMART; ambiguity 17): over 300 seconds is refused, and so is nothing at all.
#[test]
fn lifetime_over_five_minutes_is_refused() {
    for seconds in [0, 301, 3600, u64::MAX] {
        let refused = builder().with_lifetime(Duration::from_secs(seconds));
        assert_eq!(refused, Err(ClientAssertionError::Lifetime { seconds }));
    }
    assert!(builder().with_lifetime(Duration::from_millis(300_001)).is_err());
    for seconds in [1, 300] {
        let builder = builder().with_lifetime(Duration::from_secs(seconds)).unwrap();
        let assertion = block_on(builder.sign(&*EC, now(), &Counting::default())).unwrap();
        assert_eq!(decoded(assertion.expose_secret(), 1)["exp"], NOW + i64::try_from(seconds).unwrap());
    }
}

/// CA-05 (ambiguity 17): the default leaves room for a server whose clock is behind; exactly 300 seconds does not.
#[test]
fn default_lifetime_leaves_a_margin() {
    let plain = builder().without_issued_at();
    let usual = block_on(plain.clone().sign(&*EC, now(), &Counting::default())).unwrap();
    assert!(verify_at(usual.expose_secret(), NOW - 60).is_ok());
    let longest = plain.with_lifetime(Duration::from_secs(300)).unwrap();
    let longest = block_on(longest.sign(&*EC, now(), &Counting::default())).unwrap();
    assert!(verify_at(longest.expose_secret(), NOW).is_ok());
    assert_eq!(verify_at(longest.expose_secret(), NOW - 1), Err(AssertionRefused::TooLong));
}

/// CA-18 (RFC 7523 3; ambiguity 18): the audience can be the issuer in place of the token endpoint.
#[test]
fn audience_can_be_overridden() {
    let issuer = "https://ehr.example/auth";
    let assertion = block_on(builder().with_audience(issuer).sign(&*EC, now(), &Counting::default())).unwrap();
    assert_eq!(decoded(assertion.expose_secret(), 1)["aud"], issuer);
    assert_eq!(verify_at(assertion.expose_secret(), NOW), Err(AssertionRefused::Audience));
    let tolerant = AssertionVerifier::new(ENDPOINT).with_audience(issuer);
    assert!(tolerant.verify(&assertion, &client(), &published(&EC), now()).is_ok());
    let empty = block_on(builder().with_audience("").sign(&*EC, now(), &Counting::default()));
    assert_eq!(empty.unwrap_err(), ClientAssertionError::EmptyAudience);
}

/// CA-18, CA-02 (draft-ietf-oauth-rfc7523bis): the newer type is sent when asked for, and a server takes either.
#[test]
fn newer_type_can_be_asked_for() {
    let assertion = block_on(builder().with_explicit_type().sign(&*EC, now(), &Counting::default())).unwrap();
    assert_eq!(decoded(assertion.expose_secret(), 0)["typ"], "client-authentication+jwt");
    assert!(verify_at(assertion.expose_secret(), NOW).is_ok());
    for typ in ["jwt", "application/client-authentication+jwt"] {
        let token = sign_jwt_with_header(&EC, &object(json!({ "typ": typ })), &with("jti", json!("one"))).unwrap();
        assert!(verify_at(&token, NOW).is_ok(), "{typ}");
    }
}

/// CA-11 (RFC 7515 2): no padding anywhere.
#[test]
fn assertion_has_no_padding() {
    for key in [&*EC, &*RSA] {
        let assertion = signed_by(key);
        assert!(assertion.expose_secret().chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)));
        assert_eq!(assertion.expose_secret().matches('.').count(), 2);
    }
}

/// CA-12, CA-20, F-32 (SMART, advertising support): the algorithm is one of the server's and of the client's.
#[test]
fn algorithm_is_chosen_from_both_sides() {
    use SigningAlgorithm::{Es256, Es384, Ps384, Rs384};
    let choose = |listed: Option<&[&str]>, own: &[SigningAlgorithm]| choose_assertion_algorithm(listed, own);
    for (listed, own, chosen) in [
        (Some(&["RS384", "ES384"][..]), &[Es384, Rs384][..], Es384),
        (Some(&["RS384", "ES384"]), &[Rs384, Es384], Rs384),
        (Some(&["RS384"]), &[Es384, Rs384], Rs384),
        (Some(&["PS384", "ES256"]), &[Es384, Es256], Es256),
        (Some(&["EdDSA", "PS384"]), &[Rs384, Ps384], Ps384),
        (None, &[Rs384], Rs384),
        (None, &[Es256, Es384], Es384),
    ] {
        assert_eq!(choose(listed, own), Ok(chosen));
    }
    for (listed, own) in [(Some(&["RS384"][..]), &[Es384][..]), (Some(&[]), &[Es384]), (None, &[Es256]), (None, &[])] {
        let error = choose(listed, own).unwrap_err();
        assert!(matches!(error, ClientAssertionError::NoCommonAlgorithm { .. }));
        assert!(!error.is_retryable());
    }
    let hostile = choose(Some(&["\u{1b}[2J"]), &[Es384]).unwrap_err().to_string();
    assert!(!hostile.contains('\u{1b}'));
}

/// A key that lies elsewhere.
struct Remote {
    answer: Result<Vec<u8>, SignerError>,
    inner: SigningKey,
    right: bool,
}

impl Signer for Remote {
    fn algorithm(&self) -> SigningAlgorithm {
        SigningAlgorithm::Es384
    }

    fn key_id(&self) -> &str {
        self.inner.key_id()
    }

    fn public_jwk(&self) -> &Jwk {
        self.inner.public_jwk()
    }

    fn sign<'a>(&'a self, input: &'a [u8]) -> SignatureFuture<'a> {
        Box::pin(async move { if self.right { Ok(self.inner.sign(input)?) } else { self.answer.clone() } })
    }
}

fn remote(answer: Result<Vec<u8>, SignerError>) -> Remote {
    Remote { answer, inner: SigningKey::from_pem(support::P384_PEM).unwrap(), right: false }
}

/// CA-17 (SMART, protect the private key): a service that keeps the key signs, through the same call.
#[test]
fn key_in_a_service_signs() {
    let signer = Remote { right: true, ..remote(Ok(Vec::new())) };
    let assertion = signed_by(&std::sync::Arc::new(signer));
    assert!(verify_at(assertion.expose_secret(), NOW).is_ok());
}

/// CA-17 (RFC 3279 2.2.3): a service that answers in DER is used with one line more.
#[test]
fn key_in_a_service_that_answers_in_der_signs() {
    let unsigned = builder().prepare(now(), &Counting::default(), SigningAlgorithm::Es384, EC.key_id()).unwrap();
    let raw = EC.sign(unsigned.signing_input()).unwrap();
    let integer = |number: &[u8]| {
        // DER: no zeros in front, but for one where the first bit is set.
        let number: Vec<u8> = number.iter().copied().skip_while(|octet| *octet == 0).collect();
        let sign = if number[0] >= 0x80 { vec![0] } else { Vec::new() };
        [vec![2, u8::try_from(sign.len() + number.len()).unwrap()], sign, number].concat()
    };
    let both = [integer(&raw[..48]), integer(&raw[48..])].concat();
    let der = [vec![0x30, u8::try_from(both.len()).unwrap()], both].concat();
    let signature = raw_ecdsa_signature(SigningAlgorithm::Es384, &der).unwrap();
    assert!(verify_at(unsigned.attach(&signature).unwrap().expose_secret(), NOW).is_ok());
}

/// CA-17: what a signing service answers is told, and whether it may work later; a DER signature is noticed.
#[test]
fn failing_service_is_told() {
    let sign = |signer: &Remote| block_on(builder().sign(signer, now(), &Counting::default())).unwrap_err();
    let busy = sign(&remote(Err(SignerError::Unavailable { reason: "busy".into() })));
    assert!(busy.is_retryable() && Error::from(busy).is_retryable());
    let refused = sign(&remote(Err(SignerError::Refused { reason: "no such key".into() })));
    assert!(!refused.is_retryable() && refused.to_string().contains("no such key"));
    let der = sign(&remote(Ok(vec![0x30; 103])));
    let expected = ClientAssertionError::SignatureLength { algorithm: SigningAlgorithm::Es384, expected: 96, got: 103 };
    assert_eq!(der, expected);
}

/// CA-17: one trial at the start shows that a service's key and public key belong together.
#[test]
fn wrong_service_is_found_out_at_the_start() {
    assert_eq!(block_on(check_signer(&*EC)), Ok(()));
    assert_eq!(block_on(check_signer(&remote(Ok(vec![1; 96])))), Err(SignerError::WrongSignature));
    let busy = SignerError::Unavailable { reason: "busy".into() };
    assert_eq!(block_on(check_signer(&remote(Err(busy.clone())))), Err(busy));
}

/// CA-17: an assertion can be prepared here and signed elsewhere, without a future.
#[test]
fn assertion_is_prepared_and_signed_apart() {
    let unsigned = builder().prepare(now(), &Counting::default(), SigningAlgorithm::Es384, EC.key_id()).unwrap();
    assert!(!format!("{unsigned:?}").contains("svc"));
    let signature = EC.sign(unsigned.signing_input()).unwrap();
    assert!(verify_at(unsigned.attach(&signature).unwrap().expose_secret(), NOW).is_ok());
    let rsa = || builder().prepare(now(), &Counting::default(), SigningAlgorithm::Rs384, "k").unwrap();
    assert!(rsa().attach(&[0; 128]).is_err());
    assert!(rsa().attach(&[0; 384]).is_ok());
    let nameless = builder().prepare(now(), &Counting::default(), SigningAlgorithm::Rs384, "");
    assert_eq!(nameless.unwrap_err(), ClientAssertionError::EmptyKeyId);
}

/// The claims of an assertion with one changed; `null` leaves it out.
fn with(name: &str, value: Value) -> Map<String, Value> {
    let mut claims =
        object(json!({"iss": "svc", "sub": "svc", "aud": ENDPOINT, "exp": NOW + 240, "iat": NOW, "jti": "one"}));
    if value.is_null() {
        claims.remove(name)
    } else {
        claims.insert(name.to_owned(), value)
    };
    claims
}

/// CA-04, CA-05, CA-06 (SMART, signature verification; RFC 7523 3): what a server refuses, check by check.
#[test]
fn server_refuses_wrong_assertions() {
    let check = |name: &str, value: Value| verify_at(&sign_jwt(&EC, "JWT", &with(name, value)).unwrap(), NOW);
    assert_eq!(check("aud", json!(["https://other.example", ENDPOINT])).unwrap().jti, "one");
    for (name, value, refusal) in [
        ("iss", json!("other"), AssertionRefused::Client("iss")),
        ("sub", json!("other"), AssertionRefused::Client("sub")),
        ("iss", json!(null), AssertionRefused::Claim("iss")),
        ("aud", json!("https://ehr.example/auth/token/"), AssertionRefused::Audience),
        ("aud", json!([]), AssertionRefused::Audience),
        ("aud", json!(null), AssertionRefused::Claim("aud")),
        ("exp", json!(NOW), AssertionRefused::Expired),
        ("exp", json!(NOW + 301), AssertionRefused::TooLong),
        ("exp", json!("soon"), AssertionRefused::Claim("exp")),
        ("exp", json!(null), AssertionRefused::Claim("exp")),
        ("exp", json!(1e300), AssertionRefused::TooLong),
        ("iat", json!(NOW + 1), AssertionRefused::NotYetValid("iat")),
        ("nbf", json!(NOW + 1), AssertionRefused::NotYetValid("nbf")),
        ("jti", json!(""), AssertionRefused::Claim("jti")),
        ("jti", json!(7), AssertionRefused::Claim("jti")),
        ("jti", json!(null), AssertionRefused::Claim("jti")),
        ("jti", json!("x".repeat(256)), AssertionRefused::Claim("jti")),
    ] {
        assert_eq!(check(name, value.clone()), Err(refusal.clone()), "{name} {value}");
        assert!(!refusal.code().is_empty());
    }
}

/// CA-02, CA-14, CA-01 (SMART, signature verification): header and key are checked before the claims.
#[test]
fn server_refuses_wrong_headers_and_keys() {
    let claims = with("jti", json!("one"));
    let token = |header: Value| sign_jwt_with_header(&EC, &object(header), &claims).unwrap();
    assert_eq!(verify_at(&token(json!({})), NOW), Err(AssertionRefused::Type));
    assert_eq!(verify_at(&token(json!({"typ": "at+jwt"})), NOW), Err(AssertionRefused::Type));
    let nameless = support::forge(&json!({"alg": "ES384", "typ": "JWT"}), &Value::Object(claims.clone()), &EC);
    assert_eq!(verify_at(&nameless, NOW), Err(AssertionRefused::Jws(JwsError::Header("kid"))));
    let rs256 = sign_jwt(&RSA, "JWT", &claims).unwrap();
    let refused = verify_at(&rs256, NOW);
    assert_eq!(refused, Err(AssertionRefused::Jws(JwsError::AlgorithmNotAllowed(SigningAlgorithm::Rs256))));
    let allowing = AssertionVerifier::new(ENDPOINT).with_algorithms(&[SigningAlgorithm::Rs256]);
    assert!(allowing.verify(&ClientAssertion::new(rs256), &client(), &published(&RSA), now()).is_ok());
}

/// CA-06: how long a server has to remember a jti, and how a leeway changes it.
#[test]
fn jti_is_remembered_until_the_assertion_expires() {
    let token = ClientAssertion::new(sign_jwt(&EC, "JWT", &with("exp", json!(NOW + 310))).unwrap());
    let server = AssertionVerifier::new(ENDPOINT).with_leeway(Duration::from_secs(10));
    let verified = server.verify(&token, &client(), &published(&EC), now()).unwrap();
    assert_eq!(verified.remember_until.as_unix_seconds(), NOW + 320);
    let late = Timestamp::from_unix_seconds(NOW + 319);
    assert!(server.verify(&token, &client(), &published(&EC), late).is_ok());
    let too_late = verified.remember_until;
    assert_eq!(server.verify(&token, &client(), &published(&EC), too_late), Err(AssertionRefused::Expired));
}

/// CA-04: a server finds the client before it can verify, and may not believe it yet.
#[test]
fn claimed_client_is_found() {
    assert_eq!(unverified_client_id(&signed_by(&*EC)).unwrap(), client());
    assert!(unverified_client_id(&ClientAssertion::new("a.b.c")).is_err());
    let nobody = ClientAssertion::new(sign_jwt(&EC, "JWT", &with("iss", json!(null))).unwrap());
    assert_eq!(unverified_client_id(&nobody), Err(AssertionRefused::Claim("iss")));
}

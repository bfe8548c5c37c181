//! ID tokens and client assertions: how much is around the signature, against the crypto library alone and against
//! jsonwebtoken.

use criterion::Criterion;
use serde_json::json;
use smart_core::client_id::ClientId;
use smart_core::issuer::Issuer;
use smart_core::random::{RandomError, SecureRandom, random_token};
use smart_core::secret::{AccessToken, RawIdToken};
use smart_core::state::Nonce;
use smart_core::time::Timestamp;
use smart_jwt::{ClientAssertionBuilder, IdTokenValidator, Jwks, SigningAlgorithm, SigningKey, sign_jwt};
use smart_tests::side_by_side::SideBySide;
use smart_token_benches::peer::Peer;
use smart_token_benches::raw::{Signer, Verifier};
use smart_token_benches::{BACKEND, P256_PEM, P384_PEM, RSA_PEM};
use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

const ISSUER: &str = "https://login.ehr.example";
const CLIENT: &str = "growth-chart-0042";
const TOKEN_ENDPOINT: &str = "https://login.ehr.example/oauth2/token";

/// ID-token validation is at least this share of the raw check's speed.
const ID_TOKEN_REACH: f64 = 0.9;
/// So is a client assertion of the raw signature's.
const ASSERTION_REACH: f64 = 0.95;

struct System(ring::rand::SystemRandom);

impl SecureRandom for System {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError> {
        ring::rand::SecureRandom::fill(&self.0, buffer).map_err(|_| RandomError)
    }
}

fn main() -> ExitCode {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let mut rows = SideBySide::new(&format!("tokens, {BACKEND}"));
    for (algorithm, pem) in
        [(SigningAlgorithm::Rs256, RSA_PEM), (SigningAlgorithm::Es256, P256_PEM), (SigningAlgorithm::Es384, P384_PEM)]
    {
        id_token(algorithm, pem, &mut rows, &mut criterion);
    }
    for (algorithm, pem) in [(SigningAlgorithm::Rs384, RSA_PEM), (SigningAlgorithm::Es384, P384_PEM)] {
        assertion(algorithm, pem, &mut rows, &mut criterion);
    }
    criterion.final_summary();
    rows.finish()
}

fn key(algorithm: SigningAlgorithm, pem: &str) -> SigningKey {
    SigningKey::from_pem(pem).expect("a key").with_algorithm(algorithm).expect("its algorithm")
}

/// A token as EHRs issue them, validated with nonce and access token, by keys that were fetched before.
fn id_token(algorithm: SigningAlgorithm, pem: &str, rows: &mut SideBySide, criterion: &mut Criterion) {
    let key = key(algorithm, pem);
    // jsonwebtoken asks the clock.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock").as_secs();
    // As long as that of OpenID Connect Core, appendix A.
    let access_token = AccessToken::new("Vx4o8m1Qf0c2Zb9Jt7Ld5Rk3Ws6Yh_Ae-NgUiPqXr0T");
    let nonce = random_token::<24>(&System(ring::rand::SystemRandom::new())).expect("randomness");
    let mut claims = json!({
        "iss": ISSUER, "sub": "3f0c8a4e-6b1d-4a57-9c1e-0d2b7f6e5a90", "aud": CLIENT, "azp": CLIENT,
        "exp": now + 3600, "iat": now, "auth_time": now - 20, "nonce": nonce,
        "fhirUser": "https://ehr.example/r4/Practitioner/e3b0c442-98fc-1c14-9afb-f4c8996fb924",
    });
    claims["at_hash"] = at_hash(algorithm, &access_token).into();
    let token = sign_jwt(&key, "JWT", claims.as_object().expect("an object")).expect("a token");
    let keys = Jwks::from_keys(vec![other(algorithm), key.public_jwk().clone()]).expect("a set");
    let now = Timestamp::from_unix_seconds(i64::try_from(now).expect("a time"));
    let validator = IdTokenValidator::builder(Issuer::parse(ISSUER).expect("an issuer"), ClientId::new(CLIENT))
        .only_algorithms(&[algorithm])
        .nonce(Nonce::new(nonce))
        .build();

    let raw_token = RawIdToken::new(token.clone());
    let ours = || validator.validate(black_box(&raw_token), &keys, now, Some(&access_token)).expect("a good token");
    let verifier = Verifier::new(algorithm, key.public_jwk());
    let (input, signature) = split(&token);
    let raw = || assert!(verifier.verify(black_box(input.as_bytes()), &signature));
    let peer = Peer::new(algorithm, key.public_jwk(), ISSUER, CLIENT);
    let theirs = || peer.validate(black_box(&token));

    criterion.bench_function(&format!("ID token/{algorithm}/{BACKEND}"), |bencher| bencher.iter(ours));
    let name = |against: &str| format!("ID token {algorithm} by {against}");
    rows.ratio(&name("the raw signature check"), Some(ID_TOKEN_REACH), || drop(ours()), raw);
    rows.ratio(&name("jsonwebtoken, same library"), None, || drop(ours()), || drop(theirs()));
    let read = || ours().claims().len();
    let all_read = name("the raw signature check, all claims read");
    rows.ratio(&all_read, None, || assert!(black_box(read()) > 0), raw);
    Peer::verify_with_rust_crypto(true);
    rows.ratio(&name("jsonwebtoken, RustCrypto"), None, || drop(ours()), || drop(theirs()));
    Peer::verify_with_rust_crypto(false);
}

/// A second key of the set, under another id.
fn other(algorithm: SigningAlgorithm) -> smart_jwt::Jwk {
    let pem = if algorithm == SigningAlgorithm::Es384 { P256_PEM } else { P384_PEM };
    SigningKey::from_pem(pem).expect("a key").public_jwk().clone()
}

fn at_hash(algorithm: SigningAlgorithm, access_token: &AccessToken) -> String {
    use base64::Engine as _;
    let digest = match algorithm {
        SigningAlgorithm::Es384 => &ring::digest::SHA384,
        _ => &ring::digest::SHA256,
    };
    let digest = ring::digest::digest(digest, access_token.expose_secret().as_bytes());
    let (half, _) = digest.as_ref().split_at(digest.as_ref().len() / 2);
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(half)
}

fn split(token: &str) -> (&str, Vec<u8>) {
    use base64::Engine as _;
    let (input, signature) = token.rsplit_once('.').expect("three parts");
    (input, base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(signature).expect("base64url"))
}

fn assertion(algorithm: SigningAlgorithm, pem: &str, rows: &mut SideBySide, criterion: &mut Criterion) {
    let key = key(algorithm, pem);
    let random = System(ring::rand::SystemRandom::new());
    let now = Timestamp::from_unix_seconds(1_800_000_000);
    let builder = ClientAssertionBuilder::new(ClientId::new(CLIENT), TOKEN_ENDPOINT);
    let ours = || ready(builder.sign(black_box(&key), now, &random)).expect("an assertion");
    let assertion = ours();
    let (input, _) = split(assertion.expose_secret());
    let signer = Signer::new(algorithm, pem);
    let raw = || signer.sign(black_box(input.as_bytes()));

    criterion.bench_function(&format!("client assertion/{algorithm}/{BACKEND}"), |bencher| bencher.iter(ours));
    let name = format!("client assertion {algorithm} by the raw signature");
    rows.ratio(&name, Some(ASSERTION_REACH), || drop(ours()), || drop(raw()));
}

/// What a future that never waits gives.
fn ready<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(output) => output,
        std::task::Poll::Pending => unreachable!("a key in memory does not wait"),
    }
}

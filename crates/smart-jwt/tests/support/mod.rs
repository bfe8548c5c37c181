//! Keys and small helpers that the test files share.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test file uses some of it; a test reports by panicking, its helpers too"
)]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use smart_core::random::{RandomError, SecureRandom};
use smart_core::time::Timestamp;
use smart_jwt::{SigningAlgorithm, SigningKey};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The time of every test.
pub(crate) const NOW: i64 = 1_800_000_000;

pub(crate) const RSA_PEM: &str = include_str!("../data/rsa-2048.pkcs8.pem");
pub(crate) const OTHER_RSA_PEM: &str = include_str!("../data/rsa-2048-other.pkcs8.pem");
pub(crate) const P384_PEM: &str = include_str!("../data/p384.pkcs8.pem");
pub(crate) const P256_PEM: &str = include_str!("../data/p256.pkcs8.pem");

/// RS256.
pub(crate) static RSA: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::from_pem(RSA_PEM).unwrap().with_algorithm(SigningAlgorithm::Rs256).unwrap());
/// ES384.
pub(crate) static EC: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_pem(P384_PEM).unwrap());

pub(crate) fn now() -> Timestamp {
    Timestamp::from_unix_seconds(NOW)
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("no object: {other}"),
    }
}

/// A part of a compact JWS.
pub(crate) fn part(json: &Value) -> String {
    URL_SAFE_NO_PAD.encode(json.to_string())
}

/// What a part of a compact JWS says.
pub(crate) fn decoded(token: &str, at: usize) -> Value {
    let part = token.split('.').nth(at).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// A token with a header of our own making and a right signature over it.
pub(crate) fn forge(header: &Value, claims: &Value, key: &SigningKey) -> String {
    signed(&part(header), &part(claims), key)
}

/// A right signature over any two parts.
pub(crate) fn signed(header: &str, payload: &str, key: &SigningKey) -> String {
    let input = format!("{header}.{payload}");
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(key.sign(input.as_bytes()).unwrap()))
}

/// Runs a future that never waits.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(output) => output,
        std::task::Poll::Pending => panic!("the future waits"),
    }
}

/// Other octets at each call, the same in each run.
#[derive(Default)]
pub(crate) struct Counting(AtomicU64);

impl SecureRandom for Counting {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError> {
        let call = self.0.fetch_add(1, Ordering::Relaxed);
        let digest = ring::digest::digest(&ring::digest::SHA512, &call.to_be_bytes());
        buffer.iter_mut().zip(digest.as_ref().iter().cycle()).for_each(|(octet, from)| *octet = *from);
        Ok(())
    }
}

/// A source that fails.
pub(crate) struct Broken;

impl SecureRandom for Broken {
    fn fill(&self, _: &mut [u8]) -> Result<(), RandomError> {
        Err(RandomError)
    }
}

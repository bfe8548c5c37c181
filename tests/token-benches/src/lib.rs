//! What the benches of tokens share: the keys and the crypto library alone.

pub mod peer;
pub mod raw;

/// The backend that smart-jwt is built with here.
pub const BACKEND: &str = if cfg!(feature = "josekit") { "josekit" } else { "ring" };

/// An RSA key of 2048 bits, for tests only.
pub const RSA_PEM: &str = include_str!("../../../crates/smart-jwt/tests/data/rsa-2048.pkcs8.pem");
/// A key on P-256, for tests only.
pub const P256_PEM: &str = include_str!("../../../crates/smart-jwt/tests/data/p256.pkcs8.pem");
/// A key on P-384, for tests only.
pub const P384_PEM: &str = include_str!("../../../crates/smart-jwt/tests/data/p384.pkcs8.pem");

/// The DER in a PEM file of one block.
///
/// # Panics
/// When it is none: the keys are our own.
pub fn der(pem: &str) -> Vec<u8> {
    use base64::Engine as _;
    let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    base64::engine::general_purpose::STANDARD.decode(text).expect("base64")
}

//! The source of randomness, brought in by the caller.

/// The random source failed. Retrying at once seldom helps: the platform's generator is not usable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the random source gave no bytes")]
pub struct RandomError;

/// A cryptographically secure source of random octets (RFC 6749, section 10.10).
///
/// Production code passes the platform's generator; tests pass a fixed one and get the same messages each time.
pub trait SecureRandom: Send + Sync {
    /// Fills `buffer` with random octets.
    ///
    /// # Errors
    /// [`RandomError`] when the source fails; `buffer` must not be used then.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError>;
}

/// `N` random octets as unpadded base64url: 4/3 characters each, 6 bits of entropy a character.
///
/// # Errors
/// [`RandomError`] when the source fails.
pub fn random_token<const N: usize>(random: &dyn SecureRandom) -> Result<String, RandomError> {
    use base64::Engine as _;
    let mut octets = zeroize::Zeroizing::new([0_u8; N]);
    random.fill(octets.as_mut_slice())?;
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(octets.as_slice()))
}

impl<T: SecureRandom + ?Sized> SecureRandom for std::sync::Arc<T> {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError> {
        (**self).fill(buffer)
    }
}

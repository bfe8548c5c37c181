//! A service that wraps keys.

use super::KeyError;
use crate::record::SecretBytes;
use crate::store::BoxFuture;

/// A key management service: it wraps and unwraps small secrets with a key that never leaves it.
pub trait KeyManagement: Send + Sync + 'static {
    /// Wraps `secret` (less than 1,000 octets).
    ///
    /// # Errors
    /// [`KeyError::Unavailable`] when the service does not answer or refuses.
    fn wrap_key<'a>(&'a self, secret: &'a SecretBytes) -> BoxFuture<'a, Result<Vec<u8>, KeyError>>;

    /// Unwraps what [`wrap_key`](Self::wrap_key) gave.
    ///
    /// # Errors
    /// [`KeyError::Unavailable`] when the service does not answer or refuses, [`KeyError::Damaged`] when it does not
    /// know `wrapped`.
    fn unwrap_key<'a>(&'a self, wrapped: &'a [u8]) -> BoxFuture<'a, Result<SecretBytes, KeyError>>;

    /// What to call the service in errors, such as the name of its key.
    fn place(&self) -> String;
}

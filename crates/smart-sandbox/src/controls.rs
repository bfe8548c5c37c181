//! Turning a running sandbox's knobs, for tests.

use crate::error::SandboxError;
use crate::shared::Life;
use crate::{Sandbox, new_key};

impl Sandbox {
    /// Takes no refresh token any more; access tokens live on until they end.
    pub fn revoke_refresh_tokens(&self) {
        for grant in self.shared.state().grants.values_mut() {
            grant.life = Life::LastTokens;
        }
    }

    /// Whether this refresh token is the last one of its grant: one that was not used yet.
    pub fn is_newest_refresh_token(&self, token: &str) -> bool {
        self.shared.state().refresh_tokens.get(token).is_some_and(|held| !held.used)
    }

    /// Signs ID tokens with a new key from now on, and publishes it in place of the old one.
    ///
    /// # Errors
    /// [`SandboxError::Key`].
    pub fn rotate_key(&self) -> Result<(), SandboxError> {
        self.shared.keys.replace(new_key()?, true);
        Ok(())
    }

    /// Signs ID tokens from now on with a key that is not published.
    ///
    /// # Errors
    /// [`SandboxError::Key`].
    pub fn sign_with_unpublished_key(&self) -> Result<(), SandboxError> {
        self.shared.keys.replace(new_key()?, false);
        Ok(())
    }
}

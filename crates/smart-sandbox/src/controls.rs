//! Turning a running sandbox's knobs, for tests.

use crate::error::SandboxError;
use crate::{Sandbox, new_key};

impl Sandbox {
    /// Revokes all that people agreed to, as when an EHR's session ends or a person takes consent back.
    pub fn revoke_all_grants(&self) {
        for grant in self.shared.state().grants.values_mut() {
            grant.revoked = true;
        }
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

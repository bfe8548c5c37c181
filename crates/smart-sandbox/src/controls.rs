//! Turning a running sandbox's knobs, for tests.

use crate::error::SandboxError;
use crate::{Sandbox, new_key};

impl Sandbox {
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

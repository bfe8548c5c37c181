//! An entry in the keyring that the Linux kernel keeps for a user.
//!
//! Not in a session's keyring, where the crates for it put theirs: a process without a session has one for each of its
//! threads, and a key that goes with a thread takes all records with it.

use keyring_core::Error;
use linux_keyutils::{Key, KeyError, KeyPermissionsBuilder, KeyRing, KeyRingIdentifier, Permission};

pub(super) struct KernelSlot {
    description: String,
}

impl KernelSlot {
    pub(super) fn new(service: &str, account: &str) -> Self {
        // With its length, so that no two pairs give the same.
        Self { description: format!("smart-store:{}:{service}@{account}", service.len()) }
    }

    pub(super) fn get(&self) -> keyring_core::Result<Vec<u8>> {
        self.key()?.read_to_vec().map_err(described)
    }

    pub(super) fn set(&self, secret: &[u8]) -> keyring_core::Result<()> {
        let key = ring()?.add_key(&self.description, secret).map_err(described)?;
        // The user's, in whatever session and thread, and nobody else's.
        let permissions = KeyPermissionsBuilder::builder().posessor(Permission::ALL).user(Permission::ALL).build();
        key.set_perms(permissions).map_err(described)
    }

    pub(super) fn delete(&self) -> keyring_core::Result<()> {
        let key = self.key()?;
        ring()?.unlink_key(key).map_err(described)
    }

    fn key(&self) -> keyring_core::Result<Key> {
        ring()?.search(&self.description).map_err(described)
    }
}

fn ring() -> keyring_core::Result<KeyRing> {
    KeyRing::from_special_id(KeyRingIdentifier::User, true).map_err(described)
}

fn described(error: KeyError) -> Error {
    match error {
        KeyError::KeyDoesNotExist | KeyError::KeyExpired | KeyError::KeyRevoked | KeyError::KeyringDoesNotExist => {
            Error::NoEntry
        }
        KeyError::AccessDenied | KeyError::PermissionDenied | KeyError::QuotaExceeded => {
            Error::NoStorageAccess(Box::new(error))
        }
        other => Error::PlatformFailure(Box::new(other)),
    }
}

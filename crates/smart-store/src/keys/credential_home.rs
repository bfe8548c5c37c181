//! Where the platform keeps credentials.

#[cfg(target_os = "linux")]
use super::kernel_slot::KernelSlot;
use keyring_core::{CredentialStore, Entry, Error};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// One of the places that there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    /// The platform's own.
    Platform,
    /// The keyrings of the Linux kernel.
    #[cfg(target_os = "linux")]
    Kernel,
}

/// The platform's store, once it has been reached. One that answers no more is forgotten.
static PLATFORM: Mutex<Option<Arc<CredentialStore>>> = Mutex::new(None);

/// An entry of a service and account. It need not be there yet.
pub(super) enum Slot {
    Entry(Entry),
    #[cfg(target_os = "linux")]
    Kernel(KernelSlot),
}

impl Slot {
    pub(super) fn get(&self) -> keyring_core::Result<Vec<u8>> {
        match self {
            Self::Entry(entry) => entry.get_secret(),
            #[cfg(target_os = "linux")]
            Self::Kernel(slot) => slot.get(),
        }
    }

    pub(super) fn set(&self, secret: &[u8]) -> keyring_core::Result<()> {
        match self {
            Self::Entry(entry) => entry.set_secret(secret),
            #[cfg(target_os = "linux")]
            Self::Kernel(slot) => slot.set(secret),
        }
    }

    pub(super) fn delete(&self) -> keyring_core::Result<()> {
        match self {
            Self::Entry(entry) => entry.delete_credential(),
            #[cfg(target_os = "linux")]
            Self::Kernel(slot) => slot.delete(),
        }
    }
}

impl Home {
    pub(super) fn slot(self, service: &str, account: &str) -> keyring_core::Result<Slot> {
        match self {
            Self::Platform => {
                // Windows would let the entry roam to other machines, where the records are not.
                let modifiers = cfg!(windows).then(|| HashMap::from([("persistence", "Local")]));
                reached()?.build(service, account, modifiers.as_ref()).map(Slot::Entry)
            }
            #[cfg(target_os = "linux")]
            Self::Kernel => Ok(Slot::Kernel(KernelSlot::new(service, account))),
        }
    }

    /// To be told of an error of an entry's: a message bus that has gone is looked for again the next time.
    pub(super) fn note(self, error: &Error) {
        if self == Self::Platform && matches!(error, Error::PlatformFailure(_)) {
            *PLATFORM.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    /// What to call it in errors.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Platform => "the credential store",
            #[cfg(target_os = "linux")]
            Self::Kernel => "the kernel's keyring",
        }
    }
}

fn reached() -> keyring_core::Result<Arc<CredentialStore>> {
    let mut platform = PLATFORM.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(store) = &*platform {
        return Ok(store.clone());
    }
    let store = reach()?;
    *platform = Some(store.clone());
    Ok(store)
}

#[cfg(target_os = "macos")]
fn reach() -> keyring_core::Result<Arc<CredentialStore>> {
    let store = apple_native_keyring_store::keychain::Store::new()?;
    Ok(store)
}

#[cfg(target_os = "ios")]
fn reach() -> keyring_core::Result<Arc<CredentialStore>> {
    let store = apple_native_keyring_store::protected::Store::new()?;
    Ok(store)
}

#[cfg(target_os = "android")]
fn reach() -> keyring_core::Result<Arc<CredentialStore>> {
    let store = android_native_keyring_store::Store::new()?;
    Ok(store)
}

#[cfg(windows)]
fn reach() -> keyring_core::Result<Arc<CredentialStore>> {
    let store = windows_native_keyring_store::Store::new()?;
    Ok(store)
}

#[cfg(all(unix, not(any(target_vendor = "apple", target_os = "android"))))]
fn reach() -> keyring_core::Result<Arc<CredentialStore>> {
    let store = zbus_secret_service_keyring_store::Store::new()?;
    Ok(store)
}

#[cfg(not(any(windows, target_os = "macos", target_os = "ios", all(unix, not(target_vendor = "apple")))))]
fn reach() -> keyring_core::Result<Arc<CredentialStore>> {
    Err(Error::NoDefaultStore)
}

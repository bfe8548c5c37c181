//! Keys in the platform's credential store.

use super::credential_home::{Home, Slot};
use super::{KeyError, KeyRing, KeySource};
use crate::blocking::{Stopped, blocking};
use crate::store::BoxFuture;
use keyring_core::Error;
use std::time::Duration;
use zeroize::Zeroizing;

/// The store may ask the user for the login password meanwhile.
const PATIENCE: Duration = Duration::from_secs(120);

/// Data keys in the credential store of the platform:
///
/// | platform | store |
/// | --- | --- |
/// | macOS | the login keychain |
/// | iOS | the keychain (protected data) |
/// | Windows | Credential Manager, on this machine alone |
/// | Android | preferences sealed by the Android Keystore; the application sets up `ndk-context` first |
/// | Linux and other Unix | Secret Service over D-Bus: GNOME Keyring, KWallet, KeePassXC |
/// | Linux, [when asked for](Self::in_kernel) | the kernel's keyring of the user (keyutils) |
///
/// The entry is less than 1,000 octets, which all of them take. The records themselves lie in files. On Linux, a machine
/// without a desktop session has no Secret Service: take a [`Passphrase`](crate::Passphrase) or a
/// [`KeyFile`](crate::KeyFile) there. One store is never taken in the place of another.
#[derive(Debug, Clone)]
pub struct CredentialStore {
    home: Home,
    service: String,
    account: String,
}

impl CredentialStore {
    /// The entry of this service (commonly the application's name) and account in the platform's store.
    pub fn new(service: impl Into<String>, account: impl Into<String>) -> Self {
        Self { home: Home::Platform, service: service.into(), account: account.into() }
    }

    /// The entry in the keyring that the Linux kernel keeps for this user, which needs no desktop session.
    ///
    /// The kernel forgets it at the latest when the machine starts anew, and perhaps when the user's last process has ended
    /// (see user-keyring(7)). What it seals is lost then, so that everybody has to log in again: it is for sessions that may
    /// end with the machine. There is none where the kernel or a container forbids it.
    #[cfg(target_os = "linux")]
    pub fn in_kernel(service: impl Into<String>, account: impl Into<String>) -> Self {
        Self { home: Home::Kernel, service: service.into(), account: account.into() }
    }

    /// Removes the entry, and with it every way to read what its keys seal. Gives whether there was one.
    ///
    /// # Errors
    /// [`KeyError::Unavailable`].
    pub async fn forget(&self) -> Result<bool, KeyError> {
        self.with_slot(|slot| match slot.delete() {
            Ok(()) => Ok(true),
            Err(Error::NoEntry) => Ok(false),
            Err(error) => Err(error),
        })
        .await
    }

    async fn with_slot<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Slot) -> keyring_core::Result<T> + Send + 'static,
    ) -> Result<T, KeyError> {
        let (home, service, account) = (self.home, self.service.clone(), self.account.clone());
        let unavailable = |reason: String, retryable| KeyError::Unavailable { place: self.place(), reason, retryable };
        let call = blocking(move || {
            home.slot(&service, &account).and_then(|slot| work(&slot)).map_err(|error| {
                home.note(&error);
                (describe(&error), matches!(error, Error::NoStorageAccess(_)))
            })
        });
        tokio::time::timeout(PATIENCE, call)
            .await
            .unwrap_or_else(|_| Ok(Err(("it waited two minutes for the user to unlock it".to_owned(), true))))
            .unwrap_or_else(|Stopped| Err((Stopped::REASON.to_owned(), false)))
            .map_err(|(reason, retryable)| unavailable(reason, retryable))
    }
}

/// Some of the library's errors carry the stored octets: only those without are shown as they are.
fn describe(error: &Error) -> String {
    match error {
        Error::NoStorageAccess(cause) => format!("it is locked or refuses: {cause}; unlock it and try again"),
        Error::PlatformFailure(cause) => {
            format!("it does not answer: {cause}; start it, or choose another source of the data key")
        }
        Error::Ambiguous(_) => "it has several entries of this name; remove all but one".to_owned(),
        Error::TooLong(what, limit) => format!("it takes no {what} over {limit} octets"),
        Error::NoDefaultStore => "this machine has none; choose another source of the data key".to_owned(),
        Error::Invalid(what, why) => format!("it refuses the {what}: {why}"),
        _ => "it gave an entry of another form".to_owned(),
    }
}

impl KeySource for CredentialStore {
    fn load(&self) -> BoxFuture<'_, Result<Option<KeyRing>, KeyError>> {
        Box::pin(async {
            let text = self
                .with_slot(|slot| match slot.get() {
                    Ok(text) => Ok(Some(Zeroizing::new(text))),
                    Err(Error::NoEntry) => Ok(None),
                    Err(error) => Err(error),
                })
                .await?;
            text.map(|text| KeyRing::from_secret_text(&text, &self.place())).transpose()
        })
    }

    fn save<'a>(&'a self, keys: &'a KeyRing) -> BoxFuture<'a, Result<(), KeyError>> {
        let text = keys.secret_text();
        Box::pin(self.with_slot(move |slot| slot.set(text.as_bytes())))
    }

    fn place(&self) -> String {
        format!("{} (service `{}`, account `{}`)", self.home.name(), self.service, self.account)
    }
}

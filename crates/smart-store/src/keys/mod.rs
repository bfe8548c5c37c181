//! Data keys, and where they come from.

mod error;

#[cfg(feature = "keyring")]
mod credential_home;
#[cfg(feature = "keyring")]
mod credential_store;
#[cfg(feature = "seal")]
mod data_key;
#[cfg(all(feature = "keyring", target_os = "linux"))]
mod kernel_slot;
#[cfg(feature = "file")]
mod key_file;
#[cfg(feature = "seal")]
mod kms;
#[cfg(feature = "file")]
mod passphrase;
#[cfg(feature = "file")]
mod private_file;
#[cfg(feature = "seal")]
mod raw;
#[cfg(feature = "seal")]
mod ring;
#[cfg(feature = "seal")]
mod source;
#[cfg(feature = "file")]
mod wrapped;

pub use error::KeyError;

#[cfg(feature = "keyring")]
pub use credential_store::CredentialStore;
#[cfg(feature = "seal")]
pub use data_key::{DataKey, DataKeyId};
#[cfg(feature = "file")]
pub use key_file::KeyFile;
#[cfg(feature = "seal")]
pub use kms::KeyManagement;
#[cfg(feature = "file")]
pub use passphrase::{Passphrase, PassphraseCost};
#[cfg(feature = "seal")]
pub use raw::RawKey;
#[cfg(feature = "seal")]
pub use ring::KeyRing;
#[cfg(feature = "seal")]
pub use source::KeySource;
#[cfg(feature = "file")]
pub use wrapped::WrappedKeys;

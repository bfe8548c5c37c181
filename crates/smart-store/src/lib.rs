//! Storage of SMART sessions: one small trait, its backends, and the contract suite that every backend passes.
//!
//! A [`Store`] keeps sealed or short-lived records under a [`Key`]. Writes compare and swap on a [`Version`], so that
//! two holders of one rotating refresh token cannot overwrite each other; a [lease](Store::lease) lets one of many
//! processes do the refresh.
//!
//! | backend | feature | records |
//! | --- | --- | --- |
//! | [`MemoryStore`] | | in this process |
//! | `EncryptedFileStore` | `file` (default) | in sealed files, for all processes of one user |
//! | `PostgresStore` | `postgres` | in sealed rows, for a fleet of servers |
//!
//! Data keys of sealed backends come from a `KeySource`: `RawKey`, `KeyFile`, `Passphrase` (Argon2id), `WrappedKeys` (a
//! key management service), and with the feature `keyring` the platform's `CredentialStore`. Which of these is compiled
//! and run on which platform stands in the chapter on storage of the book.
//!
//! ```
//! use smart_store::{Expected, Key, Kind, MemoryStore, SecretBytes, Store};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), smart_store::StoreError> {
//! let store = MemoryStore::new();
//! let key = Key::new(Kind::Session, "https://ehr.example/r4", "dr-lee", "session-1");
//! let version = store.put(&key, SecretBytes::new(b"one".to_vec()), Expected::Absent).await?;
//! store.put(&key, SecretBytes::new(b"two".to_vec()), Expected::Version(version)).await?;
//! assert!(store.put(&key, SecretBytes::new(b"late".to_vec()), Expected::Version(version)).await.is_err());
//! # Ok(())
//! # }
//! ```

#![cfg_attr(
    not(any(feature = "file", feature = "postgres")),
    allow(dead_code, reason = "the seal alone serves no backend")
)]

#[cfg(feature = "file")]
mod blocking;
mod clock;
mod error;
#[cfg(feature = "file")]
mod file;
#[cfg(feature = "seal")]
mod hex;
#[cfg(any(feature = "file", feature = "postgres"))]
mod keeper;
mod key;
mod keys;
mod lease;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
mod record;
#[cfg(feature = "seal")]
mod seal;
mod store;
#[cfg(any(feature = "file", feature = "postgres"))]
mod stored;
#[cfg(any(feature = "file", feature = "postgres"))]
mod stripes;

#[cfg(feature = "contract")]
pub mod contract;
#[cfg(feature = "contract")]
pub mod testing;

pub use error::StoreError;
#[cfg(feature = "file")]
pub use file::{EncryptedFileStore, StoreHealth, user_data_folder};
#[cfg(any(feature = "file", feature = "postgres"))]
pub use keeper::Resealed;
pub use key::{Filter, Key, Kind};
#[cfg(feature = "keyring")]
pub use keys::CredentialStore;
pub use keys::KeyError;
#[cfg(feature = "seal")]
pub use keys::{DataKey, DataKeyId, KeyManagement, KeyRing, KeySource, RawKey};
#[cfg(feature = "file")]
pub use keys::{KeyFile, Passphrase, PassphraseCost, WrappedKeys};
pub use lease::{Holder, LeaseOutcome};
pub use memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresConfig, PostgresHealth, PostgresStore};
pub use record::{Expected, Record, SecretBytes, Version};
pub use store::{BoxFuture, Store};

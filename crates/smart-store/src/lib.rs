//! Storage of SMART sessions: one small trait, its backends, and the contract suite that every backend passes.
//!
//! A [`Store`] keeps sealed or short-lived records under a [`Key`]. Writes compare and swap on a [`Version`], so that
//! two holders of one rotating refresh token cannot overwrite each other; a [lease](Store::lease) lets one of many
//! processes do the refresh.
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

mod error;
mod key;
mod lease;
mod memory;
mod record;
mod store;

#[cfg(feature = "contract")]
pub mod contract;

pub use error::StoreError;
pub use key::{Filter, Key, Kind};
pub use lease::{Holder, LeaseOutcome};
pub use memory::MemoryStore;
pub use record::{Expected, Record, SecretBytes, Version};
pub use store::{BoxFuture, Store};

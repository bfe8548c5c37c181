//! What can go wrong in a store.

use crate::keys::KeyError;
use smart_core::sanitized::{Sanitize, Sanitized};

/// Why a store did not do what it was asked. No variant holds a record's content.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum StoreError {
    /// The record is another one than the caller has seen: somebody else wrote or removed it. Read it again.
    #[error("the record {key} was changed by somebody else; read it again")]
    Conflict {
        /// The record's key, as it may be shown.
        key: String,
    },
    /// The record is there and cannot be read: damaged, or sealed with another key. Other records are unharmed.
    #[error("the record {key} in {place} cannot be read: {reason}; log in again to replace it")]
    Unreadable {
        /// The record's key, as it may be shown.
        key: String,
        /// The store's place.
        place: String,
        /// Why.
        reason: String,
    },
    /// The record is over the backend's limit. Nothing has changed.
    #[error("the record {key} has {size} octets, over the limit of {limit}; keep less in it")]
    TooLarge {
        /// The record's key, as it may be shown.
        key: String,
        /// Its size in octets.
        size: usize,
        /// The limit in octets.
        limit: usize,
    },
    /// The store is sealed, and its data key cannot be had.
    #[error("the store at {place} cannot be unsealed: {source}")]
    Sealed {
        /// The store's place.
        place: String,
        /// Why.
        source: KeyError,
    },
    /// The store itself cannot be reached or written.
    #[error("the store at {place} failed: {reason}")]
    Unavailable {
        /// The store's place.
        place: String,
        /// Why.
        reason: String,
        /// Whether the same call may work a little later.
        retryable: bool,
    },
}

impl StoreError {
    /// Whether the same call may work a little later. After a conflict, read first.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unavailable { retryable, .. } => *retryable,
            Self::Sealed { source, .. } => source.is_retryable(),
            Self::Conflict { .. } | Self::Unreadable { .. } | Self::TooLarge { .. } => false,
        }
    }

    /// Whether the record is lost, so that the person has to log in again.
    pub fn needs_reauthorization(&self) -> bool {
        matches!(self, Self::Unreadable { .. })
    }
}

impl Sanitize for StoreError {
    fn code(&self) -> String {
        let what: &'static str = self.into();
        format!("store/{what}")
    }

    fn sanitized(&self) -> Sanitized {
        Sanitized::new(self.code(), None, self.is_retryable(), self.needs_reauthorization())
    }
}

//! What can go wrong with a data key.

/// Why a data key cannot be had or kept. No variant holds key material.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The passphrase is another one than the keys were sealed with.
    #[error("the passphrase for {place} is wrong; try again")]
    WrongPassphrase {
        /// Where the sealed keys are.
        place: String,
    },
    /// The key that seals the data is not among the keys that the source has.
    #[error(
        "{place} does not have the data key {wanted} that the records are sealed with; bring that key back, or move \
         the store's folder away and log in again"
    )]
    Missing {
        /// Where keys come from.
        place: String,
        /// The name of the key, as it may be shown.
        wanted: String,
    },
    /// The keys are there and cannot be read.
    #[error("the data keys in {place} cannot be read: {reason}; bring them back from a copy")]
    Damaged {
        /// Where the keys are.
        place: String,
        /// Why.
        reason: String,
    },
    /// Others than the owner may read the keys.
    #[error("{place} may be read by others (mode {mode:o}); make it the owner's alone: chmod 600")]
    NotPrivate {
        /// The file.
        place: String,
        /// Its permission bits.
        mode: u32,
    },
    /// The source holds what it was given and cannot keep a new key.
    #[error("{place} cannot keep a new data key; give it the new key and the older ones, then re-seal")]
    Fixed {
        /// Where keys come from.
        place: String,
    },
    /// An earlier rotation was not finished, again and again.
    #[error("{place} has {count} older data keys in use; finish the rotation (re-seal) before the next")]
    TooManyKeys {
        /// Where keys come from.
        place: String,
        /// How many.
        count: usize,
    },
    /// The place of the keys cannot be reached.
    #[error("the data keys in {place} cannot be reached: {reason}")]
    Unavailable {
        /// Where the keys are.
        place: String,
        /// Why, and what to do about it.
        reason: String,
        /// Whether the same call may work a little later, as with a locked credential store.
        retryable: bool,
    },
}

impl KeyError {
    /// Whether the same call may work a little later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { retryable: true, .. })
    }
}

//! What is kept.

use zeroize::Zeroizing;

/// A record's content: overwritten on drop, not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Wraps the octets.
    pub fn new(octets: Vec<u8>) -> Self {
        Self(Zeroizing::new(octets))
    }

    #[cfg(feature = "seal")]
    pub(crate) fn from_zeroizing(octets: Zeroizing<Vec<u8>>) -> Self {
        Self(octets)
    }

    /// The octets themselves.
    pub fn expose_secret(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretBytes(*** {} octets)", self.0.len())
    }
}

/// Which write a record is of. Each write makes a new one; the same is never used twice for a key, also after a
/// removal. Which of two is the later cannot be told from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(u64);

impl Version {
    /// For backends: the version of a stored number.
    pub fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// For backends: the number to store.
    pub fn number(self) -> u64 {
        self.0
    }
}

/// A record as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Which write it is of.
    pub version: Version,
    /// Its content.
    pub value: SecretBytes,
}

/// What the caller believes to be stored. A write or removal whose belief is wrong is a
/// [conflict](crate::StoreError::Conflict) and changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Nothing.
    Absent,
    /// This version.
    Version(Version),
    /// Whatever there is. Only for records that nobody else writes.
    Any,
}

impl Expected {
    /// For backends: whether the belief is right.
    pub fn holds_for(self, stored: Option<Version>) -> bool {
        match self {
            Self::Absent => stored.is_none(),
            Self::Version(version) => stored == Some(version),
            Self::Any => true,
        }
    }
}

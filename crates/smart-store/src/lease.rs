//! The right to do something with a record, for a while.

use smart_core::time::Timestamp;

/// Who holds a lease: unguessable and unique to one task of one process.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Holder(String);

impl Holder {
    /// A holder of this name. Make it from at least 128 random bits.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What came of asking for a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseOutcome {
    /// It is the caller's until then. The caller must have finished by then, or ask again.
    Held {
        /// The end.
        until: Timestamp,
    },
    /// Somebody else has it until then.
    Taken {
        /// The end.
        until: Timestamp,
    },
}

//! The interactions of the FHIR REST API that scopes speak of.

use super::permissions::Permissions;
use std::fmt;

/// An interaction of the FHIR REST API. Batches and transactions are none: each of their entries is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Interaction {
    /// Reads an instance.
    Read,
    /// Reads a version of an instance.
    VRead,
    /// Searches a type.
    SearchType,
    /// Searches all types.
    SearchSystem,
    /// Creates an instance.
    Create,
    /// Updates an instance, or creates it under an id of the client's choice.
    Update,
    /// Changes parts of an instance.
    Patch,
    /// Deletes an instance.
    Delete,
    /// The history of an instance.
    HistoryInstance,
    /// The history of a type.
    HistoryType,
    /// The history of all types.
    HistorySystem,
}

impl Interaction {
    /// All interactions.
    pub const ALL: [Self; 11] = [
        Self::Read,
        Self::VRead,
        Self::SearchType,
        Self::SearchSystem,
        Self::Create,
        Self::Update,
        Self::Patch,
        Self::Delete,
        Self::HistoryInstance,
        Self::HistoryType,
        Self::HistorySystem,
    ];

    /// The one permission that it needs (SMART, scopes for requesting FHIR resources).
    pub const fn permission(self) -> Permissions {
        match self {
            Self::Create => Permissions::CREATE,
            Self::Read | Self::VRead | Self::HistoryInstance => Permissions::READ,
            Self::Update | Self::Patch => Permissions::UPDATE,
            Self::Delete => Permissions::DELETE,
            Self::SearchType | Self::SearchSystem | Self::HistoryType | Self::HistorySystem => Permissions::SEARCH,
        }
    }

    /// Whether it is about all resource types at once.
    pub const fn is_system_wide(self) -> bool {
        matches!(self, Self::SearchSystem | Self::HistorySystem)
    }

    /// Whether its answer is a selection of resources by search parameters.
    pub const fn is_search(self) -> bool {
        matches!(self, Self::SearchType | Self::SearchSystem)
    }

    /// Its name in FHIR, as in a CapabilityStatement.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::VRead => "vread",
            Self::SearchType => "search-type",
            Self::SearchSystem => "search-system",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::HistoryInstance => "history-instance",
            Self::HistoryType => "history-type",
            Self::HistorySystem => "history-system",
        }
    }
}

impl fmt::Display for Interaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

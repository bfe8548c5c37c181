//! Whose data a resource scope is about.

use std::fmt;

/// The level of a resource scope (SMART, scopes for requesting FHIR resources).
///
/// Levels are not ordered: none includes another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// `patient/`: data about the one patient in context.
    Patient,
    /// `user/`: data that the user may access.
    User,
    /// `system/`: data that the client itself may access.
    System,
}

impl Level {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Patient, Self::User, Self::System];

    /// The word in a scope: `patient`, `user` or `system`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Patient => "patient",
            Self::User => "user",
            Self::System => "system",
        }
    }

    /// The level that `scope` starts with, and what follows the slash.
    pub(super) fn split(scope: &str) -> Option<(Self, &str)> {
        let (level, prefix) = match scope.as_bytes().first()? {
            b'p' => (Self::Patient, "patient/"),
            b'u' => (Self::User, "user/"),
            b's' => (Self::System, "system/"),
            _ => return None,
        };
        Some((level, scope.strip_prefix(prefix)?))
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

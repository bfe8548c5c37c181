//! The two ways to write permissions.

/// The version of the syntax of a resource scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Syntax {
    /// SMART 1: `.read`, `.write` and `.*`.
    V1,
    /// SMART 2: letters of `.cruds`, and queries.
    V2,
}

impl Syntax {
    /// The syntax for a server that has the capabilities `permission-v1` and `permission-v2`, or lacks them
    /// (SMART, conformance, permissions).
    ///
    /// Version 2 where it is offered. A server that names neither is one of SMART 1, which had no such capability.
    pub const fn choose(has_v1: bool, has_v2: bool) -> Self {
        match (has_v1, has_v2) {
            (_, true) => Self::V2,
            (_, false) => Self::V1,
        }
    }
}

//! Whether granted scopes permit a request.

use super::interaction::Interaction;
use super::level::Level;
use super::permissions::Permissions;
use super::resource::ResourceScope;
use super::token::Scope;
use std::fmt;

/// Whether granted scopes permit a request, by which scope, or why not.
///
/// It is advice for the app: the server has the last word. It may refuse (403) or leave resources out of a search even
/// where scopes permit (SMART, delegated access).
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Decision<'s> {
    /// Permitted, for all resources of the type.
    Allowed {
        /// The scope that permits it.
        by: &'s ResourceScope,
    },
    /// Permitted for the resources within granular scopes only; whether this request stays within them only the server
    /// can tell. A search gives those resources alone.
    AllowedWithin {
        /// The granular scopes that may permit it, at least one.
        by: Vec<&'s ResourceScope>,
    },
    /// Not permitted.
    Denied {
        /// Why not.
        reason: Denial,
        /// A scope that would permit it, in the syntax of the granted ones. `None` when no scope could: the resource type
        /// is no name of one.
        needed: Option<Scope>,
    },
}

/// Why granted scopes do not permit a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denial {
    /// No scope for resources is granted at all.
    #[error("no scope for resources is granted")]
    NothingGranted,
    /// The resource type of the request is no name of one.
    #[error("`{resource_type}` is not the name of a resource type")]
    NotAResourceType {
        /// What the request gave.
        resource_type: String,
    },
    /// No granted scope is for the resource type.
    #[error("no granted scope{} is for the type {resource_type}", at_level(*level))]
    TypeNotGranted {
        /// The type of the request.
        resource_type: String,
        /// The level of the request, if it names one.
        level: Option<Level>,
    },
    /// The request is for all types at once and no granted scope is.
    #[error("{interaction} needs a scope for all types (`*`), and no granted scope{} is one", at_level(*level))]
    AllTypesNotGranted {
        /// The interaction of the request.
        interaction: Interaction,
        /// The level of the request, if it names one.
        level: Option<Level>,
    },
    /// Scopes are granted for the type, but not for the interaction.
    #[error("{interaction} needs the permission `{needed}`, and only `{granted}` is granted for {resource_type}")]
    PermissionNotGranted {
        /// The interaction of the request.
        interaction: Interaction,
        /// The type of the request, or `*`.
        resource_type: String,
        /// The permission that it needs.
        needed: Permissions,
        /// What is granted for the type.
        granted: Permissions,
    },
    /// Scopes would permit it, but not at the level of the request.
    #[error("it is granted at the level `{granted}` only, and no level includes another: `{wanted}` was wanted")]
    LevelNotGranted {
        /// The level of the request.
        wanted: Level,
        /// The level at which it is granted.
        granted: Level,
    },
}

fn at_level(level: Option<Level>) -> String {
    level.map(|level| format!(" of the level `{level}`")).unwrap_or_default()
}

impl Decision<'_> {
    /// Whether the request may be sent: permitted wholly, or within granular scopes.
    pub fn is_allowed(&self) -> bool {
        !matches!(self, Self::Denied { .. })
    }

    /// Whether the request is permitted for all resources of its type.
    pub fn is_fully_allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }

    /// Why the request is not permitted.
    pub fn denial(&self) -> Option<&Denial> {
        match self {
            Self::Denied { reason, .. } => Some(reason),
            _ => None,
        }
    }

    /// The scope that would permit a request that is denied.
    pub fn needed(&self) -> Option<&Scope> {
        match self {
            Self::Denied { needed, .. } => needed.as_ref(),
            _ => None,
        }
    }
}

impl fmt::Display for Decision<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowed { by } => write!(f, "allowed by `{by}`"),
            Self::AllowedWithin { by } => {
                f.write_str("allowed within")?;
                by.iter()
                    .enumerate()
                    .try_for_each(|(index, scope)| write!(f, "{} `{scope}`", if index == 0 { "" } else { " or" }))
            }
            Self::Denied { reason, needed: Some(needed) } => write!(f, "denied: {reason}; ask for `{needed}`"),
            Self::Denied { reason, needed: None } => write!(f, "denied: {reason}"),
        }
    }
}

/// The decisions on the entries of a batch or transaction, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct BundleDecision<'s> {
    pub(super) entries: Vec<Decision<'s>>,
}

impl<'s> BundleDecision<'s> {
    /// One decision for each entry.
    pub fn entries(&self) -> &[Decision<'s>] {
        &self.entries
    }

    /// Whether every entry is allowed. A transaction with an entry that is not will fail as a whole.
    pub fn is_allowed(&self) -> bool {
        self.entries.iter().all(Decision::is_allowed)
    }

    /// The entries that are denied, each with its index from 0.
    pub fn denied(&self) -> impl Iterator<Item = (usize, &Decision<'s>)> {
        self.entries.iter().enumerate().filter(|(_, decision)| !decision.is_allowed())
    }
}

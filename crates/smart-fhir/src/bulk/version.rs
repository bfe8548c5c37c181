//! The versions of the Bulk Data Access specification.

use serde::{Deserialize, Serialize};

/// A version of the Bulk Data Access implementation guide, as far as it matters to what is sent.
///
/// What comes back is read the same way whatever the version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum BulkVersion {
    /// 1.0: kick-off by GET alone, with `_outputFormat`, `_since`, `_type` and, experimentally, `_typeFilter`.
    V1,
    /// 2.0: adds POST, `_elements`, `patient` and `includeAssociatedData`.
    V2,
    /// 3.0: adds `_until`, `organizeOutputBy`, `allowPartialManifests` and a status of its own for the export. The default:
    /// servers of 1.0 and 2.0 take its requests as long as these are left out.
    #[default]
    V3,
    /// The ballot of 4.0: kick-off by POST alone, values repeated and never joined by commas.
    V4,
}

impl BulkVersion {
    /// The version that a number such as `2.0.0` or `4.0.0-ballot` belongs to.
    pub fn of(number: &str) -> Option<Self> {
        match number.trim().split('.').next()? {
            "1" => Some(Self::V1),
            "2" => Some(Self::V2),
            "3" => Some(Self::V3),
            "4" => Some(Self::V4),
            _ => None,
        }
    }
}

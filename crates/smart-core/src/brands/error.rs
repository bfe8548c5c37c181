//! What can go wrong with bundles of brands.

use crate::json::JsonError;

/// Why a bundle of brands is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum BrandError {
    /// The answer is no success.
    #[error("{url} answered status {status}; keep the brands that are known")]
    Status {
        /// The bundle's URL, without its query.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The answer is no JSON object.
    #[error("{url} is no bundle of brands: {reason}")]
    Json {
        /// The bundle's URL, without its query.
        url: String,
        /// Why.
        reason: JsonError,
    },
    /// The answer is another resource than a Bundle.
    #[error("{url} is no FHIR Bundle")]
    NotABundle {
        /// The bundle's URL, without its query.
        url: String,
    },
    /// The server's document names no primary brand, and the bundle has not exactly one brand.
    #[error("the bundle has {count} brands, and `user_access_brand_identifier` does not say which one is the server's")]
    PrimaryNotNamed {
        /// How many brands there are.
        count: usize,
    },
    /// No brand, or more than one, has the identifier of the primary brand. None is guessed.
    #[error("{count} brands of the bundle have the identifier of the primary brand; it must be exactly one")]
    PrimaryNotUnique {
        /// How many have it.
        count: usize,
    },
}

impl BrandError {
    /// Whether the same request may work a little later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Status { status: 408 | 429 | 500 | 502 | 503 | 504, .. })
    }
}

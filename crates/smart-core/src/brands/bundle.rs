//! A bundle of brands.

use super::brand::Brand;
use super::brand_endpoint::BrandEndpoint;
use super::error::BrandError;
use crate::discovery::BrandIdentifier;
use crate::leniency::Leniency;
use std::sync::Arc;

/// A bundle of brands and their endpoints (SMART App Launch 2.2, user-access brands bundle).
///
/// Publishers fill the fields, each resource with an id and a `full_url`, and write it by [`to_object`](Self::to_object).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BrandBundle {
    /// When the contents last changed, as it came.
    pub timestamp: Option<String>,
    /// `meta.lastUpdated`, as it came.
    pub last_updated: Option<String>,
    /// The brands.
    pub brands: Vec<Arc<Brand>>,
    /// The endpoints, those of no brand among them.
    pub endpoints: Vec<Arc<BrandEndpoint>>,
    /// Where the bundle departed from the specification and was read all the same.
    pub notes: Vec<BrandNote>,
}

/// Something in a bundle that departs from the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrandNote {
    /// What.
    pub leniency: Leniency,
    /// In which entry, counted from 0; `None` for the bundle itself.
    pub entry: Option<usize>,
}

impl BrandBundle {
    /// The brand of the server whose document links to this bundle: the one with the identifier that the document names
    /// (`user_access_brand_identifier`), or the only one where it names none.
    ///
    /// # Errors
    /// [`BrandError::PrimaryNotNamed`] or [`BrandError::PrimaryNotUnique`]: no brand is guessed.
    pub fn primary(&self, identifier: Option<&BrandIdentifier>) -> Result<&Arc<Brand>, BrandError> {
        let Some(identifier) = identifier else {
            return match self.brands.as_slice() {
                [only] => Ok(only),
                brands => Err(BrandError::PrimaryNotNamed { count: brands.len() }),
            };
        };
        let found: Vec<&Arc<Brand>> = self.brands.iter().filter(|brand| brand.has_identifier(identifier)).collect();
        match found.as_slice() {
            [only] => Ok(only),
            found => Err(BrandError::PrimaryNotUnique { count: found.len() }),
        }
    }

    pub(super) fn note(&mut self, leniency: Leniency, entry: Option<usize>) {
        self.notes.push(BrandNote { leniency, entry });
    }
}

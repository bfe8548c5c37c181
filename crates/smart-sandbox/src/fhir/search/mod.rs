//! Searches: from the parameters of a request to a Bundle.

mod bundle;
mod dates;
mod filter;
mod include;
mod matching;
mod order;
mod parameter;
mod query;
mod shape;
mod value;

pub(crate) use bundle::{Page, page_url, searchset};
pub(crate) use dates::Range;
pub(crate) use matching::{fits, local_reference};
pub(crate) use parameter::parameters;
pub(crate) use query::Query;
pub(crate) use shape::Shape;
pub(crate) use value::unescaped;

use super::access::Access;
use crate::data::{Repository, StoredResource};
use std::sync::Arc;

/// What a search looks at, and through whose eyes.
#[derive(Clone, Copy)]
pub(crate) struct World<'a> {
    pub(crate) resources: &'a Repository,
    pub(crate) access: &'a Access,
    /// The FHIR base without a slash at its end.
    pub(crate) root: &'a str,
}

/// A resource that was found.
pub(crate) type Found<'a> = &'a Arc<StoredResource>;

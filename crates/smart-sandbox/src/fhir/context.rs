//! What an interaction needs to know beside the request and the resources.

use super::access::Access;
use super::search::World;
use crate::data::Repository;
use smart_core::time::Timestamp;
use std::collections::HashSet;

/// Who asks, where, and when.
pub(crate) struct Context<'a> {
    pub(crate) access: &'a Access,
    /// The FHIR base without a slash at its end.
    pub(crate) root: &'a str,
    pub(crate) now: Timestamp,
    /// What the transaction at work will have created by its end, as type and id.
    pub(crate) pending: HashSet<(String, String)>,
}

impl<'a> Context<'a> {
    pub(crate) fn world<'w>(&'w self, resources: &'w Repository) -> World<'w>
    where
        'a: 'w,
    {
        World { resources, access: self.access, root: self.root }
    }
}

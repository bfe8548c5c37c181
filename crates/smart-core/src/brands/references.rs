//! References within a bundle.

use crate::context::is_fhir_id;
use std::collections::HashMap;

/// The entries of one resource type, by what they can be referred to.
pub(super) struct References {
    resource_type: &'static str,
    by_full_url: HashMap<String, usize>,
    /// `None` for an id that more than one entry has.
    by_id: HashMap<String, Option<usize>>,
}

impl References {
    pub(super) fn new(resource_type: &'static str) -> Self {
        Self { resource_type, by_full_url: HashMap::new(), by_id: HashMap::new() }
    }

    pub(super) fn add(&mut self, index: usize, full_url: Option<&str>, id: Option<&str>) {
        if let Some(full_url) = full_url {
            self.by_full_url.insert(full_url.to_owned(), index);
        }
        if let Some(id) = id {
            self.by_id.entry(id.to_owned()).and_modify(|known| *known = None).or_insert(Some(index));
        }
    }

    /// Finds what a reference in the entry with this `fullUrl` means (FHIR R4, bundle, resolving references): a `fullUrl`,
    /// or a relative reference to the same server; and, since publishers mix their servers, a relative reference to the
    /// only entry with this id. What lies outside the bundle is not found: nothing is fetched for it.
    pub(super) fn find(&self, reference: &str, from: Option<&str>) -> Option<usize> {
        let unversioned = match reference.rsplit_once("/_history/") {
            Some((before, version)) if is_fhir_id(version) => before,
            _ => reference,
        };
        let by_full_url = |url: &str| self.by_full_url.get(url).copied();
        if let Some(index) = by_full_url(reference).or_else(|| by_full_url(unversioned)) {
            return Some(index);
        }
        let id = id_in(unversioned, self.resource_type)?;
        let same_server = from.and_then(server_of).map(|server| format!("{server}{unversioned}"));
        same_server.and_then(|url| by_full_url(&url)).or_else(|| self.by_id.get(id).copied().flatten())
    }
}

/// The id in a relative reference to a resource of this type.
pub(super) fn id_in<'r>(reference: &'r str, resource_type: &str) -> Option<&'r str> {
    reference.strip_prefix(resource_type)?.strip_prefix('/').filter(|id| is_fhir_id(id))
}

/// What stands before `Type/id` in a RESTful `fullUrl`, with the slash.
pub(super) fn server_of(full_url: &str) -> Option<&str> {
    let (before, id) = full_url.rsplit_once('/')?;
    let (server, resource_type) = before.rsplit_once('/')?;
    let is_restful = is_fhir_id(id) && resource_type.starts_with(|c: char| c.is_ascii_uppercase());
    is_restful.then(|| full_url.get(..=server.len())).flatten()
}

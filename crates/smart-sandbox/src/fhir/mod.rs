//! The FHIR R4 API: read and search over the built-in data, with scopes enforced.

mod access;
mod capability;
mod outcome;
mod routes;
mod search;

pub(crate) use access::Access;
pub(crate) use routes::router;

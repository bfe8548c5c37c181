//! The FHIR R4 API: every interaction over the resources of one sandbox, with scopes enforced.

mod access;
mod answer;
mod bundle;
mod capability;
mod context;
mod delete;
mod everything;
mod history;
mod patch;
mod perform;
mod read;
mod request;
mod resource_types;
mod routes;
mod search;
mod spoil;
mod store;
mod structure;
mod validate;
mod write;

pub(crate) use access::Access;
pub(crate) use answer::{Answer, Fault, refuse, unauthorized};
pub(crate) use request::Conditions;
pub(crate) use resource_types::is_id;
pub(crate) use routes::{access, router};
pub(crate) use search::{fits, unescaped};

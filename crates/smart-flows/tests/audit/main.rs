//! The audit trail: events, sinks, the chain of a file, and the export to FHIR.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test reports by panicking")]

mod chain;
mod fhir;
mod file;
mod kinds;
mod policy;
mod processes;
mod secrets;
mod sinks;
mod support;
mod validator;

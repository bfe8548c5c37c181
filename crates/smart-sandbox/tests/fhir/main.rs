//! The FHIR API of the sandbox, over real HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

mod app_state;
mod bundles;
mod compartment;
mod faults;
mod history;
mod patch;
mod published;
mod search;
mod world;
mod write;

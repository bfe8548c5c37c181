//! Discovery through the public API: what servers of each version say, what is read out of it, and what is refused.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "a test reports by panicking, its helpers too; documents are written where they are passed"
)]

mod capabilities;
mod fixtures;
mod gate;
mod issuer_documents;
mod members;
mod policies;
mod properties;
mod report;
mod statements;
mod steps;
mod versions;

#[path = "../support/mod.rs"]
mod support;

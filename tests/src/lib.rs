//! Workspace-level tests of smart-on-fhir: see `tests/`. What benches share is here.

#[cfg(doctest)]
mod book;
pub mod side_by_side;

//! Workspace-level tests of smart-on-fhir: see `tests/`. What benches share is here.

pub mod side_by_side;

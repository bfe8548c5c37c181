//! Workspace-level tests of smart-on-fhir: see `tests/`.

//! Conformance: suites of checks, named after the capabilities of SMART App Launch, that run this workspace's client against a
//! server, and reports of what came of them. `cargo xtask conformance` runs them.

pub mod check;
pub mod report;
pub mod run;
pub mod suites;
pub mod target;

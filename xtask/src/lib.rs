//! Development tasks of smart-on-fhir: `cargo xtask <task>`. The checks are a library, so that plain tests run them too.

pub mod bench;
pub mod bench_report;
pub mod book;
pub mod cargo_deny;
pub mod ci;
pub mod conformance;
pub mod coverage;
pub mod error;
pub mod fuzz;
pub mod ids;
pub mod layers;
pub mod metadata;
pub mod nextest;
pub mod requirements;
pub mod run;
pub mod s3_server;
pub mod summary;
pub mod system_packages;
pub mod table;
pub mod tags;
pub mod test_counts;
pub mod test_sources;
pub mod wasm;
mod wasm_toolchain;
pub mod workspace;

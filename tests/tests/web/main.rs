//! The npm package of smart-wasm in a real browser, against a sandbox on another origin.
//!
//! `cargo xtask wasm` builds what the pages load. Without it the tests pass with a remark, except in CI.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test reports by panicking, its helpers too"
)]

#[path = "../support/chromium.rs"]
mod browser;
mod client;
mod launches;
mod popup;
mod sessions;
mod site;
mod stored;
mod vault;

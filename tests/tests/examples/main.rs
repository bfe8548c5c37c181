//! The examples of smart-on-fhir are run as their readers run them: as programs, against a sandbox, with a person's browser.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test reports by panicking, its helpers too"
)]

mod all;
#[path = "../support/chromium.rs"]
mod chromium;
mod clinician_pages;
mod clinician_requests;
mod program;
mod services;
mod terminal;
mod web_redirect;

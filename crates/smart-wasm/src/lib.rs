//! SMART App Launch for web pages: the core of smart-on-fhir as WebAssembly.
//!
//! A page does not use this crate but the npm package around it (`npm/`), whose functions have the names that users of
//! `fhirclient` know. `cargo xtask wasm` builds both into `target/npm`. Here lies all that decides something: whom a launch is
//! taken from, which login a callback belongs to, what is stored, and where a token goes. The JavaScript around it moves the
//! page, opens the popup, and calls the browser's IndexedDB, WebCrypto and Web Locks.
//!
//! An access token never comes out of the WebAssembly: a page asks for resources, not for tokens.
//!
//! On other targets the crate has only what needs no browser: what the page's options and URL mean.

#![cfg_attr(
    target_arch = "wasm32",
    allow(clippy::missing_errors_doc, reason = "each throws a SmartError, whose codes stand in npm/index.d.ts")
)]

mod launch;
mod options;
mod page_url;

pub use launch::{Start, StartError};
pub use options::{AppOptions, OptionsError};
pub use page_url::{PageKind, cleaned, kind_of};

#[cfg(target_arch = "wasm32")]
mod error;
#[cfg(target_arch = "wasm32")]
mod fhir;
#[cfg(target_arch = "wasm32")]
mod module;
#[cfg(target_arch = "wasm32")]
mod page_app;
#[cfg(target_arch = "wasm32")]
mod page_session;
#[cfg(target_arch = "wasm32")]
mod store;
#[cfg(target_arch = "wasm32")]
mod vault;

#[cfg(target_arch = "wasm32")]
pub use module::{cleaned_url, page_kind};
#[cfg(target_arch = "wasm32")]
pub use page_app::{Begun, PageApp};
#[cfg(target_arch = "wasm32")]
pub use page_session::PageSession;

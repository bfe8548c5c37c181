//! The flows over real HTTP against the sandbox, through all layers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test reports by panicking, its helpers too"
)]

mod audit;
mod backend;
mod errors;
mod faults;
#[cfg(unix)]
mod fleet;
mod hooked;
#[cfg(unix)]
mod kill;
mod launch;
mod launch_receiver;
mod locks;
mod model;
mod permissions;
mod receivers;
mod registry;
mod renewals;
mod servers;
mod sessions;
mod step_up;
mod web_app;
mod world;

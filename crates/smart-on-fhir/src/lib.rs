//! SMART App Launch for Rust: the one crate that applications depend on

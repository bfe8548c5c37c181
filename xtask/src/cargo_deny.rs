//! `cargo deny check bans licenses sources`, where cargo-deny can be had.

use crate::run::{Show, cargo, run, succeeds};
use crate::summary::Outcome;

/// The versions that deny.toml is written for.
const VERSION: &str = "^0.20";

/// Runs the check. Where cargo-deny is missing it is installed if this is CI, else the check is skipped, and says so.
pub fn check(show: Show) -> Outcome {
    if !succeeds("cargo", &["deny", "--version"]) {
        if std::env::var_os("CI").is_none() {
            return Outcome::skipped("cargo-deny is not here: cargo install cargo-deny --locked");
        }
        show.line("installing cargo-deny, which takes some minutes");
        let mut install = cargo();
        install.args(["install", "cargo-deny", "--locked", "--version", VERSION]);
        if let Err(error) = run(install, show, |_| ()) {
            return Outcome::skipped(&format!("cargo-deny cannot be had: {error}"));
        }
    }
    let mut check = cargo();
    check.args(["deny", "--locked", "check", "bans", "licenses", "sources"]);
    Outcome::of(run(check, show, |_| ()))
}

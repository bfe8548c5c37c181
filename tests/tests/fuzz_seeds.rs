//! What the fuzz targets check holds for their seeds, which also keeps the targets compiling.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test reports by panicking, its helpers too")]

#[path = "../fuzz/src/lib.rs"]
#[allow(
    unreachable_pub,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "made for the fuzzer, which reports by panicking"
)]
mod targets;

use xtask::workspace::root;

/// Runs `hold` on each seed of a target and, so that a seed is more than itself, on each of its beginnings.
fn each_seed(target: &str, hold: impl Fn(&[u8])) {
    let mut count = 0;
    for entry in std::fs::read_dir(root().join("tests/fuzz/seeds").join(target)).unwrap() {
        let seed = std::fs::read(entry.unwrap().path()).unwrap();
        (0..=seed.len()).for_each(|length| hold(&seed[..length]));
        count += 1;
    }
    assert!(count > 0, "{target} has no seeds");
}

fn each_text(target: &str, hold: impl Fn(&str)) {
    each_seed(target, |seed| {
        if let Ok(text) = std::str::from_utf8(seed) {
            hold(text);
        }
    });
}

#[test]
fn scopes_hold_for_their_seeds() {
    each_text("scope", targets::scope::hold);
}

#[test]
fn discovery_holds_for_its_seeds() {
    each_seed("discovery", targets::discovery::hold);
}

#[test]
fn callbacks_hold_for_their_seeds() {
    each_text("callback", targets::callback::hold);
}

#[test]
fn token_responses_hold_for_their_seeds() {
    each_seed("token_response", targets::token_response::hold);
}

#[test]
fn id_tokens_hold_for_their_seeds() {
    each_seed("jwt", targets::jwt::hold);
}

#[test]
fn key_sets_hold_for_their_seeds() {
    each_seed("jwks", targets::jwks::hold);
}

#[test]
fn registrations_hold_for_their_seeds() {
    each_seed("registration", targets::registration::hold);
}

#[test]
fn brands_hold_for_their_seeds() {
    each_seed("brands", targets::brands::hold);
}

#[test]
fn bundles_hold_for_their_seeds() {
    each_seed("bundle", targets::bundle::hold);
}

#[test]
fn outcomes_hold_for_their_seeds() {
    each_seed("operation_outcome", targets::operation_outcome::hold);
}

#[test]
fn headers_hold_for_their_seeds() {
    each_seed("http_headers", targets::http_headers::hold);
}

#[test]
fn key_files_hold_for_their_seeds() {
    each_seed("signing_key", targets::signing_key::hold);
}

#[test]
fn manifests_hold_for_their_seeds() {
    each_seed("bulk_manifest", targets::bulk_manifest::hold);
}

#[test]
fn ndjson_holds_for_its_seeds() {
    each_seed("ndjson", targets::ndjson::hold);
}

/// A target without seeds or without a test here would go unseen.
#[test]
fn every_target_is_tried_here() {
    let tried = [
        "brands",
        "bulk_manifest",
        "bundle",
        "callback",
        "discovery",
        "http_headers",
        "jwks",
        "jwt",
        "ndjson",
        "operation_outcome",
        "registration",
        "scope",
        "signing_key",
        "token_response",
    ];
    assert_eq!(xtask::fuzz::targets(&root()).unwrap(), tried);
}

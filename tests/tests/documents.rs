//! The documents say what the code does.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test reports by panicking")]

use smart_core::discovery::FindingCode;
use smart_core::leniency::Leniency;
use smart_core::profile::{
    BackendAccess, ClinicalScopes, KnownEndpoints, ScopeStyle, ServerKind, ServerProfile, profiles,
};
use smart_core::token::BasicEncoding;
use std::collections::BTreeSet;
use std::path::Path;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
}

/// The rows of a table of `docs/leniencies.md`: code, what is read, known of.
fn leniencies(heading: &str) -> Vec<[String; 3]> {
    let document = read("docs/leniencies.md");
    let (_, section) = document.split_once(heading).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = rows.map(|row| row.trim_end_matches(" |").split(" | ").map(str::to_owned).collect::<Vec<_>>());
    let rows = cells.map(|cells| <[String; 3]>::try_from(cells).unwrap());
    rows.map(|[code, read, known]| [code.trim_end_matches('`').to_owned(), read, known]).collect()
}

/// CX-13, TK-10: each leniency stands in the table, once, in the order of the code, and no other does.
#[test]
fn every_leniency_is_in_the_table() {
    let rows = leniencies("## Answers");
    let known: Vec<&str> = Leniency::ALL.iter().map(|leniency| leniency.code()).collect();
    assert_eq!(rows.iter().map(|[code, ..]| code.as_str()).collect::<Vec<_>>(), known);
    assert!(rows.iter().all(|[_, read, known]| !read.is_empty() && !known.is_empty()));
}

/// DI-04, DI-09, CX-13: each finding of discovery stands in the table, once, in the order of the code, and no other does.
#[test]
fn every_finding_of_discovery_is_in_the_table() {
    let rows = leniencies("## Discovery");
    let known: Vec<&str> = FindingCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(rows.iter().map(|[code, ..]| code.as_str()).collect::<Vec<_>>(), known);
    assert!(rows.iter().all(|[_, read, known]| !read.is_empty() && !known.is_empty()));
}

/// The README's test command is the one that CI calls.
#[test]
fn ci_runs_the_command_of_the_readme() {
    assert!(read("README.md").contains("\ncargo xtask ci\n"));
    assert!(read(".ci/run").contains("cargo xtask ci"));
}

/// What the README shows in Rust is compiled: each line stands, in that order, in the examples of `smart-on-fhir`'s front page.
#[test]
fn code_of_the_readme_is_compiled() {
    let readme = read("README.md");
    let front_page = read("crates/smart-on-fhir/src/lib.rs");
    let examples: Vec<Vec<&str>> = front_page
        .split("//! ```no_run\n")
        .skip(1)
        .map(|rest| rest.split("//! ```\n").next().unwrap().lines().map(code).collect())
        .collect();
    let blocks: Vec<&str> = readme.split("```rust\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(blocks.len(), 3);
    for block in blocks {
        let wanted: Vec<&str> = block.lines().map(code).filter(|line| !line.is_empty()).collect();
        let compiled = examples.iter().any(|lines| {
            let mut lines = lines.iter();
            wanted.iter().all(|line| lines.any(|other| other == line))
        });
        assert!(compiled, "no example has these lines:\n{block}");
    }
}

/// A line of an example without the marks and comments around its code.
fn code(line: &str) -> &str {
    let line = line.trim_start_matches("//! ");
    line.split(" // ").next().unwrap_or(line).trim_start_matches("//!").trim()
}

/// F-116, F-117, F-118, F-119, F-120: each profile has its page, in the summary too, and each page its profile; a page says that
/// nothing was verified against the live server, and has its facts in a table with their sources.
#[test]
fn every_profile_has_its_page() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/servers");
    let pages: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "index.md")
        .collect();
    let expected: BTreeSet<String> = ServerKind::ALL.iter().map(|kind| format!("{}.md", kind.name())).collect();
    assert_eq!(pages, expected);
    let summary = read("docs/src/SUMMARY.md");
    for profile in profiles() {
        let name = profile.kind.name();
        let page = read(&format!("docs/src/servers/{name}.md"));
        assert!(page.starts_with(&format!("# {}\n", profile.title)), "{name}");
        assert!(page.to_lowercase().contains("not verified against the live server"), "{name}");
        assert!(page.contains("\n| fact | what we do | source |\n"), "{name}");
        assert!(summary.contains(&format!("(servers/{name}.md)")), "{name}");
    }
}

/// F-116, F-117, F-118, F-119, F-120: the overview says what the table in the code says, row by row.
#[test]
fn overview_of_servers_is_that_of_the_code() {
    let index = read("docs/src/servers/index.md");
    let rows: Vec<&str> = index.lines().filter(|line| line.starts_with("| [")).collect();
    let expected: Vec<String> = profiles().iter().map(overview).collect();
    assert_eq!(rows, expected);
}

fn overview(profile: &ServerProfile) -> String {
    let preferences = &profile.preferences;
    let scopes = match (preferences.clinical_scopes, preferences.scope_style) {
        (ClinicalScopes::Foreign, _) => "the platform's",
        (ClinicalScopes::NoWildcards, ScopeStyle::AsWritten) => "as the app wrote them, no wildcards",
        (ClinicalScopes::NoWildcards, ScopeStyle::ByCapability) => "by capability, no wildcards",
        (ClinicalScopes::Any, ScopeStyle::AsWritten) => "as the app wrote them",
        (ClinicalScopes::Any, ScopeStyle::ByCapability) => "by capability",
    };
    let basic = if preferences.basic_encoding == BasicEncoding::Raw { "raw" } else { "encoded" };
    let relaxations = &profile.relaxations;
    let mut choice = Vec::new();
    if relaxations.unlisted_s256 {
        choice.push("unlisted S256");
    }
    if relaxations.issuer_trailing_slash {
        choice.push("slash of the issuer");
    }
    if relaxations.endpoints != KnownEndpoints::Published {
        choice.push("endpoints");
    }
    let choice = if choice.is_empty() { "nothing".to_owned() } else { choice.join(", ") };
    let backend = match preferences.backend {
        BackendAccess::Smart => "SMART",
        BackendAccess::SmartAsRegistered => "SMART, granted as registered",
        BackendAccess::PlatformDefaultScope | BackendAccess::Platform { .. } => "the platform's",
        BackendAccess::Open => "no token needed",
    };
    let name = profile.kind.name();
    format!("| [{name}]({name}.md) | {} | {scopes} | {basic} | {choice} | {backend} |", profile.title)
}

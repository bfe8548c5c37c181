//! The documents say what the code does.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test reports by panicking")]

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

/// All pages of the book.
fn pages() -> Vec<(String, String)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src")];
    let mut pages = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    pages
}

/// The ids of requirements and features that a text names.
fn ids(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let is_id = |word: &&str| {
        word.split_once('-').is_some_and(|(area, number)| {
            (1..=2).contains(&area.len())
                && area.bytes().all(|b| b.is_ascii_uppercase())
                && (2..=3).contains(&number.len())
                && number.bytes().all(|b| b.is_ascii_digit())
        })
    };
    words.filter(is_id).collect()
}

/// What the book bases on a requirement is shown by a test: each id that it names is in a table, and is not planned.
#[test]
fn ids_in_the_book_are_shown_by_tests() {
    let tables = [read("docs/requirements.md"), read("docs/features.md")].concat();
    let mut seen = 0;
    for (page, text) in pages() {
        for id in ids(&text) {
            let row = tables.lines().find(|line| line.starts_with(&format!("| {id} |")));
            let row = row.unwrap_or_else(|| panic!("{page} names {id}, which is in no table"));
            assert!(row.contains("::"), "{page} names {id}, which no test shows");
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen} ids");
}

/// F-129: the guide has a row for each part of the older package that an app could have used.
#[test]
fn migration_guide_has_each_part_of_the_older_package() {
    let guide = read("docs/src/migration/fhir_r4_auth.md");
    let rows: Vec<&str> = guide.lines().filter(|line| line.starts_with("| `")).collect();
    for part in [
        "SmartConfig(",
        "fromLaunchParameters",
        "BackendServiceConfig",
        "authMethod",
        "enablePkce",
        "customParameters",
        "login()",
        "authenticate()",
        "logout()",
        "getAccessToken()",
        "refreshToken()",
        "patientContext",
        "getServerCapabilities()",
        "TokenIntrospector",
        "revokeCurrentTokens()",
        "OAuthFlow",
        "PkceManager",
        "StateManager",
        "JwtValidator",
        "SessionManager",
        "SessionConfig",
        "TokenStorage",
        "SecureTokenStorage",
        "AuditLogger",
        "RateLimiter",
        "WebAuthenticator",
        "FhirAuthException",
    ] {
        let row = rows.iter().find(|row| row.split(" | ").next().unwrap().contains(part));
        assert!(row.is_some_and(|row| row.split(" | ").nth(1).unwrap().len() > 5), "{part}");
    }
}

/// F-81: the guide says plainly that a page cannot keep a refresh token from its own scripts.
#[test]
fn guide_is_honest_about_storage_in_browsers() {
    let guide = read("docs/src/platforms.md");
    let (_, section) = guide.split_once("## Storage in browsers").unwrap();
    assert!(section.contains("cannot keep a refresh token from a script"));
    assert!(section.contains("for the session only"));
}

/// AP-06 (SMART, app state): the guide says what app state must not be used for: data that FHIR has resources for, and returned
/// texts taken as they are.
#[test]
fn guide_says_what_app_state_is_not_for() {
    let guide = read("docs/src/fhir.md");
    let (_, section) = guide.split_once("\n### What app state is not for\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    for rule in ["Never keep in it what FHIR has a resource for", "Never use what comes back without checking it"] {
        assert!(section.contains(&format!("- **{rule}")), "{rule}");
    }
    assert!(read("docs/src/SUMMARY.md").contains("(fhir.md)"));
}

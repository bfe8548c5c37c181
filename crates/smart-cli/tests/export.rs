//! `smart export` against a sandbox, killed and resumed too.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test reports by panicking, its helpers too")]

mod support;

use serde_json::Value;
use smart_sandbox::{BulkConfig, BulkMode, Client, ClientKeys, Sandbox, SandboxConfig};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use support::{User, assert_masked, json_error, text};

/// A sandbox with exports like these, and a backend service that has signed in there.
async fn signed_in(user: &User, bulk: BulkConfig) -> Sandbox {
    let key = user.folder().join("key.jwk");
    if !key.exists() {
        user.run(&["keygen", "--jwk", "--out", text(&key)]).await.exits(0);
    }
    let jwks = user.run(&["jwks", text(&key), "--json"]).await.exits(0).json()["jwks"].to_string();
    let mut config = SandboxConfig { bulk, ..SandboxConfig::default() };
    config.clients.push(Client::asymmetric("night-job", ClientKeys::Document(jwks)));
    let sandbox = Sandbox::start(config).await.unwrap();
    user.run(&["backend", &sandbox.fhir_base(), "--client-id", "night-job", "--key", text(&key)]).await.exits(0);
    sandbox
}

/// Name, lines and digest of each file.
fn files(report: &Value) -> BTreeMap<String, (u64, String)> {
    let file = |file: &Value| {
        let text = |name: &str| file[name].as_str().unwrap().to_owned();
        (text("name"), (file["lines"].as_u64().unwrap(), text("sha256")))
    };
    report["files"].as_array().unwrap().iter().map(file).collect()
}

fn assert_on_disk(place: &Path, report: &Value) {
    for file in report["files"].as_array().unwrap() {
        let octets = std::fs::read(place.join(file["name"].as_str().unwrap())).unwrap();
        let digest = ring::digest::digest(&ring::digest::SHA256, &octets);
        let digest = digest.as_ref().iter().fold(String::new(), |text, octet| text + &format!("{octet:02x}"));
        assert_eq!(file["sha256"], digest.as_str());
    }
}

/// F-109, BK-06, BK-08: an export to a folder, told for people and for programs, with no secret in what is shown or kept.
#[tokio::test]
async fn an_export_to_a_folder() {
    let user = User::new();
    let sandbox = signed_in(&user, BulkConfig { files: 7, file_size: 50_000, ..BulkConfig::default() }).await;
    let (place, second) = (user.folder().join("out"), user.folder().join("second"));
    let ran = user.run(&["export", text(&place), "--json"]).await.exits(0);
    let report = ran.json();
    assert_on_disk(&place, &report);
    assert_eq!((report["files"].as_array().unwrap().len(), &report["partial"]), (7, &false.into()));
    assert_eq!(
        report["resources"],
        report["files"].as_array().unwrap().iter().map(|f| f["lines"].as_u64().unwrap()).sum::<u64>()
    );
    assert_masked(&sandbox, &ran);
    let journal = std::fs::read_to_string(place.join(".smart-export/journal")).unwrap();
    assert!(
        sandbox
            .issued_secrets()
            .iter()
            .filter(|secret| secret.len() > 20)
            .all(|secret| !journal.contains(&format!("Bearer {secret}")))
    );

    let ran = user.run(&["export", text(&second), "--group", "g1", "--type", "Patient,Observation"]).await.exits(0);
    assert!(
        ran.out.contains("Patient.0001.ndjson") && ran.out.contains("SHA-256") && !ran.out.contains("Condition"),
        "{ran:#?}"
    );
    assert!(ran.err.contains("The export is ready: 4 files") || ran.err.contains("files"), "{ran:#?}");
    assert!(ran.out.lines().all(|line| line.chars().count() <= 120));

    let error = json_error(&user.run(&["export", text(&place), "--json"]).await.exits(2), "usage");
    assert!(error["next_step"].as_str().unwrap().contains("--resume"));
    let again = user.run(&["export", text(&place), "--resume", "--json"]).await.exits(0).json();
    assert_eq!(files(&again), files(&report), "what is done is only told again");
    user.run(&["export", text(&place), "--cancel"]).await.exits(0);
    assert_eq!(sandbox.bulk_counts().deletes, 1);
    let error = json_error(
        &user.run(&["export", text(&user.folder().join("none")), "--resume", "--json"]).await.exits(2),
        "usage",
    );
    assert!(error["message"].as_str().unwrap().contains("holds no export"));
}

/// F-109, BK-17, BK-22, BK-23, BK-34, BK-36, BK-41, BK-47: with all that servers do, the files are the same as without.
#[tokio::test]
async fn the_troubles_of_servers_change_nothing() {
    let user = User::new();
    let bulk = BulkConfig { files: 5, file_size: 300_000, ..BulkConfig::default() };
    let sandbox = signed_in(&user, bulk.clone()).await;
    let plain = user.folder().join("plain");
    let expected = files(&user.run(&["export", text(&plain), "--json"]).await.exits(0).json());
    drop(sandbox);
    for (number, modes) in [
        &[BulkMode::Throttled, BulkMode::Faults][..],
        &[BulkMode::Cut],
        &[BulkMode::Cut, BulkMode::Expiring],
        &[BulkMode::Gzip, BulkMode::OtherOrigin],
        &[BulkMode::NoRanges, BulkMode::Slow],
        &[BulkMode::Partial, BulkMode::OtherOrigin, BulkMode::Cut],
    ]
    .into_iter()
    .enumerate()
    {
        let user = User::new();
        let sandbox = signed_in(&user, bulk.clone().with_modes(modes.iter().copied())).await;
        let place = user.folder().join(format!("out{number}"));
        let report = user
            .run(&["export", text(&place), "--partial-manifests", "--json", "--parallel", "2"])
            .await
            .exits(0)
            .json();
        assert_on_disk(&place, &report);
        let mut found: Vec<_> = files(&report).into_values().collect();
        let mut all: Vec<_> = expected.clone().into_values().collect();
        found.sort();
        all.sort();
        assert_eq!(found, all, "{modes:?}");
        let counts = sandbox.bulk_counts();
        assert_eq!(counts.misplaced_tokens, 0, "{modes:?}");
        assert!(counts.most_at_once <= 2, "{modes:?}: {counts:?}");
        assert!(counts.parts > 0 || !modes.contains(&BulkMode::Cut), "{modes:?}: {counts:?}");
    }
}

/// BK-28, BK-30, BK-44: errors make the export a partial one, deletes are there, an export that fails is told, one that is
/// gone too.
#[tokio::test]
async fn partial_failed_and_gone_exports_are_told() {
    let user = User::new();
    let sandbox = signed_in(&user, BulkConfig::default().with_modes([BulkMode::Errors, BulkMode::Deleted])).await;
    let place = user.folder().join("out");
    let ran = user.run(&["export", text(&place), "--json"]).await.exits(14);
    let error = json_error(&ran, "partial-export");
    assert!(error["next_step"].as_str().unwrap().contains("export-errors"));
    let report = &ran.json()["export"];
    assert_on_disk(&place, report);
    let errors = report["files"].as_array().unwrap().iter().find(|file| file["kind"] == "error").unwrap();
    assert_eq!(errors["issues"]["error not-found"], 1);
    assert!(place.join("export-deleted.0001.ndjson").exists());
    drop(sandbox);

    let user = User::new();
    let sandbox = signed_in(&user, BulkConfig::default().with_modes([BulkMode::Failing])).await;
    let failed = user.folder().join("failed");
    let error = json_error(&user.run(&["export", text(&failed), "--json"]).await.exits(10), "fhir-error");
    assert!(error["message"].as_str().unwrap().contains("export failed"), "{error}");
    user.run(&["export", text(&failed), "--cancel"]).await.exits(0);
    let error = json_error(&user.run(&["export", text(&failed), "--resume", "--json"]).await.exits(10), "fhir-error");
    assert!(error["message"].as_str().unwrap().contains("no such export"), "{error}");
    drop(sandbox);
}

/// BK-31: `--since-last` hands the server's own time back to it, and tells when there is none.
#[tokio::test]
async fn the_next_export_begins_where_the_last_one_ended() {
    let user = User::new();
    let _sandbox = signed_in(&user, BulkConfig { files: 1, ..BulkConfig::default() }).await;
    let place = |name: &str| user.folder().join(name);
    let first = user.run(&["export", text(&place("1")), "--since-last"]).await.exits(0);
    assert!(first.err.contains("no such export before"), "{first:#?}");
    let time = std::fs::read_to_string(place("1").join("export.json")).unwrap();
    let time: Value = serde_json::from_str(&time).unwrap();
    let second = user.run(&["export", text(&place("2")), "--since-last"]).await.exits(0);
    assert!(!second.err.contains("no such export before"), "{second:#?}");
    let journal = std::fs::read_to_string(place("2").join(".smart-export/journal")).unwrap();
    assert!(journal.contains(&format!("\"since\":{}", time["transaction_time"])), "{journal}");
}

/// F-109, BK-46: `kill -9` at any point, again and again: what is resumed is what comes undisturbed, octet for octet.
#[cfg(unix)]
#[tokio::test]
async fn an_export_that_is_killed_is_resumed() {
    let user = User::new();
    let bulk = BulkConfig { files: 8, file_size: 6_000_000, ..BulkConfig::default() };
    let _sandbox = signed_in(&user, bulk.with_modes([BulkMode::Cut])).await;
    let undisturbed = user.folder().join("undisturbed");
    let begun = std::time::Instant::now();
    let expected = files(&user.run(&["export", text(&undisturbed), "--json"]).await.exits(0).json());
    let took = begun.elapsed();
    // Points of this run: spread over the time that it takes, the same each time.
    for round in 0..3_u32 {
        let place = user.folder().join(format!("killed{round}"));
        let mut kills = 0;
        for kill in 0..4_u32 {
            let resume = place.join(".smart-export/journal").exists();
            let arguments = ["export", text(&place), "--json", "--resume"];
            let mut child = user.command(&arguments[..if resume { 4 } else { 3 }]).spawn().unwrap();
            let wait = took * ((round * 37 + kill * 23) % 80 + 10) / 150;
            if tokio::time::timeout(wait.max(Duration::from_millis(30)), child.wait()).await.is_ok() {
                break;
            }
            child.kill().await.unwrap();
            kills += 1;
        }
        assert!(kills > 0, "it was never killed");
        let resume = place.join(".smart-export/journal").exists();
        let arguments = ["export", text(&place), "--json", "--resume"];
        let report = user.run(&arguments[..if resume { 4 } else { 3 }]).await.exits(0).json();
        assert_eq!(files(&report), expected, "round {round}");
        assert_on_disk(&place, &report);
    }
}

/// F-109, BK-46: the script that shows it in the documents runs with `smart` and a shell, here with small files.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_script_of_the_killed_export_runs() {
    let user = User::new();
    let port = support::free_port().to_string();
    let folder = Path::new(env!("CARGO_BIN_EXE_smart")).parent().unwrap();
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", folder.display());
    let mut script = tokio::process::Command::new("sh");
    script
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/killed_export.sh"))
        .env_clear()
        .envs([("PATH", path.as_str()), ("PORT", &port), ("FILE_SIZE", "4MiB"), ("LANG", "C.UTF-8")])
        .env("TMPDIR", user.folder())
        .kill_on_drop(true);
    let ran = tokio::time::timeout(Duration::from_secs(180), script.output()).await.unwrap().unwrap();
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{out}\n{err}");
    assert!(out.contains("8 files, all digests equal") && out.contains("killed with"), "{out}\n{err}");
}

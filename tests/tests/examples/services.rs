//! The examples without a person: backend services.

use crate::program::{Program, tells_no_secret};
use smart_jwt::{Jwks, KeyKind, SigningKey};
use smart_sandbox::{BulkConfig, BulkMode, Client, ClientKeys, Sandbox, SandboxConfig};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A sandbox that knows the service, and the service's key in a file.
struct Night {
    sandbox: Sandbox,
    folder: tempfile::TempDir,
}

impl Night {
    async fn with(bulk: BulkConfig) -> Self {
        let key = SigningKey::generate(KeyKind::EcP384).unwrap().with_kid("k1").unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key.pem"), key.to_pem().expose_secret()).unwrap();
        let keys = Jwks::from_keys(vec![key.public_jwk().clone()]).unwrap().to_json().to_string();
        let clients = vec![Client::asymmetric("nightly-export", ClientKeys::Document(keys))];
        let config = SandboxConfig { clients, bulk, ..SandboxConfig::default() };
        Self { sandbox: Sandbox::start(config).await.unwrap(), folder }
    }

    fn out(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Begins an export to the folder of this name.
    fn start(&self, out: &str) -> Program {
        let (key, out) = (self.out("key.pem"), self.out(out));
        let base = self.sandbox.fhir_base();
        let server = ["--issuer", &base, "--key", key.to_str().unwrap(), "--kid", "k1"];
        let place = ["--out", out.to_str().unwrap(), "--once"];
        Program::start("nightly_export", &[server.as_slice(), &place].concat())
    }
}

/// The only folder in a folder.
fn only(folder: &Path) -> PathBuf {
    let all: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].clone()
}

/// The files of an export, with what is in them.
fn files(export: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(export).unwrap().map(|entry| entry.unwrap().path());
    let exported = entries.filter(|path| path.extension().is_some_and(|extension| extension == "ndjson"));
    exported
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap()))
        .collect()
}

/// F-128, F-03 (SMART, backend services): the nightly export is killed while it downloads, goes on at its next start, and comes to the same
/// files as one that nobody disturbed.
#[tokio::test]
async fn the_nightly_export_goes_on_after_a_kill() {
    let slow = BulkConfig { files: 3, file_size: 2 << 20, ..BulkConfig::default() }.with_modes([BulkMode::Slow]);
    let night = Night::with(slow).await;
    let mut first = night.start("killed");
    first.line_after("The server has 3 files").await;
    let mut told = first.kill().await;
    let export = only(&night.out("killed"));
    assert!(told.starts_with(&format!("Exporting to {}\n", export.display())), "{told}");
    assert!(!export.join("export.json").exists(), "it was killed before its end");

    let again = night.start("killed").end().await;
    assert!(again.errors.is_empty(), "{}", again.errors);
    let again = again.succeeded();
    assert!(again.starts_with(&format!("Resuming {}\n", export.display())), "{again}");
    assert!(again.contains(" resources in 3 files, as of 20"), "{again}");
    assert_eq!(only(&night.out("killed")), export, "the same export");
    assert_eq!(night.sandbox.bulk_counts().kick_offs, 1, "the export was begun once");
    let undisturbed = night.start("undisturbed").end().await.succeeded();
    assert_eq!(files(&export), files(&only(&night.out("undisturbed"))));
    assert_eq!(files(&export).len(), 3);
    told.extend([again, undisturbed]);
    tells_no_secret(&night.sandbox, &told);
}

/// F-128: the exit codes of the nightly export tell what to do next.
#[tokio::test]
async fn the_nightly_export_ends_with_what_to_do() {
    let night = Night::with(BulkConfig::default().with_modes([BulkMode::Errors])).await;
    let partial = night.start("out").end().await;
    assert_eq!(partial.code, Some(3), "{}{}", partial.told, partial.errors);

    // What failed at the server is left as it is, and then an export is begun anew.
    let night = Night::with(BulkConfig::default().with_modes([BulkMode::Failing])).await;
    for (code, says, kick_offs) in
        [(1, "the export failed", 1), (75, "It is tried again", 1), (1, "the export failed", 2)]
    {
        let failed = night.start("out").end().await;
        assert_eq!(failed.code, Some(code), "{}{}", failed.told, failed.errors);
        assert!(failed.errors.contains(says), "{}", failed.errors);
        assert_eq!(night.sandbox.bulk_counts().kick_offs, kick_offs);
    }
    let entries = std::fs::read_dir(night.out("out")).unwrap().map(|entry| entry.unwrap().path());
    assert_eq!(entries.filter(|path| path.extension().is_some_and(|it| it == "given-up")).count(), 1);

    let night = Night::with(BulkConfig::default()).await;
    // Nobody listens any more where the server was.
    let program = {
        let Night { sandbox, folder } = night;
        let base = sandbox.fhir_base();
        sandbox.shutdown().await;
        let (key, out) = (folder.path().join("key.pem"), folder.path().join("out"));
        let arguments = ["--issuer", &base, "--key", key.to_str().unwrap(), "--kid", "k1"];
        let program = Program::start(
            "nightly_export",
            &[arguments.as_slice(), &["--out", out.to_str().unwrap(), "--once"]].concat(),
        );
        program.end().await
    };
    assert_eq!(program.code, Some(75), "{}", program.errors);
    assert!(program.errors.contains("It is tried again"), "{}", program.errors);
    let usage = Program::start("nightly_export", &["--once"]).end().await;
    assert_eq!(usage.code, Some(2), "{}", usage.errors);
    let no_key =
        ["--issuer", "https://ehr.example/fhir", "--key", "no-such-key.pem", "--kid", "k1", "--out", "nowhere"];
    let no_key = Program::start("nightly_export", &no_key).end().await;
    assert_eq!(no_key.code, Some(1), "{}", no_key.errors);
    assert!(no_key.errors.contains("no-such-key.pem"), "{}", no_key.errors);
}

/// F-128: `--sandbox` exports with one command.
#[tokio::test]
async fn the_nightly_export_shows_itself() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let arguments = ["--sandbox", "--once", "--out", out.to_str().unwrap()];
    let told = Program::start("nightly_export", &arguments).end().await.succeeded();
    let files = files(&only(&out));
    let lines: usize = files.values().map(|file| String::from_utf8_lossy(file).lines().count()).sum();
    assert!(told.contains(&format!("\n{lines} resources in 4 files, as of ")), "{told}");
}

/// F-128 (SMART, client authentication: protect the private key): a service signs with a key that another process keeps.
#[tokio::test]
async fn a_service_signs_with_a_key_elsewhere() {
    let told = Program::start("kms_signer", &[]).end().await.succeeded();
    let lines: Vec<&str> = told.lines().collect();
    let [key, granted, patients] = lines.as_slice() else { panic!("{told}") };
    assert!(key.starts_with("The key kms-2026-11 is kept by another process ("), "{told}");
    assert_eq!(*granted, "Granted: system/Patient.rs");
    assert_eq!(*patients, "14 patients can be read.");
}

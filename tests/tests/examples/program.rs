//! Running an example as a program.

use smart_http::{HttpClient, HyperTransport};
use smart_sandbox::Sandbox;
use smart_sandbox::browser::{AutoBrowser, Person};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;

/// How long an example may take to say or do the next thing.
const LONGEST: Duration = Duration::from_secs(60);

/// An example that runs. It is killed when it is dropped.
pub(crate) struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    told: String,
    errors: JoinHandle<String>,
}

/// What an example came to.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) told: String,
    pub(crate) errors: String,
}

impl Program {
    pub(crate) fn start(name: &str, arguments: &[&str]) -> Self {
        Self::start_with(name, arguments, |_| ())
    }

    pub(crate) fn start_with(name: &str, arguments: &[&str], set_up: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(built(name));
        command.args(arguments).kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        set_up(&mut command);
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut stderr = child.stderr.take().unwrap();
        let errors = tokio::spawn(async move {
            let mut errors = String::new();
            stderr.read_to_string(&mut errors).await.unwrap();
            errors
        });
        Self { child, lines, told: String::new(), errors }
    }

    /// Waits for a line that begins so, and gives what follows.
    pub(crate) async fn line_after(&mut self, beginning: &str) -> String {
        while let Some(line) = self.next_line().await {
            if let Some(rest) = line.strip_prefix(beginning) {
                return rest.to_owned();
            }
        }
        panic!("it did not say {beginning:?}, but: {}", self.told);
    }

    async fn next_line(&mut self) -> Option<String> {
        let next = tokio::time::timeout(LONGEST, self.lines.next_line()).await;
        let line = next.unwrap_or_else(|_| panic!("it says nothing more after: {}", self.told)).unwrap()?;
        self.told.push_str(&line);
        self.told.push('\n');
        Some(line)
    }

    /// Waits for its end.
    pub(crate) async fn end(mut self) -> Ended {
        while self.next_line().await.is_some() {}
        let status = tokio::time::timeout(LONGEST, self.child.wait()).await.expect("it does not end").unwrap();
        Ended { code: status.code(), told: self.told, errors: self.errors.await.unwrap() }
    }

    /// Kills it, as `kill -9` does.
    pub(crate) async fn kill(mut self) -> String {
        self.child.kill().await.unwrap();
        self.told
    }
}

impl Ended {
    /// What it told, once it is sure that all went well.
    pub(crate) fn succeeded(self) -> String {
        assert_eq!(self.code, Some(0), "{}\n{}", self.told, self.errors);
        self.told
    }
}

/// A browser that programs open as a person's own: a program that writes down where it was sent to.
pub(crate) struct PersonsBrowser {
    folder: tempfile::TempDir,
}

impl PersonsBrowser {
    pub(crate) fn new() -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let it = Self { folder: tempfile::tempdir().unwrap() };
        let asked = it.asked();
        // In place at once: who waits for it reads it whole.
        let script = format!("#!/bin/sh\nprintf %s \"$1\" > '{0}.new' && mv '{0}.new' '{0}'\n", asked.display());
        std::fs::write(it.program(), script).unwrap();
        std::fs::set_permissions(it.program(), std::fs::Permissions::from_mode(0o700)).unwrap();
        it
    }

    fn program(&self) -> PathBuf {
        self.folder.path().join("browser")
    }

    fn asked(&self) -> PathBuf {
        self.folder.path().join("asked")
    }

    /// Makes it the browser of a program.
    pub(crate) fn set(&self, command: &mut Command) {
        command.env("BROWSER", self.program());
    }

    /// Waits until a program opens it, and signs in there as `person`.
    pub(crate) async fn sign_in(&self, person: Person) {
        for _ in 0..600 {
            if let Ok(url) = std::fs::read_to_string(self.asked()) {
                std::fs::remove_file(self.asked()).unwrap();
                return browser(person).browse(&url.parse().unwrap()).await.unwrap();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the program opened no browser");
    }
}

/// A stand-in for a person with a browser.
pub(crate) fn browser(person: Person) -> AutoBrowser {
    AutoBrowser::new(HttpClient::new(HyperTransport::new()), person)
}

/// No code, token or secret of a sandbox is in what a program told.
pub(crate) fn tells_no_secret(sandbox: &Sandbox, told: &str) {
    let secrets = sandbox.issued_secrets();
    assert!(secrets.len() > 1, "there are some");
    assert!(secrets.iter().all(|secret| !told.contains(secret)), "a secret is told: {told}");
}

/// The example's program. `cargo nextest run` and `cargo test` build it with the tests of the workspace; where only some of them
/// were built it is made or brought up to date here.
fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    // target/debug/deps/examples-0123: its neighbour is target/debug/examples/name.
    let profile = test.parent().and_then(Path::parent).unwrap();
    let program = profile.join("examples").join(name);
    if !is_fresh(&program) {
        let mut cargo = std::process::Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
        cargo.args(["build", "--quiet", "--locked", "-p", "smart-on-fhir", "--examples"]);
        // Build scripts that look at these of a test's would run again, and all that depends on them be built anew.
        let is_of_test = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_of_test)) {
            cargo.env_remove(name);
        }
        cargo.current_dir(env!("CARGO_MANIFEST_DIR")).arg("--target-dir").arg(profile.parent().unwrap());
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        assert!(cargo.status().unwrap().success(), "the examples cannot be built");
    }
    program
}

/// Whether a program is there and newer than every source that it was made of, by the list that cargo writes beside it.
fn is_fresh(program: &Path) -> bool {
    let changed = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
    let (Some(made), Ok(list)) = (changed(program), std::fs::read_to_string(program.with_extension("d"))) else {
        return false;
    };
    let Some((_, sources)) = list.trim_end().split_once(": ") else { return false };
    let sources = sources.replace("\\ ", "\u{0}");
    let is_older = |source: &str| {
        let changed: Option<SystemTime> = changed(Path::new(&source.replace('\u{0}', " ")));
        changed.is_some_and(|changed| changed <= made)
    };
    sources.split(' ').all(is_older)
}

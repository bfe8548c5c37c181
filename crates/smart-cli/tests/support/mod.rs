//! Runs the built `smart` and reads what it prints.

#![allow(
    dead_code,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "each test file uses its part, and reports by panicking"
)]

use serde_json::Value;
use smart_on_fhir::http::{HttpClient, HyperTransport};
use smart_sandbox::browser::{AutoBrowser, Person};
use smart_sandbox::{Misbehaviour, Sandbox, SandboxConfig};
use std::process::Stdio;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};
use url::Url;

/// How long any run may take.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(60);

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Ran {
    /// The one JSON object on standard output.
    pub(crate) fn json(&self) -> Value {
        let mut values = serde_json::Deserializer::from_str(&self.out).into_iter::<Value>();
        let first = values.next().expect("there is JSON").expect("it is valid");
        assert!(values.next().is_none(), "there is more than one JSON value: {}", self.out);
        assert!(first.is_object(), "{first}");
        first
    }

    /// Asserts the exit code, with all output in the message.
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }
}

/// A user of the command, with a folder of their own.
pub(crate) struct User {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

impl User {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), variables: Vec::new() }
    }

    /// The same user with a variable in their environment.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes a file that is the user's alone.
    pub(crate) fn private(&self, name: &str, content: &str) -> std::path::PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).expect("it is written");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("its rights are set");
        }
        path
    }

    /// A folder for files and the stored sessions.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The command, in an environment that does not depend on the machine.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_smart"));
        command
            .args(arguments)
            .env_clear()
            .env("SMART_DATA", self.folder.path())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .env("LANG", "C.UTF-8")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs to the end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ran {
        let run = self.command(arguments).output();
        let output = tokio::time::timeout(LIMIT, run).await.expect("it ends").expect("it starts");
        Ran {
            code: output.status.code().expect("an exit code"),
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
        }
    }

    /// Begins a login without a browser, and gives the URL that the person is asked to open.
    pub(crate) async fn begin_login(&self, base: &str, arguments: &[&str]) -> Login {
        let all = [&["login", base, "--no-browser"], arguments].concat();
        Self::begin(self.command(&all)).await
    }

    /// Begins a launch, and gives the URL that the EHR opens.
    pub(crate) async fn begin_launch(&self, base: &str, arguments: &[&str]) -> Login {
        let all = [&["launch", "--iss-allow", base, "--port", "0"], arguments].concat();
        Self::begin(self.command(&all)).await
    }

    /// Begins what prints a URL on standard error and waits.
    pub(crate) async fn begin(mut command: Command) -> Login {
        let mut child = command.spawn().expect("it starts");
        let mut lines = BufReader::new(child.stderr.take().expect("standard error"));
        let (mut err, mut url) = (String::new(), None);
        while url.is_none() {
            let mut line = String::new();
            let read = tokio::time::timeout(LIMIT, lines.read_line(&mut line)).await.expect("in time").expect("text");
            if read == 0 {
                break;
            }
            err.push_str(&line);
            url = Url::parse(line.trim()).ok().filter(Url::has_host);
        }
        Login { child, lines, err, url }
    }

    /// Logs in, with a stand-in for the person.
    pub(crate) async fn log_in(&self, base: &str, person: Person, arguments: &[&str]) -> Ran {
        let login = self.begin_login(base, arguments).await;
        if let Some(url) = &login.url {
            browser(person).browse(url).await.expect("the pages are as expected");
        }
        login.end().await
    }
}

/// A login that waits for the browser.
pub(crate) struct Login {
    /// The command that runs.
    pub(crate) child: Child,
    lines: BufReader<tokio::process::ChildStderr>,
    err: String,
    /// The URL that the person is asked to open; none when the command ended before.
    pub(crate) url: Option<Url>,
}

impl Login {
    /// Waits for the end.
    pub(crate) async fn end(mut self) -> Ran {
        let mut out = String::new();
        let mut stdout = self.child.stdout.take().expect("standard output");
        let ended = async {
            stdout.read_to_string(&mut out).await.expect("text");
            self.lines.read_to_string(&mut self.err).await.expect("text");
            self.child.wait().await.expect("an end")
        };
        let status = tokio::time::timeout(LIMIT, ended).await.expect("it ends");
        Ran { code: status.code().expect("an exit code"), out, err: self.err }
    }
}

/// The launcher of a sandbox, for the app at `launch_url`.
pub(crate) fn launcher(sandbox: &Sandbox, launch_url: &Url) -> Url {
    let mut url = Url::parse(&sandbox.endpoints().launcher).expect("a URL");
    url.query_pairs_mut().append_pair("launch_url", launch_url.as_str());
    url
}

/// Asserts that no code or token that the sandbox has given out is in what was printed.
pub(crate) fn assert_masked(sandbox: &Sandbox, ran: &Ran) {
    let secrets = sandbox.issued_secrets();
    assert!(!secrets.is_empty(), "nothing was given out");
    for secret in secrets.iter().map(String::as_str).chain(["demo-secret"]) {
        assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "{secret}: {ran:#?}");
    }
}

/// Asserts that an error is one JSON object with its code and next step, and gives it.
pub(crate) fn json_error(ran: &Ran, code: &str) -> Value {
    let error = ran.json()["error"].clone();
    assert_eq!(error["code"], code, "{ran:#?}");
    for member in ["message", "next_step"] {
        assert!(error[member].as_str().is_some_and(|text| !text.is_empty()), "{error}");
    }
    error
}

/// The path as text.
pub(crate) fn text(path: &std::path::Path) -> &str {
    path.to_str().expect("text")
}

/// A sandbox with a backend service `night-job`, whose key is in the file that is given.
pub(crate) async fn sandbox_with_key(user: &User) -> (Sandbox, std::path::PathBuf) {
    let key = user.folder().join("key.jwk");
    user.run(&["keygen", "--jwk", "--out", text(&key)]).await.exits(0);
    let jwks = user.run(&["jwks", text(&key), "--json"]).await.exits(0).json()["jwks"].to_string();
    let mut config = SandboxConfig::default();
    config.clients.push(smart_sandbox::Client::asymmetric("night-job", smart_sandbox::ClientKeys::Document(jwks)));
    (Sandbox::start(config).await.expect("a sandbox"), key)
}

pub(crate) fn http() -> HttpClient {
    HttpClient::new(HyperTransport::new())
}

pub(crate) fn browser(person: Person) -> AutoBrowser {
    AutoBrowser::new(http(), person)
}

pub(crate) async fn sandbox() -> Sandbox {
    Sandbox::start(SandboxConfig::default()).await.expect("a sandbox")
}

pub(crate) async fn misbehaving(misbehaviour: Misbehaviour) -> Sandbox {
    let config = SandboxConfig { misbehaviour: Some(misbehaviour), ..SandboxConfig::default() };
    Sandbox::start(config).await.expect("a sandbox")
}

/// A port that is free, and that the system gives to nobody who asks for any.
pub(crate) fn free_port() -> u16 {
    let begin = 26_000 + u16::try_from(std::process::id() % 5_000).expect("small");
    let is_free = |port: &u16| std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, *port)).is_ok();
    (begin..begin + 200).find(is_free).expect("a free port")
}

//! Two processes on one store and one rotating refresh token, killed at random (kill -9) while they renew.
//!
//! The server revokes the grant when a refresh token comes twice. A client that is killed after the server has rotated the token
//! and before the answer is on disk has lost it, and nobody can help that but the server: such rounds are told apart by comparing
//! store and server, and counted. With a server that takes a token once more whose successor nobody has used, there are none.
//!
//! `SMART_KILL_ROUNDS` sets the number of rounds of each test (default 12).

use crate::fleet::cluster::{Cluster, PASSWORD};
use crate::world::SCOPES;
use smart_flows::{App, Error, Session, SmartClient};
use smart_http::{HttpClient, HyperTransport, Limits};
use smart_sandbox::browser::{AutoBrowser, Person};
use smart_sandbox::{Sandbox, SandboxConfig};
use smart_store::{DataKey, EncryptedFileStore, Key, Kind, PostgresConfig, PostgresStore, RawKey, Store};
use std::io::Write as _;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

const KEY: [u8; 32] = [7; 32];

fn raw_key() -> RawKey {
    RawKey::new(DataKey::from_octets(&KEY))
}

/// Where the records are.
#[derive(Clone)]
enum Place {
    Folder(std::path::PathBuf),
    /// URL and schema.
    Postgres(String, String),
}

impl Place {
    fn open(&self) -> Arc<dyn Store> {
        match self {
            Self::Folder(folder) => Arc::new(EncryptedFileStore::new(folder, raw_key())),
            Self::Postgres(url, schema) => {
                let config = PostgresConfig::parse(url).unwrap().with_password(PASSWORD).with_schema(schema).unwrap();
                Arc::new(PostgresStore::new(config, raw_key()).unwrap())
            }
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Folder(folder) => format!("folder {}", folder.display()),
            Self::Postgres(url, schema) => format!("{schema} {url}"),
        }
    }

    fn parse(text: &str) -> Self {
        match text.split_once(' ').unwrap() {
            ("folder", path) => Self::Folder(path.into()),
            (schema, url) => Self::Postgres(url.to_owned(), schema.to_owned()),
        }
    }
}

fn client(place: &Place) -> SmartClient {
    let limits = Limits { total: Duration::from_secs(5), ..Limits::default() };
    SmartClient::builder(App::public("demo-app").scopes(SCOPES).unwrap())
        .allow_loopback_http()
        .http(HttpClient::new(HyperTransport::new()).with_limits(limits))
        .store(place.open())
        .refresh_lease(Duration::from_secs(3))
        .build()
}

fn key_text(key: &Key) -> String {
    [key.issuer(), key.user(), key.id()].join("\u{1f}")
}

fn read_key(text: &str) -> Key {
    let parts: Vec<&str> = text.split('\u{1f}').collect();
    Key::new(Kind::Session, parts[0], parts[1], parts[2])
}

/// One of the processes: renews for each line that it reads, and says what came of it.
#[test]
#[ignore = "a process that the other tests of this file start"]
fn child() {
    let (Ok(place), Ok(key)) = (std::env::var("SMART_KILL_PLACE"), std::env::var("SMART_KILL_KEY")) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (client, key) = (client(&Place::parse(&place)), read_key(&key));
    let say = |text: &str| {
        println!("> {text}");
        std::io::stdout().flush().unwrap();
    };
    let Ok(Some(session)) = runtime.block_on(client.restore(&key)) else { return say("none") };
    say("ready");
    for _ in std::io::stdin().lines() {
        match runtime.block_on(session.refresh()) {
            Ok(()) => say("ok"),
            Err(error) if error.needs_reauthorization() => return say(&format!("dead {error}")),
            Err(error) => say(&format!("later {error}")),
        }
    }
}

struct Worker {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Worker {
    async fn start(place: &Place, key: &Key) -> Option<Self> {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::child", "--ignored", "--nocapture"])
            .env("SMART_KILL_PLACE", place.text())
            .env("SMART_KILL_KEY", key_text(key))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut worker = Self { child, stdin, lines };
        (worker.said().await? == "ready").then_some(worker)
    }

    /// What it says next. `None`: it is gone.
    async fn said(&mut self) -> Option<String> {
        loop {
            let next = tokio::time::timeout(Duration::from_secs(60), self.lines.next_line()).await;
            let line = next.expect("an answer in time").ok()??;
            if let Some(text) = line.split("> ").nth(1) {
                return Some(text.to_owned());
            }
        }
    }

    async fn go(&mut self) -> bool {
        self.stdin.write_all(b"go\n").await.is_ok()
    }

    async fn kill(mut self) {
        // SIGKILL: nothing of the process runs any more.
        self.child.kill().await.unwrap();
    }
}

#[derive(Debug, Default)]
struct Tally {
    rounds: u32,
    kills: u32,
    renewals: u32,
    /// Killed between the server's rotation and the end of storing: nothing but another login helps.
    lost_with_the_answer: u32,
    /// Lost otherwise.
    lost: u32,
}

struct Trial {
    sandbox: Sandbox,
    place: Place,
    random: u64,
    /// How long a renewal takes, in microseconds.
    usual: u64,
    tally: Tally,
}

impl Trial {
    async fn new(place: Place, leeway: Option<Duration>) -> Self {
        let config = SandboxConfig { refresh_reuse_leeway: leeway, ..SandboxConfig::default() };
        let random = u64::from(std::process::id());
        Self { sandbox: Sandbox::start(config).await.unwrap(), place, random, usual: 10_000, tally: Tally::default() }
    }

    fn throw(&mut self, sides: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % sides
    }

    async fn login(&self) -> Key {
        let http = HttpClient::new(HyperTransport::new());
        let browser = AutoBrowser::new(http, Person::default());
        let launch = client(&self.place).standalone(&self.sandbox.fhir_base()).await.unwrap();
        let browse = |url| async move { browser.browse(&url).await.map_err(|e| Error::Browser(e.to_string())) };
        let session: Session = launch.with_browser(browse).await.unwrap();
        session.key().clone()
    }

    /// Whether the newest refresh token of the server is the one that is stored.
    async fn is_newest_stored(&self, key: &Key) -> bool {
        let Ok(Some(record)) = self.place.open().get(key).await else { return false };
        let record: serde_json::Value = serde_json::from_slice(record.value.expose_secret()).unwrap();
        record["refresh_token"].as_str().is_some_and(|token| self.sandbox.is_newest_refresh_token(token))
    }

    async fn play(mut self, rounds: u32) -> Tally {
        let mut key = self.login().await;
        let mut workers = [Worker::start(&self.place, &key).await, Worker::start(&self.place, &key).await];
        for _ in 0..rounds {
            self.tally.rounds += 1;
            let before = self.sandbox.counts().token;
            for worker in workers.iter_mut().flatten() {
                worker.go().await;
            }
            // Half of the rounds kill nobody; the first one kills.
            let victim = if self.tally.rounds == 1 { 0 } else { usize::try_from(self.throw(4)).unwrap() };
            if victim < 2 {
                // Anywhere in the request, the exchange and the storing, and a little after.
                let moment = self.throw(self.usual * 3 / 2);
                tokio::time::sleep(Duration::from_micros(moment)).await;
                if let Some(worker) = workers[victim].take() {
                    worker.kill().await;
                    self.tally.kills += 1;
                }
            }
            let (mut dead, begun) = (false, Instant::now());
            for worker in &mut workers {
                let Some(alive) = worker else { continue };
                match alive.said().await {
                    Some(said) if said == "ok" || said.starts_with("later ") => {}
                    said => {
                        assert!(said.as_ref().is_none_or(|said| said.starts_with("dead ")), "{said:?}");
                        (dead, *worker) = (true, None);
                    }
                }
            }
            if victim >= 2 {
                // What a renewal takes on this machine just now, in microseconds.
                let took = u64::try_from(begun.elapsed().as_micros()).unwrap();
                self.usual = (self.usual * 3 + took) / 4;
            }
            self.tally.renewals += u32::try_from(self.sandbox.counts().token - before).unwrap();
            let stored = self.is_newest_stored(&key).await;
            if dead || (!stored && workers.iter().all(Option::is_none)) {
                // Only a kill can have taken the answer with it.
                let lost = if victim < 2 { &mut self.tally.lost_with_the_answer } else { &mut self.tally.lost };
                *lost += 1;
                for worker in workers.iter_mut().filter_map(Option::take) {
                    worker.kill().await;
                }
                key = self.login().await;
            }
            for worker in &mut workers {
                if worker.is_none() {
                    *worker = Worker::start(&self.place, &key).await;
                    assert!(worker.is_some(), "a new process finds the session");
                }
            }
        }
        self.tally
    }
}

fn rounds() -> u32 {
    std::env::var("SMART_KILL_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(12)
}

fn check(tally: &Tally, leeway: bool) {
    println!("{tally:?}");
    assert_eq!(tally.lost, 0, "{tally:?}");
    // Two that ask at a time are served by one renewal.
    assert!(tally.kills > 0 && tally.renewals >= tally.rounds / 2, "{tally:?}");
    if leeway {
        assert_eq!(tally.lost_with_the_answer, 0, "{tally:?}");
    }
}

/// RF-05, RF-06, F-68 (RFC 9700, 4.14.2): on one encrypted file, with a server that revokes the grant for a token that comes
/// twice: nothing is lost but with an answer that died with its process.
#[tokio::test]
async fn killed_on_one_encrypted_file() {
    let folder = tempfile::tempdir().unwrap();
    let trial = Trial::new(Place::Folder(folder.path().to_owned()), None).await;
    check(&trial.play(rounds()).await, false);
}

/// RF-05, RF-06, F-68 (RFC 9700, 4.14.2): the same with a server that takes a token once more whose successor nobody has used:
/// nothing is lost at all.
#[tokio::test]
async fn killed_on_one_encrypted_file_with_a_lenient_server() {
    let folder = tempfile::tempdir().unwrap();
    let trial = Trial::new(Place::Folder(folder.path().to_owned()), Some(Duration::from_secs(30))).await;
    check(&trial.play(rounds()).await, true);
}

/// RF-05, RF-06, F-77 (RFC 9700, 4.14.2): the same two on one PostgreSQL.
#[tokio::test]
async fn killed_on_one_postgres() {
    let Some(cluster) = Cluster::start() else { return };
    for (schema, leeway) in [("strict", None), ("lenient", Some(Duration::from_secs(30)))] {
        let trial = Trial::new(Place::Postgres(cluster.url(), schema.to_owned()), leeway).await;
        check(&trial.play(rounds()).await, leeway.is_some());
    }
}

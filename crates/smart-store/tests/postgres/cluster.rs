//! A PostgreSQL server of the test's own: in a temporary folder, on loopback and a socket in that folder, gone with the
//! test, also when it panics or is killed.
//!
//! It needs Debian's package postgresql. Without it a test prints why it is skipped, and fails where the variable CI is
//! set.

use smart_store::{PostgresConfig, PostgresStore};
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

pub(crate) const PASSWORD: &str = "the password of the cluster";

pub(crate) struct Cluster {
    server: Child,
    bin: PathBuf,
    pub(crate) port: u16,
    folder: TempDir,
}

/// Debian keeps the server's programs out of the path, one folder for each version.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut found: Vec<PathBuf> = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).collect();
    found.retain(|bin| bin.join("initdb").exists());
    found.sort();
    found.pop()
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout.trim_ascii() == b"0"
}

/// A program that ends when this one does, and is not root's: the server refuses to run as root.
fn command(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "QUIT"]);
    if is_root() {
        command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]);
    }
    command.arg(program).stdin(Stdio::null()).current_dir("/");
    command
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Cluster {
    /// A running server, or `None` where there is none to be had.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(|_| String::new())
    }

    /// The same with more settings. `settings` may put files into the folder that it is given.
    pub(crate) fn start_with(settings: impl FnOnce(&Path) -> String) -> Option<Self> {
        let Some(bin) = programs() else {
            assert!(std::env::var_os("CI").is_none(), "PostgreSQL is not installed (Debian: postgresql)");
            eprintln!("skipped: PostgreSQL is not installed (Debian: postgresql)");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("password"), PASSWORD).unwrap();
        let settings = settings(folder.path());
        if is_root() {
            run(Command::new("chown").arg("-R").arg("postgres:").arg(folder.path()));
        }
        let data = folder.path().join("data");
        let mut initdb = command(&bin.join("initdb"));
        initdb.arg("-D").arg(&data).arg("--pwfile").arg(folder.path().join("password"));
        initdb.args(["-U", "postgres", "--auth-host=scram-sha-256", "--auth-local=trust"]);
        run(initdb.args(["--no-sync", "--wal-segsize=1", "--no-locale", "-E", "UTF8"]));
        let common = format!(
            "unix_socket_directories = '{}'\nfsync = off\nfull_page_writes = off\nshared_buffers = 16MB\n\
             max_connections = 60\n",
            folder.path().display()
        );
        let mut file = std::fs::OpenOptions::new().append(true).open(data.join("postgresql.conf")).unwrap();
        file.write_all(format!("{common}{settings}\n").as_bytes()).unwrap();
        // Somebody else may take the port between the look and the start.
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            if let Some(server) = serve(&bin, folder.path(), port) {
                return Some(Self { server, bin, port, folder });
            }
        }
        panic!("the server does not start: {}", std::fs::read_to_string(folder.path().join("log")).unwrap());
    }

    /// The folder that the server writes to.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A connection string without the password.
    pub(crate) fn url(&self) -> String {
        format!("postgresql://postgres@127.0.0.1:{}/postgres", self.port)
    }

    pub(crate) fn config(&self) -> PostgresConfig {
        PostgresConfig::parse(&self.url()).unwrap().with_password(PASSWORD)
    }

    /// A store with a fixed key.
    pub(crate) fn store(&self) -> PostgresStore {
        self.store_in("smart_store")
    }

    pub(crate) fn store_in(&self, schema: &str) -> PostgresStore {
        PostgresStore::new(self.config().with_schema(schema).unwrap(), super::raw_key()).unwrap()
    }

    /// A connection of the server's owner.
    pub(crate) async fn admin(&self) -> Client {
        let url = format!("host={} port={} user=postgres", self.folder.path().display(), self.port);
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// How many connections stores have.
    pub(crate) async fn sessions(&self) -> i64 {
        let count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'smart-store'";
        self.admin().await.query_one(count, &[]).await.unwrap().get(0)
    }

    /// Stops the server as its owner would: sessions are ended, data is written.
    pub(crate) fn stop(&mut self) {
        self.end("INT");
    }

    pub(crate) fn start_again(&mut self) {
        self.server = serve(&self.bin, self.folder.path(), self.port).unwrap();
    }

    fn end(&mut self, signal: &str) {
        if self.server.try_wait().unwrap().is_none() {
            run(Command::new("kill").arg(format!("-{signal}")).arg(self.server.id().to_string()));
            self.server.wait().unwrap();
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.end("QUIT");
    }
}

/// Starts the server and waits until it takes connections. `None`: it does not, as when the port was taken.
fn serve(bin: &Path, folder: &Path, port: u16) -> Option<Child> {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("log")).unwrap();
    let mut server = command(&bin.join("postgres"))
        .arg("-D")
        .arg(folder.join("data"))
        .args(["-p", &port.to_string(), "-h", "127.0.0.1"])
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(30) {
        if server.try_wait().unwrap().is_some() {
            return None;
        }
        let mut ready = command(&bin.join("pg_isready"));
        ready.args(["-q", "-U", "postgres", "-p", &port.to_string(), "-h"]).arg(folder);
        if ready.status().unwrap().success() {
            return Some(server);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    server.kill().unwrap();
    server.wait().unwrap();
    panic!("the server does not get ready: {}", std::fs::read_to_string(folder.join("log")).unwrap());
}

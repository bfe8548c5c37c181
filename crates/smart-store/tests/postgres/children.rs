//! This test program, started again as processes of their own.

use super::cluster::{Cluster, PASSWORD};
use super::{key, put, raw_key, value};
use smart_store::testing::StatementStep;
use smart_store::{Expected, Holder, KeyFile, LeaseOutcome, PostgresConfig, PostgresStore, Store as _, StoreError};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const TASK: &str = "SMART_STORE_TASK";
const URL: &str = "SMART_STORE_URL";
const SCHEMA: &str = "SMART_STORE_SCHEMA";
const FOLDER: &str = "SMART_STORE_FOLDER";

/// Starts a task. `folder` is for its own files.
pub(crate) fn start(task: &str, cluster: &Cluster, schema: &str, folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "children::child", "--ignored", "--nocapture"])
        .env(TASK, task)
        .env(URL, cluster.url())
        .env(SCHEMA, schema)
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

/// What a child works with.
struct Here {
    config: PostgresConfig,
    folder: PathBuf,
}

impl Here {
    fn store(&self) -> PostgresStore {
        PostgresStore::new(self.config.clone(), raw_key()).unwrap()
    }

    fn with_key_file(&self) -> PostgresStore {
        PostgresStore::new(self.config.clone(), KeyFile::new(self.folder.join("key"))).unwrap()
    }
}

#[tokio::test]
#[ignore = "run by other tests, as a process of its own"]
async fn child() {
    let (Ok(task), Ok(url)) = (std::env::var(TASK), std::env::var(URL)) else { return };
    let config = PostgresConfig::parse(&url).unwrap().with_password(PASSWORD);
    let config = config.with_schema(&std::env::var(SCHEMA).unwrap()).unwrap();
    let here = Here { config, folder: std::env::var_os(FOLDER).unwrap().into() };
    let (task, number) = task.split_once(' ').unwrap_or((&task, "0"));
    let number: usize = number.parse().unwrap();
    match task {
        "open" => here.store().open().await.unwrap(),
        "count" => count(&here.store()).await,
        "die" => die_at(here.store(), number).await,
        "die-rotating" => die_rotating_at(here.with_key_file(), number).await,
        "add" => add(&here.store(), number).await,
        "alone" => work_alone(&here, number).await,
        "rotate" => rotate(&here.with_key_file()).await,
        _ => panic!("{task}"),
    }
}

/// Writes 1, 2, 3, .. and says so after each, until it is killed.
async fn count(store: &PostgresStore) {
    let record = store.get(&key("counter")).await.unwrap().unwrap();
    let mut version = record.version;
    let mut n: u64 = String::from_utf8_lossy(record.value.expose_secret()).parse().unwrap();
    loop {
        n += 1;
        version = store.put(&key("counter"), value(n.to_string()), Expected::Version(version)).await.unwrap();
        println!("wrote {n}");
    }
}

/// The same store, that dies at the given step: before or after a statement.
fn mortal(store: PostgresStore, step: usize) -> PostgresStore {
    let steps = AtomicUsize::new(0);
    store.with_statement_hook(move |_: StatementStep, doing| {
        if steps.fetch_add(1, Ordering::SeqCst) == step {
            println!("dies at {doing}");
            // As kill -9: nothing is tidied up.
            let pid = std::process::id().to_string();
            let _ = Command::new("kill").args(["-9", &pid]).status();
            std::process::abort();
        }
    })
}

/// Replaces a record and removes another.
async fn die_at(store: PostgresStore, step: usize) {
    let store = mortal(store, step);
    put(&store, "a", "new").await;
    store.remove(&key("b"), Expected::Any).await.unwrap();
    println!("survived");
}

async fn die_rotating_at(store: PostgresStore, step: usize) {
    mortal(store, step).rotate_key().await.unwrap();
    println!("survived");
}

/// Adds one, again and again, as one of several.
async fn add(store: &PostgresStore, times: usize) {
    let (mut done, mut lost) = (0, 0);
    while done < times {
        let record = store.get(&key("sum")).await.unwrap().unwrap();
        let sum: usize = String::from_utf8_lossy(record.value.expose_secret()).parse().unwrap();
        match store.put(&key("sum"), value((sum + 1).to_string()), Expected::Version(record.version)).await {
            Ok(_) => done += 1,
            Err(StoreError::Conflict { .. }) => lost += 1,
            Err(other) => panic!("{other}"),
        }
    }
    println!("lost {lost}");
}

/// Does something that only one may do at a time, under a lease.
async fn work_alone(here: &Here, rounds: usize) {
    let (store, me) = (here.store(), Holder::new(std::process::id().to_string()));
    let mut done = 0;
    while done < rounds {
        match store.lease(&key("k"), &me, Duration::from_secs(60)).await.unwrap() {
            LeaseOutcome::Taken { .. } => tokio::time::sleep(Duration::from_micros(300)).await,
            LeaseOutcome::Held { .. } => {
                let mark = here.folder.join("somebody-is-here");
                std::fs::File::create_new(&mark).unwrap().write_all(b"me").unwrap();
                tokio::time::sleep(Duration::from_micros(300)).await;
                std::fs::remove_file(mark).unwrap();
                store.release(&key("k"), &me).await.unwrap();
                done += 1;
            }
        }
    }
}

/// Rotates until it is killed.
async fn rotate(store: &PostgresStore) {
    loop {
        store.rotate_key().await.unwrap();
        println!("rotated");
    }
}

//! Several processes, and processes that are killed. The children are this test program, started again.

use super::{key, open, put, raw_key, records_in, text, value};
use smart_store::{EncryptedFileStore, Expected, Holder, KeyFile, LeaseOutcome, Store as _, StoreError};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const TASK: &str = "SMART_STORE_TASK";
const FOLDER: &str = "SMART_STORE_FOLDER";

fn start(task: &str, folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "processes::child", "--ignored", "--nocapture"])
        .env(TASK, task)
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test]
#[ignore = "run by other tests, as a process of its own"]
async fn child() {
    let (Ok(task), Some(folder)) = (std::env::var(TASK), std::env::var_os(FOLDER)) else { return };
    let folder = Path::new(&folder);
    match task.split_once(' ').unwrap_or((&task, "")) {
        ("count", _) => count(folder).await,
        ("die", step) => die_at(folder, step.parse().unwrap()).await,
        ("add", times) => add(folder, times.parse().unwrap()).await,
        ("alone", rounds) => work_alone(folder, rounds.parse().unwrap()).await,
        ("rotate", _) => rotate(folder).await,
        _ => panic!("{task}"),
    }
}

/// Writes 1, 2, 3, .. and says so after each, until it is killed.
async fn count(folder: &Path) {
    let store = EncryptedFileStore::new(folder, raw_key());
    let record = store.get(&key("counter")).await.unwrap().unwrap();
    let mut version = record.version;
    let mut n: u64 = String::from_utf8_lossy(record.value.expose_secret()).parse().unwrap();
    loop {
        n += 1;
        version = store.put(&key("counter"), value(n.to_string()), Expected::Version(version)).await.unwrap();
        println!("wrote {n}");
    }
}

/// F-79, RF-06 (RFC 6749 6): a process killed at random points loses nothing that it has said to be written, leaves the
/// record whole and the others alone, and blocks nobody.
#[tokio::test]
async fn kill_nine_at_random_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    put(&store, "counter", "0").await;
    put(&store, "other", "others").await;
    let (begun, mut kills, mut random) = (Instant::now(), 0, 88_172_645_463_325_252_u64);
    let mut said = 0;
    while kills < 200 && begun.elapsed() < Duration::from_secs(4) {
        let mut child = start("count", folder.path());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.by_ref().map(Result::unwrap).find(|line| line.starts_with("wrote")).unwrap();
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        std::thread::sleep(Duration::from_micros(random % 4_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let last = lines.map(Result::unwrap).filter(|line| line.starts_with("wrote")).last().unwrap_or(first);
        let last: u64 = last.trim_start_matches("wrote ").parse().unwrap();
        let stored: u64 = text(&store, "counter").await.unwrap().parse().unwrap();
        assert!(stored == last || stored == last + 1, "said {last}, stored {stored}");
        assert!(stored > said);
        said = stored;
        kills += 1;
    }
    assert_eq!(text(&store, "other").await.unwrap(), "others");
    let fresh = open(folder.path());
    fresh.open().await.unwrap();
    assert_eq!(records_in(folder.path()).len(), 2, "half-written files are swept");
    println!("{kills} kills, {said} writes");
    assert!(kills > 5, "{kills}");
}

/// Replaces a record, and dies before the given step.
async fn die_at(folder: &Path, step: usize) {
    let steps = AtomicUsize::new(0);
    let store = EncryptedFileStore::new(folder, raw_key()).with_disk_hook(move |_| {
        if steps.fetch_add(1, Ordering::SeqCst) == step {
            // As kill -9: nothing is tidied up.
            let pid = std::process::id().to_string();
            let _ = Command::new("kill").args(["-9", &pid]).status();
            std::process::abort();
        }
        Ok(())
    });
    put(&store, "a", "new").await;
    store.remove(&key("b"), Expected::Any).await.unwrap();
    println!("survived");
}

/// F-79, RF-06 (RFC 6749 6): a process killed before each single step of a write and of a removal leaves the old record or
/// the new, never less.
#[tokio::test]
async fn kill_nine_before_each_step_loses_nothing() {
    for step in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        put(&store, "a", "old").await;
        put(&store, "b", "to be removed").await;
        put(&store, "other", "others").await;
        let output = start(&format!("die {step}"), folder.path()).wait_with_output().unwrap();
        let survived = String::from_utf8_lossy(&output.stdout).contains("survived");
        assert_ne!(survived, !output.status.success(), "step {step}");
        let now = text(&store, "a").await.unwrap();
        let b = text(&store, "b").await;
        assert!(now == "new" || now == "old" && !survived && b.is_some(), "step {step}: {now}");
        assert!(b.is_none() || !survived);
        let fresh = open(folder.path());
        assert_eq!(text(&fresh, "other").await.unwrap(), "others");
        assert_eq!(fresh.check().await.unwrap().unreadable, []);
        assert_eq!(records_in(folder.path()).len(), 2 + usize::from(b.is_some()), "step {step}");
        put(&fresh, "a", "newer").await;
        if survived {
            assert!(step >= 10, "a write has seven steps, a removal four: {step}");
            return;
        }
    }
}

/// Adds one, again and again, as one of several.
async fn add(folder: &Path, times: usize) {
    let store = open(folder);
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

/// RF-05, F-68, F-79 (RFC 9700 4.14.2): of two processes that write with the same belief one succeeds: no sum gets lost.
#[tokio::test]
async fn two_processes_never_overwrite_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    put(&store, "sum", "0").await;
    let children: Vec<_> = (0..3).map(|_| start("add 150", folder.path())).collect();
    let mut conflicts = 0;
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        conflicts += said.split("lost ").nth(1).unwrap().split_whitespace().next().unwrap().parse::<u32>().unwrap();
    }
    assert_eq!(text(&store, "sum").await.unwrap(), "450");
    assert!(conflicts > 0, "the processes never met: the test shows nothing");
}

/// Does something that only one may do at a time, under a lease.
async fn work_alone(folder: &Path, rounds: usize) {
    let (store, me) = (open(folder), Holder::new(std::process::id().to_string()));
    let mut done = 0;
    while done < rounds {
        match store.lease(&key("k"), &me, Duration::from_secs(60)).await.unwrap() {
            LeaseOutcome::Taken { .. } => tokio::time::sleep(Duration::from_micros(300)).await,
            LeaseOutcome::Held { .. } => {
                let mark = folder.join("somebody-is-here");
                std::fs::File::create_new(&mark).unwrap().write_all(b"me").unwrap();
                tokio::time::sleep(Duration::from_micros(300)).await;
                std::fs::remove_file(mark).unwrap();
                store.release(&key("k"), &me).await.unwrap();
                done += 1;
            }
        }
    }
}

/// RF-05, F-68 (RFC 9700 4.14.2): a lease is one process's at a time.
#[tokio::test]
async fn a_lease_is_one_processs_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).open().await.unwrap();
    let children: Vec<_> = (0..3).map(|_| start("alone 60", folder.path())).collect();
    for child in children {
        assert!(child.wait_with_output().unwrap().status.success());
    }
}

/// Rotates until it is killed.
async fn rotate(folder: &Path) {
    let store = EncryptedFileStore::new(folder, KeyFile::new(folder.join("key"))).without_sync();
    loop {
        store.rotate_key().await.unwrap();
        println!("rotated");
    }
}

/// F-79 (rotation): a rotation killed at random points leaves every record readable, and keeps no more keys than it needs.
#[tokio::test]
async fn a_killed_rotation_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let open = || EncryptedFileStore::new(folder.path(), KeyFile::new(folder.path().join("key"))).without_sync();
    let store = open();
    for n in 0..20 {
        put(&store, &n.to_string(), "tokens").await;
    }
    let (begun, mut kills) = (Instant::now(), 0_u64);
    while kills < 60 && begun.elapsed() < Duration::from_secs(3) {
        let mut child = start("rotate", folder.path());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line == "rotated"));
        std::thread::sleep(Duration::from_micros(kills * 397 % 7_000));
        child.kill().unwrap();
        child.wait().unwrap();
        for reader in [&store, &open()] {
            assert_eq!(reader.check().await.unwrap().readable, 20);
        }
        kills += 1;
    }
    store.rotate_key().await.unwrap();
    assert_eq!(open().check().await.unwrap().readable, 20);
    assert!(kills > 5, "{kills}");
}

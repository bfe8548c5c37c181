//! Rights of files, the order of writes, and a disk that is full.

use super::{files_in, key, open, put, raw_key, records_in, text, value};
use smart_store::testing::DiskStep as D;
use smart_store::{EncryptedFileStore, Expected, Filter, Holder, KeyFile, Store as _, StoreError};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// SE-03, F-79 (SMART, App protection): all files are the owner's alone (0600, folders 0700), also where the folder was open.
#[cfg(unix)]
#[tokio::test]
async fn files_are_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("deep/store");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    let store = EncryptedFileStore::new(&folder, KeyFile::new(outer.path().join("keys/key")));
    put(&store, "a", "tokens").await;
    store.lease(&key("a"), &Holder::new("h"), Duration::from_secs(9)).await.unwrap();
    std::fs::write(&records_in(&folder)[0], b"garbage").unwrap();
    put(&store, "a", "tokens").await;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for file in files_in(&folder).iter().chain(&files_in(&outer.path().join("keys"))) {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
    for inner in ["", "records", "leases", "locks", "quarantine"] {
        assert_eq!(mode(&folder.join(inner)), 0o700, "{inner}");
    }
    assert_eq!(mode(&outer.path().join("keys")), 0o700);
}

/// F-79, RF-06 (RFC 6749 6): before a write returns, the new file is on the disk, then in place, then its name is on the disk.
#[tokio::test]
async fn a_write_is_on_the_disk_before_it_returns() {
    let folder = tempfile::tempdir().unwrap();
    let steps = Arc::new(Mutex::new(Vec::new()));
    let log = steps.clone();
    let store = EncryptedFileStore::new(folder.path(), raw_key()).with_disk_hook(move |step| {
        log.lock().unwrap().push(step);
        Ok(())
    });
    store.open().await.unwrap();
    steps.lock().unwrap().clear();
    let version = put(&store, "a", "tokens").await;
    let write =
        [D::Create, D::WriteFirstHalf, D::WriteSecondHalf, D::SyncFile, D::Rename, D::SyncFolder, D::Done].to_vec();
    assert_eq!(std::mem::take(&mut *steps.lock().unwrap()), write);
    store.remove(&key("a"), Expected::Version(version)).await.unwrap();
    assert_eq!(*steps.lock().unwrap(), [D::Remove, D::Remove, D::SyncFolder, D::Done]);
}

/// F-79: when the disk is full at any step of a write, the error says so and may be tried again, the record is as it was or
/// as it was to be, other records are unharmed, and no half-written file stays.
#[tokio::test]
async fn a_full_disk_harms_nothing() {
    for step in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let before = open(folder.path());
        put(&before, "a", "old").await;
        put(&before, "b", "others").await;
        let count = AtomicUsize::new(0);
        let store = EncryptedFileStore::new(folder.path(), raw_key()).with_disk_hook(move |_| {
            let full = count.fetch_add(1, Ordering::SeqCst) == step;
            if full { Err(io::Error::from(io::ErrorKind::StorageFull)) } else { Ok(()) }
        });
        let written = store.put(&key("a"), value("new"), Expected::Any).await;
        if let Err(error) = &written {
            assert!(error.is_retryable(), "{error}");
            assert!(error.to_string().contains("free some space"), "{error}");
        }
        let now = text(&before, "a").await.unwrap();
        assert!(now == "new" || now == "old" && written.is_err(), "step {step}: {now}");
        assert_eq!(text(&before, "b").await.unwrap(), "others");
        assert_eq!(records_in(folder.path()).len(), 2, "step {step}");
        if written.is_ok() {
            assert!(step >= 6, "the write has at least six steps");
            return;
        }
        put(&store, "a", "newer").await;
        assert_eq!(text(&before, "a").await.unwrap(), "newer");
    }
}

/// F-79: a store writes to a file system that is really full: 96 KiB of memory, in a name space of its own.
#[cfg(target_os = "linux")]
#[test]
fn a_really_full_disk_harms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mount = "mount -t tmpfs -o size=96k none \"$SMART_STORE_FULL\" && exec \"$0\" \"$@\"";
    let child = std::process::Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", mount])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "disk::child_on_a_full_disk", "--ignored", "--nocapture"])
        .env("SMART_STORE_FULL", folder.path())
        .output();
    match child {
        Ok(output) if output.status.success() => {
            assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
        }
        Ok(output) if String::from_utf8_lossy(&output.stdout).contains("running 1 test") => {
            panic!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        }
        Ok(output) => skip(&String::from_utf8_lossy(&output.stderr)),
        Err(error) => skip(&error.to_string()),
    }
}

#[cfg(target_os = "linux")]
fn skip(reason: &str) {
    eprintln!("skipped: no name space with a small file system can be made here: {}", reason.trim());
}

#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "run by another test, on a small file system"]
async fn child_on_a_full_disk() {
    let Some(folder) = std::env::var_os("SMART_STORE_FULL") else { return };
    let folder = Path::new(&folder);
    let store = EncryptedFileStore::new(folder, raw_key());
    put(&store, "first", "tokens").await;
    let mut written = 0;
    let error = loop {
        match store.put(&key(&format!("filler {written}")), value("x".repeat(3_000)), Expected::Absent).await {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
    };
    assert!(written > 2 && written < 40, "{written}");
    assert!(matches!(error, StoreError::Unavailable { retryable: true, .. }), "{error}");
    assert!(error.to_string().contains("free some space"), "{error}");
    assert!(store.put(&key("first"), value("x".repeat(30_000)), Expected::Any).await.is_err());
    assert_eq!(text(&store, "first").await.unwrap(), "tokens");
    let health = store.check().await.unwrap();
    assert_eq!((health.readable, health.unreadable.len()), (written + 1, 0));
    assert_eq!(records_in(folder).len(), written + 1, "no half-written file stays");
    for filler in store.list(&Filter::default()).await.unwrap().iter().filter(|key| key.id() != "first") {
        assert!(store.remove(filler, Expected::Any).await.unwrap());
    }
    put(&store, "first", "newer").await;
}

/// F-79: a record over the limit is refused before anything is written.
#[tokio::test]
async fn a_record_over_the_limit_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    put(&store, "a", "old").await;
    let error = store.put(&key("a"), value("x".repeat((16 << 20) + 1)), Expected::Any).await.unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { limit: 16_777_216, .. }), "{error}");
    put(&store, "b", &"x".repeat(16 << 20)).await;
    assert_eq!(text(&store, "a").await.unwrap(), "old");
}

/// F-79: what a killed process left half-written is swept at the next opening, and only that.
#[tokio::test]
async fn litter_is_swept() {
    let folder = tempfile::tempdir().unwrap();
    put(&open(folder.path()), "a", "tokens").await;
    let [record] = records_in(folder.path()).try_into().unwrap();
    let litter = record.with_extension("tmp");
    std::fs::write(&litter, b"half").unwrap();
    let notes = folder.path().join("records/notes.tmp");
    std::fs::write(&notes, b"not ours").unwrap();
    let store = open(folder.path());
    assert_eq!(text(&store, "a").await.unwrap(), "tokens");
    assert!(!litter.exists() && notes.exists());
    std::fs::write(&litter, b"half").unwrap();
    put(&store, "a", "over litter").await;
    assert!(!litter.exists());
}

/// F-79 (cancel-safety): a read after a write that was given up tells what came of it: it is not overtaken.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_is_given_up_is_done_or_not_when_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = EncryptedFileStore::new(folder.path(), raw_key()).with_disk_hook(|step| {
        if step == D::Rename {
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    });
    put(&store, "a", "0").await;
    let mut landed = 0;
    for n in 1..60 {
        let before = text(&store, "a").await.unwrap();
        let (key, new) = (key("a"), n.to_string());
        let write = store.put(&key, value(&new), Expected::Any);
        let given_up = tokio::time::timeout(Duration::from_micros(n * 100), write).await.is_err();
        let seen = text(&store, "a").await.unwrap();
        assert!(seen == new || given_up && seen == before);
        landed += usize::from(given_up && seen == new);
        tokio::time::sleep(Duration::from_millis(8)).await;
        assert_eq!(text(&store, "a").await.unwrap(), seen, "a write landed after it was read");
    }
    assert!(landed > 0, "no write was given up half-way: the test shows nothing");
}

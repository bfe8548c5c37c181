//! A new data key, under way and interrupted.

use super::{key, put, raw_key, records_in, text, value};
use smart_store::testing::DiskStep;
use smart_store::{
    DataKey, EncryptedFileStore, Expected, Filter, KeyError, KeyFile, KeySource as _, RawKey, Store as _, StoreError,
};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

const RECORDS: usize = 12;

fn with_file(outer: &Path) -> EncryptedFileStore {
    EncryptedFileStore::new(outer.join("store"), KeyFile::new(outer.join("key"))).without_sync()
}

async fn fill(store: &EncryptedFileStore) {
    for n in 0..RECORDS {
        put(store, &n.to_string(), &format!("tokens {n}")).await;
    }
}

async fn assert_all_there(store: &EncryptedFileStore) {
    for n in 0..RECORDS {
        assert_eq!(text(store, &n.to_string()).await.unwrap(), format!("tokens {n}"));
    }
    assert_eq!(store.list(&Filter::default()).await.unwrap().len(), RECORDS);
}

/// F-79 (rotation): all records are sealed anew with the same content and version, and only the new key is kept.
#[tokio::test]
async fn rotation_seals_everything_anew() {
    let outer = tempfile::tempdir().unwrap();
    let store = with_file(outer.path());
    fill(&store).await;
    let version = store.get(&key("3")).await.unwrap().unwrap().version;
    let old = KeyFile::new(outer.path().join("key")).load().await.unwrap().unwrap();
    let done = store.rotate_key().await.unwrap();
    assert_eq!((done.resealed, done.unreadable), (RECORDS, 0));
    let new = KeyFile::new(outer.path().join("key")).load().await.unwrap().unwrap();
    assert!(!new.contains(old.current().id()) && new.older().is_empty());
    assert_all_there(&store).await;
    assert_all_there(&with_file(outer.path())).await;
    store.put(&key("3"), value("tokens 3"), Expected::Version(version)).await.unwrap();
    assert_eq!(store.reseal().await.unwrap().resealed, 0);
}

/// F-79 (rotation): another process that has the old key loaded goes on reading, writing and listing.
#[tokio::test]
async fn other_processes_follow_a_rotation() {
    let outer = tempfile::tempdir().unwrap();
    let (one, two) = (with_file(outer.path()), with_file(outer.path()));
    fill(&one).await;
    assert_all_there(&two).await;
    one.rotate_key().await.unwrap();
    assert_all_there(&two).await;
    two.rotate_key().await.unwrap();
    put(&one, "0", "tokens 0").await;
    assert_eq!(two.reseal().await.unwrap().resealed, 0);
    two.rotate_key().await.unwrap();
    assert_eq!(one.list(&Filter::default()).await.unwrap().len(), RECORDS);
    one.rotate_key().await.unwrap();
    assert_eq!(two.check().await.unwrap().readable, RECORDS);
}

/// F-79 (rotation): a process that has only the old key loaded does not seal a new record with it after the key is dropped.
#[tokio::test]
async fn nothing_new_is_sealed_with_a_dropped_key() {
    let outer = tempfile::tempdir().unwrap();
    let (one, two) = (with_file(outer.path()), with_file(outer.path()));
    one.open().await.unwrap();
    two.open().await.unwrap();
    one.rotate_key().await.unwrap();
    two.put(&key("new"), value("tokens"), Expected::Absent).await.unwrap();
    assert_eq!(text(&one, "new").await.unwrap(), "tokens");
    assert_eq!(text(&with_file(outer.path()), "new").await.unwrap(), "tokens");
}

/// F-79 (rotation): a write of a new record that has looked up the old key before the rotation named the new one, and reaches
/// the disk after it, is sealed anew as well: the old key is not dropped behind its back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_waits_for_writes_under_way() {
    let outer = tempfile::tempdir().unwrap();
    let (reached, is_there) = mpsc::channel();
    let (go_on, wait) = mpsc::channel::<()>();
    let (reached, wait) = (Mutex::new(Some(reached)), Mutex::new(wait));
    let slow = with_file(outer.path()).with_disk_hook(move |step| {
        if step == DiskStep::WriteFirstHalf
            && let Some(reached) = reached.lock().unwrap().take()
        {
            reached.send(()).unwrap();
            wait.lock().unwrap().recv().unwrap();
        }
        Ok(())
    });
    with_file(outer.path()).open().await.unwrap();
    let writer = tokio::spawn(async move { slow.put(&key("new"), value("tokens"), Expected::Absent).await });
    tokio::task::spawn_blocking(move || is_there.recv().unwrap()).await.unwrap();
    let rotator = with_file(outer.path());
    let rotation = tokio::spawn(async move { rotator.rotate_key().await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    go_on.send(()).unwrap();
    writer.await.unwrap().unwrap();
    assert_eq!(rotation.await.unwrap().unwrap().resealed, 1);
    assert_eq!(text(&with_file(outer.path()), "new").await.unwrap(), "tokens");
}

/// F-79 (rotation): however many steps a rotation is stopped after, all records stay readable and writable, and the next one
/// finishes.
#[tokio::test]
async fn a_rotation_can_stop_at_any_step() {
    for stop_at in 0.. {
        let outer = tempfile::tempdir().unwrap();
        fill(&with_file(outer.path())).await;
        let steps = Arc::new(AtomicUsize::new(0));
        let stopped = with_file(outer.path()).with_disk_hook(move |_| {
            let stop = steps.fetch_add(1, Ordering::SeqCst) >= stop_at;
            if stop { Err(std::io::Error::other("stopped")) } else { Ok(()) }
        });
        let result = stopped.rotate_key().await;
        let after = with_file(outer.path());
        assert_all_there(&after).await;
        put(&after, "0", "tokens 0").await;
        after.rotate_key().await.unwrap();
        assert_all_there(&after).await;
        let kept = KeyFile::new(outer.path().join("key")).load().await.unwrap().unwrap();
        assert!(kept.older().is_empty(), "stopped at {stop_at}: {kept:?}");
        if result.is_ok() {
            assert!(stop_at > RECORDS, "{stop_at}");
            return;
        }
    }
}

/// F-79 (rotation): nothing is lost when two rotate at once while others write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotations_and_writers_do_not_disturb_each_other() {
    let outer = tempfile::tempdir().unwrap();
    fill(&with_file(outer.path())).await;
    let over = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..3)
        .map(|id| {
            let (store, over) = (with_file(outer.path()), over.clone());
            tokio::spawn(async move {
                let id = format!("w{id}");
                let mut version = store.put(&key(&id), value("0"), Expected::Absent).await.unwrap();
                let mut n = 0_u32;
                while !over.load(Ordering::SeqCst) {
                    n += 1;
                    version = store.put(&key(&id), value(n.to_string()), Expected::Version(version)).await.unwrap();
                    assert_eq!(text(&store, &id).await.unwrap(), n.to_string());
                }
                (id, n)
            })
        })
        .collect();
    let rotators: Vec<_> = (0..2)
        .map(|_| {
            let store = with_file(outer.path());
            tokio::spawn(async move {
                for _ in 0..8 {
                    store.rotate_key().await.unwrap();
                }
            })
        })
        .collect();
    for rotator in rotators {
        rotator.await.unwrap();
    }
    over.store(true, Ordering::SeqCst);
    let store = with_file(outer.path());
    for writer in writers {
        let (id, n) = writer.await.unwrap();
        assert!(n > 0);
        assert_eq!(text(&store, &id).await.unwrap(), n.to_string());
    }
    let health = store.check().await.unwrap();
    assert_eq!((health.readable, health.unreadable), (RECORDS + 3, vec![]));
}

/// F-79 (rotation): a key that the caller holds is changed by the caller: new key, old one beside it, re-seal, done.
#[tokio::test]
async fn a_raw_key_is_changed_by_its_holder() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let old = EncryptedFileStore::new(here, raw_key()).without_sync();
    fill(&old).await;
    let refused = old.rotate_key().await;
    assert!(matches!(refused, Err(StoreError::Sealed { source: KeyError::Fixed { .. }, .. })), "{refused:?}");
    let new_key = DataKey::generate().unwrap();
    let both = RawKey::new(new_key.clone()).with_older([DataKey::from_octets(&[7; 32])]);
    let store = EncryptedFileStore::new(here, both).without_sync();
    assert_eq!(store.reseal().await.unwrap().resealed, RECORDS);
    assert_all_there(&EncryptedFileStore::new(here, RawKey::new(new_key))).await;
    for id in ["0", "new"] {
        let refused = old.put(&key(id), value("x"), Expected::Any).await;
        assert!(matches!(refused, Err(StoreError::Sealed { source: KeyError::Missing { .. }, .. })), "{refused:?}");
    }
    assert_eq!(text(&store, "new").await, None);
    assert_all_there(&store).await;
}

/// F-79, F-84 (rotation): a damaged record is counted and does not stop the others.
#[tokio::test]
async fn a_rotation_passes_damaged_records_by() {
    let outer = tempfile::tempdir().unwrap();
    let store = with_file(outer.path());
    fill(&store).await;
    std::fs::write(&records_in(&outer.path().join("store"))[0], b"garbage").unwrap();
    let done = store.rotate_key().await.unwrap();
    assert_eq!((done.resealed, done.unreadable), (RECORDS - 1, 1));
    assert_eq!(store.check().await.unwrap().readable, RECORDS - 1);
}

//! A new data key, under way and interrupted.

use super::children::start;
use super::cluster::Cluster;
use super::{key, put, raw_key, soon, text, value};
use smart_store::{
    DataKey, Expected, Filter, KeyError, KeyFile, KeySource as _, PostgresStore, RawKey, Store as _, StoreError,
};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const RECORDS: usize = 3;

fn with_file(cluster: &Cluster, folder: &Path, schema: &str) -> PostgresStore {
    let config = cluster.config().with_schema(schema).unwrap();
    PostgresStore::new(config, KeyFile::new(folder.join("key"))).unwrap()
}

async fn fill(store: &PostgresStore) {
    for n in 0..RECORDS {
        put(store, &n.to_string(), &format!("tokens {n}")).await;
    }
}

async fn assert_all_there(store: &PostgresStore) {
    for n in 0..RECORDS {
        assert_eq!(text(store, &n.to_string()).await.unwrap(), format!("tokens {n}"));
    }
    assert_eq!(store.list(&Filter::default()).await.unwrap().len(), RECORDS);
}

/// F-77, F-79 (rotation): all records are sealed anew with the same content and version, only the new key is kept, and what
/// has the old key loaded goes on.
#[tokio::test]
async fn rotation_seals_everything_anew() {
    let Some(cluster) = Cluster::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (store, other) = (with_file(&cluster, folder.path(), "a"), with_file(&cluster, folder.path(), "a"));
    fill(&store).await;
    assert_all_there(&other).await;
    let version = store.get(&key("2")).await.unwrap().unwrap().version;
    let keys = KeyFile::new(folder.path().join("key"));
    let old = keys.load().await.unwrap().unwrap();
    let done = store.rotate_key().await.unwrap();
    assert_eq!((done.resealed, done.unreadable), (RECORDS, 0));
    let new = keys.load().await.unwrap().unwrap();
    assert!(!new.contains(old.current().id()) && new.older().is_empty());
    assert_all_there(&store).await;
    assert_all_there(&with_file(&cluster, folder.path(), "a")).await;
    store.put(&key("2"), value("tokens 2"), Expected::Version(version)).await.unwrap();
    assert_eq!(store.reseal().await.unwrap().resealed, 0);
    // The other has but the old key in memory: it does not seal with it again.
    other.put(&key("new"), value("tokens"), Expected::Absent).await.unwrap();
    assert!(other.remove(&key("new"), Expected::Any).await.unwrap());
    assert_all_there(&other).await;
    other.rotate_key().await.unwrap();
    assert_all_there(&store).await;
    let octets = cluster.admin().await;
    let old_id = format!("\\x{}", old.current().id());
    for table in ["records WHERE substring(head", "names WHERE substring(sealed"] {
        let query = format!("SELECT 1 FROM a.smart_store_{table} FROM 6 FOR 16) = '{old_id}'");
        assert!(octets.query(&query, &[]).await.unwrap().is_empty(), "{table} is sealed with a dropped key");
    }
}

/// F-77, RF-06 (rotation): a process killed before or after any statement of a rotation leaves all records readable and
/// writable, and the next rotation finishes.
#[tokio::test]
async fn a_rotation_can_be_killed_at_each_statement() {
    let Some(cluster) = Cluster::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    fill(&with_file(&cluster, folder.path(), "a")).await;
    for step in 0.. {
        let output = start(&format!("die-rotating {step}"), &cluster, "a", folder.path()).wait_with_output().unwrap();
        let survived = String::from_utf8_lossy(&output.stdout).contains("survived");
        let after = with_file(&cluster, folder.path(), "a");
        assert_all_there(&after).await;
        put(&after, "0", "tokens 0").await;
        assert_eq!(after.reseal().await.unwrap().unreadable, 0);
        assert_all_there(&after).await;
        let kept = KeyFile::new(folder.path().join("key")).load().await.unwrap().unwrap();
        assert!(kept.older().is_empty(), "killed at {step}: {kept:?}");
        if survived {
            assert!(step > 4 * RECORDS, "{step}");
            return;
        }
    }
}

/// F-77 (rotation): a write of a new record that has looked up the old key, and is not done when the new one is to be named,
/// is waited for and sealed anew: the old key is not dropped behind its back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_waits_for_writes_under_way() {
    let Some(cluster) = Cluster::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (slow, rotator) = (with_file(&cluster, folder.path(), "a"), with_file(&cluster, folder.path(), "a"));
    let version = put(&slow, "a", "old").await;
    rotator.open().await.unwrap();
    // The row is locked by somebody else, so that the write waits in the middle of its statement.
    let mut admin = cluster.admin().await;
    let lock = admin.transaction().await.unwrap();
    lock.execute("SELECT 1 FROM a.smart_store_records FOR UPDATE", &[]).await.unwrap();
    let writer = tokio::spawn({
        let slow = slow.clone();
        async move { slow.put(&key("a"), value("new"), Expected::Version(version)).await }
    });
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%UPDATE%'";
    let other = cluster.admin().await;
    let count_waiting = async || -> i64 { other.query_one(waiting, &[]).await.unwrap().get(0) };
    soon(async || count_waiting().await == 1).await;
    let rotation = tokio::spawn(async move { rotator.rotate_key().await });
    soon(async || count_waiting().await == 2).await;
    assert!(!writer.is_finished() && !rotation.is_finished());
    lock.commit().await.unwrap();
    writer.await.unwrap().unwrap();
    assert_eq!(rotation.await.unwrap().unwrap().resealed, 1);
    assert_eq!(text(&with_file(&cluster, folder.path(), "a"), "a").await.unwrap(), "new");
}

/// F-77 (rotation): nothing is lost when two machines rotate at once while many others write, and the writers do not keep the
/// rotations from coming to their turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotations_and_writers_do_not_disturb_each_other() {
    let Some(cluster) = Cluster::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let open = || with_file(&cluster, folder.path(), "a");
    fill(&open()).await;
    let over = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..8)
        .map(|id| {
            let (store, over) = (open(), over.clone());
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
            let store = open();
            tokio::spawn(async move {
                for _ in 0..5 {
                    store.rotate_key().await.unwrap();
                }
            })
        })
        .collect();
    for rotator in rotators {
        rotator.await.unwrap();
    }
    over.store(true, Ordering::SeqCst);
    let store = open();
    for writer in writers {
        let (id, n) = writer.await.unwrap();
        assert!(n > 0);
        assert_eq!(text(&store, &id).await.unwrap(), n.to_string());
    }
    let health = store.check().await.unwrap();
    assert_eq!((health.readable, health.unreadable), (RECORDS + 8, vec![]));
}

/// F-77 (rotation): a key that the caller holds is changed by the caller: new key, old one beside it, re-seal, done. A
/// process that has but the old one goes on reading until then, and does not write with it.
#[tokio::test]
async fn a_raw_key_is_changed_by_its_holder() {
    let Some(cluster) = Cluster::start() else { return };
    let old = cluster.store();
    fill(&old).await;
    let refused = old.rotate_key().await;
    assert!(matches!(refused, Err(StoreError::Sealed { source: KeyError::Fixed { .. }, .. })), "{refused:?}");
    let new_key = DataKey::generate().unwrap();
    let both = RawKey::new(new_key.clone()).with_older([DataKey::from_octets(&[7; 32])]);
    let store = PostgresStore::new(cluster.config(), both).unwrap();
    store.open().await.unwrap();
    assert_all_there(&old).await;
    assert_eq!(store.reseal().await.unwrap().resealed, RECORDS);
    assert_all_there(&PostgresStore::new(cluster.config(), RawKey::new(new_key)).unwrap()).await;
    for id in ["0", "new"] {
        let refused = old.put(&key(id), value("x"), Expected::Any).await;
        assert!(matches!(refused, Err(StoreError::Sealed { source: KeyError::Missing { .. }, .. })), "{refused:?}");
    }
    let late = PostgresStore::new(cluster.config(), raw_key()).unwrap().open().await;
    assert!(matches!(late, Err(StoreError::Sealed { source: KeyError::Missing { .. }, .. })), "{late:?}");
    assert_eq!(text(&store, "new").await, None);
    assert_all_there(&store).await;
}

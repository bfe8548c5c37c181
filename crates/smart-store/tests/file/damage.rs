//! Damaged files: a clear error, nothing else harmed, and a way on.

use super::{files_in, key, open, put, records_in, text, value};
use smart_store::{Expected, Filter, Holder, LeaseOutcome, Store as _, StoreError};
use std::fs;
use std::time::Duration;

async fn assert_unreadable(store: &smart_store::EncryptedFileStore, what: &str) {
    match store.get(&key("a")).await {
        Err(error @ StoreError::Unreadable { .. }) => {
            assert!(error.needs_reauthorization() && !error.is_retryable());
            assert!(error.to_string().contains("log in again"), "{error}");
        }
        other => panic!("{what}: {other:?}"),
    }
}

/// F-84, F-79: whichever bit of a file is flipped, the record is unreadable, clearly so, and no other is harmed.
#[tokio::test]
async fn a_flipped_bit_is_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    put(&store, "a", "tokens").await;
    let [path] = records_in(folder.path()).try_into().unwrap();
    put(&store, "b", "others").await;
    let good = fs::read(&path).unwrap();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        fs::write(&path, bad).unwrap();
        assert_unreadable(&store, &format!("octet {at}")).await;
    }
    assert_eq!(text(&store, "b").await.unwrap(), "others");
    fs::write(&path, good).unwrap();
    assert_eq!(text(&store, "a").await.unwrap(), "tokens");
}

/// F-84: a file that is cut anywhere, empty, too long or not a file at all is a clear error too.
#[tokio::test]
async fn a_truncated_file_is_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    put(&store, "a", "tokens").await;
    let [path] = records_in(folder.path()).try_into().unwrap();
    put(&store, "b", "others").await;
    let good = fs::read(&path).unwrap();
    for length in 0..good.len() {
        fs::write(&path, &good[..length]).unwrap();
        assert_unreadable(&store, &format!("cut at {length}")).await;
    }
    fs::write(&path, [good.as_slice(), b"more"].concat()).unwrap();
    assert_unreadable(&store, "lengthened").await;
    fs::File::options().write(true).open(&path).unwrap().set_len(1 << 30).unwrap();
    assert_unreadable(&store, "over the limit").await;
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_unreadable(&store, "a folder").await;
    assert_eq!(store.list(&Filter::default()).await.unwrap(), [key("b")]);
    store.put(&key("a"), value("new"), Expected::Absent).await.unwrap();
    assert_eq!(text(&store, "a").await.unwrap(), "new");
    assert_eq!(text(&store, "b").await.unwrap(), "others");
}

/// F-84, D-28: a damaged record does not block its key for ever: the next login replaces it, the damaged file is set aside,
/// and a writer that believed in a version is told instead of overwriting.
#[tokio::test]
async fn a_damaged_record_can_be_replaced() {
    for expected in [Expected::Absent, Expected::Any] {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let version = put(&store, "a", "tokens").await;
        let [path] = records_in(folder.path()).try_into().unwrap();
        fs::write(&path, b"garbage").unwrap();
        let believed = store.put(&key("a"), value("late"), Expected::Version(version)).await;
        assert!(matches!(believed, Err(StoreError::Unreadable { .. })), "{believed:?}");
        assert!(matches!(
            store.remove(&key("a"), Expected::Version(version)).await,
            Err(StoreError::Unreadable { .. })
        ));
        store.put(&key("a"), value("new"), expected).await.unwrap();
        assert_eq!(text(&store, "a").await.unwrap(), "new");
        let health = store.check().await.unwrap();
        assert_eq!((health.readable, health.unreadable.len()), (1, 0));
        let [set_aside] = health.quarantined.try_into().unwrap();
        assert_eq!(fs::read(set_aside).unwrap(), b"garbage");
    }
}

/// F-84, F-75: a logout removes a damaged record, and what was set aside of it earlier.
#[tokio::test]
async fn removal_takes_damaged_files_along() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for round in 0..2 {
        put(&store, "a", "tokens").await;
        fs::write(&records_in(folder.path())[0], format!("garbage {round}")).unwrap();
    }
    assert_eq!(store.check().await.unwrap().unreadable.len(), 1);
    assert_eq!(files_in(&folder.path().join("quarantine")).len(), 1);
    assert!(store.remove(&key("a"), Expected::Any).await.unwrap());
    assert_eq!(store.get(&key("a")).await.unwrap(), None);
    assert!(files_in(&folder.path().join("quarantine")).is_empty());
    assert!(!store.remove(&key("a"), Expected::Any).await.unwrap());
}

/// F-82, D-15: a genuine file under another record's name opens as neither, and is not listed.
#[tokio::test]
async fn a_record_in_anothers_place_does_not_open() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    put(&store, "b", "others").await;
    let [other] = records_in(folder.path()).try_into().unwrap();
    put(&store, "a", "tokens").await;
    let own = records_in(folder.path()).into_iter().find(|path| *path != other).unwrap();
    fs::copy(&other, &own).unwrap();
    assert_unreadable(&store, "exchanged").await;
    assert_eq!(store.list(&Filter::default()).await.unwrap(), [key("b")]);
}

/// F-84: a damaged lease is none, and a damaged name of the current key is written anew.
#[tokio::test]
async fn small_files_mend_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    put(&store, "a", "tokens").await;
    let (one, two) = (Holder::new("one"), Holder::new("two"));
    store.lease(&key("a"), &one, Duration::from_secs(60)).await.unwrap();
    let [lease] = files_in(&folder.path().join("leases")).try_into().unwrap();
    for garbage in [b"".as_slice(), b"\xff\xff", &[b'x'; 5_000]] {
        fs::write(&lease, garbage).unwrap();
        let got = store.lease(&key("a"), &two, Duration::from_secs(60)).await.unwrap();
        assert!(matches!(got, LeaseOutcome::Held { .. }));
    }
    for garbage in [b"".as_slice(), b"smart-store current key 1 12345", &[b'x'; 5_000]] {
        fs::write(folder.path().join("current-key"), garbage).unwrap();
        put(&store, "a", "more").await;
        assert_eq!(text(&open(folder.path()), "a").await.unwrap(), "more");
    }
    let whole = fs::read(folder.path().join("current-key")).unwrap();
    for at in 0..whole.len() {
        let mut altered = whole.clone();
        altered[at] ^= 1;
        fs::write(folder.path().join("current-key"), altered).unwrap();
        assert_eq!(text(&open(folder.path()), "a").await.unwrap(), "more", "octet {at}");
    }
    fs::remove_file(folder.path().join("current-key")).unwrap();
    put(&store, "a", "again").await;
    assert!(folder.path().join("current-key").exists());
}

//! Where data keys come from, and what happens when they do not come.

use super::leaks::ToyService;
use super::{files_in, key, open, put, records_in, text, value};
use smart_store::{
    BoxFuture, DataKey, EncryptedFileStore, Expected, Filter, KeyError, KeyFile, KeyManagement, KeyRing, KeySource,
    Passphrase, PassphraseCost, RawKey, SecretBytes, Store as _, StoreError, WrappedKeys,
};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn passphrase(folder: &Path, words: &str) -> Passphrase {
    Passphrase::new(folder, words).with_cost(PassphraseCost::SMALL)
}

fn assert_sealed<T: std::fmt::Debug>(result: Result<T, StoreError>, expected: impl Fn(&KeyError) -> bool) {
    match result {
        Err(StoreError::Sealed { ref source, .. }) if expected(source) => {}
        other => panic!("{other:?}"),
    }
}

/// F-79: every source keeps the key that it was given at first use, and opens the store again after a restart.
#[tokio::test]
async fn every_source_opens_its_store_again() {
    async fn restarts<K: KeySource>(folder: &Path, source: impl Fn() -> K) {
        for n in 0..3 {
            let store = EncryptedFileStore::new(folder, source()).without_sync();
            put(&store, &n.to_string(), "tokens").await;
            for before in 0..n {
                assert_eq!(text(&store, &before.to_string()).await.unwrap(), "tokens");
            }
            if n == 1 {
                store.rotate_key().await.unwrap();
            }
        }
    }
    let outer = tempfile::tempdir().unwrap();
    let at = |name: &str| outer.path().join(name);
    restarts(&at("a"), || KeyFile::new(at("a.key"))).await;
    restarts(&at("b"), || passphrase(&at("b"), "correct horse")).await;
    restarts(&at("c"), || WrappedKeys::new(ToyService, at("c/wrapped.keys"))).await;
    restarts(&at("d"), || Arc::new(KeyFile::new(at("d.key")))).await;
}

/// F-79, RF-06 (rotation): a passphrase that is changed while another process rotates the data key loses neither the new key
/// nor the change: whichever comes second sees what the first has done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changing_the_passphrase_does_not_undo_a_rotation() {
    for round in 0..6 {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        let store = EncryptedFileStore::new(here, passphrase(here, "old words")).without_sync();
        put(&store, "a", "tokens").await;
        let rotation = tokio::spawn(async move {
            tokio::time::sleep(std::time::Duration::from_millis(round * 15)).await;
            store.rotate_key().await
        });
        let mut changed = passphrase(here, "old words");
        changed.change("new words").await.unwrap();
        match rotation.await.unwrap() {
            Ok(done) => assert_eq!(done.resealed, 1),
            refused => assert_sealed(refused, |error| matches!(error, KeyError::WrongPassphrase { .. })),
        }
        let after = EncryptedFileStore::new(here, passphrase(here, "new words"));
        assert_eq!(text(&after, "a").await.unwrap(), "tokens", "round {round}");
        after.rotate_key().await.unwrap();
        assert_eq!(text(&after, "a").await.unwrap(), "tokens");
        let old = EncryptedFileStore::new(here, passphrase(here, "old words"));
        assert_sealed(old.open().await, |error| matches!(error, KeyError::WrongPassphrase { .. }));
    }
}

/// F-79: a wrong passphrase is told apart from damage, changes nothing, and the right one still works.
#[tokio::test]
async fn a_wrong_passphrase_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(&EncryptedFileStore::new(here, passphrase(here, "correct horse")), "a", "tokens").await;
    let before: Vec<_> = files_in(here).into_iter().map(|path| (fs::read(&path).unwrap(), path)).collect();
    let wrong = EncryptedFileStore::new(here, passphrase(here, "battery staple"));
    let is_wrong = |error: &KeyError| matches!(error, KeyError::WrongPassphrase { .. });
    assert_sealed(wrong.open().await, is_wrong);
    assert_sealed(wrong.get(&key("a")).await, is_wrong);
    assert_sealed(wrong.list(&Filter::default()).await, is_wrong);
    assert_sealed(wrong.put(&key("a"), value("x"), Expected::Any).await, is_wrong);
    assert_sealed(wrong.rotate_key().await, is_wrong);
    let after: Vec<_> = files_in(here).into_iter().map(|path| (fs::read(&path).unwrap(), path)).collect();
    assert_eq!(before, after);
    let right = EncryptedFileStore::new(here, passphrase(here, "correct horse"));
    assert_eq!(text(&right, "a").await.unwrap(), "tokens");
}

/// F-79: the passphrase can be changed; the old one is wrong from then on, and the records are untouched.
#[tokio::test]
async fn a_passphrase_can_be_changed() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(&EncryptedFileStore::new(here, passphrase(here, "old words")), "a", "tokens").await;
    let record = fs::read(&records_in(here)[0]).unwrap();
    assert!(passphrase(here, "wrong").change("new words").await.is_err());
    passphrase(here, "old words").change("new words").await.unwrap();
    assert!(EncryptedFileStore::new(here, passphrase(here, "old words")).open().await.is_err());
    let store = EncryptedFileStore::new(here, passphrase(here, "new words"));
    assert_eq!(text(&store, "a").await.unwrap(), "tokens");
    assert_eq!(fs::read(&records_in(here)[0]).unwrap(), record);
}

/// F-79, F-84: with another key, or when the key was lost, nothing opens, nothing is taken for empty, and no new key is
/// made over the old data.
#[tokio::test]
async fn a_lost_key_is_not_an_empty_store() {
    let outer = tempfile::tempdir().unwrap();
    let (folder, file) = (outer.path().join("store"), outer.path().join("key"));
    put(&EncryptedFileStore::new(&folder, KeyFile::new(&file)), "a", "tokens").await;
    let kept = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let is_missing = |error: &KeyError| {
        matches!(error, KeyError::Missing { .. }) && error.to_string().contains("bring that key back")
    };
    let without = EncryptedFileStore::new(&folder, KeyFile::new(&file));
    assert_sealed(without.get(&key("a")).await, is_missing);
    assert_sealed(without.list(&Filter::default()).await, is_missing);
    assert!(!file.exists());
    assert_sealed(open(&folder).put(&key("a"), value("x"), Expected::Any).await, is_missing);
    fs::remove_file(folder.join("current-key")).unwrap();
    assert_sealed(without.get(&key("a")).await, is_missing);
    fs::write(&file, kept).unwrap();
    fs::set_permissions(&file, private()).unwrap();
    assert_eq!(text(&without, "a").await.unwrap(), "tokens");
}

#[cfg(unix)]
fn private() -> fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o600)
}

/// SE-03 (SMART, App protection): a key file that others may read is refused, with the remedy.
#[cfg(unix)]
#[tokio::test]
async fn a_key_file_that_others_may_read_is_refused() {
    let outer = tempfile::tempdir().unwrap();
    let (folder, file) = (outer.path().join("store"), outer.path().join("key"));
    let store = || EncryptedFileStore::new(&folder, KeyFile::new(&file));
    put(&store(), "a", "tokens").await;
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
    let error = store().open().await.unwrap_err();
    assert!(error.to_string().contains("mode 640") && error.to_string().contains("chmod 600"), "{error}");
    assert_sealed(store().get(&key("a")).await, |error| matches!(error, KeyError::NotPrivate { mode: 0o640, .. }));
    fs::set_permissions(&file, private()).unwrap();
    assert_eq!(text(&store(), "a").await.unwrap(), "tokens");
}

/// F-84: a damaged key file is an error that says so, not a lost key.
#[tokio::test]
async fn a_damaged_key_file_says_so() {
    let outer = tempfile::tempdir().unwrap();
    let (folder, file) = (outer.path().join("store"), outer.path().join("key"));
    put(&EncryptedFileStore::new(&folder, KeyFile::new(&file)), "a", "tokens").await;
    let good = fs::read(&file).unwrap();
    for bad in [&good[..good.len() / 2], b"", &b"x".repeat(100_000)] {
        fs::write(&file, bad).unwrap();
        let store = EncryptedFileStore::new(&folder, KeyFile::new(&file));
        assert_sealed(store.open().await, |error| matches!(error, KeyError::Damaged { .. }));
    }
}

struct Flaky(AtomicUsize);

impl KeyManagement for Flaky {
    fn wrap_key<'a>(&'a self, secret: &'a SecretBytes) -> BoxFuture<'a, Result<Vec<u8>, KeyError>> {
        ToyService.wrap_key(secret)
    }

    fn unwrap_key<'a>(&'a self, wrapped: &'a [u8]) -> BoxFuture<'a, Result<SecretBytes, KeyError>> {
        if self.0.fetch_add(1, Ordering::SeqCst) == 0 {
            let (place, reason) = ("the service".to_owned(), "no answer in 5 s".to_owned());
            return Box::pin(async { Err(KeyError::Unavailable { place, reason, retryable: true }) });
        }
        ToyService.unwrap_key(wrapped)
    }

    fn place(&self) -> String {
        "the service".to_owned()
    }
}

/// F-79: while the key management service is away the error is retryable, and the same store works when it is back.
#[tokio::test]
async fn a_key_service_that_is_away_may_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wrapped.keys");
    put(&EncryptedFileStore::new(folder.path(), WrappedKeys::new(ToyService, &file)), "a", "tokens").await;
    let store = EncryptedFileStore::new(folder.path(), WrappedKeys::new(Flaky(AtomicUsize::new(0)), &file));
    let error = store.get(&key("a")).await.unwrap_err();
    assert!(error.is_retryable() && !error.needs_reauthorization(), "{error}");
    assert_eq!(text(&store, "a").await.unwrap(), "tokens");
}

struct Counting(KeyRing, Arc<AtomicUsize>);

impl KeySource for Counting {
    fn load(&self) -> BoxFuture<'_, Result<Option<KeyRing>, KeyError>> {
        self.1.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Ok(Some(self.0.clone())) })
    }

    fn save<'a>(&'a self, _: &'a KeyRing) -> BoxFuture<'a, Result<(), KeyError>> {
        Box::pin(async { Err(KeyError::Fixed { place: self.place() }) })
    }

    fn place(&self) -> String {
        "a test".to_owned()
    }
}

/// F-79: the source is asked once, however many calls come at once, and not again for damaged records.
#[tokio::test]
async fn keys_are_loaded_once() {
    let folder = tempfile::tempdir().unwrap();
    let (ring, loads) = (KeyRing::of(DataKey::generate().unwrap()), Arc::new(AtomicUsize::new(0)));
    let store = EncryptedFileStore::new(folder.path(), Counting(ring, loads.clone())).without_sync();
    let tasks: Vec<_> = (0..50)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move { put(&store, &n.to_string(), "tokens").await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let foreign = tempfile::tempdir().unwrap();
    let other = EncryptedFileStore::new(foreign.path(), RawKey::new(DataKey::generate().unwrap()));
    put(&other, "0", "sealed with another key").await;
    let from = &records_in(foreign.path())[0];
    fs::copy(from, folder.path().join("records").join(from.file_name().unwrap())).unwrap();
    for _ in 0..3 {
        let error = store.get(&key("0")).await.unwrap_err();
        assert!(matches!(&error, StoreError::Unreadable { reason, .. } if reason.contains("data key")), "{error}");
        assert_eq!(store.list(&Filter::default()).await.unwrap().len(), 49);
    }
    assert_eq!(loads.load(Ordering::SeqCst), 1);
}
